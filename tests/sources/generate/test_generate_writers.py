"""Writers: rotation by lines and bytes, compression, syslog over UDP and TCP."""

from __future__ import annotations

import gzip
import socket
from pathlib import Path

import numpy as np
import pytest

from logvision.errors import SetupError
from logvision.sources.generate import FileWriter, SyslogStyle, SyslogWriter, Writer

TIME = 1_793_779_205_000_000  # 2026-11-04 08:00:05 UTC


def put(out: Writer, *lines: bytes) -> None:
    data = b"".join(line + b"\n" for line in lines)
    offsets = np.concatenate([[0], np.cumsum([len(line) + 1 for line in lines])]).astype(np.int64)
    out.write(memoryview(data), offsets, np.full(len(lines), TIME))


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.name: gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for path in folder.iterdir()
    }


def test_a_file_is_renamed_after_so_many_lines(tmp_path: Path) -> None:
    out = FileWriter(tmp_path / "a.log", rotate_lines=2)
    put(out, b"1", b"2", b"3")
    put(out, b"4", b"5")
    out.close()
    assert contents(tmp_path) == {"a.log.2": b"1\n2\n", "a.log.1": b"3\n4\n", "a.log": b"5\n"}


def test_a_file_is_renamed_after_so_many_bytes_and_never_within_a_line(tmp_path: Path) -> None:
    out = FileWriter(tmp_path / "a.log", rotate_bytes=6)
    put(out, b"12", b"34", b"56", b"a line longer than the limit", b"78")
    out.close()
    assert contents(tmp_path) == {
        "a.log.2": b"12\n34\n",
        "a.log.1": b"56\na line longer than the limit\n",
        "a.log": b"78\n",
    }


def test_older_rotated_files_are_compressed_and_the_newest_is_not(tmp_path: Path) -> None:
    out = FileWriter(tmp_path / "a.log", rotate_lines=1, compress=True)
    put(out, b"1", b"2", b"3")
    out.close()
    assert contents(tmp_path) == {"a.log.3.gz": b"1\n", "a.log.2.gz": b"2\n", "a.log.1": b"3\n", "a.log": b""}


def test_a_file_can_be_appended_to(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"0\n")
    out = FileWriter(tmp_path / "a.log", append=True)
    put(out, b"1")
    out.close()
    assert contents(tmp_path) == {"a.log": b"0\n1\n"}


def test_a_folder_or_a_zero_is_refused_with_every_mistake(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as error:
        FileWriter(tmp_path, rotate_lines=0)
    assert [problem.where for problem in error.value.problems] == ["rotate_lines", "output"]


def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="can be written"):
        FileWriter(tmp_path / "no such folder" / "a.log")


@pytest.mark.parametrize(
    ("style", "message"),
    [
        (SyslogStyle.RFC3164, b"<190>Nov  4 08:00:05 web1 nginx: GET /"),
        (SyslogStyle.RFC5424, b"<190>1 2026-11-04T08:00:05Z web1 nginx - - - GET /"),
    ],
)
def test_a_datagram_holds_one_line(style: SyslogStyle, message: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        out = SyslogWriter("127.0.0.1", server.getsockname()[1], style=style)
        put(out, b"GET /")
        out.close()
        assert server.recv(1024) == message


@pytest.mark.parametrize(
    ("style", "stream"),
    [
        (SyslogStyle.RFC3164, b"<190>Nov  4 08:00:05 web1 nginx: a\n<190>Nov  4 08:00:05 web1 nginx: b\n"),
        (
            SyslogStyle.RFC5424,
            b"".join(b"46 <190>1 2026-11-04T08:00:05Z web1 nginx - - - %c" % letter for letter in b"ab"),
        ),
    ],
)
def test_a_stream_is_framed(style: SyslogStyle, stream: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        out = SyslogWriter("127.0.0.1", server.getsockname()[1], tcp=True, style=style)
        taken, _ = server.accept()
        put(out, b"a", b"b")
        out.close()
        with taken, taken.makefile("rb") as whole:
            assert whole.read() == stream


def test_a_syslog_server_that_is_not_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(SetupError, match="a syslog server"):
        SyslogWriter("127.0.0.1", port, tcp=True)
