"""Whole runs for tests: a scan into a data folder, a watch with its page, and what they left there."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import pytest

from logvision import cli
from logvision.app import parts
from logvision.app.scanning import Scan
from logvision.app.watching import watch
from logvision.config import load
from logvision.lake import storage
from logvision.lake.segments import Lake
from logvision.schema import REJECT

RULE = """\
title: Environment file
logsource: {category: webserver}
detection:
  selection: {unit|re: '(?i)/\\.env$'}
  condition: selection
level: high
logvision: {attack: sensitive, confidence: 0.95, units: [path]}
"""

PATIENCE_S = (
    100.0  # seconds, not minutes, where the machine has anything to spare; rules may be compiled first
)

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0"


def line(
    number: int = 0,
    target: str = "/",
    *,
    address: str = "203.0.113.7",
    time: str = "14/May/2024:12:00:00 +0000",
    agent: str = AGENT,
) -> bytes:
    """One line in combined form; its number is its size, by which it is found again."""
    return f'{address} - - [{time}] "GET {target} HTTP/1.1" 200 {number} "-" "{agent}"\n'.encode()


def scan(log: Path, data: Path, **lake: Any) -> Scan:
    """A finished scan of one log into a data folder."""
    settings = load(None, {"lake": {"folder": data, **lake}})
    run = Scan(settings, [str(log)], keep=True)
    run.run()
    return run


def event_rows(data: Path) -> list[dict[str, Any]]:
    """Committed events in reading order."""
    with Lake.open(data, writer=False) as lake:
        rows = [row for file in lake.catalogue.events for row in lake.events(file).to_pylist()]
    return sorted(rows, key=lambda row: (row["source"], row["position"]))


def sizes(data: Path) -> list[int]:
    """The numbers of the lines that are committed events, in order."""
    if not (data / "events").is_dir():
        return []
    return [row["bytes"] for row in event_rows(data)]


def reject_rows(data: Path) -> list[dict[str, Any]]:
    """Committed rejects in reading order."""
    with Lake.open(data, writer=False) as lake:
        rows = [r for f in lake.catalogue.rejects for r in storage.read(f.path, REJECT).to_pylist()]
    return sorted(rows, key=lambda row: (row["source"], row["position"]))


def command(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], *words: str | Path
) -> tuple[int, str, str]:
    """Exit code, output and errors of a command of this very process."""
    monkeypatch.setattr(sys, "argv", ["logvision", *map(str, words)])
    capfd.readouterr()
    code: Any = 0
    try:
        cli.main()
    except SystemExit as end:
        code = end.code or 0
    said = capfd.readouterr()
    return code, said.out, said.err


def until(holds: Callable[[], object], what: str = "") -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain: {what or holds}"
        time.sleep(0.02)


class Watched:
    """A watch in a thread of its own, over one log unless a source is given."""

    def __init__(self, log: Path, data: Path, *, source: Any = None, **sections: Any) -> None:
        given = {"lake": {"folder": data, "flush_s": 0.05}, "web": {"port": 0}}
        for name, settings in sections.items():
            given[name] = given.get(name, {}) | settings
        self.settings = load(None, given)
        self.source = source or parts.source(parts.Wanted([str(log)], []), follow=True)
        self.url = ""
        self.password: str | None = None
        self.said: list[str] = []
        self.error: BaseException | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            watch(self.settings, self.source, self._announce, self.said.append, self._stop)
        except BaseException as error:
            self.error = error

    def _announce(self, url: str, password: str | None) -> None:
        self.password = password
        self.url = url

    def __enter__(self) -> Self:
        self._thread.start()
        until(lambda: self.url or not self._thread.is_alive(), "the page's address")
        if self.error is not None:
            raise self.error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
        if self.error is not None and kind is None:
            raise self.error

    def end(self) -> None:
        self._stop.set()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()

    def until(self, holds: Callable[[], object], what: str) -> None:
        """Wait until something holds; the end of the run ends the waiting."""
        until(lambda: self.error is not None or holds(), what)
        if self.error is not None:
            raise self.error

    def get(self, path: str, **headers: str) -> Any:
        """A JSON answer of the page."""
        answer = httpx.get(self.url + path, headers=headers, timeout=PATIENCE_S, trust_env=False)
        return answer.raise_for_status().json()

    def post(self, path: str, body: Any) -> httpx.Response:
        answer = httpx.post(self.url + path, json=body, timeout=PATIENCE_S, trust_env=False)
        return answer.raise_for_status()

    def check(self, name: str) -> tuple[bool, str]:
        """One row of the page's health."""
        row = next(row for row in self.get("api/health")["checks"] if row["name"] == name)
        return row["ok"], row["detail"]
