"""Any interleaving of writing, rotating, compressing, reading, crashing: each line exactly once, in order."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from logvision.clock import SettableClock
from logvision.sources import file
from logvision.sources.base import Position
from logvision.sources.file import FileReader, FileSource

STEPS = (
    "write", "write", "write", "begin", "rotate", "rotate_slowly", "compress",
    "read", "read", "read_and_crash", "restart",
)  # fmt: skip
ROTATIONS = {  # how a server is set up to rotate: at once, and with the server slow to notice
    "create": ("rename", "rename_reopen_later"),
    "copytruncate": ("copytruncate", "copytruncate"),
}


class Server:
    """Writes a log and rotates it, as a web server with logrotate does."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.written: list[bytes] = []
        self._file: BinaryIO = log.open("ab", buffering=0)
        self._unfinished = b""

    def begin(self, cut: int) -> None:
        """Half a line."""
        if not self._unfinished:
            line = self._line(cut)
            self._file.write(line[: 7 + cut])
            self._unfinished = line[7 + cut :]

    def write(self, size: int) -> None:
        if self._unfinished:
            self._file.write(self._unfinished)
            self._unfinished = b""
        else:
            self._file.write(self._line(size))

    def finish(self) -> None:
        if self._unfinished:
            self.write(0)

    def rename(self) -> None:
        self.rename_reopen_later()
        self.reopen()

    def rename_reopen_later(self) -> None:
        self.reopen()
        self._shift()
        self.log.rename(self._rotated(1))
        self.log.touch()

    def reopen(self) -> None:
        self.finish()
        self._file.close()
        self._file = self.log.open("ab", buffering=0)

    def copytruncate(self) -> None:
        self._file.close()
        self._file = self.log.open("ab", buffering=0)
        self._shift()
        self._rotated(1).write_bytes(self.log.read_bytes())
        self._file.truncate(0)

    def compress(self) -> None:
        """What nobody writes to any more."""
        for path in sorted(self.log.parent.glob("access.log.?")):
            if path.stat().st_ino != self._inode():
                path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
                path.unlink()

    def close(self) -> None:
        self._file.close()

    def _inode(self) -> int:
        return Path(f"/proc/self/fd/{self._file.fileno()}").stat().st_ino

    def _line(self, size: int) -> bytes:
        line = b"%05d %s\n" % (len(self.written), b"x" * (size + 2))
        self.written.append(line)
        return line

    def _rotated(self, number: int) -> Path:
        return self.log.with_name(f"access.log.{number}")

    def _shift(self) -> None:
        for number in range(40, 0, -1):
            for ending in ("", ".gz"):
                old = self.log.with_name(f"access.log.{number}{ending}")
                if old.exists():
                    old.rename(self.log.with_name(f"access.log.{number + 1}{ending}"))


class Engine:
    """Reads, commits lines and position together, crashes, and goes on from the last commit."""

    def __init__(self, log: Path) -> None:
        self.clock = SettableClock(0.0)
        self.source = FileSource((str(log),), clock=self.clock)
        self.committed: list[bytes] = []
        self.positions: list[int] = []
        self.resume: dict[str, Position] = {}
        self.reader: FileReader = self.source.open(self.resume)

    def read(self, limit: int) -> bool:
        self.clock.advance(1.5)
        batches = self.reader.read(limit)
        for batch in batches:
            self.committed += batch.records["raw"].to_pylist()
            self.positions += batch.records["position"].to_pylist()
            self.resume[batch.source] = batch.resume
        return bool(batches)

    def read_and_crash(self, limit: int) -> None:
        self.clock.advance(1.5)
        self.reader.read(limit)
        self.restart()

    def has_seen_live(self) -> bool:
        """True when a line of the live file, or of a copy of what it was, has been committed."""
        files = [position["file"] for position in self.resume.values()]
        return any(file["copied"] or file["path"].endswith("access.log") for file in files)

    def restart(self) -> None:
        self.reader.close()
        self.reader = self.source.open(self.resume)


@contextmanager
def _small_blocks() -> Iterator[None]:
    with mock.patch.object(file, "ROOM", 1):
        yield


@examples(200)
@given(
    st.sampled_from(sorted(ROTATIONS)),
    st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 60)), max_size=60),
)
def test_each_line_is_given_exactly_once_and_in_order(rotation: str, steps: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder, _small_blocks():
        log = Path(folder) / "access.log"
        server, engine = Server(log), Engine(log)
        for step, number in steps:
            match step:
                case "write" | "begin":
                    getattr(server, step)(number)
                case "compress":
                    server.compress()
                case "rotate" | "rotate_slowly":
                    if not engine.has_seen_live():
                        server.finish()  # that such a file is a copy cannot be known
                    getattr(server, ROTATIONS[rotation][step == "rotate_slowly"])()
                case "read":
                    engine.read(number + 1)
                case "read_and_crash":
                    engine.read_and_crash(number + 1)
                case "restart":
                    engine.restart()
        server.reopen()
        server.write(0)
        quiet = 0
        while quiet < 8:
            quiet = 0 if engine.read(1 << 20) else quiet + 1
        engine.reader.close()
        server.close()
        assert engine.committed == server.written
        assert engine.positions == [sum(map(len, server.written[:i])) for i in range(len(server.written))]
