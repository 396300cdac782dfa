"""Levels are those of the definition, and cuts into batches change nothing; the core says the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from itertools import pairwise
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from examples import examples
from logvision import columns
from logvision.detect import buckets as module
from logvision.detect.buckets import (
    BACK_US,
    FILLS,
    MIX,
    NOTHING,
    RELIEVES,
    Buckets,
    Events,
    Overflow,
    Size,
    mixed,
)
from native_paths import without_core

SECOND = 1_000_000
SIZE = Size(capacity=3, leak_us=10 * SECOND, hold_off_us=30 * SECOND, relief_us=5 * SECOND, memory_us=1 << 60)

Event = tuple[int, int, str]  # key, time in s, one of fill, relief, repeat


EFFECTS = np.array([FILLS, RELIEVES, NOTHING], np.uint8)
SHAPES = {"repeat": 0, "fill": 0, "relief": 1, "nothing": 2}


def empty() -> Buckets:
    """Buckets of which those of keys 1 to 8 have met a value, the first hash, long ago."""
    buckets = Buckets(SIZE)
    keys = np.arange(1, 9, dtype=np.uint64)
    buckets.restore(keys[:0], np.empty((6, 0), np.int64), keys * MIX, np.zeros(8, np.int64))
    return buckets


def pour(buckets: Buckets, events: list[Event], first: int = 0) -> list[Overflow]:
    """`first`: the number of the first event, which makes its value one of its own."""
    rows, actor = columns.firsts(np.array([k for k, _, _ in events], np.int64))
    return buckets.pour(
        Events(
            shape=np.array([SHAPES[what] for _, _, what in events], np.int64),
            times=np.array([t * SECOND for _, t, _ in events], np.int64),
            actor=actor,
            names=np.array([k for k, _, _ in events], np.uint64)[rows],
            value=np.array(
                [0 if what == "repeat" else 1 + at for at, (_, _, what) in enumerate(events)], np.int32
            ),
            hashes=np.append(0, first + 1 + np.arange(len(events))).astype(np.uint64),
        ),
        EFFECTS,
        newest=0,
    )


def alerts(batches: list[list[Event]]) -> dict[tuple[int, int], tuple[int, int]]:
    """(key, first) to (events, last), over batches."""
    buckets, first = empty(), 0
    done: dict[tuple[int, int], tuple[int, int]] = {}
    for batch in batches:
        for over in pour(buckets, batch, first):
            events, last = done.get((over.key, over.first), (0, over.last))
            done[over.key, over.first] = (events + over.events, max(last, over.last))
        first += len(batch)
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
    buckets = Buckets(replace(SIZE, capacity=100, leak_us=1 << 40, memory_us=10))

    def new(*events: tuple[int, int]) -> int:
        """How many of these values, at these times, raise the level."""
        before = levels(buckets)[0] if len(buckets) else 0
        buckets.pour(
            Events(
                shape=np.zeros(len(events), np.int64),
                times=np.array([t for _, t in events], np.int64),
                actor=np.zeros(len(events), np.int32),
                names=np.array([7], np.uint64),
                value=np.array([v for v, _ in events], np.int32),
                hashes=np.arange(9, dtype=np.uint64),
            ),
            EFFECTS,
            newest=0,
        )
        return round((levels(buckets)[0] - before) / (1 << 40))

    assert [new((1, 0)), new((2, 0)), new((1, 5), (1, 15)), new((1, 26))] == [1, 1, 0, 1]
    assert [new((1, 30)), new((2, 11), (3, 0)), new((-1, 0), (8, 0))] == [0, 2, 1]


def levels(buckets: Buckets) -> list[int]:
    found: list[int] = buckets.snapshot()["state"][module.LEVEL].tolist()
    return found


@pytest.mark.parametrize("core", [True, False])
def test_a_flood_of_actors_is_bounded_and_keeps_the_latest(core: bool) -> None:
    with (
        nullcontext() if core else without_core(),
        patch.multiple(module, BUCKETS_KEPT=100, VALUES_KEPT=150),
    ):
        buckets = Buckets(replace(SIZE, memory_us=10 * SECOND))
        for batch in range(8):
            keys = range(batch * 90, (batch + 1) * 90)
            assert pour(buckets, [(key, batch, "fill") for key in keys], batch * 90) == []
    kept = buckets.snapshot()
    assert kept["keys"].size == kept["state"].shape[1] <= 100
    assert kept["values"].size == kept["times"].size <= 150
    assert set(range(650, 720)) <= set(kept["keys"].tolist())
    assert kept["keys"].min() >= 6 * 90


@given(STREAMS, st.lists(st.integers(0, 80), max_size=4))
@examples(200)
def test_the_core_pours_as_the_pure_path(steps: list[Event], cuts: list[int]) -> None:
    events = [(key, gap * 7, what) for key, gap, what in steps]
    places = [0, *sorted(min(c, len(events)) for c in cuts), len(events)]

    def call() -> tuple[Any, ...]:
        buckets, found = empty(), []
        for a, b in pairwise(places):
            for over in pour(buckets, events[a:b], a):
                found.append((over.key, over.first, over.last, over.events, over.rows.tolist()))
            restored = Buckets(SIZE)
            restored.restore(**buckets.snapshot())
            buckets = restored
        return str(found), *buckets.snapshot().values()

    with patch.multiple(module, BUCKETS_KEPT=3, VALUES_KEPT=8):
        both(call)


def both(call: Callable[[], tuple[Any, ...]]) -> None:
    """The core and the pure path answer alike."""
    found = call()
    with without_core():
        expected = call()
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert_array_equal(one, other)


@given(st.lists(st.integers(-1, 9)), st.lists(st.integers(0, 2**64 - 1), min_size=10, max_size=10))
@examples(100)
def test_the_core_mixes_and_numbers_keys_as_the_pure_path(codes: list[int], hashes: list[int]) -> None:
    def call() -> tuple[Any, ...]:
        keys = np.full(len(codes), 7, np.uint64)
        mixed(keys, np.array(codes, np.int32), np.array(hashes, np.uint64))
        names, numbers = columns.numbered(keys)
        assert_array_equal(names[numbers], keys)
        return keys, np.sort(names)

    both(call)
