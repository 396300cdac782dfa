from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from event_tables import NOON
from logvision.detect.volume import HOURS_KEPT, Volume
from logvision.schema import PARTIAL, TEXT

MONDAY = NOON - timedelta(hours=NOON.hour + 24)
assert MONDAY.weekday() == 0


def hour(start: datetime, requests: int, site: str = "shop.example", **more: int) -> dict[str, Any]:
    counts = {"success": requests, "errors": 0, "attacks": 0, "bytes": requests * 1000} | more
    return {
        "grain": 3600,
        "start": start,
        "site": site,
        "dimension": "all",
        "requests": requests,
        "error": 0,
    } | counts


def partials(*rows: dict[str, Any]) -> pa.Table:
    plain = pa.schema([f.with_type(pa.string()) if f.type == TEXT else f for f in PARTIAL])
    return pa.Table.from_pylist([dict.fromkeys(PARTIAL.names) | r for r in rows], schema=plain).cast(PARTIAL)


def usual(number: int) -> int:
    """A day's shape, little at night, with a little scatter, and quiet Sundays."""
    of_day, day = number % 24, number // 24 % 7
    return (300 if day == 6 else 1000) * (1 if of_day < 6 else 4) + number % 7 * 10


Last = Callable[[datetime], dict[str, Any] | None]


def told(hours: int, last: Last, volume: Volume | None = None) -> list[str]:
    """What is said of the hour after so many ordinary ones."""
    volume = volume or Volume()
    start = MONDAY + timedelta(hours=hours)
    history = [hour(MONDAY + timedelta(hours=n), usual(n)) for n in range(hours)]
    assert volume.step(partials(*history), start).num_rows == 0
    row = last(start)
    alerts = volume.step(partials(*([row] if row else [])), start + timedelta(hours=1))
    return [f"{a['rule']} {a['actor']} {a['events']}" for a in alerts.to_pylist()]


WEEKS = 4 * 7 * 24 + 12  # four weeks, then Monday noon


def test_an_ordinary_hour_is_nothing_to_speak_of() -> None:
    assert told(WEEKS, lambda start: hour(start, usual(WEEKS) + 300)) == []


def test_spikes_and_silences_are_held_against_the_same_hour_of_the_week() -> None:
    assert told(WEEKS, lambda start: hour(start, 40_000, bytes=4_000_000)) == [
        "volume-spike-requests site:shop.example 40000"
    ]
    assert told(WEEKS, lambda start: None) == ["volume-silence-requests site:shop.example 0"]
    assert told(WEEKS, lambda start: hour(start, 4000, errors=900, attacks=400)) == [
        "volume-spike-errors site:shop.example 900",
        "volume-spike-attacks site:shop.example 400",
    ]
    sunday_night = 4 * 7 * 24 + 6 * 24 + 2
    assert told(sunday_night, lambda start: hour(start, 4000)) == [
        "volume-spike-requests site:shop.example 4000"
    ]


def test_without_history_nothing_is_said() -> None:
    assert told(3 * 24, lambda start: hour(start, 400_000)) == []


def test_an_alert_says_what_is_usual() -> None:
    volume = Volume()
    told(WEEKS, lambda start: None, volume)
    start = MONDAY + timedelta(hours=WEEKS + 1)
    (alert,) = volume.step(partials(hour(start, 90_000, bytes=0)), start + timedelta(hours=1)).to_pylist()
    assert alert["explanation"] == (
        "Requests in the hour from 2024-06-10T13:00:00.000000Z: 90000, where 4060 are usual."
    )
    assert (alert["severity"], alert["attack"], alert["first_seen"]) == ("low", "anomaly", start)


def test_a_restored_state_goes_on_and_an_hour_is_judged_once_when_it_is_closed() -> None:
    volume, again = Volume(), Volume()
    told(WEEKS, lambda start: hour(start, usual(WEEKS)), volume)
    start = MONDAY + timedelta(hours=WEEKS + 1)
    assert volume.step(partials(hour(start, 20_000)), start + timedelta(minutes=30)).num_rows == 0
    again.restore(volume.snapshot())
    assert again.step(partials(hour(start, 20_000)), start + timedelta(hours=1))["events"].to_pylist() == [
        40_000
    ]
    assert again.step(partials(hour(start, 90_000)), start + timedelta(hours=1)).num_rows == 0


def test_years_of_nothing_are_passed_over() -> None:
    volume = Volume()
    told(WEEKS, lambda start: hour(start, usual(WEEKS)), volume)
    late = MONDAY + timedelta(days=4000)
    alerts = volume.step(partials(hour(late, 10)), late + timedelta(hours=1))
    assert alerts.num_rows <= HOURS_KEPT
