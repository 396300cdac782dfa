"""Leaky buckets: one level per actor, raised by events and lowered by time.

All amounts are whole microseconds of leaking (one event = `leak_us`), so results do not depend on how
events were cut into batches.

Events count in the order in which they arrive. Time that runs backwards does not fill a bucket again;
after a step back of more than BACK_US, another stretch of log or a wrong date, it is empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from logvision import columns, native
from logvision.detect.keyed import Keyed, Plain, keyed

Ints = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]
Kinds = npt.NDArray[np.uint8]

REPEATS, FILLS, RELIEVES, NOTHING = range(4)
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
_UNMET: Final = np.array([NEVER])
_NO_KEYS: Final = np.empty(0, np.uint64)
_NO_TIMES: Final = np.empty(0, np.int64)


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
    memory_us: int = 0  # how long a value is no new one


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """A batch as one scenario sees it, in the order of arrival."""

    shape: Ints  # by which it is known what an event does
    times: Ints  # µs since the epoch
    actor: columns.Codes  # whose bucket it is about, a number of `names`; negative: nobody's
    names: Keys
    value: columns.Codes | None = None  # a number of `hashes`, negative: the last; None: all events are new
    hashes: Keys | None = None


class Buckets:
    """All buckets of one scenario, and the values that were met in them lately; used by one thread."""

    def __init__(self, size: Size) -> None:
        self._size = size
        self._buckets = keyed(_FRESH)
        self._seen = keyed(_UNMET)

    def __len__(self) -> int:
        return len(self._buckets)

    def pour(self, events: Events, effects: Kinds, newest: int) -> list[Overflow]:
        """Pour events in; `effects`: what those of each shape do, FILLS, RELIEVES or NOTHING.

        Relief of who has no bucket yet is none. `newest` is the latest time in the log, by which drained
        buckets are known when there are too many.
        """
        buckets, values = len(self._buckets), len(self._seen)
        stays, alerts = _poured(self._size, events, effects, self._buckets, self._seen)
        if len(self._buckets) > max(buckets, BUCKETS_KEPT):
            keys, state = self._buckets.saved()
            live = (state[:, AT] + state[:, LEVEL] > newest) | (state[:, SHUT] > newest)
            self._buckets.load(*_latest(keys[live], state[live], BUCKETS_KEPT))
        if len(self._seen) > max(values, VALUES_KEPT):
            keys, times = self._seen.saved()
            live = times[:, 0] + self._size.memory_us >= newest
            self._seen.load(*_latest(keys[live], times[live], VALUES_KEPT))
        return _overflows(events.names, stays, alerts)

    def snapshot(self) -> dict[str, npt.NDArray[Any]]:
        """By the names of what `restore` takes; values only where some were met."""
        keys, state = self._buckets.saved()
        values, times = self._seen.saved()
        met = {"values": values, "times": times[:, 0]} if values.size else {}
        return {"keys": keys, "state": state.T, **met}

    def restore(self, keys: Keys, state: Ints, values: Keys = _NO_KEYS, times: Ints = _NO_TIMES) -> None:
        """Go on from a snapshot."""
        self._buckets.load(keys, state.T)
        self._seen.load(values, times[:, None])


def _latest(keys: Keys, rows: Ints, most: int) -> tuple[Keys, Ints]:
    """Those whose first integer, a time, is latest, where there are more than may be kept."""
    if keys.size <= most:
        return keys, rows
    # A quarter goes at once, so that this is seldom done.
    latest = np.lexsort((keys, rows[:, 0]))[-(most * 3 // 4) :]
    return keys[latest], rows[latest]


def _poured(
    size: Size, events: Events, effects: Kinds, buckets: Keyed, seen: Keyed
) -> tuple[columns.Codes, Ints]:
    """Pour events into buckets, which are changed.

    Gives the stay of each event, a number for the time from one emptiness of a bucket to the next, -1 of what
    does not count; and the alerts, in no order, as rows of actor, stay, first, last, events.
    """
    full = min(size.capacity * size.leak_us, -NEVER)
    if not isinstance(buckets, Plain) and not isinstance(seen, Plain):
        sizes = (full, size.leak_us, size.hold_off_us, size.relief_us, size.memory_us, BACK_US, NEVER)
        return native.buckets.poured(
            events.shape, effects, events.actor, events.times, events.names,
            events.value, events.hashes, np.array(sizes), buckets, seen,
        )  # fmt: skip
    assert isinstance(buckets, Plain)
    assert isinstance(seen, Plain)
    does = np.where(events.actor >= 0, effects[events.shape], NOTHING)
    names = events.names.tolist()
    if events.value is not None and events.hashes is not None:
        _repeat(events.value, events.hashes, events, does, size, seen)
    stay = list(range(len(names)))
    opened: dict[int, list[int]] = {}
    fresh = len(names)
    stays, alerts = np.full(does.size, -1, np.int32), []
    for row in np.flatnonzero(does != NOTHING).tolist():
        actor, t, kind = int(events.actor[row]), int(events.times[row]), int(does[row])
        bucket = buckets.rows.get(names[actor]) if kind == RELIEVES else buckets.put(names[actor])
        if bucket is None:
            continue
        at, level, since, count, shut, first = bucket
        if shut > NEVER:
            if shut - size.hold_off_us - BACK_US <= t < shut:
                bucket[AT] = max(at, t)
                if kind != RELIEVES:
                    stays[row] = stay[actor]
                    if actor not in opened:
                        opened[actor] = [actor, stay[actor], first, t, 0]
                        alerts.append(opened[actor])
                    alert = opened[actor]
                    alert[3:] = max(alert[3], t), alert[4] + 1
                continue
            opened.pop(actor, None)
            at, level, shut, first = t, 0, NEVER, NEVER
        gap = 0 if at == NEVER else t - at
        if gap < -BACK_US:
            level = 0
        at = t if gap > 0 or gap < -BACK_US or at == NEVER else at
        level = max(0, level - max(gap, 0) - (size.relief_us if kind == RELIEVES else 0))
        if level == 0:
            since, count = t, 0
            stay[actor], fresh = fresh, fresh + 1
        if kind != RELIEVES:
            stays[row] = stay[actor]
            count += 1
            level += size.leak_us if kind == FILLS else 0
            if level > full:
                opened[actor] = [actor, stay[actor], since, t, count]
                alerts.append(opened[actor])
                shut, first, level, count = t + size.hold_off_us, since, 0, 0
        bucket[:] = at, level, since, count, shut, first
    return stays, np.array(alerts, np.int64).reshape(-1, 5)


def _repeat(value: columns.Codes, hashes: Keys, events: Events, does: Kinds, size: Size, seen: Plain) -> None:
    """Make REPEATS of what fills with a value that was met in its bucket lately."""
    rows = np.flatnonzero(does == FILLS)
    values = hashes[value[rows]] ^ events.names[events.actor[rows]] * MIX
    for row, key, t in zip(rows.tolist(), values.tolist(), events.times[rows].tolist(), strict=True):
        last = seen.put(key)
        if abs(t - last[0]) <= size.memory_us:
            does[row] = REPEATS
        last[0] = t


def _overflows(names: Keys, stays: columns.Codes, alerts: Ints) -> list[Overflow]:
    """By key, those of one in order of time."""
    if not alerts.size:
        return []
    # Behind each alert stand the events of its stay, for a bucket that opens is empty.
    number = np.full(int(stays.max()) + 1, -1)
    number[alerts[:, 1]] = np.arange(len(alerts))
    rows = np.flatnonzero(stays >= 0)
    of_row = number[stays[rows]]
    rows, of_row = rows[of_row >= 0], of_row[of_row >= 0]
    ends = np.cumsum(np.bincount(of_row, minlength=len(alerts)))
    behind = np.split(rows[np.argsort(of_row, kind="stable")], ends[:-1])
    found = [
        Overflow(key, first, last, events, mine)
        for key, (_, _, first, last, events), mine in zip(
            names[alerts[:, 0]].tolist(), alerts.tolist(), behind, strict=True
        )
    ]
    return sorted(found, key=lambda over: over.key)


def mixed(keys: Keys, codes: columns.Codes, hashes: Keys) -> None:
    """Make keys, in place, those of one more part: `hashes[codes]`, of negative codes the last hash."""
    if native.HERE:
        native.keys.mixed(keys, codes, hashes)
        return
    keys ^= hashes[codes]
    keys *= MIX
    keys ^= keys >> np.uint64(29)
