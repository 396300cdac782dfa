"""Columns of texts: their hashes, the distinct ones, copies, and where a byte stands first."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from logvision.native.arrays import Bytes, Codes, Flags, Places, arrow, at, binary, room_for, whole
from logvision.native.library import CORE, KEY


def hashes(values: pa.Array, key: int) -> npt.NDArray[np.uint64]:
    """A keyed 64-bit hash of every text of a string or binary array; some 10 ns each."""
    data, offsets = arrow(values)
    out = np.empty(len(values), np.uint64)
    CORE.lv_hashes(data, offsets, len(values), key, at(out))
    return out


def used(column: pa.DictionaryArray) -> Flags | None:
    """Which values of a text column some row has; None: all. Below 1 ns a row."""
    valid, codes = column.indices.buffers()
    marks = np.zeros(len(column.dictionary), np.bool_)
    assert column.indices.type == pa.int32()
    found = CORE.lv_used(
        codes.address + 4 * column.offset,
        valid.address if valid is not None and column.null_count else 0,
        column.offset,
        len(column),
        at(marks),
        len(marks),
    )
    return None if found == len(marks) else marks


class Texts:
    """Distinct texts of a column, numbered in order of first appearance as they are added. For one thread."""

    def __init__(self) -> None:
        self.address = CORE.lv_texts_new(KEY)
        if not self.address:
            raise MemoryError
        self._free = CORE.lv_texts_free

    def __del__(self) -> None:
        if getattr(self, "address", None):
            self._free(self.address)

    def add(self, buffer: Bytes, starts: Places, ends: Places) -> Codes:
        """The numbers of the texts of slices; about 20 ns each."""
        starts, ends = whole(starts), whole(ends)
        codes = np.empty(len(starts), np.int32)
        if CORE.lv_texts_add(self.address, at(buffer), at(starts), at(ends), len(starts), at(codes)) < 0:
            raise MemoryError
        return codes

    def values(self) -> pa.BinaryArray:
        """All texts that were added, by their numbers."""
        out = room_for(CORE.lv_texts_bytes(self.address))
        offsets = np.empty(CORE.lv_texts_found(self.address) + 1, np.int32)
        CORE.lv_texts_copy(self.address, at(out), at(offsets))
        return binary(out, offsets)


def distinct(buffer: Bytes, starts: Places, ends: Places) -> tuple[pa.BinaryArray, Codes]:
    """The distinct texts of slices in order of first appearance, and a code per row; about 30 ns a row."""
    texts = Texts()
    codes = texts.add(buffer, starts, ends)
    return texts.values(), codes


def halves(targets: pa.Array) -> tuple[tuple[pa.BinaryArray, Codes], tuple[pa.BinaryArray, Codes]]:
    """Distinct paths and queries of targets, and per target which it has; the query is -1 without a `?`."""
    data, offsets = arrow(targets)
    paths, queries = Texts(), Texts()
    path, query = np.empty(len(targets), np.int32), np.empty(len(targets), np.int32)
    of_targets = data, offsets, len(targets)
    if CORE.lv_halves(*of_targets, paths.address, queries.address, at(path), at(query)) < 0:
        raise MemoryError
    return (paths.values(), path), (queries.values(), query)


def gathered(buffer: Bytes, starts: Places, ends: Places) -> pa.BinaryArray:
    """The texts of slices, copied."""
    starts, ends = whole(starts), whole(ends)
    out, offsets = room_for(int((ends - starts).sum())), np.empty(len(starts) + 1, np.int32)
    CORE.lv_gather(at(buffer), at(starts), at(ends), len(starts), at(out), at(offsets))
    return binary(out, offsets)


def first(buffer: Bytes, starts: Places, ends: Places, byte: int) -> Places:
    """Where a byte stands first in each slice; the slice's end if it does not."""
    starts, ends = whole(starts), whole(ends)
    out = np.empty(len(starts), np.int64)
    CORE.lv_first(at(buffer), at(starts), at(ends), len(starts), byte, at(out))
    return out
