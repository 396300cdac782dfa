"""Labels, the queue of doubts and the model over the API; guarded like all that writes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest
from web_sites import HOSTILE, Site, incident

from event_tables import NOON, event
from lake_folders import commit
from logvision.casebook.base import LEARNED
from logvision.errors import Problem, SetupError
from logvision.web.services import Hooks

ATTACK = "access.log@6"


def test_an_event_is_labelled_with_its_request(client: httpx.Client) -> None:
    answer = client.post("/api/labels", json={"event": ATTACK, "attack": None, "note": "a test of ours"})
    assert answer.status_code == 200, answer.text
    (row,) = answer.json()["rows"]
    assert row == {
        "event": ATTACK,
        "attack": None,
        "author": "operator",
        "at": "2024-05-14T13:00:00Z",
        "note": "a test of ours",
        "incident": None,
        "site": "shop.example",
        "method": "GET",
        "target": HOSTILE,
        "status": 404,
        "user_agent": HOSTILE,
        "referer": None,
        "score": 0.9,
    }
    assert client.get("/api/labels").json() == {"rows": [row], "total": 1}


def test_an_incident_is_labelled_by_its_evidence(client: httpx.Client, site: Site) -> None:
    client.post("/api/labels", json={"incident": incident().id, "attack": "sqli", "author": "ann"})
    kept = site.casebook.labels()
    assert [each.event for each in kept] == [f"{e.source}@{e.position}" for e in incident().evidence]
    assert {(each.incident, each.author) for each in kept} == {(incident().id, "ann")}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"attack": None}, 400),
        ({"event": ATTACK, "incident": "x", "attack": None}, 400),
        ({"event": ATTACK}, 400),
        ({"event": ATTACK, "attack": "rudeness"}, 400),
        ({"event": ATTACK, "attack": None, "author": ""}, 400),
        ({"event": "access.log@99", "attack": None}, 404),
        ({"event": "nonsense", "attack": None}, 404),
        ({"incident": "nobody", "attack": None}, 404),
    ],
)
def test_what_is_no_label_is_refused(
    client: httpx.Client, site: Site, body: dict[str, Any], status: int
) -> None:
    assert client.post("/api/labels", json=body).status_code == status
    assert site.casebook.labels() == []


def test_the_queue_gives_the_furthest_apart_first_each_target_once_without_the_labelled(
    client: httpx.Client, site: Site
) -> None:
    def row(position: int, target: str, **judged: Any) -> dict[str, Any]:
        return event(position=position, time=NOON + timedelta(minutes=position), target=target, **judged)

    doubted = {"rules": "model", "score": 0.39}
    sure = {"attack": "sqli", "rules": "verify.sql", "score": 0.84}
    commit(
        site.lake,
        [
            row(10, "/a?x=1", **doubted),
            row(11, "/a?x=1", **doubted),
            row(12, "/b?x=1", **sure),
            row(13, "/c?x=1", **sure | {"rules": "model verify.sql"}),
            row(14, "/d?x=1", rules="model", score=0.2),
            row(15, "/.env", attack="sensitive", rules="dotenv", score=0.99),
            row(16, "/e?x=1", **doubted),
        ],
    )
    client.post("/api/labels", json={"event": "access.log@16", "attack": None})
    rows = client.get("/api/queue").json()["rows"]
    assert [(r["side"], r["apart"], r["event"]["id"]) for r in rows] == [
        ("model", 0.975, "access.log@11"),
        ("rules", 0.9, ATTACK),
        ("rules", 0.84, "access.log@12"),
    ]
    assert len(client.get("/api/queue?limit=1").json()["rows"]) == 1
    assert client.get("/api/queue?q=path:/b").json()["rows"][0]["event"]["id"] == "access.log@12"


def test_the_model_and_what_was_learned_are_shown(site: Site) -> None:
    figures = {"loss": 0.5, "wrong": 1, "error": 0.2, "missed": 0, "alarms": 3}
    report = {"made": "2024-05-14T12:00:00Z", "promoted": True, "labels": 24, "attacks": 12, "refused": []}
    report |= {"before": figures, "after": figures | {"loss": 0.1}}

    def learn() -> None:
        site.casebook.save_state(LEARNED, orjson.dumps(report))

    with site.client(hooks=Hooks(card=lambda: {"name": "ngram-v1"}, learn=learn)) as client:
        assert client.get("/api/model").json() == {"card": {"name": "ngram-v1"}, "learning": None}
        assert client.post("/api/model/learn").json() == {"card": {"name": "ngram-v1"}, "learning": report}


def test_a_process_that_judges_nothing_learns_nothing(client: httpx.Client) -> None:
    assert client.get("/api/model").json() == {"card": None, "learning": None}
    assert client.post("/api/model/learn").status_code == 404


def test_a_folder_that_cannot_be_written_is_said(site: Site) -> None:
    def learn() -> None:
        raise SetupError(Problem("the promoted model", "read-only", "a folder that can be written"))

    with site.client(hooks=Hooks(learn=learn)) as client:
        answer = client.post("/api/model/learn")
    assert (answer.status_code, "read-only" in answer.json()["detail"]) == (503, True)


@pytest.mark.parametrize("path", ["/api/labels", "/api/model/learn"])
def test_another_site_cannot_write(client: httpx.Client, site: Site, path: str) -> None:
    body = {"event": ATTACK, "attack": None}
    assert client.post(path, json=body, headers={"origin": "http://evil.example"}).status_code == 403
    assert site.casebook.labels() == []
