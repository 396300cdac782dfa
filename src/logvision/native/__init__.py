"""The native core: the innermost loops in C, loaded by ctypes, which lets go of the GIL during every call.

`HERE` says whether it is there. Whoever calls it has a pure path that gives the same answers
(property-tested) and takes it where the core is absent: an installation with LOGVISION_BUILD=none, a platform
without a compiler, sources changed since it was built, or LOGVISION_NATIVE=none. This package is the door.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import threading
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from logvision.native import build

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]
Keys = npt.NDArray[np.uint64]
Words = npt.NDArray[np.uint64]

_P, _I, _U = ctypes.c_void_p, ctypes.c_int64, ctypes.c_uint64
_i, _b = ctypes.c_int32, ctypes.c_uint8

_FUNCTIONS: Final[dict[str, tuple[Any, tuple[Any, ...]]]] = {
    "lv_hashes": (None, (_P, _P, _I, _U, _P)),
    "lv_distinct": (_I, (_P, _P, _P, _I, _U, _P, _P)),
    "lv_gather": (None, (_P, _P, _P, _P, _I, _P, _P)),
    "lv_cut": (_I, (_P, _P, _P, _I, _P, _i, _i, _i, _P, _P, _b, _P, _P, _P)),
    "lv_clf_times": (None, (_P, _P, _P, _I, _P, _P)),
    "lv_trimmed": (_I, (_P, _P, _P, _I, _I, _P, _P, _P)),
    "lv_integers": (None, (_P, _P, _P, _I, _P, _P, _P)),
    "lv_requests": (None, (_P, _P, _P, _I, _P, _P)),
    "lv_first": (None, (_P, _P, _P, _I, _b, _P)),
    "lv_v4": (None, (_P, _P, _I, _P, _P)),
    "lv_networks": (None, (_P, _P, _I, _P, _P)),
    "lv_pieces": (_I, (_P, _P, _P, _P, _P, _P, _P, _I, _I, _I, _I, _P, _P, _P, _P, _P, _P)),
    "lv_unquoted": (None, (_P, _P, _I, _P, _P)),
    "lv_teach": (None, (_P, _I, _I, _P, _P, _P, _I)),
    "lv_canonical": (_I, (_P, _P, _I, _i, _i, _P, _P)),
    "lv_parts": (_I, (_P, _P, _I, _I, _i, _P, _P, _P, _P, _P)),
    "lv_text": (_I, (_P, _I, _i, _P)),
    "lv_joined": (None, (_P, _P, _I, _P, _P)),
    "lv_marked": (None, (_P, _P, _I, _P, _P)),
    "lv_margins": (None, (_P, _P, _P, _I, _I, _P, _P, _i, _P, _P)),
    "lv_sql": (_I, (_P, _I, _P, _I, _P, _I, _I, _P)),
    "lv_mixed": (None, (_P, _P, _I, _P, _I)),
    "lv_numbered": (_I, (_P, _I, _U, _P, _P, _P)),
    "lv_met": (None, (_P, _P, _I, _I, _P, _P)),
    "lv_poured": (_I, (_P, _P, _P, _I, _P, _P, _I, _P, _P, _P, _P)),
    "lv_tallied": (_I, (_P, _P, _P, _P, _I, _I, _U, _P, _P)),
    "lv_forms": (None, (_P, _P, _I, _P, _P, _P, _I, _P, _P, _P)),
    "lv_crcs": (None, (_P, _P, _I, _P)),
    "lv_places_new": (_P, (_I, _U, _P, _I)),
    "lv_places_free": (None, (_P,)),
    "lv_places_count": (_I, (_P,)),
    "lv_places_full": (_i, (_P,)),
    "lv_places_routes": (_I, (_P, _P, _P, _I, _P, _P, _I, _P, _P)),
    "lv_places_saved": (_I, (_P,)),
    "lv_places_save": (_I, (_P, _P)),
    "lv_places_load": (_I, (_P, _P, _I, _i)),
    "lv_memo_new": (_P, (_I, _I, _U)),
    "lv_memo_free": (None, (_P,)),
    "lv_memo_size": (_I, (_P,)),
    "lv_memo_find": (_I, (_P, _P, _P, _I, _P)),
    "lv_memo_keep": (_I, (_P, _P, _P, _P, _I, _P)),
}


def _load() -> tuple[Any, str]:
    """The library and what is to say about it; None where there is none to be used."""
    if os.environ.get("LOGVISION_NATIVE") == "none":
        return None, "switched off by LOGVISION_NATIVE=none"
    if not build.LIBRARY.is_file():
        return None, "not built"
    try:
        library = ctypes.CDLL(str(build.LIBRARY))
    except OSError as error:
        return None, f"cannot be loaded: {error}"
    library.lv_digest.restype = ctypes.c_char_p
    if library.lv_digest() != build.digest().encode():
        return None, "built from other sources than these; run `python hatch_build.py`"
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library, "in use"


_C, STATE = _load()
HERE: Final = _C is not None
"""Whether the core is in use; `STATE` says so in words."""

KEY: Final = secrets.randbits(64)
"""Of the hashes of this process: nobody can choose texts that collide."""


class _Scratch(threading.local):
    """Every thread's own room for what is made of one text, which costs less than a new buffer does."""

    def __init__(self) -> None:
        self.room = ctypes.create_string_buffer(1 << 15)


_SCRATCH: Final = _Scratch()


def _room(size: int) -> Any:
    """At least so many bytes, until this thread asks again."""
    room = _SCRATCH.room
    return room if size <= len(room) else ctypes.create_string_buffer(size)


def _at(array: npt.NDArray[Any]) -> int:
    assert array.flags.c_contiguous
    address: int = pa.py_buffer(array).address  # `array.ctypes.data` takes eight times as long
    return address


def _whole(array: npt.ArrayLike) -> Places:
    return np.ascontiguousarray(array, np.int64)


def hashes(values: pa.Array, key: int) -> npt.NDArray[np.uint64]:
    """A keyed 64-bit hash of every text of a string or binary array; some 10 ns each."""
    data, offsets = _arrow(values)
    out = np.empty(len(values), np.uint64)
    _C.lv_hashes(data, offsets, len(values), key, _at(out))
    return out


def distinct(buffer: Bytes, starts: Places, ends: Places) -> tuple[pa.BinaryArray, Codes]:
    """The distinct texts of slices in order of first appearance, and a code per row; about 30 ns a row."""
    starts, ends = _whole(starts), _whole(ends)
    rows = len(starts)
    codes, first = np.empty(rows, np.int32), np.empty(rows, np.int32)
    found = _C.lv_distinct(_at(buffer), _at(starts), _at(ends), rows, KEY, _at(codes), _at(first))
    if found < 0:
        raise MemoryError
    return _gathered(buffer, starts, ends, first[:found]), codes


def gathered(buffer: Bytes, starts: Places, ends: Places) -> pa.BinaryArray:
    """The texts of slices, copied."""
    return _gathered(buffer, _whole(starts), _whole(ends), None)


def _gathered(buffer: Bytes, starts: Places, ends: Places, which: Codes | None) -> pa.BinaryArray:
    sizes = ends - starts if which is None else ends[which] - starts[which]
    total, rows = int(sizes.sum()), len(sizes)
    if total > np.iinfo(np.int32).max:
        raise MemoryError("more than 2 GiB of text in one batch")
    out, offsets = np.empty(total, np.uint8), np.empty(rows + 1, np.int32)
    picked = None if which is None else _at(which)
    _C.lv_gather(_at(buffer), _at(starts), _at(ends), picked, rows, _at(out), _at(offsets))
    return pa.Array.from_buffers(pa.binary(), rows, [None, pa.py_buffer(offsets), pa.py_buffer(out)])


def first(buffer: Bytes, starts: Places, ends: Places, byte: int) -> Places:
    """Where a byte stands first in each slice; the slice's end if it does not."""
    starts, ends = _whole(starts), _whole(ends)
    out = np.empty(len(starts), np.int64)
    _C.lv_first(_at(buffer), _at(starts), _at(ends), len(starts), byte, _at(out))
    return out


def trimmed(buffer: Bytes, starts: Places, ends: Places, limit: int) -> tuple[Places, Places, Places]:
    """`formats.lines.trimmed`."""
    starts, ends = _whole(starts), _whole(ends)
    froms, tos, odd = (np.empty(len(starts), np.int64) for _ in range(3))
    rows = len(starts)
    found = _C.lv_trimmed(_at(buffer), _at(starts), _at(ends), rows, limit, _at(froms), _at(tos), _at(odd))
    return froms, tos, odd[:found]


def clf_times(buffer: Bytes, starts: Places, ends: Places) -> tuple[Places, Flags]:
    """`10/Oct/2000:13:55:36 -0700` as us since 1970 UTC, and where the text was exactly of that layout."""
    starts, ends = _whole(starts), _whole(ends)
    values, good = np.empty(len(starts), np.int64), np.empty(len(starts), np.bool_)
    _C.lv_clf_times(_at(buffer), _at(starts), _at(ends), len(starts), _at(values), _at(good))
    return values, good


def integers(buffer: Bytes, starts: Places, ends: Places) -> tuple[Places, Flags, Flags]:
    """Plain decimal integers of up to 18 digits: (values, known, good); `-` is good and not known."""
    starts, ends = _whole(starts), _whole(ends)
    rows = len(starts)
    values, known, good = np.empty(rows, np.int64), np.empty(rows, np.bool_), np.empty(rows, np.bool_)
    _C.lv_integers(_at(buffer), _at(starts), _at(ends), rows, _at(values), _at(known), _at(good))
    return values, known, good


def requests(buffer: Bytes, starts: Places, ends: Places) -> tuple[Places, Places]:
    """Where the two spaces of `METHOD target HTTP/x` are; -1 for lines that are not exactly so."""
    starts, ends = _whole(starts), _whole(ends)
    one, two = np.empty(len(starts), np.int64), np.empty(len(starts), np.int64)
    _C.lv_requests(_at(buffer), _at(starts), _at(ends), len(starts), _at(one), _at(two))
    return one, two


def v4(values: pa.Array) -> tuple[npt.NDArray[np.uint32], Flags]:
    """The numbers of texts that are IPv4 addresses as inet_pton takes them, and which are."""
    data, offsets = _arrow(values)
    numbers, good = np.empty(len(values), np.uint32), np.empty(len(values), np.bool_)
    _C.lv_v4(data, offsets, len(values), _at(numbers), _at(good))
    return numbers, good


def networks(values: pa.Array) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """The numbers of the narrow and of the wide networks of addresses (detect/network.py)."""
    data, offsets = _arrow(values)
    narrow, wide = np.empty(len(values), np.uint32), np.empty(len(values), np.uint32)
    _C.lv_networks(data, offsets, len(values), _at(narrow), _at(wide))
    return narrow, wide


def pieces(
    requests: tuple[pa.Array, pa.Array],
    routes: pa.Array,
    of_row: Codes,
    limits: tuple[int, int, int],
    kinds: Words,
) -> tuple[Places, Places, Places, Words, Places]:
    """Of every path and query (`requests`) its pieces (detect/pieces.py): the row, where the name begins and
    ends among the bytes of the queries, kinds of the value's bytes and its size.

    A name at -n, and ending there, is that of the n-th variable of the route; one from 0 to 0 is none.
    `limits`: pairs of a query, characters of a name, bytes of a value that are read. `kinds`: of every byte.
    """
    texts = [_arrow(values) for values in (*requests, routes)]
    rows = len(of_row)
    room = 2 * rows + sum(map(_bytes_of, requests))
    owner, start, end, size = (np.empty(room, np.int64) for _ in range(4))
    found, of_row = np.empty(room, np.uint64), np.ascontiguousarray(of_row, np.int32)
    count = _C.lv_pieces(
        *texts[0], *texts[1], *texts[2], _at(of_row), rows, *limits, _at(kinds),
        _at(owner), _at(start), _at(end), _at(found), _at(size),
    )  # fmt: skip
    return owner[:count], start[:count], end[:count], found[:count], size[:count]


def unquoted(values: pa.Array) -> pa.BinaryArray:
    """The text of every value with its plus signs and %HH read, once."""
    data, offsets = _arrow(values)
    out, ends = np.empty(_bytes_of(values), np.uint8), np.empty(len(values) + 1, np.int32)
    _C.lv_unquoted(data, offsets, len(values), _at(out), _at(ends))
    return pa.Array.from_buffers(pa.binary(), len(values), [None, pa.py_buffer(ends), pa.py_buffer(out)])


def teach(seen: Words, profiles: Places, bits: Words, networks: Places) -> None:
    """Set the bit of every row's network in its profile (of `seen`: profiles, traits, words), in each trait
    that is among its bits."""
    profiles, networks = _whole(profiles), _whole(networks)
    bits = np.ascontiguousarray(bits, np.uint64)
    _C.lv_teach(_at(seen), *seen.shape[1:], _at(profiles), _at(bits), _at(networks), len(bits))


def canonical(values: pa.BinaryArray, *, query: bool, deep: bool) -> pa.BinaryArray:
    """The canonical text of every value (detect/decoding.py); some 2 ns a byte."""
    data, offsets = _arrow(values)
    total = _bytes_of(values)
    out, ends = np.empty(total, np.uint8), np.empty(len(values) + 1, np.int32)
    if not _C.lv_canonical(data, offsets, len(values), query, deep, _at(out), _at(ends)):
        return values
    return pa.Array.from_buffers(pa.binary(), len(values), [None, pa.py_buffer(ends), pa.py_buffer(out)])


def canonical_text(text: bytes, query: bool) -> bytes:
    """The canonical form of one text."""
    out = _room(len(text))
    made: bytes = out[: _C.lv_text(text, len(text), query, out)]
    return made


def parts(urls: pa.BinaryArray, owner: int, depth: int) -> tuple[list[tuple[Places, pa.BinaryArray]], Places]:
    """Owners and canonical texts of the paths, names, values and inner addresses of addresses (they belong to
    `owner` and those that follow); and the addresses that the exact path (detect/split.py) must read, rising.

    Addresses in values are followed `depth` deep. Some 10 ns a byte.
    """
    data, offsets = _arrow(urls)
    rows, size = len(urls), _bytes_of(urls)
    if 3 * size > np.iinfo(np.int32).max:
        return [], np.arange(rows)
    # What the longest chains of pairs and of addresses inside addresses could give; little of it is touched.
    rooms = [rows + size, rows + 3 * size // 2, rows + 3 * size // 2, rows + size]
    texts = [np.empty(3 * size, np.uint8) for _ in rooms]
    ends = [np.empty(room + 1, np.int32) for room in rooms]
    owners = [np.empty(room, np.int64) for room in rooms]
    counts, left = np.empty(len(rooms), np.int64), np.empty(rows, np.int64)
    tables = [np.array([_at(each) for each in table], np.uint64) for table in (texts, ends, owners)]
    hard = _C.lv_parts(data, offsets, rows, owner, depth, *map(_at, tables), _at(counts), _at(left))
    found = [
        (
            owner[:count],
            pa.Array.from_buffers(pa.binary(), count, [None, pa.py_buffer(end), pa.py_buffer(text)]),
        )
        for owner, end, text, count in zip(owners, ends, texts, counts.tolist(), strict=True)
    ]
    return found, left[:hard]


def joined(values: pa.BinaryArray) -> tuple[Bytes, Places]:
    """All values in one text, each ended by a line feed, and where those are; inside one it is a `\\v`."""
    data, offsets = _arrow(values)
    out, ends = np.empty(_bytes_of(values) + len(values), np.uint8), np.empty(len(values), np.int64)
    _C.lv_joined(data, offsets, len(values), _at(out), _at(ends))
    return out, ends


def marked(text: Bytes, ends: Places, table: Flags) -> Flags:
    """Which of the first joined texts hold a byte of the table; `ends` may be shorter than the text."""
    out = np.empty(len(ends), np.bool_)
    _C.lv_marked(_at(text), _at(_whole(ends)), len(ends), _at(table), _at(out))
    return out


def margins(
    text: Bytes,
    starts: Places,
    ends: Places,
    fold: Bytes,
    weights: npt.NDArray[np.float32],
    root: npt.NDArray[np.float64],
) -> npt.NDArray[np.float32]:
    """The classifier's sum for every text; `root`: square roots up to the longest text that is read."""
    starts, ends = _whole(starts), _whole(ends)
    out = np.empty(len(starts), np.float32)
    weights = np.ascontiguousarray(weights, np.float32)
    bits, longest = len(weights).bit_length() - 1, len(root) - 3
    sizes = (len(starts), longest)
    _C.lv_margins(
        _at(text), _at(starts), _at(ends), *sizes, _at(fold), _at(weights), bits, _at(root), _at(out)
    )
    return out


def sql_letters(text: bytes, quote: bytes, tables: bytes, words: int, most: int) -> bytes:
    """Up to `most` tokens of SQL (detect/verify/sql_tokens.py, which makes the tables of its words)."""
    out = _room(2 * min(most, len(text) + 1) + 1)
    made: bytes = out[: _C.lv_sql(text, len(text), quote, len(quote), tables, words, most, out)]
    return made


def mixed(keys: Keys, codes: Codes, hashes: Keys) -> None:
    """Make keys, in place, those of one more part: `hashes[codes]`, of negative codes the last hash."""
    _C.lv_mixed(_at(keys), _at(codes), len(keys), _at(hashes), len(hashes))


def numbered(keys: Keys) -> tuple[Codes, Codes]:
    """A code per key, by first appearance, and the row that had each first; about 5 ns a row."""
    rows = len(keys)
    codes, first, names = np.empty(rows, np.int32), np.empty(rows, np.int32), np.empty(rows, np.uint64)
    found = _C.lv_numbered(_at(keys), rows, KEY | 1, _at(codes), _at(first), _at(names))
    if found < 0:
        raise MemoryError
    return codes, first[:found]


def tallied(groups: Places, codes: Codes, width: int, flags: Bytes, volume: Places) -> tuple[Places, Places]:
    """The keys `groups * width + codes + 1` that occur, ascending, and what each adds up to: requests,
    success, errors, attacks, bytes (`windows.counting.tallied`); about 4 ns a row."""
    rows = len(codes)
    keys, tallies = np.empty(rows, np.int64), np.empty((rows, 5), np.int64)
    found = _C.lv_tallied(
        _at(groups), _at(codes), _at(flags), _at(volume), rows, width, KEY | 1, _at(keys), _at(tallies)
    )
    if found < 0:
        raise MemoryError
    order = np.argsort(keys[:found])
    return keys[order], tallies[order]


def met(codes: Codes, times: Places, memory: int, last: Places) -> Flags:
    """Which rows bring a value not met within `memory` of its time in `last`, which is kept up to date."""
    fresh = np.empty(len(codes), np.bool_)
    _C.lv_met(_at(codes), _at(times), len(codes), memory, _at(last), _at(fresh))
    return fresh


def poured(
    places: Places, times: Places, kinds: Bytes, size: Places, buckets: Places
) -> tuple[Places, Places]:
    """`detect.buckets.poured`; some 10 ns a row."""
    rows, count = len(places), len(buckets)
    stay, opened, stays = np.empty(count, np.int64), np.empty(count, np.int64), np.empty(rows, np.int64)
    alerts = np.empty((rows, 5), np.int64)
    found = _C.lv_poured(
        _at(places), _at(times), _at(kinds), rows, _at(size),
        _at(buckets), count, _at(stay), _at(opened), _at(stays), _at(alerts),
    )  # fmt: skip
    return stays, alerts[:found]


class Cutter:
    """Cuts lines into the pieces of a plan. Immutable.

    `segments` are what stands before, between and behind `quoted` quoted texts, each a literal text or a
    list of words as (span, front, has a field, back); `rest`: what follows the last quote is one piece.
    Pieces are numbered in the order of words with a field, quoted texts, rest.
    """

    def __init__(
        self,
        segments: list[bytes | list[tuple[int, bytes, bool, bytes]]],
        quoted: int,
        rest: bool,
        delimiter: int,
    ) -> None:
        literals = bytearray()

        def literal(text: bytes) -> tuple[int, int]:
            literals.extend(text)
            return len(literals) - len(text), len(text)

        words: list[tuple[int, ...]] = []
        table: list[tuple[int, ...]] = []
        pieces = 0
        for segment in segments:
            if isinstance(segment, bytes):
                table.append((0, 0, *literal(segment)))
                continue
            table.append((len(segment), len(words), 0, 0))
            for span, front, has_field, back in segment:
                words.append((span, *literal(front), *literal(back), pieces if has_field else -1))
                pieces += has_field
        self._segments = np.array(table, np.int32).reshape(-1, 4)
        self._words = np.array(words, np.int32).reshape(-1, 6)
        self._literals = np.frombuffer(bytes(literals) + b"\0", np.uint8)
        self._quoted, self._rest, self._delimiter, self._first_quoted = quoted, rest, delimiter, pieces
        self.pieces = pieces + quoted + rest

    def cut(self, buffer: Bytes, starts: Places, ends: Places) -> tuple[Places, Places, Places]:
        """The lines that are exactly as planned, rising; starts and ends of their pieces, a row a piece."""
        starts, ends = _whole(starts), _whole(ends)
        count = len(starts)
        froms, tos = np.empty((self.pieces, count), np.int64), np.empty((self.pieces, count), np.int64)
        rows = np.empty(count, np.int64)
        taken = _C.lv_cut(
            _at(buffer), _at(starts), _at(ends), count,
            _at(self._segments), self._quoted, self._rest, self._first_quoted,
            _at(self._words), _at(self._literals), self._delimiter, _at(froms), _at(tos), _at(rows),
        )  # fmt: skip
        return rows[:taken], froms[:, :taken], tos[:, :taken]


class Memo:
    """Numbers remembered for texts over all batches: at most `limit` texts of `size` bytes on average.

    Exact: the texts are kept and compared. A flood of new texts pushes out old ones and never grows it.
    For one thread at a time.
    """

    def __init__(self, limit: int, size: int = 64) -> None:
        self._memo = _C.lv_memo_new(limit, limit * size, KEY)
        if not self._memo:
            raise MemoryError
        self._free = _C.lv_memo_free

    def __del__(self) -> None:
        if getattr(self, "_memo", None):
            self._free(self._memo)

    def __len__(self) -> int:
        return int(_C.lv_memo_size(self._memo))

    def find(self, values: pa.Array) -> Codes:
        """The number of every text of a string or binary array without nulls, -1 where it is not known."""
        data, offsets = _arrow(values)
        codes = np.empty(len(values), np.int32)
        if _C.lv_memo_find(self._memo, data, offsets, len(values), _at(codes)) < 0:
            raise MemoryError
        return codes

    def keep(self, values: pa.Array, which: Places, numbers: Codes) -> None:
        """Remember numbers (not negative) for some of the texts."""
        data, offsets = _arrow(values)
        which, numbers = _whole(which), np.ascontiguousarray(numbers, np.int32)
        if _C.lv_memo_keep(self._memo, data, offsets, _at(which), len(which), _at(numbers)) < 0:
            raise MemoryError


def _bytes_of(values: pa.Array) -> int:
    """Bytes of all values of a string or binary array."""
    _, offsets, _ = values.buffers()
    if offsets is None or not len(values):
        return 0
    places = np.frombuffer(offsets, np.int32)
    return int(places[values.offset + len(values)] - places[values.offset])


_NOTHING: Final = np.zeros(1, np.int32)


def _arrow(values: pa.Array) -> tuple[int, int]:
    """Addresses of an array's bytes and of its first offset. The array must outlive their use."""
    assert values.type in (pa.string(), pa.binary()), values.type
    _, offsets, data = values.buffers()
    if offsets is None or not len(values):
        return _at(_NOTHING), _at(_NOTHING)
    return _at(_NOTHING) if data is None else data.address, offsets.address + 4 * values.offset
