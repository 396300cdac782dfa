"""Leaky buckets: one level per actor, raised by events and lowered by time.

All amounts are whole microseconds of leaking (one event = `leak_us`), so results do not depend on how
events were cut into batches.

Events count in the order in which they arrive. Time that runs backwards does not fill a bucket again;
after a step back of more than BACK_US, another stretch of log or a wrong date, it is empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from logvision import columns, native
from logvision.windows.counting import present

Ints = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]
Kinds = npt.NDArray[np.uint8]

REPEATS, FILLS, RELIEVES = range(3)
"""What an event does to its bucket. A repeated value counts for an alert and raises nothing."""

MIX: Final = np.uint64(0x9E37_79B9_7F4A_7C15)
"""2^64 / golden ratio: spreads sums of hashes."""

BACK_US: Final = 3_600_000_000
NEVER: Final = -(1 << 62)

BUCKETS_KEPT: Final = 32_768
"""Buckets of one scenario. Beyond it those that have drained go, then those longest unused."""

VALUES_KEPT: Final = 131_072
"""Distinct values remembered by one scenario over all of its buckets."""

AT, LEVEL, SINCE, COUNT, SHUT, FIRST = range(6)
"""A bucket: time of the last event; level after it; when the bucket was last empty; events since;
shut until; first event of the alert that shut it. Times in µs since the epoch."""

_FRESH: Final = np.array([NEVER, 0, NEVER, 0, NEVER, NEVER])


@dataclass(frozen=True, slots=True, eq=False)
class Overflow:
    """One alert's events in one batch. The same `first` in a later batch is the same alert."""

    key: int
    first: int  # µs since the epoch, of the first event in the bucket
    last: int
    events: int
    rows: Ints  # indices of this batch's events behind it, the newest last


@dataclass(frozen=True, slots=True)
class Size:
    """The measures of a bucket; see `scenarios.Scenario`."""

    capacity: int
    leak_us: int
    hold_off_us: int
    relief_us: int = 0


class Buckets:
    """All buckets of one scenario; used by one thread."""

    def __init__(self, size: Size) -> None:
        self._size = size
        self._keys: Keys = np.empty(0, np.uint64)  # ascending
        self._state: Ints = np.empty((0, 6), np.int64)

    def known(self, keys: Keys) -> Mask:
        """Which of these keys have a bucket."""
        return _known(self._keys, keys)[1]

    def step(self, keys: Keys, times: Ints, kinds: Kinds, newest: int) -> list[Overflow]:
        """Pour events in, in the order of arrival.

        `newest` is the latest time in the log, by which drained buckets are known when there are too many.
        """
        names, places = columns.numbered(keys)
        return self.pour(names, places, times, kinds, newest)

    def pour(
        self, names: Keys, places: columns.Codes, times: Ints, kinds: Kinds, newest: int
    ) -> list[Overflow]:
        """`step` with `names[places[i]]` as the key of event i; some names may be of no event."""
        if not places.size:
            return []
        used, group = present(places, names.size)
        groups = names[used]
        at, known = _known(self._keys, groups)
        state = np.tile(_FRESH, (groups.size, 1))
        state[known] = self._state[at[known]]
        stays, alerts = poured(self._size, group, times, kinds, state)
        self._state[at[known]] = state[known]
        if not known.all():
            self._put(groups[~known], state[~known], newest)
        return _overflows(groups, stays, alerts)

    def _put(self, groups: Keys, state: Ints, newest: int) -> None:
        """Keep new buckets."""
        keys, whole = np.concatenate([self._keys, groups]), np.concatenate([self._state, state])
        if keys.size > BUCKETS_KEPT:
            live = (whole[:, AT] + whole[:, LEVEL] > newest) | (whole[:, SHUT] > newest)
            keys, whole = keys[live], whole[live]
        if keys.size > BUCKETS_KEPT:
            # A quarter goes at once, so that this is seldom done.
            latest = np.lexsort((keys, whole[:, AT]))[-(BUCKETS_KEPT * 3 // 4) :]
            keys, whole = keys[latest], whole[latest]
        order = np.argsort(keys)
        self._keys, self._state = keys[order], whole[order]

    def snapshot(self) -> dict[str, npt.NDArray[np.uint64] | Ints]:
        return {"keys": self._keys, "state": self._state.T}

    def restore(self, keys: Keys, state: Ints) -> None:
        self._keys, self._state = keys.copy(), state.T.copy()


def _known(keys: Keys, wanted: Keys) -> tuple[Ints, Mask]:
    """Where each wanted key stands among ascending keys, and which stand there."""
    if not keys.size:
        return np.zeros(wanted.size, np.int64), np.zeros(wanted.size, np.bool_)
    places = np.minimum(np.searchsorted(keys, wanted), keys.size - 1)
    return places, keys[places] == wanted


def poured(size: Size, places: Ints, times: Ints, kinds: Kinds, state: Ints) -> tuple[Ints, Ints]:
    """Pour events into buckets, rows of `state`, which are changed; event i goes to bucket `places[i]`.

    Gives the stay of each event, a number for the time from one emptiness of a bucket to the next, -1 for
    relief; and the alerts, in no order, as rows of bucket, stay, first, last, events.
    """
    full = min(size.capacity * size.leak_us, -NEVER)
    if native.HERE:
        sizes = np.array([full, size.leak_us, size.hold_off_us, size.relief_us, BACK_US, NEVER])
        return native.buckets.poured(places, times, kinds, sizes, state)
    buckets: list[list[int]] = state.tolist()
    stay = list(range(len(buckets)))
    opened: list[list[int] | None] = [None] * len(buckets)
    fresh = len(buckets)
    stays, alerts = [], []
    for place, t, kind in zip(places.tolist(), times.tolist(), kinds.tolist(), strict=True):
        bucket = buckets[place]
        at, level, since, count, shut, first = bucket
        if shut > NEVER:
            if shut - size.hold_off_us - BACK_US <= t < shut:
                bucket[AT] = max(at, t)
                stays.append(-1 if kind == RELIEVES else stay[place])
                if kind != RELIEVES:
                    alert = opened[place]
                    if alert is None:
                        opened[place] = alert = [place, stay[place], first, t, 0]
                        alerts.append(alert)
                    alert[3:] = max(alert[3], t), alert[4] + 1
                continue
            opened[place] = None
            at, level, shut, first = t, 0, NEVER, NEVER
        gap = 0 if at == NEVER else t - at
        if gap < -BACK_US:
            level = 0
        at = t if gap > 0 or gap < -BACK_US or at == NEVER else at
        level = max(0, level - max(gap, 0) - (size.relief_us if kind == RELIEVES else 0))
        if level == 0:
            since, count = t, 0
            stay[place], fresh = fresh, fresh + 1
        stays.append(-1 if kind == RELIEVES else stay[place])
        if kind != RELIEVES:
            count += 1
            level += size.leak_us if kind == FILLS else 0
            if level > full:
                opened[place] = [place, stay[place], since, t, count]
                alerts.append(opened[place])
                shut, first, level, count = t + size.hold_off_us, since, 0, 0
        bucket[:] = at, level, since, count, shut, first
    state[:] = buckets
    return np.array(stays, np.int64), np.array(alerts, np.int64).reshape(-1, 5)


def _overflows(groups: Keys, stays: Ints, alerts: Ints) -> list[Overflow]:
    """By key, those of one in order of time."""
    if not alerts.size:
        return []
    # Behind each alert stand the events of its stay, for a bucket that opens is empty.
    number = np.full(int(stays.max()) + 2, -1)
    number[alerts[:, 1]] = np.arange(len(alerts))
    of_row = number[stays]  # relief, -1, falls on the last place
    rows = np.flatnonzero(of_row >= 0)
    rows = rows[np.argsort(of_row[rows], kind="stable")]
    ends = np.cumsum(np.bincount(of_row[rows], minlength=len(alerts)))
    behind = np.split(rows, ends[:-1])
    found = [
        Overflow(key, first, last, events, mine)
        for key, (_, _, first, last, events), mine in zip(
            groups[alerts[:, 0]].tolist(), alerts.tolist(), behind, strict=True
        )
    ]
    return sorted(found, key=lambda over: over.key)


class Seen:
    """Which values were met lately: a value is new again when it was not met for `memory_us`."""

    def __init__(self, memory_us: int) -> None:
        self._memory_us = memory_us
        self._values: Keys = np.empty(0, np.uint64)  # ascending
        self._times: Ints = np.empty(0, np.int64)

    def meet(self, values: Keys, times: Ints, newest: int) -> Mask:
        """Which events bring a new value, in the order of arrival."""
        names, codes = columns.numbered(values)
        at, known = _known(self._values, names)
        last = np.full(names.size, NEVER)
        last[known] = self._times[at[known]]
        new = met(codes, times, self._memory_us, last)
        self._times[at[known]] = last[known]
        if not known.all():
            self._put(names[~known], last[~known], newest)
        return new

    def _put(self, names: Keys, last: Ints, newest: int) -> None:
        """Remember new values."""
        values, times = np.concatenate([self._values, names]), np.concatenate([self._times, last])
        if values.size > VALUES_KEPT:
            live = times + self._memory_us >= newest
            values, times = values[live], times[live]
        if values.size > VALUES_KEPT:
            kept = np.lexsort((values, times))[-(VALUES_KEPT * 3 // 4) :]
            values, times = values[kept], times[kept]
        order = np.argsort(values)
        self._values, self._times = values[order], times[order]

    def snapshot(self) -> dict[str, npt.NDArray[np.uint64] | Ints]:
        return {"values": self._values, "times": self._times}

    def restore(self, values: Keys, times: Ints) -> None:
        self._values, self._times = values.copy(), times.copy()


def met(codes: columns.Codes, times: Ints, memory: int, last: Ints) -> Mask:
    """Which events bring a value that was not met within `memory` µs of its time in `last` (of each code),
    which is kept up to date."""
    if native.HERE:
        return native.buckets.met(codes, times, memory, last)
    order = np.argsort(codes, kind="stable")
    sorted_codes, sorted_times = codes[order], times[order]
    begins = np.diff(sorted_codes, prepend=-1) != 0
    before = np.where(begins, last[sorted_codes], np.concatenate([[NEVER], sorted_times[:-1]]))
    new = np.empty(codes.size, np.bool_)
    new[order] = np.abs(sorted_times - before) > memory
    last[sorted_codes] = sorted_times  # the last of several that have one code counts
    return new


def mixed(keys: Keys, codes: columns.Codes, hashes: Keys) -> None:
    """Make keys, in place, those of one more part: `hashes[codes]`, of negative codes the last hash."""
    if native.HERE:
        native.keys.mixed(keys, codes, hashes)
        return
    keys ^= hashes[codes]
    keys *= MIX
    keys ^= keys >> np.uint64(29)
