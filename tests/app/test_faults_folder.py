"""A data folder or a port that cannot be had: one clear sentence, exit code 2, and nothing is touched."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from whole_runs import Watched, command, line, scan, sizes

from logvision.lake import segments
from logvision.lake.segments import Lake

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    log = tmp_path / "access.log"
    log.write_bytes(line(1) + line(2))
    return log


def looped(tmp_path: Path) -> Path:
    folder = tmp_path / "loop"
    folder.symlink_to(folder)
    return folder


def below_a_file(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("")
    return tmp_path / "file" / "data"


def of_the_kernel(_: Path) -> Path:
    return Path("/proc/data")  # nobody makes a folder there, root neither


UNWRITABLE = [looped, below_a_file, of_the_kernel]


@pytest.mark.parametrize("words", [["scan"], ["watch", "--port", "0"]])
@pytest.mark.parametrize("make", UNWRITABLE)
def test_a_data_folder_that_cannot_be_made_is_one_sentence(
    log: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    words: list[str],
    make: object,
) -> None:
    folder = make(tmp_path)  # type: ignore[operator]
    code, out, errors = command(monkeypatch, capfd, *words, log, "--data", folder)

    assert (code, out) == (2, "")
    assert errors.startswith(f"logvision: {folder}: got ")
    assert errors.endswith("; expected a data folder that can be written\n")
    assert errors.count("\n") == 1


def test_a_data_folder_that_became_read_only_is_one_sentence_and_keeps_what_it_holds(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    scan(log, data)
    log.write_bytes(line(1) + line(2) + line(3))
    # Permissions do not bind root, who may run the tests; what the system would answer others does.
    monkeypatch.setattr(segments.os, "access", lambda path, _mode: "events" not in str(path))
    code, _, errors = command(monkeypatch, capfd, "scan", log, "--data", data)

    assert code == 2
    sentence = f"{data / 'events'}: got a read-only folder; expected one that can be written"
    assert errors == f"logvision: {sentence}\n"
    assert sizes(data) == [1, 2]


@pytest.mark.parametrize("words", [["scan"], ["watch", "--port", "0"]])
def test_a_second_instance_on_one_folder_does_not_start_and_the_first_goes_on(
    log: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    words: list[str],
) -> None:
    data = tmp_path / "data"
    with Watched(log, data) as run:
        run.until(lambda: sizes(data) == [1, 2], "the first lines")
        code, out, errors = command(monkeypatch, capfd, *words, log, "--data", data)
        with log.open("ab") as file:
            file.write(line(3))
        run.until(lambda: sizes(data) == [1, 2, 3], "the next line")

    assert (code, out) == (2, "")
    said = f"{data}: got another LogVision that writes there; expected a data folder of its own for each"
    assert errors == f"logvision: {said}\n"


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_a_port_that_is_taken_is_one_sentence_before_anything_is_read_or_made(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], taken: int
) -> None:
    data = tmp_path / "data"
    code, _, errors = command(monkeypatch, capfd, "watch", log, "--data", data, "--port", str(taken))

    assert code == 2
    said = f"127.0.0.1:{taken}: Address already in use; expected a free port; choose one with --port"
    assert errors == f"logvision: web.port: got {said}\n"
    assert not data.exists()


def test_an_address_of_another_machine_is_one_sentence(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["--data", tmp_path / "data", "--host", "192.0.2.1", "--port", "0"]
    code, _, errors = command(monkeypatch, capfd, "watch", log, *words)

    assert code == 2
    said = "192.0.2.1:0: Cannot assign requested address; expected an address of this machine"
    assert errors == f"logvision: web.host: got {said}\n"


def test_a_lake_of_a_later_version_is_refused_and_left_alone(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    with monkeypatch.context() as later:
        later.setattr(segments, "FORMAT", 9)
        scan(log, data)
    before = sorted(path.name for path in data.rglob("*.parquet"))
    code, _, errors = command(monkeypatch, capfd, "scan", log, "--data", data)

    assert code == 2
    assert errors == f"logvision: {data}: got a lake of format 9; expected format 1 or earlier\n"
    assert sorted(path.name for path in data.rglob("*.parquet")) == before


def test_results_that_cannot_be_written_are_one_sentence(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "missing" / "verdicts.jsonl"
    code, _, errors = command(monkeypatch, capfd, "scan", log, "--verdicts", file)

    assert code == 2
    assert (
        errors == f"logvision: {file}: got no such file or directory; expected a file that can be written\n"
    )


def test_a_reader_of_a_folder_without_a_lake_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    code, _, errors = command(monkeypatch, capfd, "export", "events", "--data", tmp_path)

    assert code == 2
    assert (
        errors
        == f"logvision: {tmp_path}: got no lake there; expected the data folder of a running LogVision\n"
    )


def test_the_folder_is_free_again_after_a_run(log: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    scan(log, data)
    with Lake.open(data, writer=True) as lake:
        assert lake.writable
