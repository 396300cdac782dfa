"""kill -9 at random moments while a log grows and rotates: every line is an event exactly once."""

from __future__ import annotations

import gzip
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from logvision.casebook.base import Question
from logvision.casebook.sqlite import SqliteCasebook
from logvision.incident import Status
from logvision.lake.queries import Database, tables
from logvision.lake.queries import Question as Events
from logvision.lake.segments import Lake

ROUNDS = int(os.environ.get("LOGVISION_CRASH_ROUNDS", "50"))


class Log:
    """A log that grows line by line, whole and in halves, and rotates by renaming."""

    def __init__(self, path: Path, seed: int) -> None:
        self.path = path
        self.random = random.Random(seed)
        self.lines = 0
        self.attacks = 0
        self.file = path.open("ab", buffering=0)

    def grow(self) -> None:
        """One more line, one in forty an attack; at times written in two halves."""
        target = f"/page/{self.lines}"
        if self.random.random() < 1 / 40:
            target = f"/item?id={self.lines}%27%20UNION%20SELECT%20password%20FROM%20users--"
            self.attacks += 1
        stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())
        request = f'"GET {target} HTTP/1.1" 200 {self.lines}'
        line = f'192.0.2.{self.lines % 200} - - [{stamp}] {request} "-" "Firefox"\n'
        cut = self.random.randrange(len(line)) if self.random.random() < 0.1 else len(line)
        for part in (line[:cut], line[cut:]):
            if part:
                self.file.write(part.encode())
        self.lines += 1

    def rotate(self) -> None:
        """access.log to .1, .1 to .2.gz, as logrotate with delaycompress does."""
        first, older = Path(f"{self.path}.1"), [Path(f"{self.path}.{n}.gz") for n in range(2, 400)]
        for newer, old in zip(reversed(older[:-1]), reversed(older[1:]), strict=True):
            if newer.exists():
                newer.rename(old)
        if first.exists():
            older[0].write_bytes(gzip.compress(first.read_bytes()))
            first.unlink()
        self.path.rename(first)
        self.file.close()
        self.file = self.path.open("ab", buffering=0)


def watch(log: Path, data: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "logvision", "watch", str(log), "--data", str(data), "--port", "0"]
    env = {**os.environ, "LOGVISION_LAKE__FLUSH_S": "0.1"}
    return subprocess.Popen(command, env=env, stderr=subprocess.PIPE)


def sizes(data: Path) -> Counter[int]:
    """How often each line (its number is its size) stands in the lake."""
    with Lake.open(data, writer=False) as lake:
        rows = Counter[int]()
        for table in tables(Database(lake), Events()):
            rows.update(table.column("bytes").to_pylist())
        return rows


@pytest.mark.slow
@pytest.mark.timeout(60 + 12 * ROUNDS)
def test_after_any_number_of_kills_every_line_is_an_event_exactly_once(tmp_path: Path) -> None:
    log, data = Log(tmp_path / "access.log", seed=7), tmp_path / "data"
    chance = random.Random(11)
    first = watch(log.path, data)  # the first start of all compiles the rules, which would outlive its kill
    assert first.stderr is not None
    assert b"http://" in first.stderr.readline()
    first.send_signal(signal.SIGKILL)
    first.communicate()
    for _ in range(ROUNDS):
        process = watch(log.path, data)
        life = time.monotonic() + chance.uniform(0.2, 3.5)
        while time.monotonic() < life and process.poll() is None:
            log.grow()
            if chance.random() < 0.001:
                log.rotate()
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    last = watch(log.path, data)
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and (not data.exists() or sum(sizes(data).values()) < log.lines):
        time.sleep(0.2)
    last.send_signal(signal.SIGTERM)
    _, errors = last.communicate(timeout=30)
    assert last.returncode == 0, errors.decode()

    log.file.close()
    found = sizes(data)
    assert {n: found[n] for n in range(log.lines) if found[n] != 1} == {}
    assert sum(found.values()) == log.lines
    casebook = SqliteCasebook(data / "casebook.sqlite")
    cases = casebook.cases(Question(frozenset(Status)), limit=10_000).rows
    casebook.close()
    assert sum(case.incident.attacks.get("sqli", 0) for case in cases) == log.attacks  # type: ignore[call-overload]
