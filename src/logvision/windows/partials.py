"""Partials: mergeable counts of windows. `partial(events)`, `merge(a, b)`, `roll`, `finish`.

One algebra for the engine's memory, the stored rollups and a cluster. In each grain that a dimension
has, every event is counted exactly once; a question sums rows of one grain, never of two.

`merge` is commutative, and associative as long as no window has more values than it may keep; beyond
that, any order of merging keeps the same bound on the error (see `heavy`).
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from logvision.schema import PARTIAL
from logvision.windows import merging, visitors
from logvision.windows.dimensions import DIMENSIONS, GRAINS
from logvision.windows.folder import Folder
from logvision.windows.merging import of_grain

__all__ = ["Folder", "finish", "merge", "of_grain", "partial", "roll"]


def partial(events: pa.Table, dimensions: Sequence[str] = DIMENSIONS) -> pa.Table:
    """EVENT rows in any order to PARTIAL: SERIES by minute and by hour, all others by hour.

    In the order of `merge`. A `Folder` does the same for a stream of batches.
    """
    folder = Folder(dimensions)
    folder.add(events)
    return folder.take()


def merge(*partials: pa.Table) -> pa.Table:
    """PARTIAL tables to one, with one row per window and value.

    Sorted by grain, dimension, start and site, in each window the largest first. A window keeps at
    most `kept(dimension)` values, and a start at most SITES_KEPT sites.
    """
    return merging.merged(partials) if partials else PARTIAL.empty_table()


def roll(partials: pa.Table, grain: int) -> pa.Table:
    """The same counts in windows of `grain` seconds (one of GRAINS).

    Give it rows of one finer grain only: with two, every event would be counted twice.
    """
    if grain not in GRAINS:
        raise ValueError(f"no such grain: {grain}")
    return merging.rolled(partials, grain)


def finish(partials: pa.Table) -> pa.Table:
    """PARTIAL to final numbers: `visitors` as a count, and `at_most`, which `requests` may really be.

    True requests lie in [requests, at_most]. `visitors` is null where no sketch was kept.
    """
    counted = [None if v is None else visitors.estimate([v]) for v in partials["visitors"].to_pylist()]
    at_most = partials["requests"].to_numpy() + partials["error"].to_numpy()
    at = partials.schema.get_field_index("visitors")
    return (
        partials.set_column(at, "visitors", pa.array(counted, pa.int64()))
        .drop_columns("error")
        .append_column("at_most", pa.array(at_most, pa.int64()))
    )
