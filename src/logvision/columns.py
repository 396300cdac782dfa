"""Dictionary columns: work once per distinct value, then hand the answers back to the rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from logvision import native

Codes = npt.NDArray[np.int32]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def distinct(table: pa.Table, name: str) -> tuple[pa.StringArray, Codes]:
    """The distinct values of a text column and, per row, which one it has (-1: null).

    The values may hold some that no row uses and are in no order. Cost is that of unifying the
    column's chunks; a column of one chunk is free.
    """
    return _unified(table.column(name))


def _unified(column: pa.ChunkedArray) -> tuple[pa.StringArray, Codes]:
    if column.num_chunks != 1:
        column = column.unify_dictionaries() if column.num_chunks else column
        merged = column.combine_chunks()
        chunk = merged.chunk(0) if isinstance(merged, pa.ChunkedArray) else merged
    else:
        chunk = column.chunk(0)
    return chunk.dictionary, codes_of(chunk)


def codes_of(column: pa.DictionaryArray) -> Codes:
    """Per row which value of its dictionary it has, -1: null. A column that `text` made is not copied."""
    indices = column.indices
    if indices.type == pa.int32() and len(indices):
        codes: Codes = np.frombuffer(indices.buffers()[1], np.int32)
        codes = codes[indices.offset : indices.offset + len(indices)]
        if not indices.null_count or np.count_nonzero(codes == -1) == indices.null_count:
            return codes
    return np.asarray(indices.fill_null(-1).to_numpy(zero_copy_only=False), np.int32)


def arrivals(codes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The distinct codes in the order of their first rows, which is the same however texts are numbered."""
    return np.asarray(codes[firsts(codes)[0]])


def firsts(keys: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int64], Codes]:
    """The first row of each distinct integer, in the order of rows, and per row which of them it has."""
    if native.HERE:
        found, first = native.keys.numbered(keys.astype(np.int64, copy=False).view(np.uint64))
        return first.astype(np.int64), found
    _, rows, places = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(rows)
    arrived = np.empty(len(order), np.int32)
    arrived[order] = np.arange(len(order))
    return rows[order].astype(np.int64), arrived[places]


def used(values: pa.StringArray, codes: Codes) -> tuple[pa.StringArray, Codes]:
    """Only the values that some row uses, where most may be of other rows: a slice of a large batch."""
    if len(values) <= codes.size:
        return values, codes
    present, compact = np.unique(codes, return_inverse=True)
    nulls = int(present.size > 0 and present[0] < 0)
    return values.take(pa.array(present[nulls:])), (compact - nulls).astype(np.int32)


def through(of_value: Codes, codes: Codes) -> Codes:
    """Codes of values' answers, from a code per row of its value; null (-1) stays null."""
    # The last answers code -1. Wrapped, which for codes is the same, they are looked up in half the time.
    return np.append(of_value, np.int32(-1)).take(codes, mode="wrap")


def text(values: pa.StringArray, codes: Codes) -> pa.DictionaryArray:
    """A text column from distinct values and a code per row, which it keeps; -1 is null."""
    return pa.DictionaryArray.from_buffers(
        pa.dictionary(pa.int32(), values.type), codes.size, _nullable(codes), values
    )


def _nullable(codes: Codes) -> list[pa.Buffer | None]:
    """The buffers of an array of these codes, of which -1 is null; not copied."""
    known = codes >= 0
    valid = None if known.all() else pa.py_buffer(np.packbits(known, bitorder="little"))
    return [valid, pa.py_buffer(np.ascontiguousarray(codes, np.int32))]


def constant(value: str | None, rows: int) -> pa.DictionaryArray:
    """A text column that says the same on every row."""
    if value is None:
        return text(pa.array([], pa.string()), np.full(rows, -1, np.int32))
    return text(pa.array([value], pa.string()), np.zeros(rows, np.int32))


def spread(per_value: pa.Array, codes: Codes) -> pa.Array:
    """Answers per distinct value to answers per row; a null row (-1) gets null."""
    return per_value.take(pa.Int32Array.from_buffers(pa.int32(), codes.size, _nullable(codes)))


def recode(per_value: pa.Array, codes: Codes) -> pa.DictionaryArray:
    """Like `spread` for text answers, dictionary-encoded: many values may share one answer."""
    encoded = per_value if pa.types.is_dictionary(per_value.type) else per_value.dictionary_encode()
    return text(encoded.dictionary, through(codes_of(encoded), codes))


def plain(
    column: pa.ChunkedArray,
    read: Callable[[str], Any] | None = None,
    rows: npt.NDArray[np.int64] | None = None,
) -> list[Any]:
    """The values as Python objects, None for null: text, numbers, and times as datetimes in UTC.

    `read`: what becomes of a text; None: nothing. `rows`: of these rows only.
    About 0.1 µs a value, a tenth of `to_pylist`, for each distinct text is made once.
    """
    if pa.types.is_dictionary(column.type):
        values, codes = _unified(column)
        codes = codes if rows is None else codes[rows]
        first, places = firsts(codes)
        texts: list[Any] = spread(values, codes[first]).to_pylist()
        if read is not None:
            texts = [None if text is None else read(text) for text in texts]
        return [texts[place] for place in places.tolist()]
    if rows is not None:
        column = column.take(pa.array(rows))
    if pa.types.is_timestamp(column.type):
        since = column.cast(pa.int64()).to_numpy(zero_copy_only=False).view("timedelta64[us]")
        return [_EPOCH + time for time in since.tolist()]
    if column.null_count or not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        plainly: list[Any] = column.to_pylist()
        return plainly
    found: list[Any] = column.to_numpy().tolist()
    return found


def hashes(values: pa.StringArray, key: int) -> npt.NDArray[np.uint64]:
    """A 64-bit hash of every text (no null); the same in every process where HASHED_BY is the same."""
    if native.HERE:
        # Spread: the core's hash is weak for texts that are as long as a small key.
        return native.texts.hashes(values, (key + 1) * 0x9E37_79B9_7F4A_7C15 & 0xFFFF_FFFF_FFFF_FFFF)
    import polars as pl  # noqa: PLC0415 - 60 MB and a third of a second that are seldom needed

    return pl.Series(pl.from_arrow(values), dtype=pl.String).hash(seed=key).to_numpy()


def numbered(keys: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.uint64], Codes]:
    """The distinct keys, ascending, and which one each row has."""
    if native.HERE:
        codes, first = native.keys.numbered(keys)
        names = keys[first]
        order = np.argsort(names)
        rank = np.empty(order.size, np.int32)
        rank[order] = np.arange(order.size, dtype=np.int32)
        return names[order], rank[codes]
    names, places = np.unique(keys, return_inverse=True)
    return names, places.astype(np.int32)


HASHED_BY: Final = "core" if native.HERE else f"polars {version('polars')}"
