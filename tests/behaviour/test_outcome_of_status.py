from __future__ import annotations

from typing import Any

import pytest

from event_tables import event, events
from logvision.detect.outcome import Baselines, judge

ITEM = "/item/{int}"
ORDINARY = [
    event(target=f"/item/{i}", route=ITEM, bytes=4000 + 10 * i, duration_us=50_000) for i in range(20)
]
MISSING = [event(target=f"/gone-{i}", status=404, bytes=162) for i in range(3)]


def attack(kind: str, target: str, status: int = 200, size: int | None = 9000, **more: Any) -> dict[str, Any]:
    return event(attack=kind, score=0.95, target=target, status=status, bytes=size, **more)


def outcomes(*attacks: dict[str, Any], before: list[dict[str, Any]] | None = None) -> list[str | None]:
    baselines = Baselines()
    judge(events(ORDINARY + MISSING if before is None else before), baselines)
    return judge(events(attacks), baselines)["outcome"].to_pylist()


def test_clean_events_have_no_outcome() -> None:
    assert outcomes(event(), event(status=404)) == [None, None]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        *((status, "blocked") for status in (400, 401, 403, 406, 429, 444)),
        *((status, "missed") for status in (301, 404, 410)),
        *((status, "unknown") for status in (None, 101, 500, 503)),
    ],
)
def test_what_was_not_answered_well_is_told_by_its_status(status: int | None, expected: str) -> None:
    assert outcomes(event(attack="sqli", target="/item/1", status=status)) == [expected]


def test_one_page_for_everything_that_is_not_there_means_missed() -> None:
    names = ["/.env", "/.git/config", "/backup.zip"]
    assert outcomes(*(attack("sensitive", n, size=5120) for n in names)) == ["missed"] * 3
    home = [event(target="/", bytes=5000 + i) for i in range(10)]
    assert outcomes(attack("sensitive", "/.env", size=5004), before=home + MISSING) == ["missed"]
