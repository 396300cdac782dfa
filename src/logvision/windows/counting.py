"""Counts of one batch by integer codes: no string is touched until the counting is done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from logvision import columns, native
from logvision.windows.dimensions import OTHER_SITES, SITES_KEPT

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.uint8]

DENSE: Final = 16
"""A table of counts may have this many places per row of the batch; beyond it keys are sorted."""

EXACT: Final = 1 << 53
"""Sums of integers in float64 are exact below this."""

MEASURES: Final = ("requests", "success", "errors", "attacks", "bytes")


def present(keys: Ints | columns.Codes, size: int) -> tuple[Ints, Ints]:
    """The distinct keys, ascending, and for each row the place of its key among them.

    Keys lie in [0, size). Linear when `size` is at most DENSE per row, else it sorts.
    """
    if size > DENSE * max(keys.size, 4096):
        found, places = np.unique(keys, return_inverse=True)
        return found.astype(np.int64, copy=False), places
    seen = np.zeros(size, np.bool_)
    seen[keys] = True
    found = np.flatnonzero(seen)
    place = np.empty(size, np.int64)
    place[found] = np.arange(found.size)
    return found, place[keys]


def total(places: Ints, size: int, amounts: Ints) -> Ints:
    """Exact integer sums of `amounts` (not negative) per place."""
    if amounts.size and int(amounts.max()) >= EXACT // amounts.size:
        low = np.bincount(places, amounts & 0xFFFF_FFFF, size).astype(np.int64)
        high = np.bincount(places, amounts >> 32, size).astype(np.int64)
        return low + (high << 32)
    return np.bincount(places, amounts, size).astype(np.int64)


def tallied(groups: Ints, codes: columns.Codes, width: int, flags: Flags, volume: Ints) -> tuple[Ints, Ints]:
    """The keys `groups * width + codes + 1` that occur, in no order, and MEASURES of each; see `Batch`."""
    if native.HERE:
        return native.keys.tallied(groups, codes, width, flags, volume)
    keys, places = present(groups * width + (codes + 1), (int(groups.max()) + 1) * width)
    by_flag = np.bincount(places * 6 + flags, minlength=keys.size * 6).reshape(-1, 6)
    found = [
        by_flag.sum(1),
        by_flag[:, 1] + by_flag[:, 4],
        by_flag[:, 2] + by_flag[:, 5],
        by_flag[:, 3:].sum(1),
        total(places, keys.size, volume),
    ]
    return keys, np.stack(found, 1)


@dataclass(frozen=True, slots=True)
class Groups:
    """Windows and sites of a batch, by start and site, null first: row i belongs to group `of_row[i]`."""

    grain: int  # s
    start: Ints  # of each group, s since the epoch
    site: npt.NDArray[np.int32]  # of each group, a code of `sites`; -1: null
    of_row: Ints


@dataclass(frozen=True, slots=True)
class Batch:
    """Events as codes: what every dimension of one batch shares."""

    events: pa.Table
    seconds: Ints  # event time, s since the epoch
    flags: Flags  # 1: success, 2: server error, 0: neither; plus 3: attack
    volume: Ints  # bytes, null as 0
    sites: pa.StringArray  # sorted
    site: npt.NDArray[np.int32]

    @classmethod
    def of(cls, events: pa.Table) -> Self:
        """Read the shared columns of an EVENT table, which must have at least one row."""
        seconds = events["time"].cast(pa.int64()).to_numpy() // 1_000_000
        status = pc.fill_null(events["status"], 0).to_numpy() // 100
        flags = ((status == 2) | (status == 3)).astype(np.uint8) + 2 * (status == 5).astype(np.uint8)
        _, attack = columns.distinct(events, "attack")
        flags += 3 * (attack >= 0).astype(np.uint8)
        volume = np.maximum(pc.fill_null(events["bytes"], 0).to_numpy(), 0)
        sites, site = _sorted(*_bounded(*columns.distinct(events, "site")))
        return cls(events, seconds, flags, volume, sites, site)

    def groups(self, grain: int) -> Groups:
        """Windows of `grain` seconds by site."""
        window = self.seconds // grain
        first = int(window.min())
        width = len(self.sites) + 1
        keys = (window - first) * width + (self.site + 1)
        found, of_row = present(keys, (int(window.max()) - first + 1) * width)
        return Groups(grain, (found // width + first) * grain, (found % width - 1).astype(np.int32), of_row)

    def count(self, groups: Groups, codes: columns.Codes, width: int) -> tuple[Ints, columns.Codes, Ints]:
        """Each (group, code) that occurs, in no order, and its MEASURES. Codes: in [-1, width); -1: null."""
        keys, measures = tallied(groups.of_row, codes, width + 1, self.flags, self.volume)
        group, code = np.divmod(keys, width + 1)
        return group, (code - 1).astype(np.int32), measures

    def take(self, rows: Ints, names: Iterable[str] = ()) -> Batch:
        """The batch of these rows alone, with these columns of its events."""
        return Batch(
            self.events.select(list(names)).take(pa.array(rows)),
            self.seconds[rows],
            self.flags[rows],
            self.volume[rows],
            self.sites,
            self.site[rows],
        )

    def with_events(self, events: pa.Table) -> Batch:
        """The same rows with other columns."""
        return replace(self, events=events)


def _sorted(
    sites: pa.StringArray, codes: npt.NDArray[np.int32]
) -> tuple[pa.StringArray, npt.NDArray[np.int32]]:
    """The same sites by name."""
    order = pc.array_sort_indices(sites)
    place = np.empty(len(sites), np.int32)
    place[order.to_numpy()] = np.arange(len(sites), dtype=np.int32)
    return sites.take(order), columns.through(place, codes)


def _bounded(
    sites: pa.StringArray, codes: npt.NDArray[np.int32]
) -> tuple[pa.StringArray, npt.NDArray[np.int32]]:
    """At most SITES_KEPT sites: those with the most rows; the rest become OTHER_SITES."""
    if len(sites) <= SITES_KEPT:
        return sites, codes
    rows = np.bincount(codes + 1, minlength=len(sites) + 1)[1:]
    if np.count_nonzero(rows) <= SITES_KEPT:
        kept = np.flatnonzero(rows)
    else:
        # Ties by name, so that the order of the dictionary does not matter.
        order = np.lexsort((np.asarray(sites.to_pylist(), dtype=object), -rows))
        kept = order[: SITES_KEPT - 1]
    new = np.full(len(sites) + 1, kept.size, np.int32)
    new[kept] = np.arange(kept.size)
    new[-1] = -1  # codes are -1 for null, which is the last place
    return pa.concat_arrays([sites.take(pa.array(kept)), pa.array([OTHER_SITES], pa.string())]), new[codes]
