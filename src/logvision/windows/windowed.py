"""The windows of one batch: counts of one dimension in each of them, bounded and in the order of PARTIAL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa

from logvision import columns
from logvision.schema import PARTIAL, TIME
from logvision.windows import visitors
from logvision.windows.counting import MEASURES, Batch, Groups, Ints, present
from logvision.windows.dimensions import ALL, HOUR, kept


class Counted(NamedTuple):
    """One dimension in windows of one grain: by start and site, in each window the largest first."""

    grain: int  # s
    dimension: str
    start: Ints  # s since the epoch
    site: columns.Codes
    value: pa.Array
    measures: Ints  # rows of MEASURES
    error: Ints
    visitors: pa.Array


def table(counted: Sequence[Counted], sites: pa.StringArray) -> pa.Table:
    """PARTIAL of some dimensions; `sites`: those of their codes."""
    if not counted:
        return PARTIAL.empty_table()
    rows = [one.start.size for one in counted]
    dimensions = pa.array([one.dimension for one in counted], pa.string()).dictionary_encode()
    measures = np.concatenate([one.measures for one in counted])
    return pa.table(
        {
            "grain": np.repeat(np.array([one.grain for one in counted], np.int32), rows),
            "start": pa.array(np.concatenate([one.start for one in counted]) * 1_000_000, TIME),
            "site": columns.text(sites, np.concatenate([one.site for one in counted])),
            "dimension": columns.text(
                dimensions.dictionary, np.repeat(dimensions.indices.to_numpy(), rows).astype(np.int32)
            ),
            "value": pa.concat_arrays([one.value for one in counted]),
            **{name: np.ascontiguousarray(measures[:, at]) for at, name in enumerate(MEASURES)},
            "error": np.concatenate([one.error for one in counted]),
            "visitors": pa.concat_arrays([one.visitors for one in counted]),
        },
        schema=PARTIAL,
    )


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of one grain by site; `rank` is the place of each group of `groups` among them."""

    grain: int  # s
    groups: Groups
    rank: Ints  # by start, then by site, null first

    @classmethod
    def of(cls, batch: Batch, grain: int) -> Self:
        groups = batch.groups(grain)
        names = [*batch.sites.to_pylist(), None]  # code -1 is the last
        keys = [
            (start, names[site] or "") for start, site in zip(groups.start.tolist(), groups.site, strict=True)
        ]
        rank = np.empty(len(keys), np.int64)
        rank[sorted(range(len(keys)), key=keys.__getitem__)] = np.arange(rank.size)
        return cls(grain, groups, rank)

    def count(self, batch: Batch, dimension: str, values: pa.StringArray, codes: columns.Codes) -> Counted:
        """The values of one dimension, and which one each row has (-1: null)."""
        group, code, measures = batch.count(self.groups, codes, len(values))
        requests = measures[:, 0]
        order = np.argsort(self.rank[group] * (int(requests.max()) + 1) + (int(requests.max()) - requests))
        group, code, measures, error = _bounded(group[order], code[order], measures[order], kept(dimension))
        met = pa.nulls(group.size, pa.binary())
        if dimension == ALL and self.grain == HOUR:
            sketches = self._met(batch)
            met = pa.array([sketches[g] for g in group.tolist()], pa.binary())
        return Counted(
            self.grain,
            dimension,
            self.groups.start[group],
            self.groups.site[group],
            columns.spread(values, code),
            measures,
            error,
            met,
        )

    def _met(self, batch: Batch) -> list[bytes]:
        """A sketch of the addresses that each group met."""
        addresses, codes = columns.distinct(batch.events, "client_ip")
        known = codes >= 0
        width = max(len(addresses), 1)
        met, _ = present(self.groups.of_row[known] * width + codes[known], self.groups.start.size * width)
        group, code = met // width, met % width
        ends = np.searchsorted(group, np.arange(self.groups.start.size), side="right").tolist()
        sketches, begin = [], 0
        for end in ends:
            sketches.append(visitors.of(addresses.take(pa.array(code[begin:end]))))
            begin = end
        return sketches


def _bounded(
    group: Ints, code: columns.Codes, measures: Ints, limit: int
) -> tuple[Ints, columns.Codes, Ints, Ints]:
    """At most `limit` values a window, and the error of each row's window: `heavy.merge` on sorted counts.

    Rows of a window lie together, the largest first. Code -1 is null.
    """
    begins = np.flatnonzero(np.concatenate([[True], group[1:] != group[:-1]]))
    sizes = np.diff(np.append(begins, group.size))
    if not sizes.size or int(sizes.max()) <= limit:
        return group, code, measures, np.zeros(group.size, np.int64)
    requests = measures[:, 0]
    over = sizes > limit
    taken = np.zeros(begins.size, np.int64)
    taken[over] = requests[begins[over] + limit]
    error = np.repeat(taken, sizes)
    left = (requests > error) | (error == 0)
    emptied = begins[~np.logical_or.reduceat(left, begins)]
    left[emptied] = True
    measures, error = measures[left], error[left]
    requests, lost = measures[:, :1], error[:, None]
    # part - ceil(part * error / requests) without the product, which may not fit 64 bits.
    measures -= measures // requests * lost + (measures % requests * lost + requests - 1) // requests
    nothing = measures[:, 0] == 0  # a window of which every value was dropped
    return group[left], np.where(nothing, np.int32(-1), code[left]), measures, error
