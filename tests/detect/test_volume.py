"""Spikes and silences against a site's own season, with series written out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logvision.detect.volume import SITES_KEPT, Volume
from logvision.schema import ALERT, PARTIAL

pytestmark = pytest.mark.slow

MONDAY = datetime(2024, 4, 1, tzinfo=UTC)
DAY = 288
WEEK = 7 * DAY
SPAN = timedelta(minutes=5)


def minutes(
    series: Sequence[int],
    *,
    begin: datetime = MONDAY,
    site: str | None = "shop.example",
    errors: Sequence[int] | None = None,
    size: int = 0,
    attacks: Sequence[int] | None = None,
) -> pa.Table:
    """PARTIAL rows of one minute in each span of five; none where nothing was asked."""
    rows = [
        {
            "grain": 60,
            "start": begin + i * SPAN,
            "site": site,
            "dimension": "all",
            "requests": count,
            "success": count,
            "errors": 0 if errors is None else errors[i],
            "attacks": 0 if attacks is None else attacks[i],
            "bytes": count * size,
            "error": 0,
        }
        for i, count in enumerate(series)
        if count
    ]
    plain = pa.schema([f.with_type(pa.string()) if pa.types.is_dictionary(f.type) else f for f in PARTIAL])
    return pa.Table.from_pylist(rows, schema=plain).cast(PARTIAL)


def after(spans: int, begin: datetime = MONDAY) -> datetime:
    return begin + spans * SPAN


def told(alerts: pa.Table) -> list[tuple[Any, ...]]:
    return [
        (row["rule"], row["site"], row["severity"], row["first_seen"], row["last_seen"], row["events"])
        for row in alerts.to_pylist()
    ]


def test_a_spike_after_two_even_weeks_is_told_with_what_was_usual() -> None:
    series = [300] * (2 * WEEK) + [310] * 5 + [5200] * 2 + [290] * 5
    alerts = Volume().step(minutes(series), after(len(series)))
    begin = after(2 * WEEK + 5)
    assert alerts.to_pylist() == [
        {
            "detector": "volume",
            "rule": "volume-requests-spike",
            "attack": "anomaly",
            "severity": "medium",
            "score": pytest.approx(0.9),
            "actor": "site:shop.example",
            "site": "shop.example",
            "outcome": "unknown",
            "first_seen": begin,
            "last_seen": begin + SPAN,
            "events": 5200,
            "evidence": [],
            "explanation": "shop.example had 5,200 requests in 5 minutes from 00:25 UTC; "
            "on Mondays at that hour it has 300 to 300.",
        }
    ]
    assert alerts.schema == ALERT


def test_a_silence_is_told_once_an_hour_while_it_lasts() -> None:
    series = [300] * (2 * WEEK)
    alerts = Volume().step(minutes(series), after(2 * WEEK + 14))
    begin = after(2 * WEEK)
    rule = ("volume-requests-silence", "shop.example", "high", begin)
    assert told(alerts) == [(*rule, after(2 * WEEK + 1), 0), (*rule, after(2 * WEEK + 13), 0)]


def test_a_silence_is_seen_only_when_time_is_said_to_have_passed() -> None:
    volume, series = Volume(), [300] * (2 * WEEK)
    assert volume.step(minutes(series), after(2 * WEEK)).num_rows == 0
    assert volume.step(PARTIAL.empty_table(), after(2 * WEEK)).num_rows == 0
    assert volume.step(PARTIAL.empty_table(), after(2 * WEEK + 1)).num_rows == 1


def test_without_history_nothing_is_an_alarm() -> None:
    series = [300] * 100 + [90_000] * 10
    assert Volume().step(minutes(series), after(160)).num_rows == 0


def test_after_one_day_only_what_is_far_out_is_told() -> None:
    series = [300] * DAY + [900] * 3 + [5000] * 3
    alerts = Volume().step(minutes(series), after(len(series)))
    rows = alerts.to_pylist()
    assert [(row["rule"], row["first_seen"]) for row in rows] == [("volume-requests-spike", after(DAY + 3))]
    assert rows[0]["score"] == pytest.approx(0.7)
    assert rows[0]["explanation"].endswith("on the days before at that hour it has 300 to 300.")


def test_the_same_count_is_ordinary_on_a_weekday_and_a_spike_at_night() -> None:
    day = [50] * (6 * 12) + [3000] * (12 * 12) + [50] * (6 * 12)
    series = day * 14 + [50] * 12 + [3000] * 2
    found = told(Volume().step(minutes(series), after(len(series))))
    assert [row[:4] for row in found] == [
        ("volume-requests-spike", "shop.example", "medium", after(14 * DAY + 12))
    ]


def test_errors_attacks_and_bytes_have_seasons_of_their_own() -> None:
    spans = 2 * WEEK + 3
    requests = [500] * spans
    errors = [2] * (2 * WEEK) + [2, 400, 2]
    attacks = [5] * (2 * WEEK) + [5, 5, 300]
    alerts = Volume().step(minutes(requests, errors=errors, attacks=attacks, size=50_000), after(spans))
    assert [row[:4] for row in told(alerts)] == [
        ("volume-errors-spike", "shop.example", "high", after(2 * WEEK + 1)),
        ("volume-attacks-spike", "shop.example", "medium", after(2 * WEEK + 2)),
    ]
    large = minutes([500], begin=after(spans), size=900_000)
    volume = Volume()
    volume.step(minutes(requests, size=50_000), after(spans))
    assert [row[0] for row in told(volume.step(large, after(spans + 1)))] == ["volume-bytes-spike"]


def test_few_requests_are_never_an_alarm() -> None:
    series = [3] * (2 * WEEK) + [90] * 5 + [0] * 20
    assert Volume().step(minutes(series), after(len(series))).num_rows == 0


def test_only_the_site_that_fell_silent_is_told() -> None:
    both = pa.concat_tables([minutes([400] * (2 * WEEK)), minutes([400] * (2 * WEEK + 4), site=None)])
    found = told(Volume().step(both, after(2 * WEEK + 4)))
    assert [row[:2] for row in found] == [("volume-requests-silence", "shop.example")]


def test_a_log_that_stopped_is_told_for_a_day_and_teaches_nothing_after() -> None:
    volume, series = Volume(), [300] * (2 * WEEK)
    volume.step(minutes(series), after(2 * WEEK))
    first = volume.step(PARTIAL.empty_table(), after(4 * WEEK))
    assert first.num_rows == 24
    assert volume.step(minutes(series[:WEEK], begin=after(4 * WEEK)), after(5 * WEEK)).num_rows == 0


def test_an_attack_does_not_become_the_season() -> None:
    week, flooded = [300] * WEEK, [300] * 24 + [60_000] * 12 + [300] * (WEEK - 36)
    series = week + week + flooded + flooded
    found = told(Volume().step(minutes(series), after(len(series))))
    assert [row[3] for row in found] == [after(2 * WEEK + 24), after(3 * WEEK + 24)]


def test_other_grains_and_dimensions_are_passed_over() -> None:
    rows = minutes([300] * (2 * WEEK) + [9000])
    frame = pl.DataFrame(pl.from_arrow(rows))
    hourly = frame.with_columns(grain=pl.lit(3600, pl.Int32)).to_arrow().cast(PARTIAL)
    status = frame.with_columns(dimension=pl.lit("status")).to_arrow().cast(PARTIAL)
    assert Volume().step(pa.concat_tables([hourly, status]), after(2 * WEEK + 1)).num_rows == 0


def test_late_minutes_are_passed_over() -> None:
    volume = Volume()
    volume.step(minutes([300] * (2 * WEEK)), after(2 * WEEK))
    assert volume.step(minutes([90_000]), after(2 * WEEK)).num_rows == 0


def test_invented_sites_do_not_push_out_a_busy_one() -> None:
    volume = Volume()
    volume.step(minutes([300] * (2 * WEEK)), after(2 * WEEK))
    crowd = [minutes([5], begin=after(2 * WEEK), site=f"x{n}.example") for n in range(3 * SITES_KEPT)]
    busy = minutes([9000], begin=after(2 * WEEK))
    found = told(volume.step(pa.concat_tables([*crowd, busy]), after(2 * WEEK + 1)))
    assert [row[:2] for row in found] == [("volume-requests-spike", "shop.example")]


def test_a_restart_changes_nothing() -> None:
    series = [300] * (2 * WEEK) + [290] * 7 + [5200] * 30 + [0] * 9 + [300] * 40
    whole = Volume().step(minutes(series), after(len(series)))
    volume, pieces, cuts = Volume(), [], [0, 500, 2 * WEEK + 3, 2 * WEEK + 20, 2 * WEEK + 41, len(series)]
    for begin, end in pairwise(cuts):
        again = Volume()
        again.restore(volume.snapshot())
        pieces.append(again.step(minutes(series[begin:end], begin=after(begin)), after(end)))
        volume = again
    assert whole.num_rows > 3
    assert pa.concat_tables(pieces).to_pylist() == whole.to_pylist()


levels = st.lists(st.integers(0, 20_000), min_size=24, max_size=24)
shape = st.lists(st.integers(1, 40), min_size=12, max_size=12)


@settings(max_examples=10, deadline=None)
@given(levels=levels, shape=shape)
def test_a_daily_series_never_alarms(levels: list[int], shape: list[int]) -> None:
    series = [level * share for level in levels for share in shape] * 4
    assert Volume().step(minutes(series), after(len(series))).num_rows == 0


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_a_weekly_series_never_alarms_once_two_weeks_are_known(data: st.DataObject) -> None:
    hours = data.draw(st.lists(st.integers(0, 20_000), min_size=168, max_size=168))
    shape_ = data.draw(shape)
    series = [level * share for level in hours for share in shape_] * 4
    volume = Volume()
    volume.step(minutes(series[: 2 * WEEK]), after(2 * WEEK))
    late = volume.step(minutes(series[2 * WEEK :], begin=after(2 * WEEK)), after(4 * WEEK))
    assert [row for row in told(late) if row[3] >= after(2 * WEEK)] == []
