"""The steps of the canonical form over a column: what the native core does, in numpy where it is not there.

Plus and %HH are decoded all at once; values that hold any other form are decoded step by step, and what is
not one byte for one goes through `decode_text` by itself.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from logvision.detect.decoding import HEX, ROUNDS, decode_text
from logvision.detect.texts import binary, flattened, places

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

Forms = tuple[Ints, Ints, Bytes, Ints]
"""Where forms of one byte begin, their lengths, the bytes, and where forms begin that need more."""

_PAD: Final = np.zeros(16, np.uint8)

_DIGIT: Final = np.full(256, 255, np.uint8)
for _code, _value in HEX.items():
    _DIGIT[_code] = _value


def decoded(source: pa.BinaryArray, *, query: bool, deep: bool) -> pa.BinaryArray:
    """As `canonical.canonicalise`, of binary values."""
    touched = _holding(source, b"%\\&+/\xc0" if query else b"%\\&/\xc0")
    if not len(touched):
        return source
    part = source.take(pa.array(touched))
    done = _percent_batch(part, plus=query)
    if not deep:
        for _ in range(ROUNDS - 1):
            done = _percent_batch(done, plus=False)
        return _replaced(source, touched, done)
    again, hard = _unfinished(part, done)
    for _ in range(ROUNDS - 1):
        if not len(again):
            break
        # Encoded once more and nothing else: another pass over just these.
        deeper = _percent_batch(done.take(pa.array(again)), plus=False)
        done = _replaced(done, again, deeper)
        still, other = _unfinished(None, deeper)
        hard = np.concatenate([hard, again[other]])
        again = again[still]
    if len(hard):
        done = _replaced(done, hard, _in_step(part.take(pa.array(hard)), plus=query))
    return _replaced(source, touched, done)


def _replaced(values: pa.BinaryArray, at: Ints, new: pa.BinaryArray) -> pa.BinaryArray:
    mask = np.zeros(len(values), bool)
    mask[at] = True
    order = np.argsort(at, kind="stable")
    return pc.replace_with_mask(values, pa.array(mask), new.take(pa.array(order)))


def _holding(values: pa.BinaryArray, marks: bytes) -> Ints:
    """Which values hold one of these bytes (0xC0 stands for every byte from there up; / for a comment)."""
    flat, offsets = flattened(values)
    table = np.zeros(256, bool)
    table[list(marks.replace(b"/", b""))] = True
    table[0xC0:] = True
    hit = table[flat]
    if len(flat) > 1:
        hit[:-1] |= (flat[:-1] == 47) & (flat[1:] == 42)
    return places(offsets, np.flatnonzero(hit))


def _percent_batch(values: pa.BinaryArray, *, plus: bool) -> pa.BinaryArray:
    """Plus to space, then one pass of %HH, over all values at once."""
    flat, offsets = flattened(values)
    flat = flat.copy()
    if plus:
        flat[flat == 43] = 32
    at = np.flatnonzero(flat == 37)
    bound = offsets[np.searchsorted(offsets, at, "right")] if len(at) else at
    at = at[at + 2 < bound]
    high, low = _DIGIT[flat[at + 1]], _DIGIT[flat[at + 2]]
    good = (high < 16) & (low < 16)
    at = at[good]
    flat[at] = high[good] << 4 | low[good]
    keep = np.ones(len(flat), bool)
    keep[at + 1] = False
    keep[at + 2] = False
    # Each escape before an offset takes two bytes from it.
    return binary(flat[keep], offsets - 2 * np.searchsorted(at, offsets))


def _unfinished(raw: pa.BinaryArray | None, done: pa.BinaryArray) -> tuple[Ints, Ints]:
    """Values that need another pass of %HH and nothing else, and values that another step could change.

    `raw`: the values before the pass, for escapes that the log wrote; None: no longer asked.
    """
    flat, offsets = flattened(done)
    following = np.append(flat[1:], np.uint8(0))
    percent = flat == 37
    again = percent & ((_DIGIT[following] < 16) | (following == 37))
    more = flat == 92
    more |= percent & ((following | 32) == 117)
    more |= (flat == 47) & (following == 42)
    letters = ((following | 32) >= 97) & ((following | 32) <= 122)
    entity = np.flatnonzero((flat == 38) & (letters | (following == 35)))
    if len(entity):
        # Named entities need their semicolon within nine bytes; a bare "&name=" is none.
        closed = following[entity] == 35
        for distance in range(2, 11):
            closed |= flat[np.minimum(entity + distance, len(flat) - 1)] == 59
        more[entity[closed]] = True
    more[_folding(flat)] = True
    hard = places(offsets, np.flatnonzero(more))
    if raw is not None:
        raw_flat, raw_offsets = flattened(raw)
        hard = np.union1d(hard, places(raw_offsets, np.flatnonzero(raw_flat == 92)))
    return np.setdiff1d(places(offsets, np.flatnonzero(again)), hard, assume_unique=True), hard


def _in_step(values: pa.BinaryArray, *, plus: bool) -> pa.BinaryArray:
    """`decode_text` of every value, a step of all of them at a time.

    A step here only does what makes one byte of one form; values for which that is not all are decoded by
    themselves.
    """
    flat, offsets = flattened(values)
    odd = np.zeros(len(values), bool)
    following = np.append(flat[1:], np.uint8(0))
    escape = (flat == 92) & ((following == 34) | (following == 92))
    odd[places(offsets, np.flatnonzero(escape))] = True
    if plus:
        flat = np.where(flat == 43, np.uint8(32), flat)
    for _ in range(ROUNDS):
        before = len(flat)
        for step in (_percents, _backslashes, _numbers):
            at, length, byte, more = step(flat, offsets)
            odd[places(offsets, more)] = True
            flat, offsets = _put(flat, offsets, at, length, byte)
        odd[places(offsets, _folding(flat))] = True
        if len(flat) == before:
            break
    following = np.append(flat[1:], np.uint8(0))
    odd[places(offsets, np.flatnonzero((flat == 47) & (following == 42)))] = True
    done = binary(flat, offsets)
    at = np.flatnonzero(odd)
    exact = [decode_text(values[int(i)].as_py(), query=plus) for i in at]
    return _replaced(done, at, pa.array(exact, pa.binary()))


def _put(flat: Bytes, offsets: Ints, at: Ints, length: Ints, byte: Bytes) -> tuple[Bytes, Ints]:
    """One byte for each of some ascending forms."""
    if not len(at):
        return flat, offsets
    flat = flat.copy()
    flat[at] = byte
    keep = np.ones(len(flat), bool)
    for behind in range(1, int(length.max())):
        keep[at[length > behind] + behind] = False
    removed = np.concatenate([[0], np.cumsum(length - 1)])
    return flat[keep], offsets - removed[np.searchsorted(at, offsets)]


def _percents(flat: Bytes, offsets: Ints) -> Forms:
    return _hexadecimal(flat, offsets, 37, {0: 1}, (117, 85))


def _backslashes(flat: Bytes, offsets: Ints) -> Forms:
    return _hexadecimal(flat, offsets, 92, {120: 2}, (117,))


def _hexadecimal(flat: Bytes, offsets: Ints, mark: int, two: dict[int, int], four: tuple[int, ...]) -> Forms:
    """Forms of a mark, a letter (0: none) and two digits, or of a mark, a letter and four."""
    at, room = _marked(flat, offsets, mark)
    padded = np.concatenate([flat, _PAD])
    letter = padded[at + 1]
    length = np.zeros(len(at), np.int64)
    value = np.zeros(len(at), np.int64)
    for each, skip in two.items():
        number = _hexes(padded, at + skip, 2)
        fits = (number >= 0) & (room >= skip + 2) & ((each == 0) | (letter == each))
        length[fits], value[fits] = skip + 2, number[fits]
    number = _hexes(padded, at + 2, 4)
    fits = np.isin(letter, four) & (number >= 0) & (room >= 6)
    length[fits], value[fits] = 6, number[fits]
    single = (length > 0) & ((value < 128) | (length < 6))
    return at[single], length[single], value[single].astype(np.uint8), at[(length > 0) & ~single]


def _numbers(flat: Bytes, offsets: Ints) -> Forms:
    """Entities: `&#60;` and `&#x3c;`; a name with a semicolon needs more."""
    at, room = _marked(flat, offsets, 38)
    padded = np.concatenate([flat, _PAD])
    numeric = padded[at + 1] == 35
    base = np.where((padded[at + 2] | 32) == 120, 16, 10)
    start = np.where(base == 16, 3, 2)
    value = np.zeros(len(at), np.int64)
    digits = np.zeros(len(at), np.int64)
    going = numeric.copy()
    for number in range(8):
        digit = _DIGIT[padded[at + start + number]].astype(np.int64)
        going &= (digit < base) & (room > start + number)
        value[going] = value[going] * base[going] + digit[going]
        digits += going
    end = start + digits
    end += (padded[at + end] == 59) & (room > end)
    formed = numeric & (digits > 0) & (value <= 0x10FFFF)
    named = np.zeros(len(at), bool)
    for distance in range(2, 11):
        named |= ~numeric & (padded[at + distance] == 59) & (room > distance)
    single = formed & (value < 128)
    more = at[(formed & ~single) | named]
    return at[single], end[single], value[single].astype(np.uint8), more


def _marked(flat: Bytes, offsets: Ints, mark: int) -> tuple[Ints, Ints]:
    """Where a byte stands, and how many bytes there are from there to the end of its value."""
    at = np.flatnonzero(flat == mark)
    return at, offsets[np.searchsorted(offsets, at, "right")] - at if len(at) else at


def _hexes(padded: Bytes, at: Ints, digits: int) -> Ints:
    """The numbers that hexadecimal digits from there on say; -1 where one is none."""
    value = np.zeros(len(at), np.int64)
    for number in range(digits):
        digit = _DIGIT[padded[at + number]].astype(np.int64)
        value = np.where((value < 0) | (digit > 15), -1, value << 4 | digit)
    return value


def _folding(flat: Bytes) -> Ints:
    """Overlong leads, and leads of the code points that fold to ASCII."""
    if not (flat >= 0xC0).any():
        return np.zeros(0, np.int64)
    following = np.append(flat[1:], np.uint8(0))
    more = (flat == 0xC0) | (flat == 0xC1) | (flat >= 0xF8)
    more |= (flat == 0xE0) & (following < 0xA0) | (flat == 0xF0) & (following < 0x90)
    more |= (flat == 0xCA) | (flat == 0xCD) & (following == 0xBE) | (flat == 0xEF) & (following >= 0xB9)
    more |= (flat == 0xE2) & ((following == 0x81) | (following == 0x88))
    return np.flatnonzero(more)
