"""The windows of one batch: counts of one dimension in each of them, bounded and in the order of PARTIAL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from logvision import columns
from logvision.schema import PARTIAL
from logvision.windows import visitors
from logvision.windows.counting import MEASURES, Batch, Groups, Ints, present
from logvision.windows.dimensions import ALL, HOUR, kept

_PARTS: Final = [measure for measure in MEASURES if measure != "requests"]


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of one grain by site; `rank` is the place of each group of `groups` among them."""

    grain: int  # s
    groups: Groups
    rank: Ints
    order: Ints  # groups by rank: by start, then by site, null first
    sites: pa.StringArray

    @classmethod
    def of(cls, batch: Batch, grain: int) -> Self:
        groups = batch.groups(grain)
        names = [*batch.sites.to_pylist(), None]  # code -1 is the last
        keys = [
            (start, names[site] or "") for start, site in zip(groups.start.tolist(), groups.site, strict=True)
        ]
        order = np.array(sorted(range(len(keys)), key=keys.__getitem__), np.int64)
        rank = np.empty(order.size, np.int64)
        rank[order] = np.arange(order.size)
        return cls(grain, groups, rank, order, batch.sites)

    def count(
        self, batch: Batch, dimension: str, values: pa.StringArray, codes: npt.NDArray[np.int32]
    ) -> pa.Table:
        """PARTIAL of one dimension: by start and site, in each window the largest first."""
        counted = batch.count(self.groups, codes, len(values))
        rank, requests = self.rank[counted["group"]], counted["requests"]
        order = np.argsort(rank * (int(requests.max()) + 1) + (int(requests.max()) - requests))
        counted = {name: numbers[order] for name, numbers in counted.items()}
        counted, error = _bounded(counted, kept(dimension))
        group, code = counted["group"], counted["code"].astype(np.int32)
        rows = group.size
        met = pa.nulls(rows, pa.binary())
        if dimension == ALL and self.grain == HOUR:
            sketches = self._met(batch)
            met = pa.array([sketches[g] for g in group.tolist()], pa.binary())
        return pa.table(
            {
                "grain": np.full(rows, self.grain, np.int32),
                "start": pa.array(self.groups.start[group] * 1_000_000, PARTIAL.field("start").type),
                "site": columns.text(self.sites, self.groups.site[group]),
                "dimension": columns.constant(dimension, rows),
                "value": columns.spread(values, code),
                **{measure: counted[measure] for measure in MEASURES},
                "error": error,
                "visitors": met,
            },
            schema=PARTIAL,
        )

    def _met(self, batch: Batch) -> list[bytes]:
        """A sketch of the addresses that each group met."""
        addresses, codes = columns.distinct(batch.events, "client_ip")
        known = codes >= 0
        width = max(len(addresses), 1)
        met, _ = present(self.groups.of_row[known] * width + codes[known], self.groups.start.size * width)
        group, code = met // width, met % width
        used, place = present(code, width)
        texts = np.array(addresses.take(pa.array(used)).to_pylist(), dtype=object)[place]
        ends = np.searchsorted(group, np.arange(self.groups.start.size), side="right").tolist()
        sketches, begin = [], 0
        for end in ends:
            sketch = visitors.empty()
            visitors.add(sketch, texts[begin:end].tolist())
            sketches.append(visitors.to_bytes(sketch))
            begin = end
        return sketches


def _bounded(counted: dict[str, Ints], limit: int) -> tuple[dict[str, Ints], Ints]:
    """At most `limit` values a window, and the error of each row's window: `heavy.merge` on sorted counts.

    Rows of a window lie together, the largest first. Code -1 is null.
    """
    group = counted["group"]
    begins = np.flatnonzero(np.concatenate([[True], group[1:] != group[:-1]]))
    sizes = np.diff(np.append(begins, group.size))
    if not sizes.size or int(sizes.max()) <= limit:
        return counted, np.zeros(group.size, np.int64)
    requests = counted["requests"]
    over = sizes > limit
    taken = np.zeros(begins.size, np.int64)
    taken[over] = requests[begins[over] + limit]
    error = np.repeat(taken, sizes)
    left = (requests > error) | (error == 0)
    emptied = begins[~np.logical_or.reduceat(left, begins)]
    left[emptied] = True
    cut = {name: numbers[left] for name, numbers in counted.items()}
    requests, error = requests[left], error[left]
    for measure in _PARTS:
        part = cut[measure]
        # part - ceil(part * error / requests) without the product, which may not fit 64 bits.
        cut[measure] = part - part // requests * error - (part % requests * error + requests - 1) // requests
    cut["requests"] = requests - error
    nothing = cut["requests"] == 0  # a window of which every value was dropped
    cut["code"] = np.where(nothing, -1, cut["code"])
    return cut, error
