from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest

from logvision.respond.charts import over_time, stacked

START = datetime(2024, 5, 14, 12, tzinfo=UTC)
NAMES = ("Ordinary", "Attacks")


def grid(count: int, step_s: int) -> list[datetime]:
    return [START + timedelta(seconds=step_s * n) for n in range(count)]


def drawn(markup: str, kind: str) -> list[float]:
    """Heights of the bars of a kind."""
    root = ET.fromstring(markup)  # noqa: S314 - our own
    return [float(rect.get("height", "")) for rect in root.iter("rect") if rect.get("class") == kind]


def test_bars_are_as_high_as_their_values_and_nothing_is_not_drawn() -> None:
    made = over_time(grid(4, 60), 60, [10, 5, 0, 0], [0, 0, 0, 3], names=NAMES)
    assert drawn(made, "ordinary") == [136, 68]
    assert drawn(made, "attack") == [70]


def test_what_is_something_is_seen_beside_a_giant() -> None:
    made = over_time(grid(2, 60), 60, [1, 1_000_000], [0, 0], names=NAMES)
    assert drawn(made, "ordinary") == [1, 136]


def test_the_chart_is_told_to_those_who_cannot_see_it() -> None:
    made = over_time(grid(2, 60), 60, [1_000, 2_000], [5, 0], names=NAMES)
    assert 'aria-label="Ordinary: 3,000; Attacks: 5"' in made


def test_nothing_at_all_is_an_empty_chart() -> None:
    assert drawn(over_time([], 60, [], [], names=NAMES), "ordinary") == []


@pytest.mark.parametrize(
    ("count", "step_s", "first"),
    [
        (30, 60, "12:00"),
        (48, 3600, "12:00"),
        (14, 86_400, "05-15"),
        (120, 86_400, "2024-05-17"),
        (150, 10 * 86_400, "2024-08-15"),
    ],
)
def test_times_stand_at_round_places_and_are_few(count: int, step_s: int, first: str) -> None:
    made = over_time(grid(count, step_s), step_s, [1] * count, [0] * count, names=NAMES)
    said = re.findall(r'class="time">([^<]+)', made)
    assert said[0] == first
    assert 2 <= len(said) <= 9


def test_shares_fill_the_bar_in_order() -> None:
    made = ET.fromstring(stacked([("a", 3), ("b", 0), ("c", 1)]))  # noqa: S314 - our own
    assert [(r.get("class"), r.get("x"), r.get("width")) for r in made] == [
        ("a", "0", "720"),
        ("c", "720", "240"),
    ]
    assert list(ET.fromstring(stacked([("a", 0)]))) == []  # noqa: S314 - our own
