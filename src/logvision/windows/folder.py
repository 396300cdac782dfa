"""The folder: a running object that folds batches of events into partials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from logvision import columns
from logvision.columns import Codes
from logvision.schema import EVENT, PARTIAL
from logvision.windows.counting import Batch, present
from logvision.windows.dimensions import (
    ALL,
    DIMENSIONS,
    HOUR,
    MINUTE,
    OF_ATTACKS,
    SERIES,
)
from logvision.windows.merging import merged
from logvision.windows.windowed import counted, table

READ: Final = frozenset({"time", "site", "status", "bytes", "attack", "client_ip"})
"""Columns of EVENT that every count reads."""

TOGETHER: Final = 131_072
"""Events that are counted together. Nearly all of the cost of a few is that of the calls, and what is
counted in several parts has to be merged by its text."""

PARTS: Final = 4
"""Counted parts that wait to be merged."""


class Folder:
    """Folds EVENT tables into partials; used by one thread.

    Memory is bounded by TOGETHER events (their columns are shared with the tables given) and by the
    windows that the events since the last `take` fall into, each of which keeps a bounded number of values.
    """

    def __init__(self, dimensions: Sequence[str] = DIMENSIONS) -> None:
        self._dimensions = tuple(dimensions)
        self._read = [name for name in EVENT.names if name in READ or name in self._dimensions]
        self._waiting: list[pa.Table] = []
        self._counted: list[pa.Table] = []  # PARTIAL

    @property
    def rows(self) -> int:
        """Rows held now. Many mean many windows: an engine may take early."""
        return sum(int(table.num_rows) for table in (*self._waiting, *self._counted))

    def add(self, events: pa.Table) -> None:
        """Count EVENT rows in any order, for all dimensions."""
        if events.num_rows:
            self._waiting.append(events.select(self._read))
        if sum(table.num_rows for table in self._waiting) >= TOGETHER:
            self._count()

    def take(self) -> pa.Table:
        """PARTIAL of everything added since the last take, sorted; the folder is empty after it."""
        self._count()
        self._merge()
        counted, self._counted = self._counted, []
        return counted[0] if counted else PARTIAL.empty_table()

    def _count(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._counted.append(_counted(pa.concat_tables(waiting), self._dimensions))
        if len(self._counted) > PARTS:
            self._merge()

    def _merge(self) -> None:
        if len(self._counted) > 1:
            self._counted = [merged(self._counted)]


def _counted(events: pa.Table, dimensions: Sequence[str]) -> pa.Table:
    """PARTIAL of EVENT rows, in the order of `merging.merged`."""
    batch = Batch.of(events)
    by_minute, by_hour = batch.groups(MINUTE), batch.groups(HOUR)
    attacks = batch.take(np.flatnonzero(batch.flags >= 3), OF_ATTACKS.intersection(dimensions))
    minutes, hours = [], []
    for dimension in sorted(dimensions):
        if dimension not in OF_ATTACKS:
            values, codes = _codes(batch, dimension)
            if dimension in SERIES:
                minutes.append(counted(batch, by_minute, dimension, values, codes))
            hours.append(counted(batch, by_hour, dimension, values, codes))
        elif attacks.seconds.size:
            part = _one_rule_each(attacks) if dimension == "rules" else attacks
            if part.seconds.size:
                hours.append(counted(part, part.groups(HOUR), dimension, *_codes(part, dimension)))
    return table([*minutes, *hours], batch.sites)


def _codes(batch: Batch, dimension: str) -> tuple[pa.StringArray, Codes]:
    """The values of a dimension and which one each row has (-1: null)."""
    if dimension == ALL:
        return pa.array([], pa.string()), np.full(batch.seconds.size, -1, np.int32)
    if dimension == "status":
        status = pc.fill_null(batch.events["status"], -1).to_numpy().astype(np.int64)
        found, places = present(status + (1 << 15), 1 << 16)
        texts = [None if s < 0 else str(s) for s in (found - (1 << 15)).tolist()]
        return pa.array(texts, pa.string()), places.astype(np.int32)
    return columns.distinct(batch.events, dimension)


def _one_rule_each(attacks: Batch) -> Batch:
    """Attack events once for each of their rules; `rules` is then one rule id. Attacks are few."""
    values, codes = columns.distinct(attacks.events, "rules")
    split = pc.split_pattern(columns.spread(values, codes), " ")
    part = attacks.take(pc.list_parent_indices(split).to_numpy())
    return part.with_events(pa.table({"rules": pc.list_flatten(split).dictionary_encode()}))
