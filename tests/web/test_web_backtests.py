"""Backtests over the API: the newest report, and a change that is tried in the background."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import orjson
import pytest
from web_sites import HOSTILE, Site, incident

from logvision.casebook.base import BACKTEST
from logvision.incident import iso
from logvision.web.services import Hooks

NOTHING: dict[str, Any] = {
    **dict.fromkeys(
        ("events", "requests", "clients", "ordinary_clients", "networks", "route_count", "incident_count"), 0
    ),
    **{name: {} for name in ("routes", "rules", "classes")},
    "samples": [],
    "incidents": [],
}
REPORT: dict[str, Any] = {
    "made": "2024-05-14T12:30:00Z",
    "why": "rules changed",
    "first": "2024-05-14T12:00:00Z",
    "last": "2024-05-14T12:00:06Z",
    "events": 6,
    "whole": True,
    "attacks_before": 1,
    "attacks_after": 1,
    "incidents_before": 1,
    "incidents_after": 2,
    "reclassified": 0,
    "appearing": NOTHING | {"incident_count": 1, "incidents": [incident().to_dict()]},
    "disappearing": NOTHING | {"routes": {HOSTILE: 1}},
}


def test_the_newest_report_is_shown_with_what_goes_on(site: Site) -> None:
    site.casebook.save_state(BACKTEST, orjson.dumps(REPORT))
    with site.client(hooks=Hooks(backtesting=lambda: (True, None))) as client:
        found = client.get("/api/backtest").json()
    assert (found["state"], found["problem"]) == ("running", None)
    assert found["report"]["disappearing"] == REPORT["disappearing"]
    (shown,) = found["report"]["appearing"]["incidents"]
    assert (shown["id"], shown["first_seen"]) == (incident().id, iso(incident().first_seen)[:19] + "Z")


def test_before_the_first_there_is_no_report(client: httpx.Client) -> None:
    assert client.get("/api/backtest").json() == {"state": "idle", "problem": None, "report": None}


def test_what_failed_says_why(site: Site) -> None:
    with site.client(hooks=Hooks(backtesting=lambda: (False, "own.yml:1: no rule"))) as client:
        found = client.get("/api/backtest").json()
    assert (found["state"], found["problem"]) == ("failed", "own.yml:1: no rule")


def test_a_change_is_handed_on_and_answered_at_once(site: Site) -> None:
    asked: list[Mapping[str, Any]] = []
    with site.client(hooks=Hooks(backtest=asked.append)) as client:
        text = {"id": "own", "text": "title: x"}
        assert client.post("/api/backtest", json={"threshold": 0.7, "rule": text}).status_code == 202
        assert client.post("/api/backtest", json={"exceptions": False}).status_code == 202
    assert asked == [
        {"threshold": 0.7, "rule": ("own", "title: x"), "exceptions": True},
        {"threshold": None, "rule": None, "exceptions": False},
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"threshold": 1},
        {"threshold": "x"},
        {"rule": {"id": "../../etc/passwd", "text": ""}},
        {"rule": {"id": "a", "text": "x" * 100_001}},
        {"rules": "/etc"},
    ],
)
def test_what_is_no_change_is_refused(site: Site, body: dict[str, Any]) -> None:
    asked: list[Mapping[str, Any]] = []
    with site.client(hooks=Hooks(backtest=asked.append)) as client:
        assert client.post("/api/backtest", json=body).status_code == 400
    assert asked == []


def test_a_process_that_judges_nothing_and_another_site_start_none(client: httpx.Client) -> None:
    assert client.post("/api/backtest", json={}).status_code == 404
    assert client.post("/api/backtest", json={}, headers={"origin": "http://evil.example"}).status_code == 403
