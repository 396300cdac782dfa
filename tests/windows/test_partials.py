"""The algebra of windows: counts are exact, merging does not care about cuts and order."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_tables import NOON, event, events
from examples import examples
from logvision.schema import EVENT, PARTIAL
from logvision.windows import visitors
from logvision.windows.counting import tallied
from logvision.windows.dimensions import (
    DAY,
    DIMENSIONS,
    HOUR,
    LARGE_KEPT,
    MINUTE,
    OF_ATTACKS,
    OTHER_SITES,
    SERIES,
    SITES_KEPT,
)
from logvision.windows.folder import Folder
from logvision.windows.partials import finish, merge, partial, roll
from native_paths import without_core

pytestmark = pytest.mark.slow

KEY = ["grain", "start", "site", "dimension", "value"]


def rows_of(table: pa.Table, dimension: str, *columns: str) -> list[tuple[Any, ...]]:
    chosen = [row for row in table.to_pylist() if row["dimension"] == dimension]
    return sorted(
        (tuple(row[c] for c in columns) for row in chosen), key=lambda r: tuple((x is not None, x) for x in r)
    )


def same(a: pa.Table, b: pa.Table) -> bool:
    """Equal but for the order of values of equal requests; sketches by what they estimate."""
    sortable = [
        pl.DataFrame(pl.from_arrow(finish(t))).cast({"site": pl.String, "dimension": pl.String})
        for t in (a, b)
    ]
    return sortable[0].sort(KEY).equals(sortable[1].sort(KEY))


def test_each_measure_counts_what_its_name_says() -> None:
    table = events(
        [
            event(status=200, bytes=10),
            event(status=301, bytes=None),
            event(status=404, bytes=5),
            event(status=503, bytes=7, attack="sqli", score=0.9, rules="a b", outcome="blocked"),
            event(status=None, bytes=1),
        ]
    )
    done = partial(table)
    measures = ("grain", "start", "value", "requests", "success", "errors", "attacks", "bytes", "error")
    assert done.schema == PARTIAL
    assert rows_of(done, "all", *measures) == [
        (MINUTE, NOON, None, 5, 2, 1, 1, 23, 0),
        (HOUR, NOON, None, 5, 2, 1, 1, 23, 0),
    ]
    statuses = [(None, 1, 0), ("200", 1, 0), ("301", 1, 0), ("404", 1, 0), ("503", 1, 1)]
    for grain in (MINUTE, HOUR):
        of_grain = done.filter(pc.equal(done["grain"], grain))
        assert rows_of(of_grain, "status", "value", "requests", "attacks") == statuses
    assert rows_of(done, "path", *measures) == [(HOUR, NOON, "/", 5, 2, 1, 1, 23, 0)]
    assert rows_of(done, "rules", "value", "requests") == [("a", 1), ("b", 1)]
    assert rows_of(done, "outcome", "value", "requests") == [("blocked", 1)]
    assert rows_of(done, "referer", "value", "requests") == [(None, 5)]


def test_windows_are_aligned_to_the_epoch_also_before_it() -> None:
    before = datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    done = partial(events([event(time=before), event(time=datetime(1970, 1, 1, tzinfo=UTC))]))
    assert rows_of(done, "all", "grain", "start", "requests") == [
        (MINUTE, datetime(1969, 12, 31, 23, 59, tzinfo=UTC), 1),
        (MINUTE, datetime(1970, 1, 1, tzinfo=UTC), 1),
        (HOUR, datetime(1969, 12, 31, 23, tzinfo=UTC), 1),
        (HOUR, datetime(1970, 1, 1, tzinfo=UTC), 1),
    ]


def test_sums_are_exact_beyond_what_a_float_holds() -> None:
    huge = 2**60 + 1
    done = partial(events([event(bytes=huge), event(bytes=huge), event(bytes=3)]))
    assert rows_of(done, "path", "bytes") == [(2 * huge + 3,)]


def test_an_empty_batch_has_no_windows() -> None:
    assert partial(EVENT.empty_table()) == PARTIAL.empty_table()
    assert merge() == PARTIAL.empty_table()


TEXTS = st.sampled_from([None, "", "a", "b", "ü|\x00", "<script>"])
ROWS = st.lists(
    st.builds(
        lambda t, site, path, ip, status, size, attack, rules: event(
            time=NOON + timedelta(seconds=t),
            site=site,
            target=path or "/",
            client_ip=ip,
            status=status,
            bytes=size,
            attack=attack,
            rules=rules if attack else None,
            outcome="unknown" if attack else None,
            referer=path,
        ),
        st.integers(-90_000, 90_000),
        st.sampled_from([None, "x.example", "y.example"]),
        TEXTS,
        st.sampled_from([None, "192.0.2.1", "192.0.2.2", "2001:db8::1"]),
        st.sampled_from([None, 200, 302, 404, 500, 999]),
        st.one_of(st.none(), st.integers(0, 2**55)),
        st.sampled_from([None, None, "sqli", "xss"]),
        st.sampled_from([None, "r1", "r1 r2"]),
    ),
    max_size=25,
)


@given(ROWS, ROWS, ROWS)
@settings(max_examples=15, deadline=None)
def test_merging_is_associative_and_commutative_and_equals_folding_at_once(a: Any, b: Any, c: Any) -> None:
    x, y, z = (partial(events(rows)) for rows in (a, b, c))
    whole = partial(events([*a, *b, *c]))
    assert same(merge(merge(x, y), z), whole)
    assert same(merge(x, merge(y, z)), whole)
    assert same(merge(z, y, x), whole)


@given(ROWS)
@settings(max_examples=40, deadline=None)
def test_every_event_is_counted_once_in_every_grain_of_every_dimension(rows: Any) -> None:
    done = partial(events(rows))
    seen: Counter[tuple[int, str]] = Counter()
    for row in done.to_pylist():
        seen[row["grain"], row["dimension"]] += row["requests"]
    grains = [(g, d) for d in DIMENSIONS for g in ((MINUTE, HOUR) if d in SERIES else (HOUR,))]
    assert {key: seen[key] for key in grains if key[1] not in OF_ATTACKS} == {
        key: len(rows) for key in grains if key[1] not in OF_ATTACKS
    }
    assert seen[HOUR, "outcome"] == sum(r["attack"] is not None for r in rows)
    assert set(seen) <= set(grains)


@given(st.lists(st.lists(st.integers(0, 30), max_size=80), min_size=1, max_size=6), st.randoms())
@settings(max_examples=40, deadline=None)
def test_counts_stay_within_their_error_however_they_are_merged(parts: list[list[int]], random: Any) -> None:
    kept = 5
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("logvision.windows.windowed.kept", lambda dimension: kept)
        patched.setattr("logvision.windows.merging.kept", lambda dimension: kept)
        tables = [
            partial(events([event(referer=f"v{i}", bytes=7) for i in part]), ["referer"]) for part in parts
        ]
        while len(tables) > 1:
            a = tables.pop(random.randrange(len(tables)))
            b = tables.pop(random.randrange(len(tables)))
            tables.append(merge(a, b))
    rows = tables[0].to_pylist()
    truth = Counter(f"v{i}" for part in parts for i in part)
    if not truth:
        assert not rows
        return
    (error,) = {row["error"] for row in rows}
    assert len(rows) <= kept
    assert error <= sum(truth.values()) / (kept + 1)
    got = {row["value"]: row["requests"] for row in rows if row["requests"]}
    for value, true in truth.items():
        assert got.get(value, 0) <= true <= got.get(value, 0) + error
    for row in rows:
        assert row["success"] <= row["requests"]
        assert row["bytes"] <= 7 * row["requests"]


def test_a_flood_of_random_addresses_costs_the_tail_and_not_the_busiest() -> None:
    flood = [event(client_ip=f"2001:db8::{i:x}", time=NOON) for i in range(3 * LARGE_KEPT)]
    busy = [event(client_ip="192.0.2.1", time=NOON) for _ in range(500)]
    folder = Folder(["client_ip", "all"])
    for rows in (flood[: 2 * LARGE_KEPT], busy, flood[2 * LARGE_KEPT :]):
        folder.add(events(rows))
    done = folder.take()
    top, error = max(rows_of(done, "client_ip", "requests", "error"))
    assert top <= 500 <= top + error
    assert error <= 2
    assert len(rows_of(done, "client_ip", "value")) <= LARGE_KEPT
    met = max(v for (v,) in rows_of(finish(done), "all", "visitors") if v is not None)
    assert abs(met - 3 * LARGE_KEPT - 1) < 0.08 * 3 * LARGE_KEPT


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40), st.integers(0, 2**50)), max_size=200))
@settings(max_examples=40, deadline=None)
def test_a_batch_is_bounded_as_a_merge_is(rows: list[tuple[int, int, int]]) -> None:
    table = events(
        [event(time=NOON + timedelta(hours=h), referer=f"r{v}", bytes=size) for h, v, size in rows]
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("logvision.windows.windowed.kept", lambda dimension: 5)
        counted = partial(table, ["referer"])
    one_by_one = [partial(table.slice(i, 1), ["referer"]) for i in range(table.num_rows)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("logvision.windows.merging.kept", lambda dimension: 5)
        assert same(counted, merge(*one_by_one))


def test_invented_sites_are_bounded_and_still_counted() -> None:
    crowd = [event(site=f"s{i}.example") for i in range(2 * SITES_KEPT)]
    named = [event(site="real.example") for _ in range(3)]
    one = partial(events([*crowd, *named]), ["all", "path"])
    two = merge(
        one,
        partial(events([event(site=f"t{i}.example") for i in range(SITES_KEPT)]), ["all", "path"]),
    )
    for done, count in ((one, 2 * SITES_KEPT + 3), (two, 3 * SITES_KEPT + 3)):
        hours = done.filter(pc.equal(done["grain"], HOUR))
        sites = dict(rows_of(hours, "all", "site", "requests"))
        assert len(sites) <= SITES_KEPT
        assert sum(sites.values()) == count
        assert sites["real.example"] == 3
        assert sites[OTHER_SITES] > SITES_KEPT


def test_the_same_visitor_of_two_hours_is_one_visitor_of_the_day() -> None:
    rows = [
        event(time=NOON + timedelta(hours=h), client_ip=f"192.0.2.{i}") for h in (0, 1) for i in range(40)
    ]
    both = partial(events(rows), ["all"])
    hours = both.filter(pc.equal(both["grain"], HOUR))
    assert rows_of(finish(hours), "all", "requests", "visitors") == [(40, 40), (40, 40)]
    day = roll(hours, DAY)
    assert rows_of(finish(day), "all", "grain", "visitors", "requests") == [(DAY, 40, 80)]
    assert visitors.estimate([s for (s,) in rows_of(hours, "all", "visitors")]) == 40


def test_rolling_adds_up_errors() -> None:
    rows = [
        event(time=NOON + timedelta(hours=h), target=f"/{i}") for h in (0, 1) for i in range(LARGE_KEPT + 1)
    ]
    hours = partial(events(rows), ["path"])
    assert {e for (e,) in rows_of(hours, "path", "error")} == {1}
    assert rows_of(roll(hours, DAY), "path", "value", "requests", "error") == [(None, 0, 2)]
    with pytest.raises(ValueError, match="no such grain"):
        roll(hours, 7)


def test_what_a_window_lost_is_kept_beside_one_that_loses_more() -> None:
    later = NOON + timedelta(hours=1)
    all_lost = [event(target=f"/{i}") for i in range(LARGE_KEPT + 1)]
    halves = [
        [event(target=f"/{i + half}", time=later) for i in range(LARGE_KEPT)] for half in (0, LARGE_KEPT)
    ]
    done = merge(*(partial(events(rows), ["path"]) for rows in (all_lost, *halves)))
    assert rows_of(done, "path", "start", "value", "requests", "error") == [
        (NOON, None, 0, 1),
        (later, None, 0, 1),
    ]


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(-1, 6), st.integers(0, 5), st.integers(0, 1 << 61)),
        min_size=1,
        max_size=40,
    ),
    st.sampled_from([1, 30]),
)
@examples(100)
def test_the_core_counts_as_the_pure_path(rows: list[tuple[int, int, int, int]], times: int) -> None:
    groups, codes, flags, volume = (np.array(column) for column in zip(*rows * times, strict=True))

    def counted() -> tuple[Any, ...]:
        keys, measures = tallied(groups, codes.astype(np.int32), 8, flags.astype(np.uint8), volume)
        order = np.argsort(keys)
        return keys[order], measures[order]

    found = counted()
    with without_core():
        expected = counted()
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
