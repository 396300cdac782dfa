"""Exceptions over the API: added, shown with what they silence, taken back; guarded like all that writes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from web_sites import HOSTILE, Site, incident

from event_tables import NOON, event
from lake_folders import commit
from logvision.web.services import Hooks

ONE = {"reason": "a course", "rule": "verify.*", "route": "/search", "parameter": "q"}


def added(client: httpx.Client, **changed: Any) -> dict[str, Any]:
    answer = client.post("/api/exceptions", json=ONE | changed)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_an_added_exception_is_listed_with_what_it_silenced(client: httpx.Client, site: Site) -> None:
    made = added(client, shape=HOSTILE, expires="2024-06-14T12:00:00")
    assert made == ONE | {
        "id": made["id"],
        "author": "operator",
        "created": "2024-05-14T13:00:00Z",
        "expires": "2024-06-14T12:00:00Z",
        "shape": HOSTILE,
        "site": None,
        "network": None,
        "ended": None,
        "ended_by": None,
        "in_force": True,
        "silenced": 0,
        "last_silenced": None,
    }
    later = NOON + timedelta(minutes=5)
    commit(site.lake, [event(position=70, time=later, rules=f"except:{made['id']} model", score=0.3)])
    (row,) = client.get("/api/exceptions").json()["rows"]
    assert (row["silenced"], row["last_silenced"]) == (1, "2024-05-14T12:05:00Z")


def test_one_that_is_taken_back_is_kept_among_all(client: httpx.Client) -> None:
    made = added(client)
    ended = client.delete(f"/api/exceptions/{made['id']}").json()
    assert (ended["ended"], ended["ended_by"], ended["in_force"]) == (
        "2024-05-14T13:00:00Z",
        "operator",
        False,
    )
    assert client.get("/api/exceptions").json()["rows"] == []
    assert client.get("/api/exceptions?all=true").json()["rows"] == [ended]


def test_one_exception_shows_the_incidents_that_there_would_be(site: Site) -> None:
    asked: list[str] = []

    def silenced(exception: str) -> list[Any]:
        asked.append(exception)
        return [incident()]

    with site.client(hooks=Hooks(silenced=silenced)) as client:
        made = added(client)
        found = client.get(f"/api/exceptions/{made['id']}").json()
    assert asked == [made["id"]]
    assert [(row["id"], row["actor"]) for row in found["incidents"]] == [(incident().id, "ip:198.51.100.7")]


def test_without_a_detector_the_incidents_are_unknown(client: httpx.Client) -> None:
    assert client.get(f"/api/exceptions/{added(client)['id']}").json()["incidents"] is None


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"reason": "x"}, "a rule, a route, a parameter or a shape"),
        (ONE | {"reason": ""}, "who makes the exception, and why"),
        (ONE | {"network": "home"}, "an address or a network"),
        (ONE | {"expires": "2020-01-01T00:00:00Z"}, "a time to come"),
        (ONE | {"rule": "x" * 1001}, "rule"),
        (ONE | {"surprise": 1}, "surprise"),
    ],
)
def test_what_is_no_exception_is_refused_with_a_sentence(
    client: httpx.Client, body: dict[str, Any], says: str
) -> None:
    answer = client.post("/api/exceptions", json=body)
    assert answer.status_code == 400
    assert says in answer.json()["detail"]
    assert client.get("/api/exceptions?all=true").json()["rows"] == []


def test_an_unknown_exception_is_not_found(client: httpx.Client) -> None:
    for answer in (client.get("/api/exceptions/nobody"), client.delete("/api/exceptions/nobody")):
        assert (answer.status_code, answer.json()) == (404, {"detail": "there is no such exception"})


def test_another_site_cannot_write_and_without_the_password_nobody_can(
    client: httpx.Client, site: Site
) -> None:
    made = added(client)
    foreign = {"origin": "http://evil.example"}
    assert client.post("/api/exceptions", json=ONE, headers=foreign).status_code == 403
    assert client.delete(f"/api/exceptions/{made['id']}", headers=foreign).status_code == 403
    assert len(site.casebook.exemptions()) == 1
    kept = "scrypt$16384$8$1$c2FsdHNhbHRzYWx0c2FsdA==$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g="
    with site.client(password_hash=kept) as guarded:
        assert guarded.get("/api/exceptions").status_code == 401
        assert guarded.post("/api/exceptions", json=ONE).status_code == 401
