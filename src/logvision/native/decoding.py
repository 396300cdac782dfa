"""Encoded texts in the core: canonical forms, texts unquoted once, and the parts of addresses."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from logvision.native.arrays import MOST, Places, arrow, at, binary, bytes_of, scratch
from logvision.native.library import CORE


def canonical(values: pa.BinaryArray, *, query: bool, deep: bool) -> pa.BinaryArray:
    """The canonical text of every value (detect/decoding.py); some 2 ns a byte."""
    data, offsets = arrow(values)
    out, ends = np.empty(bytes_of(values), np.uint8), np.empty(len(values) + 1, np.int32)
    if not CORE.lv_canonical(data, offsets, len(values), query, deep, at(out), at(ends)):
        return values
    return binary(out, ends)


def canonical_text(text: bytes, query: bool) -> bytes:
    """The canonical form of one text."""
    out = scratch(len(text))
    made: bytes = out[: CORE.lv_text(text, len(text), query, out)]
    return made


def unquoted(values: pa.Array) -> pa.BinaryArray:
    """The text of every value with its plus signs and %HH read, once."""
    data, offsets = arrow(values)
    out, ends = np.empty(bytes_of(values), np.uint8), np.empty(len(values) + 1, np.int32)
    CORE.lv_unquoted(data, offsets, len(values), at(out), at(ends))
    return binary(out, ends)


def parts(urls: pa.BinaryArray, owner: int, depth: int) -> tuple[list[tuple[Places, pa.BinaryArray]], Places]:
    """Owners and canonical texts of the paths, names, values and inner addresses of addresses (they belong to
    `owner` and those that follow); and the addresses that the exact path (detect/split.py) must read, rising.

    Addresses in values are followed `depth` deep. Some 10 ns a byte.
    """
    data, offsets = arrow(urls)
    # All addresses inside one have, on each level, no more bytes than it has; a part is a byte at least and
    # one before it. Little of this room is ever touched.
    rows, size, kinds = len(urls), (depth + 1) * bytes_of(urls), range(4)
    if size > MOST:
        return [], np.arange(rows)
    texts = [np.empty(size, np.uint8) for _ in kinds]
    ends = [np.empty(rows + size // 2 + 1, np.int32) for _ in kinds]
    owners = [np.empty(rows + size // 2, np.int64) for _ in kinds]
    counts, left = np.empty(len(kinds), np.int64), np.empty(rows, np.int64)
    tables = [np.array([at(each) for each in table], np.uint64) for table in (texts, ends, owners)]
    hard = CORE.lv_parts(data, offsets, rows, owner, depth, *map(at, tables), at(counts), at(left))
    found = [
        (owner[:count], binary(text, end[: count + 1]))
        for owner, end, text, count in zip(owners, ends, texts, counts.tolist(), strict=True)
    ]
    return found, left[:hard]
