"""64-bit keys of events in the core: made of parts, numbered, and what each adds up to."""

from __future__ import annotations

import numpy as np

from logvision.native.arrays import Bytes, Codes, Flags, Places, Words, at
from logvision.native.library import CORE, KEY


def mixed(keys: Words, codes: Codes, hashes: Words) -> None:
    """Make keys, in place, those of one more part: `hashes[codes]`, of negative codes the last hash."""
    CORE.lv_mixed(at(keys), at(codes), len(keys), at(hashes), len(hashes))


def numbered(keys: Words) -> tuple[Codes, Codes]:
    """A code per key, by first appearance, and the row that had each first; about 5 ns a row."""
    rows = len(keys)
    codes, first, names = np.empty(rows, np.int32), np.empty(rows, np.int32), np.empty(rows, np.uint64)
    found = CORE.lv_numbered(at(keys), rows, KEY | 1, at(codes), at(first), at(names))
    if found < 0:
        raise MemoryError
    return codes, first[:found]


def known(table: Words, keys: Words) -> Flags:
    """Which keys stand in their row, `key % len(table)`, of a table of two columns and 2 ** n rows."""
    out, keys = np.empty(len(keys), np.bool_), np.ascontiguousarray(keys)
    CORE.lv_known(at(table), len(table), at(keys), len(keys), at(out))
    return out


def tallied(groups: Places, codes: Codes, width: int, flags: Bytes, volume: Places) -> tuple[Places, Places]:
    """The keys `groups * width + codes + 1` that occur, by first appearance, and what each adds up to:
    requests, success, errors, attacks, bytes (`windows.counting.tallied`); about 4 ns a row."""
    rows = len(codes)
    keys, tallies = np.empty(rows, np.int64), np.empty((rows, 5), np.int64)
    found = CORE.lv_tallied(
        at(groups), at(codes), at(flags), at(volume), rows, width, KEY | 1, at(keys), at(tallies)
    )
    if found < 0:
        raise MemoryError
    return keys[:found], tallies[:found]
