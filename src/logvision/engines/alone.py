"""`pipeline.ALONE` for the embedded engine: in the thread that asks, or in a second process.

What these steps say of rows follows from the rows and their source's format, so they may run beside the
steps that learn from all rows before. Python runs one thread at a time; a second process is how a scan
uses a second core.
"""

from __future__ import annotations

import os
import pickle
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Any, Final, Protocol

import pyarrow as pa

from logvision import pipeline
from logvision.engines.bundle import Bundle
from logvision.errors import LogVisionError
from logvision.schema import RECORD

Flowing = Callable[[], pipeline.Flow]
"""Waits for what became of one batch; to be called once, in the order in which the batches were given."""

GLIBC: Final[Mapping[str, str]] = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(4 << 20),
}
"""For the second process what `app.memory` says of this one."""


class Alone(Protocol):
    """Takes RECORD rows through `pipeline.ALONE`, batch by batch in order."""

    def __call__(self, records: pa.Table, read_at: datetime) -> Flowing:
        """Begin with a batch; from one thread, while another may wait for the batch before."""
        ...


class Here:
    """In this process: nothing happens before the answer is asked for."""

    def __init__(self, known: pipeline.Knowledge, seconds: dict[str, float]) -> None:
        self._known = known
        self._seconds = seconds

    def __call__(self, records: pa.Table, read_at: datetime) -> Flowing:
        begun = [pipeline.begin(records, read_at)]
        # Taken out of the list, so that the lines go when the last step that reads them is done.
        return lambda: pipeline.through(pipeline.ALONE, begun.pop(), self._known, self._seconds)


class Lost(LogVisionError):
    """The second process ended before its work did."""


class Beside:
    """In a process of its own, which ends with the block; tables go there and back as Arrow streams."""

    def __init__(self, bundle: Bundle, known: pipeline.Knowledge) -> None:
        """`known`: told what the process learned of formats, and where it begins with that."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                env={**GLIBC, **os.environ},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        self._line = Connection(ours.detach())
        self._known = known
        self.seconds: dict[str, float] = {}  # as `pipeline.through` counts them, there
        self._send(pickle.dumps((bundle, known.formats.snapshot())))

    @property
    def pid(self) -> int:
        return self._process.pid

    def __call__(self, records: pa.Table, read_at: datetime) -> Flowing:
        self._send(pickle.dumps(read_at))
        self._send(_stream(records))
        return lambda: self._answer(read_at)

    def _answer(self, read_at: datetime) -> pipeline.Flow:
        formats, self.seconds = pickle.loads(self._receive())  # noqa: S301 - of our own process
        self._known.formats.restore(formats)
        events, rejects = (pa.ipc.open_stream(self._receive()).read_all() for _ in range(2))
        return pipeline.Flow(RECORD.empty_table(), read_at, events, rejects)

    def _send(self, data: Any) -> None:
        try:
            self._line.send_bytes(data)
        except OSError as error:
            raise self._lost() from error

    def _receive(self) -> bytes:
        try:
            return self._line.recv_bytes()
        except (EOFError, OSError) as error:
            raise self._lost() from error

    def _lost(self) -> Lost:
        code = self._process.wait()
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return Lost(f"the second process ended ({how}); --processes 1 does without it")

    def __enter__(self) -> Beside:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._line.close()
        self._process.wait()


def serve(line: Connection) -> None:
    """The second process: answer batch after batch until the other end is closed."""
    bundle, formats = pickle.loads(line.recv_bytes())  # noqa: S301 - of our own process
    known = bundle.knowledge()
    known.formats.restore(formats)
    coming: SimpleQueue[tuple[datetime, bytes] | None] = SimpleQueue()
    Thread(target=_receiving, args=(line, coming), daemon=True).start()
    seconds: dict[str, float] = {}
    while (batch := coming.get()) is not None:
        read_at, records = batch
        begun = pipeline.begin(pa.ipc.open_stream(records).read_all(), read_at)
        flow = pipeline.through(pipeline.ALONE, begun, known, seconds)
        line.send_bytes(pickle.dumps((known.formats.snapshot(), seconds)))
        line.send_bytes(_stream(flow.events))
        line.send_bytes(_stream(flow.rejects))


def _receiving(line: Connection, coming: SimpleQueue[tuple[datetime, bytes] | None]) -> None:
    """Take the next batch in while this one is worked on."""
    try:
        while True:
            read_at = pickle.loads(line.recv_bytes())  # noqa: S301 - of our own process
            coming.put((read_at, line.recv_bytes()))
    except (EOFError, OSError):
        coming.put(None)


def _stream(table: pa.Table) -> Any:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.unify_dictionaries().combine_chunks())
    return sink.getvalue()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends this one, by closing the line
    with Connection(int(sys.argv[1])) as _line:
        serve(_line)
