"""A process of its own: a stop commits what was read, a finished input leaves the page, SIGHUP reloads."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest
from whole_runs import PATIENCE_S, line, sizes, until

BAD = "title: Bad\nlogsource: {category: webserver}\ndetection: {selection: {x: 1}, condition: nothing}\n"


class Process:
    """`logvision watch` with its lines on standard error."""

    def __init__(self, *words: str | Path, **env: str) -> None:
        command = [sys.executable, "-m", "logvision", "watch", *map(str, words), "--port", "0"]
        self.popen = subprocess.Popen(
            command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **env}
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        assert self.popen.stderr is not None
        for raw in self.popen.stderr:
            self._lines.put(raw.decode())

    def says(self) -> str:
        """The next line on standard error; loading everything takes a while on a busy machine."""
        return self._lines.get(timeout=2 * PATIENCE_S)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.popen.send_signal(number)
        code = self.popen.wait(PATIENCE_S)
        self._thread.join()
        for stream in (self.popen.stdin, self.popen.stderr):
            assert stream is not None
            stream.close()
        return code


def address(said: str) -> str:
    found = re.search(r"http://\S+", said)
    assert found is not None, said
    return found[0]


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_one_process_from_its_start_to_a_clean_stop(tmp_path: Path) -> None:
    data, rules = tmp_path / "data", tmp_path / "rules"
    rules.mkdir()
    # Nothing is committed by age: what stands there in the end was committed by the stop.
    env = {"LOGVISION_LAKE__FLUSH_S": "300", "LOGVISION_DETECT__RULES": str(rules)}
    process = Process("-", "--data", data, **env)
    try:
        page = address(process.says())
        stdin = process.popen.stdin
        assert stdin is not None
        stdin.write(b"".join(line(n) for n in range(50)) + line(50)[:-1])
        stdin.close()
        assert process.says() == "logvision: everything was read; the page stays up until a signal ends it\n"
        health = httpx.get(page + "api/health", timeout=PATIENCE_S, trust_env=False)
        assert health.json()["ok"] is True

        process.popen.send_signal(signal.SIGHUP)
        assert re.fullmatch(r"logvision: rules read again: \d+ rules, unchanged\n", process.says())
        (rules / "bad.yml").write_text(BAD)
        process.popen.send_signal(signal.SIGHUP)
        refused = process.says()
        assert refused.startswith(f"logvision: rules refused, the former ones stay: {rules / 'bad.yml'}:")
        assert process.popen.poll() is None
    finally:
        code = process.end()
    assert code == 0
    assert sizes(data) == list(range(51))


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_an_interrupt_commits_what_was_read_of_a_growing_log(tmp_path: Path) -> None:
    log, data = tmp_path / "access.log", tmp_path / "data"
    log.write_bytes(b"".join(line(n) for n in range(50)))
    process = Process(log, "--data", data, LOGVISION_LAKE__FLUSH_S="300")
    try:
        page = address(process.says())

        def read() -> int:
            rows = httpx.get(page + "api/sources", timeout=PATIENCE_S, trust_env=False).json()["rows"]
            return sum(row["events"] for row in rows)

        until(lambda: read() == 50, "the lines")
        assert sizes(data) == []
    finally:
        code = process.end(signal.SIGINT)
    assert code == 0
    assert sizes(data) == list(range(50))
