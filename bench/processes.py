"""CPU of servers by process, and a browser that listens: what bench/cluster.py looks with."""

from __future__ import annotations

import http.client
import json
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from latency import Appender
from servers import Server
from servers.ours import Job

TICKS: Final = os.sysconf("SC_CLK_TCK")

JOB: Final = ("executors", "jvm", "driver")
"""Parts of a job: Python that judges, Spark itself, Python that learns, folds and commits."""


def of_job(job: Job) -> dict[str, float]:
    """CPU seconds of each of JOB so far."""
    executors = jvm = 0.0
    for child in _children(job.pid):  # the JVM; what started it has become it
        jvm += _cpu(child)
        executors += sum(_cpu(pid, waited=True) for pid in _below(child))
    return {"executors": executors, "jvm": jvm, "driver": _cpu(job.pid)}


def trees(servers: Mapping[str, Server]) -> dict[str, float]:
    """CPU seconds of each server and all that it started."""
    return {
        name: sum(_cpu(pid, waited=True) for pid in (server.pid, *_below(server.pid)))
        for name, server in servers.items()
    }


def _children(pid: int) -> list[int]:
    return [int(each) for task in Path(f"/proc/{pid}/task").glob("*/children") for each in _words(task)]


def _below(pid: int) -> list[int]:
    return [each for child in _children(pid) for each in (child, *_below(child))]


def _cpu(pid: int, *, waited: bool = False) -> float:
    """`waited`: with that of children that have ended. 0: it has ended itself."""
    fields = _words(Path(f"/proc/{pid}/stat"))
    skipped = next((at for at, word in enumerate(fields) if word.endswith(")")), None)
    if skipped is None:
        return 0.0
    return sum(map(int, fields[skipped + 12 : skipped + (16 if waited else 14)])) / TICKS


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:  # it has ended
        return []


class Browser(threading.Thread):
    """Reads the page's stream of events, and goes on by id where it was cut off."""

    def __init__(self, port: int, appender: Appender) -> None:
        super().__init__(daemon=True)
        self._port = port
        self._appender = appender
        self._stopped = threading.Event()
        self._last = ""
        self.found: list[tuple[int, float]] = []  # number of a line, seconds from its write to here
        self.problem: str | None = None  # why the stream was lost last

    def stop(self) -> None:
        self._stopped.set()

    def run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._listen()
            except (OSError, http.client.HTTPException) as error:
                if not self._stopped.wait(0.5):
                    self.problem = repr(error)

    def _listen(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        headers = {"Last-Event-ID": self._last} if self._last else {}
        connection.request("GET", "/api/stream?kinds=events", headers=headers)
        answer = connection.getresponse()
        while not self._stopped.is_set():
            line = answer.readline()
            if not line:
                raise http.client.HTTPException("the stream has ended")
            if line.startswith(b"id: "):
                self._last = line[4:].strip().decode()
            if line.startswith(b"data: "):
                now = time.monotonic()
                for row in json.loads(line[6:]).get("rows", ()):
                    number = int(row["path"].rpartition("/")[2])
                    if 0 < number < len(self._appender.written):
                        self.found.append((number, now - self._appender.written[number]))
