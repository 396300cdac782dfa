"""Levels are those of the definition, and cuts into batches change nothing; the core says the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from logvision import columns
from logvision.detect.buckets import (
    BACK_US,
    BUCKETS_KEPT,
    FILLS,
    NEVER,
    RELIEVES,
    REPEATS,
    VALUES_KEPT,
    Buckets,
    Seen,
    Size,
    met,
    mixed,
    poured,
)
from native_paths import without_core

SECOND = 1_000_000
SIZE = Size(capacity=3, leak_us=10 * SECOND, hold_off_us=30 * SECOND, relief_us=5 * SECOND)

Event = tuple[int, int, str]  # key, time in s, one of fill, relief, repeat


KINDS = {"repeat": REPEATS, "fill": FILLS, "relief": RELIEVES}


def pour(buckets: Buckets, events: list[Event]) -> list[Any]:
    return buckets.step(
        np.array([k for k, _, _ in events], np.uint64),
        np.array([t * SECOND for _, t, _ in events], np.int64),
        np.array([KINDS[what] for _, _, what in events], np.uint8),
        newest=0,
    )


def alerts(batches: list[list[Event]]) -> dict[tuple[int, int], tuple[int, int]]:
    """(key, first) to (events, last), over batches."""
    buckets = Buckets(SIZE)
    done: dict[tuple[int, int], tuple[int, int]] = {}
    for batch in batches:
        for over in pour(buckets, batch):
            events, last = done.get((over.key, over.first), (0, over.last))
            done[over.key, over.first] = (events + over.events, max(last, over.last))
    return done


def by_hand(events: list[Event]) -> dict[tuple[int, int], tuple[int, int]]:
    """The definition, one event at a time, for times that do not go back."""
    state: dict[int, dict[str, int]] = defaultdict(dict)
    done: dict[tuple[int, int], tuple[int, int]] = {}
    for key, seconds, what in events:
        t, s = seconds * SECOND, state[key]
        if s.get("shut", t) > t:
            if what != "relief":
                count, last = done[key, s["alert"]]
                done[key, s["alert"]] = (count + 1, max(last, t))
            s["at"] = t
            continue
        if "shut" in s:
            s.clear()
        level = max(0, s.get("level", 0) - (t - s.get("at", t)) - (SIZE.relief_us if what == "relief" else 0))
        if level == 0:
            s["since"], s["count"] = t, 0
        s["at"], s["level"] = t, level + (SIZE.leak_us if what == "fill" else 0)
        if what == "relief":
            continue
        s["count"] += 1
        if s["level"] > SIZE.capacity * SIZE.leak_us:
            done[key, s["since"]] = (s["count"], t)
            s.update(shut=t + SIZE.hold_off_us, alert=s["since"], level=0)
    return done


STREAMS = st.lists(
    st.tuples(
        st.integers(1, 4), st.integers(0, 12), st.sampled_from(["fill", "fill", "fill", "relief", "repeat"])
    ),
    max_size=80,
)


def forward(steps: list[Event]) -> list[Event]:
    now = 0
    events = []
    for key, gap, what in steps:
        now += gap
        events.append((key, now, what))
    return events


@given(STREAMS)
@examples(200)
def test_levels_are_those_of_the_definition(steps: list[Event]) -> None:
    events = forward(steps)
    assert alerts([events]) == by_hand(events)


@given(STREAMS, st.lists(st.integers(0, 80), max_size=6), st.booleans())
@examples(200)
def test_cuts_into_batches_change_nothing_even_when_times_run_backwards(
    steps: list[Event], cuts: list[int], shuffled: bool
) -> None:
    events = [(k, gap * 7, what) for k, gap, what in steps] if shuffled else forward(steps)
    places = [0, *sorted(min(c, len(events)) for c in cuts), len(events)]
    batches = [events[a:b] for a, b in pairwise(places)]
    assert alerts(batches) == alerts([events])


def test_a_wrong_date_does_not_keep_a_bucket_full_for_ever() -> None:
    far = 10 * BACK_US // SECOND
    events = [(1, far, "fill"), *[(1, 20 * i, "fill") for i in range(50)]]
    assert alerts([events]) == {}
    assert list(alerts([[(1, far, "fill"), *[(1, i, "fill") for i in range(5)]]])) == [(1, 0)]


def test_a_value_counts_again_when_it_was_not_met_for_a_while() -> None:
    def met(seen: Seen, *events: tuple[int, int]) -> list[bool]:
        values = np.array([v for v, _ in events], np.uint64)
        return list(seen.meet(values, np.array([t for _, t in events], np.int64), newest=0))

    seen = Seen(memory_us=10)
    assert met(seen, (1, 0), (2, 0), (1, 5), (1, 15), (1, 26)) == [True, True, False, False, True]
    assert met(seen, (1, 30), (2, 11), (3, 0)) == [False, True, True]


def test_a_flood_of_actors_is_bounded_and_keeps_the_latest() -> None:
    buckets, seen = Buckets(SIZE), Seen(10 * SECOND)
    for batch in range(8):
        keys = np.arange(batch * BUCKETS_KEPT, (batch + 1) * BUCKETS_KEPT, dtype=np.uint64)
        times = np.full(keys.size, batch * SECOND, np.int64)
        fills = np.full(keys.size, FILLS, np.uint8)
        assert buckets.step(keys, times, fills, newest=batch * SECOND) == []
        assert seen.meet(keys, times, newest=batch * SECOND).all()
    kept = {name: len(array.T) for name, array in (buckets.snapshot() | seen.snapshot()).items()}
    assert kept["keys"] == kept["state"] <= BUCKETS_KEPT
    assert kept["values"] == kept["times"] <= VALUES_KEPT
    assert buckets.known(np.array([8 * BUCKETS_KEPT - 1, 0], np.uint64)).tolist() == [True, False]


def both(call: Callable[[], tuple[Any, ...]]) -> None:
    """The core and the pure path answer alike."""
    found = call()
    with without_core():
        expected = call()
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@given(STREAMS, st.integers(-1, 40))
@examples(100)
def test_the_core_pours_as_the_pure_path(steps: list[Event], shut: int) -> None:
    places = np.array([key - 1 for key, _, _ in steps], np.int64)
    times = np.array([gap * 7 * SECOND for _, gap, _ in steps], np.int64)
    kinds = np.array([KINDS[what] for _, _, what in steps], np.uint8)

    def call() -> tuple[Any, ...]:
        state = np.tile(np.array([NEVER, 0, NEVER, 0, NEVER, NEVER]), (4, 1))
        if shut >= 0:
            state[1] = [0, 0, 0, 0, shut * SECOND, -5 * SECOND]
        return *poured(SIZE, places, times, kinds, state), state

    both(call)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 40))))
@examples(100)
def test_the_core_meets_as_the_pure_path(events: list[tuple[int, int]]) -> None:
    codes, times = np.array(events, np.int64).reshape(-1, 2).T

    def call() -> tuple[Any, ...]:
        last = np.array([NEVER, 0, 10, 20, NEVER, 40])
        return met(codes.astype(np.int32), times.copy(), 10, last), last

    both(call)


@given(st.lists(st.integers(-1, 9)), st.lists(st.integers(0, 2**64 - 1), min_size=10, max_size=10))
@examples(100)
def test_the_core_mixes_and_numbers_keys_as_the_pure_path(codes: list[int], hashes: list[int]) -> None:
    def call() -> tuple[Any, ...]:
        keys = np.full(len(codes), 7, np.uint64)
        mixed(keys, np.array(codes, np.int32), np.array(hashes, np.uint64))
        names, numbers = columns.numbered(keys)
        np.testing.assert_array_equal(names[numbers], keys)
        return keys, np.sort(names)

    both(call)
