"""`serve` and `top`: what a folder that another writes tells, and what a terminal shows of it."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cli_logs import HOSTILE_AGENT, line, mixed, write
from event_tables import NOON, event
from lake_folders import commit, reject
from logvision.app.follower import Follower
from logvision.casebook.sqlite import SqliteCasebook
from logvision.clock import SettableClock
from logvision.errors import StoreError
from logvision.incident import Incident
from logvision.lake.compaction import compact
from logvision.lake.segments import Lake
from logvision.live.base import HEALTH, INCIDENT, KINDS
from logvision.live.memory import MemoryLive
from logvision.schema import Attack, Outcome, Severity, Stage
from logvision.web.auth import hash_password

Command = Callable[..., tuple[int, str, str]]

PATIENCE_S = 60.0

INCIDENT_1 = Incident(
    id="a" * 32,
    actor="ip:198.51.100.7",
    actor_kind="ip",
    site=None,
    stage=Stage.EXPLOIT,
    attacks={Attack.SQLI: 3},
    outcome=Outcome.UNKNOWN,
    severity=Severity.HIGH,
    score=0.9,
    first_seen=NOON,
    last_seen=NOON,
    events=3,
    alerts=1,
)


class Told:
    """A follower over a folder, the folder's writer, and what was told since the last look."""

    def __init__(self, folder: Path) -> None:
        self.writer = Lake.open(folder, writer=True)
        commit(self.writer, [event(time=NOON)])
        self.casebook = SqliteCasebook(folder / "casebook.sqlite")
        self.live = MemoryLive()
        self.clock = SettableClock(NOON.timestamp())
        self.reader = Lake.open(folder, writer=False)
        self.follower = Follower(self.reader, self.casebook, self.live, self.clock)
        self._mark = self.live.publish(HEALTH, {})

    def look(self, seconds: float = 2.0) -> list[tuple[str, Any]]:
        """Messages of one look and the tick after it."""
        self.clock.advance(seconds)
        self.follower.look()
        self.clock.advance(2.0)
        self.follower._ticker.tick()

        async def collect() -> list[tuple[str, Any]]:
            end = self.live.publish(HEALTH, {})
            found = []
            async for message in self.live.subscribe(self._mark, KINDS):
                if message.id == end:
                    break
                found.append((message.kind, json.loads(message.data)))
            self._mark = end
            return found

        return asyncio.run(collect())

    def close(self) -> None:
        self.reader.close()
        self.writer.close()
        self.casebook.close()


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    made = Told(tmp_path / "data")
    yield made
    made.close()


def counts(messages: list[tuple[str, Any]]) -> tuple[int, int]:
    """Events and rejects told since the beginning, as the newest message says."""
    totals = [data["totals"] for kind, data in messages if kind == "now"][-1]
    return totals["requests"], totals["rejects"]


def test_what_stood_there_before_is_not_told(told: Told) -> None:
    assert counts(told.look()) == (0, 0)


def test_a_new_segment_is_told_once_with_its_rejects(told: Told) -> None:
    commit(told.writer, [event(target=f"/{n}") for n in range(3)], reject(b"nonsense"))
    messages = told.look()
    rows = [row["target"] for kind, data in messages if kind == "events" for row in data["rows"]]
    assert sorted(rows) == ["/0", "/1", "/2"]
    assert counts(messages) == (3, 1)
    assert counts(told.look()) == (3, 1)


def test_what_compaction_merges_is_not_told_again(told: Told) -> None:
    for n in range(12):
        commit(told.writer, [event(target=f"/{n}")])
    assert counts(told.look()) == (12, 0)
    compact(told.writer, now=told.clock.now())
    commit(told.writer, [event(target="/new")])
    assert counts(told.look()) == (13, 0)


def test_an_incident_is_told_when_it_comes_and_when_it_changes(told: Told) -> None:
    def incidents() -> list[tuple[str, int]]:
        return [(data["id"][0], data["revision"]) for kind, data in told.look() if kind == INCIDENT]

    assert incidents() == []
    told.casebook.apply([INCIDENT_1])
    assert incidents() == [("a", 1)]
    assert incidents() == []
    told.casebook.decide("a" * 32, revision=1, author="operator", at=NOON, note="seen")
    assert incidents() == [("a", 2)]


def test_a_segment_that_cannot_be_read_now_is_a_problem_until_it_can(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(told.writer, [event()])
    with monkeypatch.context() as broken:
        broken.setattr(told.reader, "events", fails)
        told.look()
        assert told.follower.checks() == [{"name": "folder", "ok": False, "detail": "taken away"}]
    assert counts(told.look()) == (1, 0)
    assert [check["ok"] for check in told.follower.checks()] == [True]


def fails(_file: object) -> None:
    raise StoreError("taken away")


def test_sources_are_what_the_newest_segment_says(told: Told) -> None:
    row = dict(told.follower.sources()[0])
    assert (row["source"], row["events"], row["rejects"], row["kind"]) == ("access.log", 1, 0, "file")


@contextmanager
def served(data: Path, *words: str, **environment: str) -> Iterator[str]:
    """The address of a `logvision serve` in a process of its own."""
    run = [sys.executable, "-m", "logvision", "serve", "--data", str(data), "--port", "0", *words]
    process = subprocess.Popen(run, stderr=subprocess.PIPE, text=True, env=environment or None)
    try:
        assert process.stderr is not None
        found = re.search(r"http://\S+", process.stderr.readline())
        assert found is not None
        yield found[0]
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
        assert process.stderr.read() == ""
    finally:
        process.kill()
        process.communicate()


def get(url: str | urllib.request.Request) -> Any:
    with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:  # noqa: S310 - our own page
        return json.loads(answer.read())


@pytest.mark.slow
def test_a_finished_folder_is_served_takes_decisions_and_grows(command: Command, tmp_path: Path) -> None:
    data = tmp_path / "data"
    command("scan", mixed(tmp_path / "access.log"), "--data", data)
    with served(data) as url:
        assert get(f"{url}api/totals")["requests"] == 61
        case = get(f"{url}api/incidents")["rows"][0]
        body = json.dumps({"revision": case["revision"], "status": "acknowledged"}).encode()
        headers = {"content-type": "application/json"}
        decide = urllib.request.Request(f"{url}api/incidents/{case['id']}", body, headers)  # noqa: S310 - our own page
        assert get(decide)["status"] == "acknowledged"
        command("scan", write(tmp_path / "more.log", [line(n) for n in range(10)]), "--data", data)
        deadline = time.monotonic() + PATIENCE_S
        while get(f"{url}api/totals")["requests"] != 71:
            assert time.monotonic() < deadline
        code, out, _ = command("top", "--url", url, "--from", "2024-05-01")
        assert code == 0
        assert " 71 requests " in out
        assert "incidents (1 open)" in out


@pytest.mark.slow
def test_top_gives_the_password_where_one_is_needed(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    command("scan", mixed(tmp_path / "access.log"), "--data", data)
    with served(data, LOGVISION_WEB__PASSWORD_HASH=hash_password("correct horse")) as url:
        monkeypatch.setenv("LOGVISION_PASSWORD", "wrong horse")
        code, _, err = command("top", "--url", url)
        assert (code, "the password is wrong" in err) == (2, True)
        monkeypatch.setenv("LOGVISION_PASSWORD", "correct horse")
        assert command("top", "--url", url, "--from", "2024-05-01")[0] == 0


def test_serving_no_folder_is_a_mistake(command: Command, tmp_path: Path) -> None:
    code, _, err = command("serve", "--data", "nowhere", "--port", "0")
    assert code == 2
    assert f"{tmp_path / 'nowhere'}: got no lake there" in err


def test_top_of_files_prints_one_frame_when_piped_and_leaves_nothing_behind(
    command: Command, tmp_path: Path
) -> None:
    log = mixed(tmp_path / "access.log")
    code, out, _ = command("top", log)
    rows = [row.split() for row in out.splitlines()]
    assert code == 0
    assert rows[0] == ["LogVision", str(log)]
    assert rows[1][1:5] == ["61", "requests", "61", "visitors"]
    assert rows[3][:3] == ["routes", "requests", "attacks"]
    assert any("198.51.100.66 tried " in row for row in out.splitlines())
    assert [p.name for p in tmp_path.iterdir()] == ["access.log"]


def test_top_obeys_no_log_text(command: Command, tmp_path: Path) -> None:
    target = "/\x1b]0;title\x07[red]x[/red]\u202e"
    _, out, _ = command(
        "top", write(tmp_path / "a.log", [line(n, target, agent=HOSTILE_AGENT) for n in range(3)])
    )
    assert [c for c in ("\x1b", "\x07", "\u202e") if c in out] == []


def test_top_of_nobody_is_a_mistake(command: Command) -> None:
    code, _, err = command("top", "--url", "http://127.0.0.1:1")
    assert (code, err) == (
        2,
        "logvision: --url: got http://127.0.0.1:1/: [Errno 111] Connection refused;"
        " expected a LogVision that answers\n",
    )
    code, _, err = command("top", "--url", "file:///etc/passwd")
    assert (code, "expected an address such as" in err) == (2, True)
