"""The folder: a running object that folds batches of events into partials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from logvision import columns
from logvision.columns import Codes
from logvision.schema import EVENT, PARTIAL
from logvision.windows import heavy, merging, visitors
from logvision.windows.counting import MEASURES, Batch, Groups, Ints, present
from logvision.windows.dimensions import (
    ALL,
    DIMENSIONS,
    HOUR,
    MINUTE,
    OF_ATTACKS,
    SERIES,
    kept,
)

READ: Final = frozenset({"time", "site", "status", "bytes", "attack", "client_ip"})
"""Columns of EVENT that every count reads."""

PENDING: Final = 65_536
"""Rows of one dimension that wait to be merged; merging is cheapest when many wait."""

TOGETHER: Final = 16_384
"""Events that are counted together: for a few hundred, most of the cost would be that of the calls."""


class Folder:
    """Folds EVENT tables into partials; used by one thread.

    Memory is bounded by the windows that the events since the last `take` fall into, each of which
    keeps a bounded number of values, and by PENDING rows a dimension.
    """

    def __init__(self, dimensions: Sequence[str] = DIMENSIONS) -> None:
        self._dimensions = tuple(dimensions)
        self._read = [name for name in EVENT.names if name in READ or name in self._dimensions]
        self._clear()

    def _clear(self) -> None:
        # (grain, start, site) to its number; start in s since the epoch.
        self._windows: dict[tuple[int, int, str | None], int] = {}
        self._waiting: list[pa.Table] = []
        self._frames: dict[str, list[pl.DataFrame]] = {d: [] for d in self._dimensions}
        self._sketches: dict[int, visitors.Sketch] = {}

    @property
    def rows(self) -> int:
        """Rows held now. Many mean many windows: an engine may take early."""
        waiting = sum(int(table.num_rows) for table in self._waiting)
        return waiting + sum(frame.height for frames in self._frames.values() for frame in frames)

    def add(self, events: pa.Table) -> None:
        """Count EVENT rows in any order, for all dimensions."""
        self._waiting.append(events.select(self._read))
        if sum(table.num_rows for table in self._waiting) >= TOGETHER:
            self._count()

    def _count(self) -> None:
        waiting, self._waiting = [t for t in self._waiting if t.num_rows], []
        if not waiting:
            return
        events = pa.concat_tables(waiting)
        batch = Batch.of(events)
        minutes, hours = batch.groups(MINUTE), batch.groups(HOUR)
        minute_windows = self._number(batch, minutes, MINUTE)
        hour_windows = self._number(batch, hours, HOUR)
        attacks = batch.take(np.flatnonzero(batch.flags >= 3))
        for dimension in self._dimensions:
            if dimension in SERIES:
                self._keep(dimension, minute_windows, *_counted(batch, minutes, dimension))
            elif dimension not in OF_ATTACKS:
                self._keep(dimension, hour_windows, *_counted(batch, hours, dimension))
            elif attacks.seconds.size:
                part = _one_rule_each(attacks) if dimension == "rules" else attacks
                if part.seconds.size:
                    groups = part.groups(HOUR)
                    windows = self._number(part, groups, HOUR)
                    self._keep(dimension, windows, *_counted(part, groups, dimension))
        if ALL in self._dimensions:
            self._meet(batch, hours, hour_windows)

    def take(self) -> pa.Table:
        """PARTIAL of everything added since the last take, sorted; the folder is empty after it."""
        self._count()
        windows = self._window_frame()
        nobody = pl.lit(None, pl.Binary).alias("visitors")
        done = []
        for dimension in self._dimensions:
            if not self._frames[dimension]:
                continue
            rows = self._merged(dimension).join(windows, on="window")
            rows = rows.with_columns(nobody, dimension=pl.lit(dimension)).select(PARTIAL.names)
            done.append(rows)
            if dimension == ALL:
                rows = pl.concat([rows, self._met(windows)])
            if dimension in SERIES:
                done.append(merging.rolled(rows, HOUR))
        self._clear()
        return merging.table(pl.concat(done)) if done else PARTIAL.empty_table()

    def _number(self, batch: Batch, groups: Groups, grain: int) -> Ints:
        """The number of each group's window."""
        names = [*batch.sites.to_pylist(), None]  # code -1 is the last
        keys = zip(groups.start.tolist(), groups.site.tolist(), strict=True)
        numbers = [self._windows.setdefault((grain, t, names[s]), len(self._windows)) for t, s in keys]
        return np.array(numbers, np.int64)

    def _keep(self, dimension: str, windows: Ints, values: pa.StringArray, counted: dict[str, Ints]) -> None:
        code = counted["code"]
        frame = pl.DataFrame(
            {
                "window": windows[counted["group"]],
                "value": pl.Series(
                    pl.from_arrow(columns.spread(values, code.astype(np.int32))), dtype=pl.String
                ),
                **{m: counted[m] for m in MEASURES},
                "error": np.zeros(code.size, np.int64),
            }
        )
        frames = self._frames[dimension]
        frames.append(frame)
        if sum(f.height for f in frames) > max(PENDING, 2 * frames[0].height):
            self._frames[dimension] = [self._merged(dimension)]

    def _merged(self, dimension: str) -> pl.DataFrame:
        frames = self._frames[dimension]
        return heavy.merge(frames, [heavy.errors(frames[0], ["window"])], ["window"], kept(dimension))

    def _meet(self, batch: Batch, groups: Groups, windows: Ints) -> None:
        """Show each window the addresses that it met in this batch, each once."""
        addresses, codes = columns.distinct(batch.events, "client_ip")
        width = len(addresses)
        known = codes >= 0
        met, _ = present(groups.of_row[known] * width + codes[known], groups.start.size * width)
        group, code = met // width, met % width
        used, place = present(code, width)
        texts = np.array(addresses.take(pa.array(used)).to_pylist(), dtype=object)[place]
        ends = np.searchsorted(group, np.arange(groups.start.size), side="right").tolist()
        begin = 0
        for window, end in zip(windows.tolist(), ends, strict=True):
            if window not in self._sketches:
                self._sketches[window] = visitors.empty()
            visitors.add(self._sketches[window], texts[begin:end].tolist())
            begin = end

    def _window_frame(self) -> pl.DataFrame:
        places = list(self._windows)
        return pl.DataFrame(
            {
                "window": np.arange(len(places), dtype=np.int64),
                "grain": np.array([grain for grain, _, _ in places], np.int32),
                "start": np.array([start for _, start, _ in places], np.int64) * 1_000_000,
                "site": pl.Series([site for _, _, site in places], dtype=pl.String),
            }
        ).with_columns(pl.col("start").cast(pl.Datetime("us", "UTC")))

    def _met(self, windows: pl.DataFrame) -> pl.DataFrame:
        """Rows that bring each hour's sketch and count nothing."""
        sketches = pl.DataFrame(
            {
                "window": np.array(list(self._sketches), np.int64),
                "visitors": pl.Series(
                    [visitors.to_bytes(sketch) for sketch in self._sketches.values()], dtype=pl.Binary
                ),
            }
        )
        nothing = {name: pl.lit(0, pl.Int64) for name in (*MEASURES, "error")}
        return (
            sketches.join(windows, on="window")
            .with_columns(dimension=pl.lit(ALL), value=pl.lit(None, pl.String), **nothing)
            .select(PARTIAL.names)
        )


def _counted(batch: Batch, groups: Groups, dimension: str) -> tuple[pa.StringArray, dict[str, Ints]]:
    values, codes = _codes(batch, dimension)
    return values, batch.count(groups, codes, len(values))


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
    rows = pc.list_parent_indices(split).to_numpy()
    part = attacks.take(rows)
    at = part.events.schema.get_field_index("rules")
    rules = pc.list_flatten(split).dictionary_encode()
    return part.with_events(part.events.set_column(at, "rules", rules))
