"""Several web processes over one lake, one MongoDB and one Redis: a browser may lose any of them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pymongo
import pytest
import redis

from cli_logs import mixed
from fleet import PATIENCE_S, Browser, Page, numbers, run
from logvision.casebook.mongodb import MongoCasebook
from logvision.live.base import HEALTH, INCIDENT, NOW
from logvision.live.redis import RedisLive
from servers import MongoDB, Redis

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(300)]

HEALTHY = {"sources": [], "checks": [{"name": "engine", "ok": True, "detail": "reading and committing"}]}


def test_a_browser_that_loses_one_process_goes_on_at_another_without_missing_a_message(
    serve: Callable[..., Page], engine: RedisLive
) -> None:
    left, right, browser = serve(), serve(), Browser()
    with browser.watching(left) as events:
        for number in range(4):
            engine.publish(NOW, {"n": number})
        assert numbers(events, 3)[-1] == 3
        left.kill()
    for number in range(4, 9):
        engine.publish(NOW, {"n": number})
    assert engine.flush(PATIENCE_S)
    with browser.watching(right) as events:
        assert numbers(events, 8) == [4, 5, 6, 7, 8]
    right.end()


def test_a_decision_at_one_process_is_seen_at_every_other_at_once(
    serve: Callable[..., Page], engine: RedisLive
) -> None:
    left, right, browser = serve(), serve(), Browser()
    case = left.get("api/incidents?status=all")["rows"][0]
    with browser.watching(right) as events:
        note = f"seen at revision {case['revision']}"
        body = {"revision": case["revision"], "note": note}
        assert left.client.post(f"api/incidents/{case['id']}", json=body).status_code == 200
        assert next(data["note"] for kind, data in events if kind == INCIDENT and data["note"]) == note
    assert right.get(f"api/incidents/{case['id']}")["note"] == note
    late = right.client.post(f"api/incidents/{case['id']}", json=body)
    assert late.status_code == 409
    del engine


def test_the_password_of_the_fleet_is_made_once_and_a_session_holds_everywhere(
    serve: Callable[..., Page], engine: RedisLive, lake: Path
) -> None:
    first = serve("--host", "0.0.0.0")  # noqa: S104 - what this is about
    second = serve("--host", "0.0.0.0", LOGVISION_WEB__METRICS_TOKEN="0123456789abcdef")  # noqa: S104
    password = first.password()
    assert not (lake / "password.hash").exists()
    second.get("api/meta", 401)
    done = first.client.post("api/login", json={"password": password})
    assert done.status_code == 200
    cookie = done.headers["set-cookie"].partition(";")[0]
    assert second.get("api/meta", cookie=cookie)["mode"] == "distributed"
    assert second.client.post("api/login", json={"password": password}).status_code == 200
    second.client.cookies.clear()
    assert second.client.get("metrics").status_code == 401
    wrong = second.client.get("metrics", headers={"authorization": "Bearer 0123456789abcdeg"})
    right = second.client.get("metrics", headers={"authorization": "Bearer 0123456789abcdef"})
    assert (wrong.status_code, right.status_code) == (401, 200)
    assert "logvision_live_connected 1" in right.text
    assert first.get("healthz") == {"ok": True}
    del engine


def test_what_the_engine_says_of_itself_and_its_silence_are_shown_by_every_process(
    serve: Callable[..., Page], engine: RedisLive
) -> None:
    web = serve()
    row = {"source": "access/0", "kind": "kafka", "state": "following", "events": 7}
    sick = {"name": "engine", "ok": False, "detail": "the disk is full"}
    engine.publish(HEALTH, {"sources": [row], "checks": [sick]})
    web.until(lambda: web.failing() == {"engine"}, "the engine's trouble")
    assert web.get("api/sources")["rows"][0]["source"] == "access/0"
    assert web.get("readyz", 503) == {"detail": "missing: engine"}
    engine.publish(HEALTH, HEALTHY)
    web.until(lambda: web.failing() == set(), "the engine to be well")
    assert web.get("readyz") == {"ok": True}


def test_while_mongodb_is_gone_the_page_says_so_and_goes_on_with_what_it_has(
    serve: Callable[..., Page], engine: RedisLive, mongodb: MongoDB
) -> None:
    web = serve()
    engine.publish(HEALTH, HEALTHY)
    before = web.get("api/totals")
    mongodb.kill()
    try:
        web.until(lambda: web.failing() == {"casebook"}, "the page to say so")
        assert web.get("readyz", 503) == {"detail": "missing: casebook"}
        assert web.get("healthz") == {"ok": True}
        assert "cannot be used now" in web.get("api/incidents", 503)["detail"]
        during = web.get("api/totals")
        assert (during["requests"], during["incidents_open"]) == (before["requests"], None)
        late = serve()  # which starts meanwhile
        assert late.failing() >= {"casebook"}
    finally:
        mongodb.start()
    for one in (web, late):
        one.until(lambda one=one: "casebook" not in one.failing(), "the casebook to be back")  # type: ignore[misc]
    assert late.get("api/totals")["incidents_open"] == before["incidents_open"]


def test_while_redis_is_gone_the_page_says_so_and_a_browser_goes_on_when_it_is_back(
    serve: Callable[..., Page], engine: RedisLive, redis_server: Redis
) -> None:
    web, browser = serve(), Browser()
    engine.publish(HEALTH, HEALTHY)
    with browser.watching(web) as events:
        engine.publish(NOW, {"n": 1})
        assert numbers(events, 1)[-1] == 1
        redis_server.kill()
        try:
            web.until(lambda: web.failing() == {"live"}, "the page to say so")
            assert web.get("api/totals")["requests"] == 61
            assert len(web.get("api/incidents?status=all")["rows"]) > 0
        finally:
            redis_server.start()
        engine.publish(HEALTH, HEALTHY)
        web.until(lambda: web.failing() == set(), "the bus to be back")
        # This Redis keeps nothing: the page loads anew, which covers all that came before the gap is told.
        assert next(kind for kind, _ in events if kind in {NOW, "gap"}) == "gap"
        engine.publish(NOW, {"n": 2})
        assert numbers(events, 2) == [2]
    web.end()


def test_a_flushed_redis_is_filled_again_from_lake_and_casebook(
    serve: Callable[..., Page], engine: RedisLive, redis_server: Redis
) -> None:
    webs = [serve(), serve()]
    with redis.Redis(port=redis_server.port, decode_responses=True) as client:
        webs[0].until(lambda: client.hlen("{logvision}:newest") == 2, "the first filling")
        kept = client.hgetall("{logvision}:newest")
        client.flushall()
        webs[0].until(lambda: client.hlen("{logvision}:newest") == 2, "the bus to be filled again")
        again = client.hgetall("{logvision}:newest")
        told = [fields["kind"] for _, fields in client.xrange("{logvision}:live")]
    newest = {kind: json.loads(text.partition(" ")[2]) for kind, text in again.items()}
    assert newest == {kind: json.loads(text.partition(" ")[2]) for kind, text in kept.items()}
    assert len(newest["events"]["rows"]) == 50
    cases = webs[0].get("api/incidents?status=all")["rows"]
    assert newest["incident"]["id"] == cases[0]["id"]
    assert sorted(told) == ["events", *["incident"] * len(cases)]  # by one of the two
    del engine


def test_addresses_that_are_none_are_told_all_at_once_and_without_their_passwords(lake: Path) -> None:
    words = ["serve", "--data", str(lake), "--casebook", "mysql://ann:secret@h/", "--live", "redis:/h"]
    done = subprocess.run(
        [sys.executable, "-m", "logvision", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "logvision: casebook.url: got 'mysql://h/'; expected sqlite or mongodb://host or mongodb+srv://host",
        "logvision: live.url: got 'redis:///h'; expected memory or redis://host or rediss://host or unix://host",
    ]


def test_what_was_kept_in_mongodb_is_what_sqlite_keeps(lake: Path, mongodb: MongoDB, tmp_path: Path) -> None:
    beside = tmp_path / "data"
    shutil.copytree(lake, beside)
    run("scan", lake.parent / "access.log", "--data", tmp_path / "own")
    exports = []
    for data, casebook in ((beside, f"{mongodb.url}fleet"), (tmp_path / "own", "sqlite")):
        done = run(
            "export", "incidents", "--data", data, "--format", "json", LOGVISION_CASEBOOK__URL=casebook
        )
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        decided = {"note", "history", "revision", "status"}
        exports.append([{k: v for k, v in row.items() if k not in decided} for row in rows])
    assert exports[0] == exports[1]
    assert len(exports[0]) > 0


def test_a_casebook_that_another_lake_writes_is_refused(lake: Path, mongodb: MongoDB, tmp_path: Path) -> None:
    log = mixed(tmp_path / "other.log")
    done = run("scan", log, "--data", tmp_path / "other", LOGVISION_CASEBOOK__URL=f"{mongodb.url}fleet")
    assert done.returncode == 2
    assert "casebook.url: got a casebook of another data folder" in done.stderr
    book = MongoCasebook(f"{mongodb.url}fleet")
    try:
        assert book.cursor() is not None
    finally:
        book.close()
    with pymongo.MongoClient(mongodb.url) as client:
        client.drop_database("fleet")
