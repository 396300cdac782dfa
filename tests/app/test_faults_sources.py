"""A log that cannot be read: one clear sentence and exit code 2, or a state that is shown until it can."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest
from whole_runs import Watched, command, line, sizes

from logvision.sources import streams

pytestmark = [pytest.mark.usefixtures("quick"), pytest.mark.slow]


def make_loop(log: Path) -> Path:
    """A link to itself: unreadable for everybody, root too."""
    log.symlink_to(log)
    return log


def make_folder(log: Path) -> Path:
    log.mkdir()
    return log


def make_pipe(log: Path) -> Path:
    os.mkfifo(log)
    return log


UNREADABLE = {
    "missing": (lambda log: log, "No such file or directory"),
    "a link to itself": (make_loop, "Too many levels of symbolic links"),
    "a folder": (make_folder, "got a folder; expected a file, or a glob such as"),
    "a pipe": (make_pipe, "got not a regular file; expected a file; pipe anything else to stdin"),
    "a device": (lambda _: Path("/dev/null"), "got not a regular file"),
    "memory": (lambda _: Path("/proc/self/mem"), "Input/output error"),
    "below a file": (lambda log: log / "access.log", "No such file or directory"),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_scan_of_what_cannot_be_read_says_so_in_one_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], kind: str
) -> None:
    make, sentence = UNREADABLE[kind]
    log = make(tmp_path / "access.log")
    code, out, errors = command(monkeypatch, capfd, "scan", log, "--data", tmp_path / "data")

    assert (code, out) == (2, "")
    assert errors.startswith(f"logvision: {log}: ")
    assert sentence in errors
    assert errors.count("\n") == 1


def test_a_scan_names_every_log_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    good, missing, folder = (
        tmp_path / "good.log",
        tmp_path / "missing.log",
        make_folder(tmp_path / "folder.log"),
    )
    good.write_bytes(line())
    code, _, errors = command(monkeypatch, capfd, "scan", good, missing, folder)

    assert code == 2
    assert [said.split(": ")[1] for said in errors.splitlines()] == [str(missing), str(folder)]


@pytest.mark.parametrize("make", [make_folder, make_pipe])
def test_a_watch_of_what_can_never_be_a_log_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], make: object
) -> None:
    log = make(tmp_path / "access.log")  # type: ignore[operator]
    words = ["watch", log, "--data", tmp_path / "data", "--port", "0"]
    code, _, errors = command(monkeypatch, capfd, *words)

    assert code == 2
    assert errors.startswith(f"logvision: {log}: ")
    assert errors.count("\n") == 1


def test_a_watched_log_that_cannot_be_read_is_told_of_until_it_can(tmp_path: Path) -> None:
    log, data = make_loop(tmp_path / "access.log"), tmp_path / "data"
    with Watched(log, data) as run:
        run.until(lambda: run.said, "a sentence about the log")
        sentence = f"{log}: cannot read {log}: Too many levels of symbolic links"
        assert run.said == [sentence]
        assert run.check("sources") == (False, sentence)
        log.unlink()
        log.write_bytes(line(1))
        run.until(lambda: sizes(data) == [1], "the line")
        run.until(lambda: run.said[1:] == [f"{log}: well again"], "that it is well again")
        assert run.check("sources") == (True, "all there")


def test_a_watched_log_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    log, data = tmp_path / "access.log", tmp_path / "data"
    with Watched(log, data) as run:
        run.until(lambda: run.get("api/sources")["rows"][0]["state"] == "waiting", "the state")
        log.write_bytes(line(1))
        run.until(lambda: sizes(data) == [1], "the line")
        assert run.said == []


def test_a_disk_that_fails_in_the_middle_of_a_scan_ends_it_with_what_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(b"".join(line(n) for n in range(1000)))
    half = log.stat().st_size // 2
    real = os.preadv

    def failing(descriptor: int, buffers: Sequence[memoryview], offset: int) -> int:
        if offset >= half:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(descriptor, [buffers[0][: half - offset]], offset)

    monkeypatch.setattr(streams.os, "preadv", failing)
    code, out, errors = command(monkeypatch, capfd, "scan", log, "--json")

    assert code == 2
    assert errors == f"logvision: {log}: cannot read {log}: Input/output error\n"
    assert orjson.loads(out)["read"] == log.read_bytes()[:half].count(b"\n")
