"""Where generated lines go: a file that rotates, a stream, a syslog server."""

from __future__ import annotations

import gzip
import shutil
import socket
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np
import numpy.typing as npt

from logvision.errors import Problem, SetupError, SourceError

Offsets = npt.NDArray[np.int64]


class Writer(Protocol):
    """Takes whole lines."""

    def write(self, data: memoryview, offsets: Offsets, times: npt.NDArray[np.int64]) -> None:
        """Line n is `data[offsets[n]:offsets[n + 1]]`, its "\\n" included; `times` in Unix µs."""
        ...

    def close(self) -> None:
        """Everything written is handed over; may be called twice."""
        ...


class StreamWriter:
    """Lines into an open binary stream, e.g. standard output, which stays open."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, data: memoryview, offsets: Offsets, times: npt.NDArray[np.int64]) -> None:
        self._stream.write(data[int(offsets[0]) : int(offsets[-1])])
        self._stream.flush()

    def close(self) -> None:
        self._stream.flush()


class FileWriter:
    """Lines into a file; after so many lines or bytes it is renamed to `.1`, the one before to `.2`.

    With `compress`, a rotated file is gzipped when the next one is rotated, so that whoever still reads
    the newest rotated one finds it plain (as logrotate's delaycompress does).
    """

    def __init__(
        self,
        path: Path,
        *,
        rotate_lines: int | None = None,
        rotate_bytes: int | None = None,
        compress: bool = False,
        append: bool = False,
    ) -> None:
        problems = [
            Problem(name, str(value), "a number above 0")
            for name, value in (("rotate_lines", rotate_lines), ("rotate_bytes", rotate_bytes))
            if value is not None and value < 1
        ]
        if path.is_dir():
            problems.append(Problem("output", f"the folder {path}", "a file"))
        if problems:
            raise SetupError(problems)
        self._path, self._compress = path, compress
        self._most_lines, self._most_bytes = rotate_lines, rotate_bytes
        self._file = self._open("ab" if append else "wb")
        self._lines, self._bytes = 0, self._file.tell()

    def _open(self, mode: str) -> BinaryIO:
        try:
            return open(self._path, mode)  # type: ignore[return-value]  # noqa: PTH123
        except OSError as lost:
            raise SetupError(Problem("output", str(lost), "a file that can be written")) from lost

    def write(self, data: memoryview, offsets: Offsets, times: npt.NDArray[np.int64]) -> None:
        count, at = offsets.size - 1, 0
        while at < count:
            stop = count
            if self._most_lines is not None:
                stop = min(stop, at + self._most_lines - self._lines)
            if self._most_bytes is not None:
                room = int(offsets[at]) + self._most_bytes - self._bytes
                # The line that crosses the limit still goes in, so a long one cannot stop the writer.
                stop = min(stop, max(at + 1, int(np.searchsorted(offsets, room))))
            self._file.write(data[int(offsets[at]) : int(offsets[stop])])
            self._lines += stop - at
            self._bytes += int(offsets[stop] - offsets[at])
            at = stop
            if (self._most_lines is not None and self._lines >= self._most_lines) or (
                self._most_bytes is not None and self._bytes >= self._most_bytes
            ):
                self._rotate()
        self._file.flush()

    def _rotate(self) -> None:
        self._file.close()
        last = 1
        while self._sibling(last) is not None:
            last += 1
        for number in range(last - 1, 0, -1):
            old = self._sibling(number)
            if old is None:
                continue
            new = old.with_name(f"{self._path.name}.{number + 1}{'.gz' if old.suffix == '.gz' else ''}")
            old.rename(new)
            if self._compress and new.suffix != ".gz":
                with new.open("rb") as plain, gzip.open(f"{new}.gz", "wb", compresslevel=6) as packed:
                    shutil.copyfileobj(plain, packed, 1 << 20)
                new.unlink()
        self._path.rename(f"{self._path}.1")
        self._file = self._open("wb")
        self._lines = self._bytes = 0

    def _sibling(self, number: int) -> Path | None:
        for end in ("", ".gz"):
            path = self._path.with_name(f"{self._path.name}.{number}{end}")
            if path.exists():
                return path
        return None

    def close(self) -> None:
        self._file.close()


class SyslogStyle(StrEnum):
    """Form of a syslog message."""

    RFC3164 = "rfc3164"  # as nginx sends
    RFC5424 = "rfc5424"


class SyslogWriter:
    """Lines to a syslog server, one message each: facility local7, severity info, tag `nginx`.

    UDP: one datagram a line. TCP: RFC 6587, octet counting for RFC 5424 messages, line feeds for RFC 3164.
    """

    PRIORITY = 23 * 8 + 6

    def __init__(
        self,
        host: str,
        port: int,
        *,
        tcp: bool = False,
        style: SyslogStyle = SyslogStyle.RFC3164,
        tag: str = "nginx",
        hostname: str = "web1",
    ) -> None:
        self._tcp, self._style, self._tag, self._hostname = tcp, style, tag, hostname
        kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
        try:
            family, _, _, _, address = socket.getaddrinfo(host, port, type=kind)[0]
            self._socket = socket.socket(family, kind)
            try:
                self._socket.connect(address)
            except OSError:
                self._socket.close()
                raise
        except OSError as lost:
            raise SetupError(Problem("syslog", f"{host}:{port}: {lost}", "a syslog server")) from lost

    def write(self, data: memoryview, offsets: Offsets, times: npt.NDArray[np.int64]) -> None:
        heads: dict[int, bytes] = {}
        frames = []
        # One datagram or frame a line: the loop is over what must be sent one by one.
        for place, at in enumerate(times.tolist()):
            second = at // 1_000_000
            if second not in heads:
                heads[second] = self._head(second)
            message = heads[second] + bytes(data[int(offsets[place]) : int(offsets[place + 1]) - 1])
            if not self._tcp:
                frames.append(message)
            elif self._style is SyslogStyle.RFC5424:
                frames.append(b"%d %s" % (len(message), message))
            else:
                frames.append(message + b"\n")
        try:
            if self._tcp:
                self._socket.sendall(b"".join(frames))
            else:
                for frame in frames:
                    self._socket.send(frame)
        except OSError as lost:
            raise SourceError(f"the syslog server is lost: {lost}") from lost

    def _head(self, second: int) -> bytes:
        when = datetime.fromtimestamp(second, UTC)
        if self._style is SyslogStyle.RFC5424:
            text = f"<{self.PRIORITY}>1 {when:%Y-%m-%dT%H:%M:%S}Z {self._hostname} {self._tag} - - - "
        else:
            text = f"<{self.PRIORITY}>{when:%b} {when.day:2d} {when:%H:%M:%S} {self._hostname} {self._tag}: "
        return text.encode()

    def close(self) -> None:
        self._socket.close()
