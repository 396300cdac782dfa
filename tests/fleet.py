"""Commands of LogVision as processes of their own, and a browser's side of the live stream."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from logvision.live.base import NOW

PATIENCE_S = 60.0


class Page:
    """A `logvision serve` or `watch` in a process of its own, which answers when this is made."""

    def __init__(self, command: str, *words: object, **environment: str) -> None:
        run = [sys.executable, "-m", "logvision", command, "--port", "0", *map(str, words)]
        self._process = subprocess.Popen(
            run, stderr=subprocess.PIPE, text=True, env=dict(os.environ) | environment
        )
        self.said = ""
        self.url = self._wait_for(r"http://\S+")[0].replace("//0.0.0.0", "//127.0.0.1")
        self.client = httpx.Client(base_url=self.url, timeout=PATIENCE_S, trust_env=False)

    def _wait_for(self, pattern: str) -> re.Match[str]:
        assert self._process.stderr is not None
        while not (found := re.search(pattern, self.said)):
            line = self._process.stderr.readline()
            assert line, self.said
            self.said += line
        return found

    def password(self) -> str:
        return self._wait_for(r"password is (\S+)")[1]

    def get(self, path: str, status: int = 200, **headers: str) -> Any:
        answer = self.client.get(path, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    def until(self, holds: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < deadline, f"waited in vain: {what}"
            time.sleep(0.05)

    def failing(self) -> set[str]:
        """Names of the checks that fail."""
        return {row["name"] for row in self.get("api/health")["checks"] if not row["ok"]}

    def kill(self) -> None:
        """End it as a crash does; may be called when it has ended."""
        if self._process.returncode is None:
            self._process.kill()
            self._process.communicate()
        self.client.close()

    def end(self) -> None:
        """End it as an operator does."""
        self._process.send_signal(signal.SIGTERM)
        _, rest = self._process.communicate(timeout=PATIENCE_S)
        assert self._process.returncode == 0, self.said + rest
        self.client.close()


def run(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command of `logvision` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "logvision", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ) | environment,
    )


class Browser:
    """What an EventSource does: reads events, remembers the last id."""

    def __init__(self) -> None:
        self.last: str | None = None

    @contextmanager
    def watching(self, page: Page) -> Iterator[Iterator[tuple[str, Any]]]:
        headers = {} if self.last is None else {"last-event-id": self.last}
        with page.client.stream("GET", "api/stream", headers=headers) as answer:
            assert answer.status_code == 200
            yield self._events(answer.iter_lines())

    def _events(self, lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
        kind = ""
        for line in lines:
            name, _, value = line.partition(": ")
            if name == "id":
                self.last = value
            elif name == "event":
                kind = value
            elif name == "data":
                yield kind, json.loads(value)


def numbers(events: Iterator[tuple[str, Any]], upto: int) -> list[Any]:
    """Numbers of the NOW messages until this one; a gap is a "gap"."""
    found: list[Any] = []
    for kind, data in events:
        if kind in {NOW, "gap"}:
            found.append(data.get("n", "gap"))
        if found[-1:] == [upto]:
            return found
    raise AssertionError(f"the stream ended: {found}")
