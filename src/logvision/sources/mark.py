"""Knowing a file again: a place in it that survives renaming, copying and compression."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from logvision.sources.base import LINE_LIMIT
from logvision.sources.lines import Lines
from logvision.sources.streams import Stream


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in one file, and how to know that file again after it was renamed, copied or compressed."""

    path: str
    device: int
    inode: int
    head_length: int  # bytes of content that `head_hash` covers; grows with the file up to HEAD
    head_hash: str
    offset: int  # start of the next line, in decompressed bytes
    skipping: bool = False  # inside an over-long line
    copied: bool = False  # a copy made by copytruncate: its writer goes on in the live file

    def fits(self, stream: Stream) -> bool:
        """True when the file begins with what was read, and is as long as what was read."""
        same = _hash(stream.head[: self.head_length]) == self.head_hash
        return same and (stream.compressed or stream.available() >= self.offset)


@dataclass(slots=True)
class Opened:
    """A file being read: its bytes and the place between two lines."""

    stream: Stream
    lines: Lines
    live: bool = False  # it was opened under the log's own name
    copied: bool = False
    grew_at: float = 0.0

    def mark(self) -> Mark:
        stream = self.stream
        return Mark(
            str(stream.path),
            stream.device,
            stream.inode,
            len(stream.head),
            _hash(stream.head),
            # Below zero while a line that began before a truncation is carried: never given out,
            # as no batch ends there.
            stream.offset - len(self.lines.pending),
            self.lines.skipping,
            self.copied,
        )


def identity(path: Path | str) -> tuple[int, int] | None:
    """Device and inode of the file that has this name now."""
    try:
        found = os.stat(path)  # noqa: PTH116 - asked for every file in every turn: Path.stat takes twice the time
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def last_line_start(stream: Stream) -> int:
    """Offset of the start of the line that is being written at the end of a plain file."""
    size = stream.available()
    if stream.compressed or size <= 0:
        return 0
    back = min(size, LINE_LIMIT)
    return size - back + stream.read_at(size - back, back).rfind(b"\n") + 1


def _hash(head: bytes) -> str:
    return hashlib.blake2b(head, digest_size=16).hexdigest()
