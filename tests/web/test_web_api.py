"""Every address of the API answers with its document, and hostile text stays data."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest
from web_sites import HOSTILE, Site

from event_tables import NOON, event, events
from logvision.errors import StoreError
from logvision.web.app import document
from logvision.web.services import Hooks

ROOT = Path(__file__).parents[2]


def get(client: httpx.Client, path: str, status: int = 200) -> Any:
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_the_openapi_document_in_the_front_end_is_the_one_of_this_code() -> None:
    kept = json.loads((ROOT / "frontend" / "openapi.json").read_text())
    assert kept == document().openapi(), "run: python -m logvision.web.openapi > frontend/openapi.json"


def test_meta(client: httpx.Client) -> None:
    found = get(client, "/api/meta")
    assert {k: found[k] for k in ("mode", "sites", "first", "last", "auth_required", "now", "languages")} == {
        "mode": "embedded",
        "sites": ["shop.example"],
        "first": "2024-05-14T12:00:00Z",
        "last": "2024-05-14T12:00:06Z",
        "auth_required": False,
        "now": "2024-05-14T13:00:00Z",
        "languages": ["en", "zh"],
    }


def test_totals(client: httpx.Client, site: Site) -> None:
    site.live.publish("now", {"rate": 12.5})
    found = get(client, "/api/totals?from=now-1h&to=now&site=shop.example")
    assert found == {
        "requests": 6,
        "success": 5,
        "other": 1,
        "client_errors": 1,
        "server_errors": 0,
        "visitors": 1,
        "resources": 2,
        "bytes": 1010,
        "attacks": 1,
        "normal": 5,
        "read": 7,
        "events": 6,
        "rejects": 1,
        "filtered": 0,
        "log_bytes": 600,
        "first": "2024-05-14T12:00:00Z",
        "last": "2024-05-14T12:00:06Z",
        "answered_from": "events",
        "approximate": False,
        "incidents_open": 1,
        "rate_now": 12.5,
    }


def test_series(client: httpx.Client) -> None:
    found = get(client, "/api/series?points=10&by=attack")
    assert [(line["key"], sum(line["requests"])) for line in found["series"]] == [
        ("normal", 5),
        ("abnormal", 1),
    ]
    assert found["step_s"] == 1
    assert found["series"][0]["t"][0] == found["start"] == "2024-05-14T12:00:00Z"


def test_top(client: httpx.Client) -> None:
    found = get(client, "/api/top/path?limit=1&order=requests&q=-attack:*")
    assert found["rows"] == [
        {
            "value": "/",
            "requests": 5,
            "bytes": 10,
            "attacks": 0,
            "errors": 0,
            "share": 1.0,
            "country": None,
            "label": None,
        }
    ]
    assert (found["total"], found["other"]) == (5, 0)
    assert get(client, "/api/top/path?abnormal=true")["rows"][0]["value"] == HOSTILE.partition("?")[0]


def test_events_and_their_pages(client: httpx.Client) -> None:
    first = get(client, "/api/events?limit=4")
    assert [row["position"] for row in first["rows"]] == [6, 5, 4, 3]
    rest = get(client, f"/api/events?limit=4&cursor={first['next']}")
    assert ([row["position"] for row in rest["rows"]], rest["next"]) == ([2, 1], None)


def test_hostile_text_comes_back_as_json_data_and_as_nothing_else(client: httpx.Client) -> None:
    answer = client.get("/api/events?limit=1")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    row = answer.json()["rows"][0]
    assert (row["target"], row["user_agent"], row["rules"]) == (HOSTILE, HOSTILE, ["sqli-1", "sqli-2"])


def test_one_event(client: httpx.Client) -> None:
    assert get(client, "/api/events/access.log%406")["target"] == HOSTILE
    for unknown in (
        "access.log@9",
        "access.log@",
        "@6",
        "x",
        "access.log@-1",
        "access.log@6e1",
        "a@99999999999999999999",
    ):
        assert get(client, f"/api/events/{unknown}", 404) == {"detail": "there is no such event"}


def test_a_source_with_slashes_in_its_name(client: httpx.Client, site: Site) -> None:
    site.lake.hot.append(events([event(position=3, source="/var/log/nginx/access.log")]))
    found = get(client, "/api/events/%2Fvar%2Flog%2Fnginx%2Faccess.log%403")
    assert found["source"] == "/var/log/nginx/access.log"


def test_actor(client: httpx.Client) -> None:
    found = get(client, "/api/actor/198.51.100.7")
    assert (found["requests"], found["attacks"], len(found["incidents"]), len(found["events"])) == (
        6,
        1,
        1,
        6,
    )


def test_incidents(client: httpx.Client) -> None:
    page = get(client, "/api/incidents")
    assert ([row["id"] for row in page["rows"]], page["next"]) == ([f"{1:032x}"], None)
    assert page["rows"][0]["evidence"][0]["target"] == HOSTILE
    assert get(client, "/api/incidents?status=closed")["rows"] == []
    assert get(client, "/api/incidents?order=worst") == page
    assert get(client, "/api/incidents?to=2024-05-14T11:00:00Z&status=all")["rows"] == []
    assert get(client, "/api/incidents?q=client:198.51.100.8")["rows"] == []
    assert len(get(client, "/api/incidents?q=client:198.51.100.7 status:404")["rows"]) == 1
    assert get(client, "/api/totals?q=client:198.51.100.8")["incidents_open"] == 0
    assert get(client, f"/api/incidents/{1:032x}")["summary"] == "198.51.100.7 tried SQL injection."
    assert get(client, "/api/incidents/none", 404) == {"detail": "there is no such incident"}
    assert "cursor" in get(client, "/api/incidents?cursor=x", 400)["detail"]
    assert "cursor" in get(client, "/api/incidents?order=worst&cursor=x", 400)["detail"]


def test_deciding_needs_the_newest_revision(client: httpx.Client) -> None:
    address = f"/api/incidents/{1:032x}"
    done = client.post(
        address, json={"revision": 1, "status": "false_alarm", "note": "our own scanner"}
    ).json()
    assert (done["status"], done["note"], done["revision"]) == ("false_alarm", "our own scanner", 2)
    assert done["history"][-1]["at"] == "2024-05-14T13:00:00Z"
    late = client.post(address, json={"revision": 1, "status": "open"})
    assert (late.status_code, late.json()) == (
        409,
        {"detail": "the incident was changed meanwhile and is at revision 2"},
    )
    assert client.post("/api/incidents/none", json={"revision": 1}).status_code == 404
    assert client.post(address, json={"status": "open"}).status_code == 400


def test_rejects(client: httpx.Client) -> None:
    found = get(client, "/api/rejects")
    assert found["by_reason"] == [{"reason": "no_format", "count": 1}]
    assert found["rows"][0]["raw"] == HOSTILE.replace("\u202e", "\\u202e")


def test_sources_health_and_explanations_come_from_the_process_around(site: Site) -> None:
    def explain(line: str) -> Mapping[str, Any]:
        return {"raw": line}

    hooks = Hooks(
        sources=lambda: [{"source": "access.log", "kind": "file", "state": "following", "events": 6}],
        explain=explain,
        explain_event=lambda found: {"raw": found.target},
        checks=lambda: [{"name": "engine", "ok": False, "detail": "disk full"}],
    )
    with site.client(hooks=hooks) as client:
        row = get(client, "/api/sources")["rows"][0]
        assert (row["source"], row["state"], row["events"], row["lag_bytes"]) == (
            "access.log",
            "following",
            6,
            None,
        )
        assert client.post("/api/explain", json={"line": HOSTILE}).json() == {"raw": HOSTILE}
        assert get(client, "/api/explain?id=access.log@6") == {"raw": HOSTILE}
        health = get(client, "/api/health")
        assert (health["ok"], health["segments"]) == (False, 1)
        assert [(c["name"], c["ok"]) for c in health["checks"]] == [
            ("engine", False),
            ("lake", True),
            ("casebook", True),
            ("live", True),
        ]
        assert health["lake_bytes"] == site.lake.catalogue.size
        assert get(client, "/readyz", 503) == {"detail": "missing: engine"}


def test_an_event_is_explained_by_its_line_put_together_again(site: Site) -> None:
    with site.client(hooks=Hooks(explain=lambda line: {"raw": line})) as client:
        assert get(client, "/api/explain?id=access.log@6") == {
            "raw": "198.51.100.7 - - [14/May/2024:12:00:06 +0000] "
            f'"GET {HOSTILE} HTTP/1.1" 404 1000 "-" "{HOSTILE}"'
        }
        assert get(client, "/api/explain?id=access.log@66", 404) == {"detail": "there is no such event"}


def test_without_a_detector_nothing_is_explained(client: httpx.Client) -> None:
    sentence = {"detail": "this process has no detector that could explain"}
    assert get(client, "/api/explain?id=access.log@6", 404) == sentence
    assert client.post("/api/explain", json={"line": "x"}).json() == sentence


def test_probes_and_metrics(client: httpx.Client) -> None:
    assert get(client, "/healthz") == get(client, "/readyz") == {"ok": True}
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")


def test_metrics_tell_of_sources_and_checks(site: Site) -> None:
    rows = [{"source": 'a"b', "kind": "file", "state": "following", "events": 6, "lag_bytes": 10}]
    sick = [{"name": "engine", "ok": False, "detail": "disk full"}]
    with site.client(hooks=Hooks(sources=lambda: rows, checks=lambda: sick)) as client:
        said = client.get("/metrics").text.splitlines()
    assert 'logvision_source_lag_bytes{source="a\\"b"} 10' in said
    assert 'logvision_source_events_rows{source="a\\"b"} 6' in said
    assert [line for line in said if line.startswith("logvision_check_ok")] == [
        'logvision_check_ok{check="casebook"} 1',
        'logvision_check_ok{check="engine"} 0',
        'logvision_check_ok{check="lake"} 1',
        'logvision_check_ok{check="live"} 1',
    ]
    assert not [line for line in said if "lines_per_second" in line]


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/api/totals?q=colour:red", "unknown field 'colour'"),
        ("/api/totals?from=yesterday", "'yesterday' is not a time"),
        ("/api/events?cursor=x", "the cursor is not one"),
        ("/api/events?limit=0", "limit: Input should be greater than or equal to 1"),
        ("/api/top/colour", "dimension: Input should be"),
        ("/api/stream?kinds=now,all", "kinds are"),
    ],
)
def test_a_wrong_question_is_answered_by_one_sentence(client: httpx.Client, path: str, sentence: str) -> None:
    assert sentence in get(client, path, 400)["detail"]


def test_a_lost_store_is_503_and_not_a_crash(
    client: httpx.Client, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost() -> None:
        raise StoreError("the lake cannot list events: Input/output error")

    monkeypatch.setattr(site.lake, "view", lost)
    assert get(client, "/api/totals", 503) == {"detail": "the lake cannot list events: Input/output error"}
    assert get(client, "/readyz", 503) == {"detail": "missing: lake"}


def test_an_unknown_address_of_the_api_is_404_and_not_the_page(client: httpx.Client) -> None:
    assert get(client, "/api/nothing", 404) == {"detail": "there is no such address in the API"}


def test_export_of_events_as_json_lines(client: httpx.Client) -> None:
    answer = client.get("/api/export/events?format=json")
    assert answer.headers["content-disposition"] == 'attachment; filename="logvision-events.jsonl"'
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert [row["position"] for row in rows] == [6, 5, 4, 3, 2, 1]
    assert (rows[0]["target"], rows[0]["time"]) == (HOSTILE, "2024-05-14T12:00:06Z")


def test_export_as_csv_runs_no_formula(client: httpx.Client, site: Site) -> None:
    cells = ["=1+1", "+1", "-1", "@x", "\t=1", " =1", "|x", "%x", "plain", 'a"b,c', "line\nbreak"]
    rows = [event(position=10 + i, user_agent=cell, target="/f") for i, cell in enumerate(cells)]
    site.lake.hot.append(events(rows))
    found = list(
        csv.DictReader(io.StringIO(client.get("/api/export/events?format=csv&q=path:/f").text, newline=""))
    )
    by_position = sorted(found, key=lambda row: int(row["position"]))
    expected = ["'=1+1", "'+1", "'-1", "'@x", "'\t=1", "' =1", "'|x", "'%x", "plain", 'a"b,c', "line\nbreak"]
    assert [row["user_agent"] for row in by_position] == expected


def test_export_as_parquet_with_the_names_of_ecs(client: httpx.Client) -> None:
    answer = client.get("/api/export/events?format=parquet&ecs=true")
    found = pq.read_table(io.BytesIO(answer.content))
    assert found.num_rows == 6
    assert found.column("url.original")[0].as_py() == HOSTILE
    assert found.column("@timestamp")[5].as_py() == NOON
    assert "logvision.route" in found.column_names


def test_export_in_the_units_of_ecs(client: httpx.Client) -> None:
    row = json.loads(client.get("/api/export/events?ecs=true&q=attack:*").text)
    assert (row["http.version"], row["event.risk_score"], row["event.outcome"]) == ("1.1", 90.0, "failure")


@pytest.mark.parametrize("format_", ["json", "csv", "parquet"])
def test_export_of_incidents(client: httpx.Client, format_: str) -> None:
    answer = client.get(f"/api/export/incidents?format={format_}")
    assert answer.status_code == 200
    if format_ == "json":
        assert json.loads(answer.text)["evidence"][0]["target"] == HOSTILE
    elif format_ == "csv":
        (row,) = csv.DictReader(io.StringIO(answer.text))
        assert (row["actor"], row["attacks"], row["rules"]) == ("ip:198.51.100.7", "sqli:1", "sqli-1")
    else:
        assert pq.read_table(io.BytesIO(answer.content)).column("actor").to_pylist() == ["ip:198.51.100.7"]


@pytest.mark.parametrize("format_", ["json", "csv", "parquet"])
def test_an_export_of_nothing_is_an_empty_file_of_its_kind(client: httpx.Client, format_: str) -> None:
    answer = client.get(f"/api/export/events?format={format_}&q=status:599")
    assert answer.status_code == 200
    if format_ == "parquet":
        assert pq.read_table(io.BytesIO(answer.content)).num_rows == 0
    elif format_ == "csv":
        assert answer.text.startswith("time,source,position,")
    else:
        assert answer.text == ""
