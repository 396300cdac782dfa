"""A full disk: nothing is lost, the page says so while it lasts, and a scan ends with one sentence."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from whole_runs import Watched, command, line, sizes

from logvision.casebook.sqlite import SqliteCasebook
from logvision.errors import StoreError
from logvision.lake import storage


class Disk:
    """Writes of Parquet files fail while it is full."""

    def __init__(self) -> None:
        self.full = False
        self.refused = 0
        self._open = storage.pq.ParquetWriter

    def open(self, *given: Any, **options: Any) -> Any:
        if self.full:
            self.refused += 1
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self._open(*given, **options)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    made = Disk()
    monkeypatch.setattr(storage.pq, "ParquetWriter", made.open)
    yield made
    made.full = False


def append(log: Path, *numbers: int) -> None:
    with log.open("ab") as file:
        file.write(b"".join(line(number) for number in numbers))


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_while_the_disk_is_full_the_page_says_so_and_afterwards_nothing_is_missing(
    tmp_path: Path, disk: Disk
) -> None:
    log, data = tmp_path / "access.log", tmp_path / "data"
    append(log, 0)
    with Watched(log, data) as run:
        run.until(lambda: sizes(data) == [0], "the first line")
        assert run.check("engine") == (True, "reading and committing")

        disk.full = True
        for number in range(1, 40):
            append(log, number)
            refused = disk.refused
            if number < 3:  # the first waits to be committed, further ones wait behind it
                run.until(lambda refused=refused: disk.refused > refused, "a refused write")  # type: ignore[misc]
        run.until(lambda: not run.check("engine")[0], "the page to say so")
        _, sentence = run.check("engine")
        assert sentence.endswith("No space left on device")
        assert run.get("api/health")["ok"] is False
        run.until(lambda: f"engine: {sentence}" in run.said, "the operator to be told")
        assert sizes(data) == [0]

        disk.full = False
        run.until(lambda: sizes(data) == list(range(40)), "all lines")
        run.until(lambda: run.check("engine")[0], "the page to be well again")
        run.until(lambda: "engine: well again" in run.said, "the operator to be told")
    assert sizes(data) == list(range(40))


@pytest.mark.usefixtures("quick")
def test_stopped_while_the_disk_is_full_it_ends_with_the_reason_and_goes_on_after_the_last_commit(
    tmp_path: Path, disk: Disk
) -> None:
    log, data = tmp_path / "access.log", tmp_path / "data"
    append(log, 0, 1)

    def run_into_a_full_disk() -> None:
        with Watched(log, data) as run:
            run.until(lambda: sizes(data) == [0, 1], "the first lines")
            disk.full = True
            append(log, 2, 3)
            run.until(lambda: disk.refused > 0, "a refused write")

    with pytest.raises(StoreError, match="No space left on device"):
        run_into_a_full_disk()
    assert sizes(data) == [0, 1]
    disk.full = False
    with Watched(log, data) as run:
        run.until(lambda: sizes(data) == [0, 1, 2, 3], "the rest")


@pytest.mark.usefixtures("quick")
def test_a_scan_onto_a_full_disk_ends_with_one_sentence_and_a_later_one_goes_on(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    log, data = tmp_path / "access.log", tmp_path / "data"
    append(log, 0, 1)
    disk.full = True
    code, out, errors = command(monkeypatch, capfd, "scan", log, "--data", data)

    assert (code, out) == (2, "")
    assert errors.startswith("logvision: the lake cannot write ")
    assert errors.endswith("No space left on device\n")
    assert errors.count("\n") == 1
    disk.full = False
    assert command(monkeypatch, capfd, "scan", log, "--data", data)[0] == 0
    assert sizes(data) == [0, 1]
    code, _, errors = command(monkeypatch, capfd, "scan", log, "--data", data)

    said = "visitors, statuses, attacks and incidents are those of the others"
    report = f"of all: logvision report --data {data}"
    assert (code, errors) == (0, f"logvision: 2 of these lines were read before: {said}; {report}\n")


@pytest.mark.usefixtures("quick")
def test_output_onto_a_full_disk_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "access.log"
    append(log, *range(2000))
    code, _, errors = command(monkeypatch, capfd, "scan", log, "--verdicts", "/dev/full", "--json")

    assert code == 2
    assert "No space left on device" in errors
    assert errors.count("\n") == 1


def test_a_casebook_that_is_full_keeps_what_it_has_and_takes_more_when_it_can(tmp_path: Path) -> None:
    casebook = SqliteCasebook(tmp_path / "casebook.sqlite")
    try:
        casebook.apply([], {"behaviour": b"before"}, {"sequence": 1})
        pages = casebook._connection().execute("pragma page_count").fetchone()[0]
        casebook._connection().execute(f"pragma max_page_count = {pages}")
        for _ in range(2):
            with pytest.raises(StoreError, match="full"):
                casebook.apply([], {"behaviour": b"x" * 1_000_000}, {"sequence": 2})
        assert (casebook.cursor(), casebook.load_state("behaviour")) == ({"sequence": 1}, b"before")
        casebook._connection().execute("pragma max_page_count = 1000000")
        casebook.apply([], {"behaviour": b"after"}, {"sequence": 2})
        assert (casebook.cursor(), casebook.load_state("behaviour")) == ({"sequence": 2}, b"after")
    finally:
        casebook.close()


@pytest.mark.slow
def test_a_real_limit_on_the_size_of_files_ends_a_scan_and_costs_no_line(tmp_path: Path) -> None:
    log, data = tmp_path / "access.log", tmp_path / "data"
    log.write_bytes(b"".join(line(n, f"/{os.urandom(24).hex()}") for n in range(20_000)))

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write then fails with EFBIG, as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (256 << 10, 256 << 10))

    words = [sys.executable, "-m", "logvision", "scan", str(log), "--data", str(data), "--json"]
    first = subprocess.run(words, capture_output=True, check=False, preexec_fn=limited)
    assert first.returncode == 2, first.stderr.decode()
    assert first.stderr.endswith(b"File too large\n")
    assert first.stderr.count(b"\n") == 1
    committed = sizes(data)
    assert committed == list(range(len(committed)))

    again = subprocess.run(words, capture_output=True, check=True)
    assert orjson.loads(again.stdout)["events"] == 20_000
    assert sizes(data) == list(range(20_000))
