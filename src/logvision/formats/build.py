"""From parts and rejected rows to the PARSED and REJECT tables, in input order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa

from logvision.columns import codes_of, recode, text
from logvision.formats import vectors
from logvision.formats.readings import Part
from logvision.formats.row import Row
from logvision.formats.vectors import Places
from logvision.schema import PARSED, RAW_KEPT, REJECT, TEXT

TEXTS: Final = tuple(name for name in Row._fields if name in PARSED.names and PARSED.field(name).type == TEXT)
NUMBERS: Final = ("time", "status", "bytes", "duration_us", "ticks")


def part_of_rows(rows: Sequence[int], read: Sequence[Row]) -> Part:
    """Lines that were read one by one, as a part."""
    columns = dict(zip(Row._fields, zip(*read, strict=True), strict=True))
    part = Part(np.array(rows, np.int64))
    for name in TEXTS:
        column = pa.array(columns[name], pa.string()).dictionary_encode()
        part.text[name] = (column.dictionary, codes_of(column))
    if columns["tail"][0] is not None:
        column = pa.array(columns["tail"], pa.string()).dictionary_encode()
        part.text["tail"] = (column.dictionary, codes_of(column))
    for name in NUMBERS:
        known = np.array([value is not None for value in columns[name]], bool)
        part.numbers[name] = (np.array([value or 0 for value in columns[name]], np.int64), known)
    return part


def events(parts: list[Part], records: pa.Table) -> pa.Table:
    """The PARSED table. The parts' rows are rows of `records` and do not overlap."""
    count = sum(len(part.rows) for part in parts)
    if not count:
        return PARSED.empty_table()
    place = np.zeros(len(records), bool)
    for part in parts:
        assert (np.diff(part.rows) > 0).all(), "a part's rows rise"
        place[part.rows] = True
    kept = np.flatnonzero(place)
    target = np.cumsum(place) - 1
    placed = [target[part.rows] for part in parts]
    columns: dict[str, Any] = {}
    for name in TEXTS:
        columns[name] = _text(name, parts, placed, count)
    for name in ("time", "status", "bytes", "duration_us"):
        columns[name] = _number(name, parts, placed, count)
    everything = count == len(records)
    for name in ("source", "position"):
        column = records.column(name)
        columns[name] = column if everything else column.take(pa.array(kept))
    return pa.table([columns[name] for name in PARSED.names], schema=PARSED)


def _text(name: str, parts: list[Part], placed: list[Places], count: int) -> pa.DictionaryArray:
    given = [(rows, part.text[name]) for part, rows in zip(parts, placed, strict=True) if name in part.text]
    if len(given) == 1 and len(parts) == 1:
        return text(*given[0][1])
    if not given:
        return text(pa.array([], pa.string()), np.full(count, -1, np.int32))
    return text(*vectors.join(given, count))


def _number(name: str, parts: list[Part], placed: list[Places], count: int) -> pa.Array:
    if len(parts) == 1 and name in parts[0].numbers:
        values, known = parts[0].numbers[name]
    else:
        values, known = np.zeros(count, np.int64), np.zeros(count, bool)
        for part, rows in zip(parts, placed, strict=True):
            if name in part.numbers:
                values[rows], known[rows] = part.numbers[name]
    kind = PARSED.field(name).type
    narrow = values.astype(np.int16) if pa.types.is_int16(kind) else values
    array = pa.array(narrow, mask=None if known.all() else ~known)
    return array.view(kind) if pa.types.is_timestamp(kind) else array


def rejects(rows: dict[int, str], records: pa.Table, read_at: datetime) -> pa.Table:
    """The REJECT table: the reason of every rejected row, in input order."""
    if not rows:
        return REJECT.empty_table()
    order = sorted(rows)
    taken = records.take(pa.array(order, pa.int64()))
    raw = taken.column("raw").to_pylist()
    reasons = pa.array([str(rows[row]) for row in order], pa.string())
    return pa.table(
        [
            recode(reasons, np.arange(len(order), dtype=np.int32)),
            pa.array([value[:RAW_KEPT] for value in raw], pa.binary()),
            pa.array([len(value) for value in raw], pa.int64()),
            taken.column("source"),
            taken.column("position"),
            pa.array([read_at] * len(order), REJECT.field("read_at").type),
        ],
        schema=REJECT,
    )
