"""Readings of whole columns at once: slices of one buffer to codes, numbers, times and request parts.

A slice column is (buffer, starts, ends): uint8 bytes and int positions, in row order, not overlapping.
Every function here agrees with its scalar twin in `fields.py`, or leaves the row to it. Where the native
core is there, it does the work; what stands here in numpy gives the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from logvision import columns, native
from logvision.columns import Codes, codes_of, recode
from logvision.formats import fields
from logvision.formats.fields import MONTHS, TOKEN_BYTES

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Text = tuple[pa.StringArray, Codes]
"""Distinct values and, per row, which one it has (-1: null)."""

DASH: Final = 45


class Slices(NamedTuple):
    """One piece of every row."""

    buffer: Bytes
    starts: Places
    ends: Places

    def keep(self, flags: Flags) -> Slices:
        return Slices(self.buffer, self.starts[flags], self.ends[flags])


def interleaved(slices: Slices, gaps_null: bool) -> pa.BinaryArray:
    """An array without copying: entry 2i is row i, entry 2i + 1 is the gap behind it."""
    rows = len(slices.starts)
    offsets = np.empty(2 * rows, np.int32)
    offsets[0::2] = slices.starts
    offsets[1::2] = slices.ends
    valid = pa.py_buffer(b"\x55" * ((2 * rows + 7) // 8)) if gaps_null else None
    return pa.Array.from_buffers(
        pa.binary(), 2 * rows - 1, [valid, pa.py_buffer(offsets), pa.py_buffer(slices.buffer)]
    )


def encode(slices: Slices) -> tuple[pa.BinaryArray, Codes]:
    """Distinct raw values in order of appearance, and a code per row."""
    if not len(slices.starts):
        return pa.array([], pa.binary()), np.zeros(0, np.int32)
    if native.HERE:
        return native.texts.distinct(*slices)
    encoded = interleaved(slices, gaps_null=True).dictionary_encode()
    codes = np.frombuffer(encoded.indices.buffers()[1], np.int32)[: 2 * len(slices.starts) - 1 : 2]
    return encoded.dictionary, codes.copy()


def compact(slices: Slices) -> Slices:
    """The same rows, copied into a buffer of their own."""
    rows = len(slices.starts)
    if not rows:
        return Slices(np.zeros(0, np.uint8), np.zeros(0, np.int64), np.zeros(0, np.int64))
    if native.HERE:
        return of_array(native.texts.gathered(*slices))
    return of_array(interleaved(slices, gaps_null=False).take(pa.array(np.arange(0, 2 * rows - 1, 2))))


def first(buffer: Bytes, byte: int, starts: Places, ends: Places) -> Places:
    """Where a byte stands first in each of some rising ranges; a range's end if it does not."""
    if native.HERE:
        return native.texts.first(buffer, starts, ends, byte)
    at = np.append(np.flatnonzero(buffer == byte), len(buffer))
    found: Places = np.minimum(at[np.searchsorted(at, starts)], ends)
    return found


def of_array(array: pa.BinaryArray) -> Slices:
    """Slices over an array's own memory, of which a sliced array shows only its part."""
    offsets = np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1]
    places = offsets.astype(np.int64)
    data = array.buffers()[2]
    if data is None or not len(array):
        return Slices(np.zeros(0, np.uint8), np.zeros(len(array), np.int64), np.zeros(len(array), np.int64))
    buffer = np.frombuffer(data, np.uint8)[places[0] : places[-1]]
    places -= places[0]
    return Slices(buffer, places[:-1], places[1:])


def strings(values: pa.BinaryArray) -> pa.StringArray:
    """UTF-8 text; an invalid byte becomes `\\xHH`."""
    if of_array(values).buffer.max(initial=0) < 128:
        return values.view(pa.string())  # not looked at value by value
    try:
        return values.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array(
            [value.decode("utf-8", "backslashreplace") for value in values.to_pylist()], pa.string()
        )


def text(slices: Slices) -> Text:
    """A text column; `-` is null."""
    values, codes = encode(slices)
    buffer, starts, ends = of_array(values)
    short = np.flatnonzero(ends - starts == 1)
    for place in short[buffer[starts[short]] == DASH].tolist():  # one at most
        codes[codes == place] = -1
    return strings(values), codes


def mapped(slices: Slices, reading: Callable[[bytes], str | None]) -> tuple[Text, Flags]:
    """A text column by a scalar reading, once per distinct value; False where the reading refused."""
    values, codes = encode(slices)
    answers, good = each(values, reading)
    column = recode(pa.array(answers, pa.string()), codes)
    return (column.dictionary, codes_of(column)), good[codes]


def peers(slices: Slices, reading: Callable[[bytes], str | None]) -> tuple[Text, Flags]:
    """`mapped` for addresses, nearly all of which are canonical as they stand."""
    if not native.HERE:
        return mapped(slices, reading)
    values, codes = encode(slices)
    plain = native.addresses.read(values).kind != 0
    if plain.all():
        return (values.view(pa.string()), codes), np.ones(len(codes), np.bool_)
    odd = np.flatnonzero(~plain)
    answers, fine = each(values.take(pa.array(odd)), reading)
    good = np.ones(len(values), np.bool_)
    good[odd] = fine
    # Bytes of odd ones need not be UTF-8.
    clean = pc.replace_with_mask(values, pa.array(~plain), pa.array(answers, pa.string()).cast(pa.binary()))
    column = recode(clean.cast(pa.string()), codes)
    return (column.dictionary, codes_of(column)), good[codes]


def numbers(slices: Slices, reading: Callable[[bytes], int | None]) -> tuple[Places, Flags, Flags]:
    """Numbers by a scalar reading, once per distinct value: (values, known, good)."""
    values, codes = encode(slices)
    answers, good = each(values, reading)
    known = np.array([answer is not None for answer in answers], bool)
    plain = np.array([answer or 0 for answer in answers], np.int64)
    return plain[codes], known[codes], good[codes]


def each(values: pa.BinaryArray, reading: Callable[[bytes], Any]) -> tuple[list[Any], Flags]:
    """A scalar reading of every distinct value; a refusal is None and a False flag."""
    answers: list[Any] = []
    good = np.ones(len(values), bool)
    for index, value in enumerate(values.to_pylist()):
        try:
            answers.append(reading(value))
        except (fields.BadField, fields.BadTime):
            answers.append(None)
            good[index] = False
    return answers, good


def integers(slices: Slices) -> tuple[Places, Flags, Flags]:
    """Plain decimal integers of up to 18 digits: (values, known, good); `-` is not known."""
    if native.HERE:
        return native.lines.integers(*slices)
    buffer, starts, ends = slices
    size = ends - starts
    values = np.zeros(len(starts), np.int64)
    good = (size > 0) & (size <= 18)
    dash = (size == 1) & (buffer[np.minimum(starts, len(buffer) - 1)] == DASH) if len(buffer) else good
    scale = 1
    for back in range(1, int(size[good].max(initial=0)) + 1):
        inside = good & (size >= back)
        digit = buffer[np.where(inside, ends - back, 0)].astype(np.int64) - 48
        inside_digit = (digit >= 0) & (digit <= 9)
        good &= ~inside | inside_digit | dash
        values += np.where(inside & inside_digit, digit, 0) * scale
        scale *= 10
    return values, good & ~dash, good


_MONTH_OF: Final = np.zeros(1 << 15, np.int64)
for _name, _number in MONTHS.items():
    _MONTH_OF[(_name[0] & 31) << 10 | (_name[1] & 31) << 5 | (_name[2] & 31)] = _number
_MONTH_LETTERS: Final = np.zeros((13, 3), np.uint8)
for _name, _number in MONTHS.items():
    _MONTH_LETTERS[_number] = list(_name)
_MONTH_DAYS: Final = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_MONTH_START: Final = np.array([0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334])
_CLF: Final = np.frombuffer(b"00/Aaa/0000:00:00:00 +0000", np.uint8)
_CLF_DIGITS: Final = np.flatnonzero(_CLF == 48)
_CLF_MARKS: Final = np.array([2, 6, 11, 14, 17, 20])
CLF_SIZE: Final = 26


def clf_times(slices: Slices) -> tuple[Places, Flags]:
    """`10/Oct/2000:13:55:36 -0700` to us since 1970 UTC, and where the text was exactly of that layout."""
    if native.HERE:
        return native.lines.clf_times(*slices)
    rows = len(slices.starts)
    good = (slices.ends - slices.starts) == CLF_SIZE
    if not rows or len(slices.buffer) < CLF_SIZE:
        return np.zeros(rows, np.int64), good & False
    at = np.where(good, slices.starts, 0)
    windows = np.lib.stride_tricks.sliding_window_view(slices.buffer, CLF_SIZE)[at]
    # The same second stands on many neighbouring lines: read only where it changes.
    fresh = np.ones(rows, bool)
    fresh[1:] = (windows[1:] != windows[:-1]).any(axis=1)
    run = np.cumsum(fresh) - 1
    columns = np.ascontiguousarray(windows[fresh].T).astype(np.int64)
    stamp, sound = _clf(columns)
    return stamp[run], good & sound[run]


def _clf(columns: Places) -> tuple[Places, Flags]:
    digits = columns[_CLF_DIGITS] - 48
    good = ((digits >= 0) & (digits <= 9)).all(axis=0)
    good &= (columns[_CLF_MARKS] == _CLF[_CLF_MARKS][:, None].astype(np.int64)).all(axis=0)
    day = digits[0] * 10 + digits[1]
    year = digits[2] * 1000 + digits[3] * 100 + digits[4] * 10 + digits[5]
    hour = digits[6] * 10 + digits[7]
    minute = digits[8] * 10 + digits[9]
    second = digits[10] * 10 + digits[11]
    east = (digits[12] * 10 + digits[13]) * 3600 + (digits[14] * 10 + digits[15]) * 60
    month = _MONTH_OF[(columns[3] & 31) << 10 | (columns[4] & 31) << 5 | (columns[5] & 31)]
    good &= (_MONTH_LETTERS[month] == columns[3:6].T).all(axis=1)
    leap = ((year % 4 == 0) & (year % 100 != 0)) | (year % 400 == 0)
    good &= (month > 0) & (day >= 1) & (day <= _MONTH_DAYS[month] + (leap & (month == 2))) & (year >= 1)
    good &= (hour <= 23) & (minute <= 59) & (second <= 60)
    good &= (digits[12] * 10 + digits[13] <= 23) & (digits[14] * 10 + digits[15] <= 59)
    sign = columns[21]
    good &= (sign == 43) | (sign == 45)
    before = year - 1
    days = (
        before * 365
        + before // 4
        - before // 100
        + before // 400
        + _MONTH_START[month]
        + (leap & (month > 2))
    )
    days += day - fields.EPOCH_DAY
    stamp = days * 86400 + hour * 3600 + minute * 60 + second - np.where(sign == 45, -east, east)
    return stamp * 1_000_000, good


class Requests(NamedTuple):
    """The parts of request lines."""

    method: Text
    target: Text
    protocol: Text


_TOKEN: Final = np.zeros(256, bool)
_TOKEN[list(TOKEN_BYTES)] = True
_HTTP: Final = np.frombuffer(b"HTTP/", np.uint8)


def requests(lines: Slices) -> Requests:
    """Split request lines; `METHOD target HTTP/x` in bulk, every other one by `fields.request`."""
    if not native.HERE:
        values, codes = encode(lines)
        return Requests(*(through(part, codes) for part in _requests(values)))
    texts = [native.texts.Texts() for _ in Requests._fields]
    parts, odd = native.lines.requests(*lines, texts)
    if odd.size:
        values, of_odd = encode(Slices(lines.buffer, lines.starts[odd], lines.ends[odd]))
        read = zip(*map(fields.request, values.to_pylist()), strict=True)
        for own, codes, given in zip(texts, parts, read, strict=True):
            known = [text for text in given if text is not None]
            of_value = np.full(len(given), -1, np.int32)
            of_value[[text is not None for text in given]] = own.add(*of_array(pa.array(known, pa.string())))
            codes[odd] = of_value[of_odd]
    return Requests(*((strings(own.values()), codes) for own, codes in zip(texts, parts, strict=True)))


def _requests(values: pa.BinaryArray) -> Requests:
    """The same for distinct lines, without the core."""
    buffer, rows, from_, one, two, to = _plain_requests(of_array(values))
    methods, method_codes = encode(Slices(buffer, from_, one))
    targets, target_codes = encode(Slices(buffer, one + 1, two))
    protocols, protocol_codes = encode(Slices(buffer, two + 1, to))
    parts = [
        (strings(methods), method_codes),
        (strings(targets), target_codes),
        (strings(protocols), protocol_codes),
    ]
    if len(rows) == len(values):
        return Requests(*parts)
    odd = np.ones(len(values), bool)
    odd[rows] = False
    others = np.flatnonzero(odd)
    read = [fields.request(value) for value in values.take(pa.array(others)).to_pylist()]
    out = []
    for place, part in enumerate(parts):
        extra = pa.array([item[place] for item in read], pa.string()).dictionary_encode()
        out.append(join([(rows, part), (others, (extra.dictionary, codes_of(extra)))], len(values)))
    return Requests(*out)


def _plain_requests(slices: Slices) -> tuple[Bytes, Places, Places, Places, Places, Places]:
    """The lines that are `METHOD target HTTP/x`: start, both spaces and end of each."""
    buffer, starts, ends = slices
    spaces = np.flatnonzero(buffer == 32)
    first = np.searchsorted(spaces, starts)
    plain = np.searchsorted(spaces, ends) - first == 2
    rows = np.flatnonzero(plain)
    one, two = spaces[first[rows]], spaces[first[rows] + 1]
    from_, to = starts[rows], ends[rows]
    sound = (one > from_) & (to - two > len(_HTTP)) & (one - from_ <= 32)
    for index, byte in enumerate(_HTTP):
        sound &= buffer[np.minimum(two + 1 + index, len(buffer) - 1)] == byte
    rows, one, two, from_, to = rows[sound], one[sound], two[sound], from_[sound], to[sound]
    methods, method_codes = encode(Slices(buffer, from_, one))
    tokens = np.array([not value.translate(None, TOKEN_BYTES) for value in methods.to_pylist()], bool)
    fine = tokens[method_codes]
    return buffer, rows[fine], from_[fine], one[fine], two[fine], to[fine]


def halves(target: Text) -> tuple[Text, Text]:
    """Path and query of a target column, split at the first `?`; without one the query is null."""
    values, codes = target
    path, query = native.texts.halves(values) if native.HERE else _halves(of_array(values))
    # Cut at a `?`, what is valid UTF-8 stays so.
    return through((path[0].view(pa.string()), path[1]), codes), through(
        (query[0].view(pa.string()), query[1]), codes
    )


def _halves(targets: Slices) -> tuple[tuple[pa.BinaryArray, Codes], tuple[pa.BinaryArray, Codes]]:
    buffer, starts, ends = targets
    mark = first(buffer, 63, starts, ends)
    has = mark < ends
    queries, found = encode(Slices(buffer, mark[has] + 1, ends[has]))
    query = np.full(len(starts), -1, np.int32)
    query[has] = found
    return encode(Slices(buffer, starts, mark)), (queries, query)


def glued(path: Text, query: Text) -> Text:
    """Targets from a path and a query column; a null or empty query adds nothing, a `?` stands once."""
    width = len(query[0]) + 1
    known, codes = np.unique((path[1].astype(np.int64) + 1) * width + query[1] + 1, return_inverse=True)
    paths, queries = path[0].to_pylist(), query[0].to_pylist()
    out: list[str | None] = []
    for pair in known.tolist():
        front, back = pair // width - 1, pair % width - 1
        tail = queries[back] if back >= 0 else ""
        out.append(None if front < 0 else paths[front] + (tail if not tail or tail[0] == "?" else "?" + tail))
    column = recode(pa.array(out, pa.string()), codes.astype(np.int32))
    return column.dictionary, codes_of(column)


def through(part: Text, codes: Codes) -> Text:
    """A text column of distinct values, spread to the rows that hold them."""
    return part[0], columns.through(part[1], codes)


def join(parts: list[tuple[Places, Text]], rows: int) -> Text:
    """One text column from parts that each give some rows; rows that no part gives are null."""
    values, same = encode(of_array(pa.concat_arrays([part[0] for _, part in parts])))
    codes = np.full(rows, -1, np.int32)
    base = 0
    for places, (own, part_codes) in parts:
        codes[places] = columns.through(same[base : base + len(own)], part_codes)
        base += len(own)
    return values.view(pa.string()), codes
