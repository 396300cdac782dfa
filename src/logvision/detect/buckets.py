"""Leaky buckets in columns: one level per actor, raised by events and lowered by time.

The level before event i is that of a queue (Lindley's recursion): W(i) = max(0, W(i-1) + e(i)), which is
P(i) - min(0, P(1), ..., P(i)) with P the running sum of e. So the levels of all actors come from two
cumulative operations, and only the few actors whose bucket may overflow, is shut, or whose times went
far back are walked event by event. All amounts are whole microseconds of leaking (one event =
`leak_us`), so results do not depend on how events were cut into batches.

Events count in the order in which they arrive. Time that runs backwards does not fill a bucket again;
after a step back of more than BACK_US, another stretch of log or a wrong date, it is empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]

BACK_US: Final = 3_600_000_000
NEVER: Final = -(1 << 62)

BUCKETS_KEPT: Final = 32_768
"""Buckets of one scenario. Beyond it those that have drained go, then those longest unused."""

VALUES_KEPT: Final = 131_072
"""Distinct values remembered by one scenario over all of its buckets."""

AT, LEVEL, SINCE, COUNT, SHUT, FIRST = range(6)
"""Rows of a state: time of the last event; level after it; when the bucket was last empty; events since;
shut until; first event of the alert that shut it. Times in µs since the epoch."""

_FRESH: Final = np.array([[NEVER], [0], [NEVER], [0], [NEVER], [NEVER]])


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
        self._state: Ints = np.empty((6, 0), np.int64)

    def __contains__(self, key: int) -> bool:
        place = int(np.searchsorted(self._keys, np.uint64(key)))
        return place < self._keys.size and int(self._keys[place]) == key

    def known(self, keys: Keys) -> Mask:
        """Which of these keys have a bucket."""
        if not self._keys.size:
            return np.zeros(keys.size, np.bool_)
        places = np.minimum(np.searchsorted(self._keys, keys), self._keys.size - 1)
        return np.asarray(self._keys[places] == keys)

    def step(self, keys: Keys, times: Ints, fills: Mask, relieves: Mask, newest: int) -> list[Overflow]:
        """Pour events in, in the order of arrival.

        `fills` raise the level, `relieves` lower it; an event that does neither is a repeated value,
        which counts for an alert but raises nothing. `newest` is the latest time in the log, by which
        drained buckets are known when there are too many.
        """
        names, places = np.unique(keys, return_inverse=True)
        return self.pour(names, places, times, fills, relieves, newest)

    def pour(
        self, names: Keys, places: Ints, times: Ints, fills: Mask, relieves: Mask, newest: int
    ) -> list[Overflow]:
        """`step` with `names[places[i]]` as the key of event i; `names` ascend, some may be of no event."""
        if not places.size:
            return []
        # Numpy sorts numbers of 16 bits in linear time.
        order = np.argsort(places.astype(np.uint16) if names.size <= 1 << 16 else places, kind="stable")
        places, times, fills, relieves = places[order], times[order], fills[order], relieves[order]
        begins = np.flatnonzero(np.concatenate([[True], places[1:] != places[:-1]]))
        groups = names[places[begins]]
        sizes = np.diff(np.append(begins, places.size))
        state = self._take(groups)
        group = np.repeat(np.arange(groups.size), sizes)
        held = self._holds(times, state[SHUT][group])
        # What was shut and opens at its first event begins anew.
        state[:, (state[SHUT] > NEVER) & ~held[begins]] = _FRESH
        shut = state[SHUT] > NEVER
        wholly = shut & np.logical_and.reduceat(held, begins)
        clock, torn = _clocks(times, begins, group, state)
        level, empty = self._levels(clock, fills, relieves, begins, group, state)
        slow = torn | shut
        slow[group[level > self._size.capacity * self._size.leak_us]] = True
        ends = begins + sizes - 1
        new = self._ended(times, relieves, level, empty, begins, ends, state)
        new[AT] = clock[ends]
        found: list[Overflow] = []
        # Only the suspicious few are looked at one by one, and walked where they do not stay shut.
        for g in np.flatnonzero(slow).tolist():
            rows = slice(int(begins[g]), int(ends[g]) + 1)
            key = int(groups[g])
            if wholly[g]:
                new[1:, g] = state[1:, g]
                counts = ~relieves[rows]
                if counts.any():
                    mine = times[rows][counts]
                    first, last = int(state[FIRST, g]), int(mine.max())
                    found.append(Overflow(key, first, last, mine.size, order[rows][counts]))
                continue
            new[:, g], overflows = self._walk(
                key, state[:, g].tolist(), times[rows], fills[rows], relieves[rows], order[rows]
            )
            found += overflows
        self._put(groups, new, newest)
        return found

    def _holds(self, times: Ints, shut: Ints) -> Mask:
        """Whether a bucket that is shut until then takes an event of this time into its alert."""
        return np.asarray((times < shut) & (times >= shut - self._size.hold_off_us - BACK_US))

    def _levels(
        self, clock: Ints, fills: Mask, relieves: Mask, begins: Ints, group: Ints, state: Ints
    ) -> tuple[Ints, Mask]:
        """Level after each event, and whether the bucket was empty before it."""
        size = self._size
        before = np.concatenate([[0], clock[:-1]])
        before[begins] = np.where(state[AT] > NEVER, state[AT], clock[begins])
        drained = np.clip(clock - before, 0, (size.capacity + 2) * size.leak_us)
        fill = fills * np.int64(size.leak_us)
        raised = np.concatenate([[0], fill[:-1]])
        raised[begins] = state[LEVEL]
        change = raised - drained - relieves * np.int64(size.relief_us)
        # Running sums and minima of each group by itself: sums start anew, and every group is moved
        # below all values of the groups before it.
        total = np.cumsum(change)
        start = total[begins] - change[begins]
        run = total - start[group]
        reach = np.add.reduceat(np.abs(change), begins) + 1
        low = (2 * np.cumsum(reach) - reach)[group]
        least = np.minimum.accumulate(run - low) + low
        waiting = run - np.minimum(least, 0)
        return waiting + fill, waiting == 0

    @staticmethod
    def _ended(
        times: Ints, relieves: Mask, level: Ints, empty: Mask, begins: Ints, ends: Ints, state: Ints
    ) -> Ints:
        """States after the last event of each group, of those that need no walk."""
        restart = np.maximum.accumulate(np.where(empty, np.arange(times.size), -1))[ends]
        anew = restart >= begins
        counted = np.concatenate([[0], np.cumsum(~relieves)])
        new = np.empty((6, begins.size), np.int64)
        new[LEVEL] = level[ends]
        new[SINCE] = np.where(anew, times[restart], state[SINCE])
        own = counted[ends + 1] - counted[np.where(anew, restart, begins)]
        new[COUNT] = np.where(anew, own, state[COUNT] + own)
        new[SHUT] = NEVER
        new[FIRST] = NEVER
        return new

    def _walk(
        self, key: int, state: list[int], times: Ints, fills: Mask, relieves: Mask, rows: Ints
    ) -> tuple[list[int], list[Overflow]]:
        """One actor, event by event."""
        size = self._size
        at, level, since, count, shut, first = state
        inside: list[int] = []  # rows of this batch that are in the bucket, or in the alert that shut it
        events, last = 0, 0  # of the open alert in this batch
        found: list[Overflow] = []
        for t, fill, relief, row in zip(
            times.tolist(), fills.tolist(), relieves.tolist(), rows.tolist(), strict=True
        ):
            if shut > NEVER:
                if shut - size.hold_off_us - BACK_US <= t < shut:
                    if not relief:
                        inside.append(row)
                        events, last = events + 1, max(last, t) if events else t
                    at = max(at, t)
                    continue
                if events:
                    found.append(Overflow(key, first, last, events, np.array(inside)))
                at, level, shut, first, events = t, 0, NEVER, NEVER, 0
            gap = 0 if at == NEVER else t - at
            if gap < -BACK_US:
                level = 0
            at = t if gap > 0 or gap < -BACK_US or at == NEVER else at
            level = max(0, level - max(gap, 0) - (size.relief_us if relief else 0))
            if level == 0:
                since, count, inside = t, 0, []
            if relief:
                continue
            count += 1
            inside.append(row)
            level += size.leak_us if fill else 0
            if level > size.capacity * size.leak_us:
                shut, first, events, last = t + size.hold_off_us, since, count, t
                level, count = 0, 0
        if events:
            found.append(Overflow(key, first, last, events, np.array(inside)))
        return [at, level, since, count, shut, first], found

    def _take(self, groups: Keys) -> Ints:
        """States of these keys; new ones are empty."""
        state = np.repeat(_FRESH, groups.size, axis=1)
        known = self.known(groups)
        if known.any():
            state[:, known] = self._state[:, np.searchsorted(self._keys, groups[known])]
        return state

    def _put(self, groups: Keys, state: Ints, newest: int) -> None:
        known = self.known(groups)
        if known.any():
            self._state[:, np.searchsorted(self._keys, groups[known])] = state[:, known]
        if known.all():
            return
        keys = np.concatenate([self._keys, groups[~known]])
        whole = np.concatenate([self._state, state[:, ~known]], axis=1)
        if keys.size > BUCKETS_KEPT:
            live = (whole[AT] + whole[LEVEL] > newest) | (whole[SHUT] > newest)
            keys, whole = keys[live], whole[:, live]
        if keys.size > BUCKETS_KEPT:
            # A quarter goes at once, so that this is seldom done.
            latest = np.lexsort((keys, whole[AT]))[-(BUCKETS_KEPT * 3 // 4) :]
            keys, whole = keys[latest], whole[:, latest]
        order = np.argsort(keys)
        self._keys, self._state = keys[order], whole[:, order]

    def snapshot(self) -> dict[str, npt.NDArray[np.uint64] | Ints]:
        return {"keys": self._keys, "state": self._state}

    def restore(self, keys: Keys, state: Ints) -> None:
        self._keys, self._state = keys.copy(), state.copy()


def _clocks(times: Ints, begins: Ints, group: Ints, state: Ints) -> tuple[Ints, Mask]:
    """The latest time of each event's bucket so far, and which buckets went back by more than BACK_US."""
    first = int(times.min())
    width = int(times.max()) - first + 1
    if width * begins.size < 1 << 62:
        # Every group is moved above all times of the groups before it.
        shift = group * np.int64(width) - first
        clock = np.maximum.accumulate(times + shift) - shift
    else:  # dates that lie centuries apart
        ends = np.append(begins[1:], times.size)
        clock = np.concatenate(
            [np.maximum.accumulate(times[b:e]) for b, e in zip(begins.tolist(), ends.tolist(), strict=True)]
        )
    clock = np.maximum(clock, state[AT][group])
    torn = np.zeros(begins.size, np.bool_)
    torn[group[clock - times > BACK_US]] = True
    return clock, torn


class Seen:
    """Which values were met lately: a value is new again when it was not met for `memory_us`."""

    def __init__(self, memory_us: int) -> None:
        self._memory_us = memory_us
        self._values: Keys = np.empty(0, np.uint64)  # ascending
        self._times: Ints = np.empty(0, np.int64)

    def meet(self, values: Keys, times: Ints, newest: int) -> Mask:
        """Which events bring a new value, in the order of arrival."""
        order = np.argsort(values, kind="stable")
        sorted_values, sorted_times = values[order], times[order]
        begins = np.concatenate([[True], sorted_values[1:] != sorted_values[:-1]])
        before = np.concatenate([[NEVER], sorted_times[:-1]])
        groups = sorted_values[begins]
        places = np.searchsorted(self._values, groups)
        inside = np.minimum(places, max(self._values.size - 1, 0))
        known = self._values[inside] == groups if self._values.size else np.zeros(groups.size, np.bool_)
        carried = np.full(groups.size, NEVER, np.int64)
        carried[known] = self._times[places[known]]
        before[begins] = carried
        new = np.empty(values.size, np.bool_)
        new[order] = np.abs(sorted_times - before) > self._memory_us
        ends = np.append(np.flatnonzero(begins)[1:], values.size) - 1
        latest = sorted_times[ends]
        self._times[places[known]] = latest[known]
        if not known.all():
            all_values = np.concatenate([self._values, groups[~known]])
            all_times = np.concatenate([self._times, latest[~known]])
            if all_values.size > VALUES_KEPT:
                live = all_times + self._memory_us >= newest
                all_values, all_times = all_values[live], all_times[live]
            if all_values.size > VALUES_KEPT:
                kept = np.lexsort((all_values, all_times))[-(VALUES_KEPT * 3 // 4) :]
                all_values, all_times = all_values[kept], all_times[kept]
            order = np.argsort(all_values)
            self._values, self._times = all_values[order], all_times[order]
        return new

    def snapshot(self) -> dict[str, npt.NDArray[np.uint64] | Ints]:
        return {"values": self._values, "times": self._times}

    def restore(self, values: Keys, times: Ints) -> None:
        self._values, self._times = values.copy(), times.copy()
