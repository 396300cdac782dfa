"""Columns of texts: their hashes, the distinct ones, copies, and where a byte stands first."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from logvision.native.arrays import Bytes, Codes, Places, arrow, at, binary, room_for, whole
from logvision.native.library import CORE, KEY


def hashes(values: pa.Array, key: int) -> npt.NDArray[np.uint64]:
    """A keyed 64-bit hash of every text of a string or binary array; some 10 ns each."""
    data, offsets = arrow(values)
    out = np.empty(len(values), np.uint64)
    CORE.lv_hashes(data, offsets, len(values), key, at(out))
    return out


def distinct(buffer: Bytes, starts: Places, ends: Places) -> tuple[pa.BinaryArray, Codes]:
    """The distinct texts of slices in order of first appearance, and a code per row; about 30 ns a row."""
    starts, ends = whole(starts), whole(ends)
    rows = len(starts)
    codes, first = np.empty(rows, np.int32), np.empty(rows, np.int32)
    found = CORE.lv_distinct(at(buffer), at(starts), at(ends), rows, KEY, at(codes), at(first))
    if found < 0:
        raise MemoryError
    return _gathered(buffer, starts, ends, first[:found]), codes


def gathered(buffer: Bytes, starts: Places, ends: Places) -> pa.BinaryArray:
    """The texts of slices, copied."""
    return _gathered(buffer, whole(starts), whole(ends), None)


def _gathered(buffer: Bytes, starts: Places, ends: Places, which: Codes | None) -> pa.BinaryArray:
    sizes = ends - starts if which is None else ends[which] - starts[which]
    rows = len(sizes)
    out, offsets = room_for(int(sizes.sum())), np.empty(rows + 1, np.int32)
    picked = None if which is None else at(which)
    CORE.lv_gather(at(buffer), at(starts), at(ends), picked, rows, at(out), at(offsets))
    return binary(out, offsets)


def first(buffer: Bytes, starts: Places, ends: Places, byte: int) -> Places:
    """Where a byte stands first in each slice; the slice's end if it does not."""
    starts, ends = whole(starts), whole(ends)
    out = np.empty(len(starts), np.int64)
    CORE.lv_first(at(buffer), at(starts), at(ends), len(starts), byte, at(out))
    return out
