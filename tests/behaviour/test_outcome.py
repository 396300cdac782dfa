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
        *((status, "missed") for status in (301, 404, 405, 410, 501)),
        *((status, "unknown") for status in (None, 101, 500, 503)),
    ],
)
def test_what_was_not_answered_well_is_told_by_its_status(status: int | None, expected: str) -> None:
    assert outcomes(event(attack="sqli", target="/item/1", status=status)) == [expected]


def test_an_ordinary_answer_of_the_route_means_missed_and_a_larger_one_that_it_worked() -> None:
    on = {"route": ITEM}
    assert outcomes(
        attack("sqli", "/item/1?x=1", size=4100, **on),
        attack("sqli", "/item/1?x=2", size=90_000, **on),
        attack("sqli", "/item/1?x=3", size=10, **on),
        attack("traversal", "/item/1?f=..", size=4100, **on),
        attack("traversal", "/item/1?f=../etc/passwd", size=1800, **on),
        attack("xss", "/item/1?x=<", size=90_000, **on),
        attack("sqli", "/never/seen", size=90_000),
    ) == ["missed", "worked", "unknown", "missed", "worked", "unknown", "unknown"]


def test_a_secret_file_answered_as_nothing_else_is_worked() -> None:
    assert outcomes(attack("sensitive", "/.env", size=812)) == ["worked"]
    assert outcomes(attack("sensitive", "/.env", size=0)) == ["unknown"]
    assert outcomes(attack("sensitive", "/.env", size=812), before=ORDINARY) == ["unknown"]


def test_one_page_for_everything_that_is_not_there_means_missed() -> None:
    names = ["/.env", "/.git/config", "/backup.zip"]
    assert outcomes(*(attack("sensitive", n, size=5120) for n in names)) == ["missed"] * 3
    home = [event(target="/", bytes=5000 + i) for i in range(10)]
    assert outcomes(attack("sensitive", "/.env", size=5004), before=home + MISSING) == ["missed"]


def test_a_delay_that_follows_the_payload_means_that_it_worked() -> None:
    on = {"route": ITEM, "size": 4100}
    assert outcomes(
        attack("sqli", "/item/1?x=1 and sleep(5)", duration_us=5_060_000, **on),
        attack("sqli", "/item/1?x=1%20and%20sleep%285%29", duration_us=60_000, **on),
        attack("sqli", "/item/1?x=waitfor delay '0:0:5'", duration_us=5_300_000, **on),
        attack("sqli", "/item/1?x=1 and sleep(5)", duration_us=None, **on),
    ) == ["worked", "missed", "worked", "missed"]


def test_two_sizes_by_turns_are_true_and_false() -> None:
    on = {"route": ITEM}
    turns = [attack("sqli", f"/item/1?x={i}", size=(4100, 4010)[i * i % 3 % 2], **on) for i in range(12)]
    assert set(outcomes(*turns)) == {"worked"}
    steady = [attack("sqli", f"/item/1?x={i}", size=4100, **on) for i in range(12)]
    assert set(outcomes(*steady)) == {"missed"}


def test_an_open_redirect_works_where_the_route_never_sends_elsewhere() -> None:
    assert outcomes(attack("redirect", "/item/1?to=//evil.example", 302, 0, route=ITEM)) == ["worked"]
    usual = [event(target="/out", status=302, route="/out")]
    assert outcomes(attack("redirect", "/out?to=//evil.example", 302, 0, route="/out"), before=usual) == [
        "unknown"
    ]


def test_restored_baselines_judge_alike_and_are_bounded() -> None:
    baselines, again = Baselines(), Baselines()
    judge(events(ORDINARY + MISSING), baselines)
    again.restore(baselines.snapshot())
    one = events([attack("sqli", "/item/1", size=90_000, route=ITEM)])
    assert judge(one, again)["outcome"].to_pylist() == ["worked"]
    for batch in range(4):
        crowd = [
            event(site=f"{batch}-{i}.example", target=f"/{i}", status=200 + 204 * (i % 2))
            for i in range(2000)
        ]
        judge(events(crowd), baselines)
    assert len(baselines._routes) <= 4096
    assert len(baselines._sites) <= 256
