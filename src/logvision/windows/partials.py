"""Partials: mergeable counts of windows. `partial(events)`, `merge(a, b)`, `roll`, `inside`, `finish`.

One algebra for the engine's memory, the stored rollups and a cluster. Every event is counted exactly
once in each dimension, in a window of one grain: fine where traffic is dense, coarse where it is
sparse or old. So a sum over all rows of a dimension, whatever their grains, is a sum over all events;
and a question about a range of time adds the rows wholly `inside` it to the events of its ragged ends.

`merge` is commutative, and associative as long as no window has more values than it may keep; beyond
that, any order of merging keeps the same bound on the error (see `heavy`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl
import pyarrow as pa

from logvision.schema import PARTIAL
from logvision.windows import merging, visitors
from logvision.windows.dimensions import DIMENSIONS, GRAINS
from logvision.windows.folder import Folder

__all__ = ["Folder", "finish", "inside", "merge", "partial", "roll"]


def partial(
    events: pa.Table, dimensions: Sequence[str] = DIMENSIONS, *, dense: bool | None = None
) -> pa.Table:
    """EVENT rows in any order to PARTIAL, in the order of `merge`.

    `dense` chooses the grains (see SERIES); None: by the rate of these events. A `Folder` does the
    same for a stream of batches.
    """
    folder = Folder(dimensions, dense=dense)
    folder.add(events)
    return folder.take()


def merge(*partials: pa.Table) -> pa.Table:
    """PARTIAL tables to one, with one row per window and value.

    Sorted by grain, dimension, start and site, in each window the largest first. A window keeps at
    most `kept(dimension)` values, and a start at most SITES_KEPT sites.
    """
    frames = [merging.frame(p) for p in partials if p.num_rows]
    return merging.table(merging.merged(frames)) if frames else PARTIAL.empty_table()


def roll(partials: pa.Table, grain: int) -> pa.Table:
    """The same counts in windows of `grain` seconds (one of GRAINS); wider windows stay as they are.

    The rows replace those given: to keep both would count every event twice.
    """
    if grain not in GRAINS:
        raise ValueError(f"no such grain: {grain}")
    return merging.table(merging.rolled(merging.frame(partials), grain))


def inside(partials: pa.Table, since: datetime, until: datetime) -> tuple[datetime, datetime]:
    """The widest part of [since, until) that these rows can answer exactly; empty if they cannot.

    Give it the rows of one dimension. No window reaches over either end of the answer, so the rows in
    it count its events, and no others; what is outside of it must be asked of the events themselves.
    """
    frame = merging.frame(partials)
    start, end = pl.col("start"), pl.col("start") + pl.duration(seconds=pl.col("grain"))
    first = frame.filter((start < since) & (end > since)).select(end).max().item()
    last = frame.filter((start < until) & (end > until)).select(start).min().item()
    begin = since if first is None else first
    return begin, max(begin, until if last is None else last)


def finish(partials: pa.Table) -> pa.Table:
    """PARTIAL to final numbers: `visitors` as a count, and `at_most`, which `requests` may really be.

    True requests lie in [requests, at_most]. `visitors` is null but in the dimension VISITORS.
    """
    counted = [None if v is None else visitors.estimate([v]) for v in partials["visitors"].to_pylist()]
    at_most = partials["requests"].to_numpy() + partials["error"].to_numpy()
    at = partials.schema.get_field_index("visitors")
    return (
        partials.set_column(at, "visitors", pa.array(counted, pa.int64()))
        .drop_columns("error")
        .append_column("at_most", pa.array(at_most, pa.int64()))
    )
