"""One log file as a stream of bytes with an offset, plain or compressed, recognised by its content."""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path
from typing import Final

import pyarrow as pa

from logvision.clock import Clock

HEAD = 1024
"""Bytes from the start of the (decompressed) content by which a file is known again."""

PIECE = 1 << 16
"""Bytes decompressed at a time: between two pieces the clock is looked at."""

MAGIC: Final = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zstd"}
"""How a compressed file begins, and the codec's name."""


class Stream:
    """A plain file that may grow. Reads leave the descriptor's own position alone."""

    compressed = False
    error: str | None = None  # why the content ends before its time

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.offset = 0  # of the next byte to read, in decompressed bytes
        self._descriptor = descriptor
        found = os.fstat(descriptor)
        self.device, self.inode = found.st_dev, found.st_ino
        self.head = self._read_head()

    def available(self) -> int:
        """Bytes that stand ready after `offset`; negative when the file has shrunk below it."""
        return os.fstat(self._descriptor).st_size - self.offset

    def read_into(self, view: memoryview, clock: Clock, deadline: float) -> int | None:
        """Fill `view` from `offset`: how many bytes came, 0 at the end, None: not there yet, call again."""
        count = os.preadv(self._descriptor, [view], self.offset)
        self.offset += count
        return count

    def replaced(self) -> bool:
        """True when the content is no longer the one that was read (copytruncate). Lets `head` grow.

        Called after a read and before its bytes are believed: a file that is still the old one now
        was the old one then.
        """
        head = self._read_head()
        if not head.startswith(self.head):
            return True
        self.head = head
        return False

    def unchanged(self) -> bool:
        """True when everything was read and it is still the same content; the cheap look of every turn."""
        return os.fstat(self._descriptor).st_size == self.offset and self._read_head() == self.head

    def stored(self) -> tuple[int, int]:
        """Bytes of the file as it lies on disk: read so far, all."""
        return self.offset, os.fstat(self._descriptor).st_size

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def read_at(self, offset: int, length: int) -> bytes:
        """Bytes of the file as it lies on disk; `offset` does not move."""
        return os.pread(self._descriptor, length, offset)

    def _read_head(self) -> bytes:
        return self.read_at(0, HEAD)


class Archive(Stream):
    """A compressed file. Going to an offset means decompressing up to it, in several calls if need be.

    Damage ends the content early and is told by `error`; everything before it is read: the place
    is approached a second time byte by byte.
    """

    compressed = True

    def __init__(self, path: Path, descriptor: int, codec: str) -> None:
        self._codec = codec
        self._ended = False
        self._reached = 0
        self._failed_at: int | None = None
        self._scrap = memoryview(bytearray(PIECE))
        self._open(descriptor)
        super().__init__(path, descriptor)
        self._open(descriptor)
        self.error = None

    def available(self) -> int:
        return PIECE if not self._ended else 0

    def read_into(self, view: memoryview, clock: Clock, deadline: float) -> int | None:
        while self._reached < self.offset:
            if clock.monotonic() > deadline:
                return None
            self._next(self._scrap[: min(len(self._scrap), self.offset - self._reached)])
            if self._ended:
                return 0
        filled = 0
        while filled < len(view):
            count = self._next(view[filled : filled + PIECE])
            if self._reached < self.offset:  # damaged: the stream was opened anew, before this place
                return filled or None
            if not count:
                break
            filled += count
            self.offset = self._reached
            if clock.monotonic() > deadline:
                break
        return filled

    def replaced(self) -> bool:
        return False

    def stored(self) -> tuple[int, int]:
        size = os.fstat(self._descriptor).st_size
        return (os.lseek(self._descriptor, 0, os.SEEK_CUR) if not self._ended else size), size

    def close(self) -> None:
        self._ended = True
        super().close()

    def _open(self, descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        raw = io.FileIO(descriptor, closefd=False)
        self._inner = pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), self._codec)
        self._reached, self._ended = 0, False

    def _next(self, view: memoryview) -> int:
        """Decompress into `view`; 0 at the end, or when the stream had to be opened anew."""
        if self._ended:
            return 0
        near = self._failed_at is not None and self._reached + PIECE >= self._failed_at
        try:
            count: int = self._inner.readinto(view[:1] if near else view[:PIECE])
        except OSError as problem:  # what pyarrow makes of damaged data
            if self._failed_at is None:
                self._failed_at = self._reached + PIECE
                self._open(self._descriptor)
            else:
                self.error = f"damaged or cut short after {self._reached} bytes: {problem}"
                self._ended = True
            return 0
        self._reached += count
        self._ended = count == 0
        return count

    def _read_head(self) -> bytes:
        head = b""
        view = memoryview(bytearray(HEAD))
        while len(head) < HEAD and not self._ended:
            count = self._next(view[: HEAD - len(head)])
            head = head + bytes(view[:count]) if self._reached else b""
        return head


def open_stream(path: Path) -> Stream:
    """Open a log file for reading. Raises OSError, also for what is not a regular file."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        magic = os.pread(descriptor, 4, 0)
        codec = next((name for start, name in MAGIC.items() if magic.startswith(start)), None)
        return Stream(path, descriptor) if codec is None else Archive(path, descriptor, codec)
    except BaseException:
        os.close(descriptor)
        raise
