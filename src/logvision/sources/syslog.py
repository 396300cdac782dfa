"""Lines that senders push over the network as syslog: RFC 3164 and 5424, by UDP and by TCP (RFC 6587).

The syslog header stays in the record; formats peel it. Every listener is one source, whoever sends,
so that no sender can make sources. Nothing can be asked for again: what arrives while nobody reads
waits in the kernel (TCP senders feel it; of UDP the kernel drops what does not fit and counts it).
"""

from __future__ import annotations

import selectors
import socket
import struct
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from logvision import columns, schema
from logvision.clock import Clock, SystemClock
from logvision.errors import Problem, SetupError
from logvision.sources.base import LINE_LIMIT, Batch, Positions, SourceStatus
from logvision.sources.framing import Frames, lines

TURN_S = 0.05  # longest turn of `read`
DATAGRAM = 1 << 16  # B; no UDP datagram is longer
RECEIVE = 1 << 22  # B that the kernel is asked to hold for us; it may grant less
PIECE = 1 << 18  # B taken from one connection before the next has its turn
CONNECTIONS = 1024  # more are refused and counted
PENDING = 1 << 26  # B of unfinished messages of all connections; beyond it the largest is cut off
BIND_TRIES = 8  # to find one port that is free for TCP and UDP alike
SO_RXQ_OVFL: Final = 40  # Linux: tell with each datagram how many were dropped so far (socket(7))


@dataclass(frozen=True, slots=True)
class SyslogSource:
    """Listens on one address; port 0 takes a free port. Sequence numbers are the positions."""

    host: str
    port: int
    udp: bool = True
    tcp: bool = True
    clock: Clock = field(default_factory=SystemClock, compare=False, repr=False)

    def open(self, resume: Positions) -> SyslogReader:
        """Raises SetupError when the address cannot be bound."""
        if not (self.udp or self.tcp):
            raise SetupError(Problem("syslog", "neither udp nor tcp", "one of them at least"))
        return SyslogReader(self, resume)


class SyslogReader:
    """The listeners of one address. `port` is the one that was bound."""

    def __init__(self, options: SyslogSource, resume: Positions) -> None:
        kinds = [kind for kind, wanted in (("tcp", options.tcp), ("udp", options.udp)) if wanted]
        sockets = _bind(options, kinds)
        self.port: int = sockets[0].getsockname()[1]
        host = f"[{options.host}]" if ":" in options.host else options.host
        self._listeners: list[_Udp | _Tcp] = []
        for kind, bound in zip(kinds, sockets, strict=True):
            name = f"syslog:{kind}://{host}:{self.port}"
            following = int(resume.get(name, {"next": 0})["next"])
            listener = _Udp if kind == "udp" else _Tcp
            self._listeners.append(listener(bound, name, following, options.clock))

    def read(self, limit: int) -> list[Batch]:
        batches = [listener.read(limit // len(self._listeners)) for listener in self._listeners]
        return [batch for batch in batches if batch is not None]

    def committed(self, positions: Positions) -> None:
        """What was received is gone in any case."""

    @property
    def finished(self) -> bool:
        return False

    def status(self) -> list[SourceStatus]:
        return [listener.status() for listener in self._listeners]

    def close(self) -> None:
        for listener in self._listeners:
            listener.close()


class _Listener:
    """What both kinds share: numbering, and what is shown."""

    def __init__(self, bound: socket.socket, source: str, following: int, clock: Clock) -> None:
        self._socket, self._source, self._next, self._clock = bound, source, following, clock
        self._read_bytes = 0
        self._last_read: float | None = None

    def _batch(self, messages: list[bytes]) -> Batch | None:
        if not messages:
            return None
        start, self._next = self._next, self._next + len(messages)
        size = sum(map(len, messages))
        self._read_bytes += size
        self._last_read = self._clock.now()
        records = pa.table(
            [
                pa.array([message[:LINE_LIMIT] for message in messages], pa.binary()),
                columns.constant(self._source, len(messages)),
                pa.array(range(start, self._next), pa.int64()),
            ],
            schema=schema.RECORD,
        )
        return Batch(self._source, records, {"next": self._next}, size)

    def _status(self, detail: str, **extra: int) -> SourceStatus:
        return SourceStatus(
            self._source,
            "syslog",
            "following",
            detail,
            self._read_bytes,
            None,
            None,
            self._last_read,
            dict(extra),
        )


class _Udp(_Listener):
    """One datagram is one message."""

    def __init__(self, bound: socket.socket, source: str, following: int, clock: Clock) -> None:
        super().__init__(bound, source, following, clock)
        self._dropped = 0
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE)
        bound.setsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL, 1)

    def read(self, limit: int) -> Batch | None:
        messages: list[bytes] = []
        deadline = self._clock.monotonic() + TURN_S
        while limit > 0 and self._clock.monotonic() <= deadline:
            try:
                data, notes, _, _ = self._socket.recvmsg(DATAGRAM, socket.CMSG_SPACE(4))
            except BlockingIOError:
                break
            for level, kind, value in notes:
                if level == socket.SOL_SOCKET and kind == SO_RXQ_OVFL:
                    (self._dropped,) = struct.unpack("=I", value)
            messages += lines(data)
            limit -= len(data)
        return self._batch(messages)

    def status(self) -> SourceStatus:
        lost = f"the kernel dropped {self._dropped} datagrams that came faster than they were read"
        return self._status(lost if self._dropped else "", dropped=self._dropped)

    def close(self) -> None:
        self._socket.close()


class _Tcp(_Listener):
    """Connections in turn; who sends faster than is read has to wait."""

    def __init__(self, bound: socket.socket, source: str, following: int, clock: Clock) -> None:
        super().__init__(bound, source, following, clock)
        bound.listen(128)
        self._frames: dict[socket.socket, Frames] = {}
        self._ready = selectors.DefaultSelector()
        self._ready.register(bound, selectors.EVENT_READ)
        self._refused = 0

    def read(self, limit: int) -> Batch | None:
        messages: list[bytes] = []
        deadline = self._clock.monotonic() + TURN_S
        while limit > 0 and self._clock.monotonic() <= deadline:
            ready = [key.fileobj for key, _ in self._ready.select(0)]
            if not ready:
                break
            for connection in ready:
                if connection is self._socket:
                    self._accept()
                elif isinstance(connection, socket.socket):
                    limit -= self._receive(connection, messages)
            self._bound_memory(messages)
        return self._batch(messages)

    def status(self) -> SourceStatus:
        detail = f"{self._refused} connections were refused or cut off" if self._refused else ""
        return self._status(detail, connections=len(self._frames), refused=self._refused)

    def close(self) -> None:
        for connection in self._frames:
            connection.close()
        self._frames.clear()
        self._ready.close()
        self._socket.close()

    def _accept(self) -> None:
        try:
            connection, _ = self._socket.accept()
        except OSError:
            self._refused += 1  # gone again, or no descriptor left
            return
        if len(self._frames) >= CONNECTIONS:
            self._refused += 1
            connection.close()
            return
        connection.setblocking(False)
        self._frames[connection] = Frames()
        self._ready.register(connection, selectors.EVENT_READ)

    def _receive(self, connection: socket.socket, messages: list[bytes]) -> int:
        try:
            data = connection.recv(PIECE)
        except BlockingIOError:
            return 0
        except OSError:
            data = b""  # reset by the sender: the end of this connection
        if data:
            messages += self._frames[connection].feed(data)
        else:
            self._end(connection, messages)
        return len(data)

    def _end(self, connection: socket.socket, messages: list[bytes]) -> None:
        messages += self._frames.pop(connection).end()
        self._ready.unregister(connection)
        connection.close()

    def _bound_memory(self, messages: list[bytes]) -> None:
        while sum(frames.size for frames in self._frames.values()) > PENDING:
            self._refused += 1
            self._end(max(self._frames, key=lambda connection: self._frames[connection].size), messages)


def _bind(options: SyslogSource, kinds: list[str]) -> list[socket.socket]:
    """A socket per kind, all on the same port."""
    types = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
    for last in range(BIND_TRIES - 1, -1, -1):
        bound: list[socket.socket] = []
        kind = kinds[0]
        try:
            for kind in kinds:
                port = bound[0].getsockname()[1] if bound else options.port
                family, kind_of_socket, *_, address = socket.getaddrinfo(
                    options.host, port, type=types[kind]
                )[0]
                one = socket.socket(family, kind_of_socket)
                bound.append(one)
                one.setblocking(False)
                if kind == "tcp":
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                one.bind(address)
        except OSError as problem:
            for one in bound:
                one.close()
            if options.port == 0 and len(bound) > 1 and last:
                continue
            where = f"syslog {kind}://{options.host}:{options.port}"
            raise SetupError(
                Problem(
                    where, problem.strerror or str(problem), "an address of this machine with a free port"
                )
            ) from problem
        return bound
    raise AssertionError("unreachable")
