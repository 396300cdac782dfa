"""Lines from standard input, or from any stream of bytes, until its end."""

from __future__ import annotations

import os
import select
import sys
from dataclasses import dataclass, field
from io import UnsupportedOperation
from typing import BinaryIO

from logvision.clock import Clock, SystemClock
from logvision.sources.base import Batch, Positions, SourceStatus
from logvision.sources.lines import Lines

TURN_S = 0.05  # longest turn of `read`
ROOM = 1 << 20  # most bytes read in one turn; a pipe holds 64 KB


@dataclass(frozen=True, slots=True)
class StdinSource:
    """What was read cannot be read again: after a restart the positions go on, the lines are new ones."""

    file: BinaryIO | None = None  # none: standard input
    source: str = "stdin"
    clock: Clock = field(default_factory=SystemClock, compare=False, repr=False)

    def open(self, resume: Positions) -> StdinReader:
        return StdinReader(self, int(resume.get(self.source, {"base": 0})["base"]))


class StdinReader:
    """Reads what stands ready and never waits for more."""

    def __init__(self, options: StdinSource, base: int) -> None:
        self._options = options
        self._file = options.file or sys.stdin.buffer
        try:
            self._descriptor: int | None = self._file.fileno()
        except UnsupportedOperation:
            self._descriptor = None  # bytes in memory: always ready
        self._lines = Lines()
        self._given = base
        self._finished = False
        self._detail = ""
        self._last_read: float | None = None

    def read(self, limit: int) -> list[Batch]:
        if self._finished:
            return []
        clock = self._options.clock
        deadline = clock.monotonic() + TURN_S
        filled = len(self._lines.pending)
        block = self._lines.block(max(1, min(limit, ROOM)))
        view = memoryview(block).cast("B")
        while filled < len(view) and self._ready():
            count = self._read_into(view[filled:])
            self._finished = count == 0
            filled += count
            if self._finished or clock.monotonic() > deadline:
                break
        cut = self._lines.cut(block, filled, final=self._finished)
        if not cut.taken:
            return []
        records = cut.records(self._options.source, self._given)
        self._given += cut.taken
        self._last_read = clock.now()
        return [Batch(self._options.source, records, {"base": self._given}, cut.taken)]

    def committed(self, positions: Positions) -> None:
        """What was read is gone in any case."""

    @property
    def finished(self) -> bool:
        return self._finished

    def status(self) -> list[SourceStatus]:
        state = "finished" if self._finished else "following"
        return [
            SourceStatus(
                self._options.source, "stdin", state, self._detail, self._given, last_read=self._last_read
            )
        ]

    def close(self) -> None:
        """The stream belongs to whoever gave it and stays open."""

    def _ready(self) -> bool:
        return self._descriptor is None or bool(select.select([self._descriptor], [], [], 0)[0])

    def _read_into(self, view: memoryview) -> int:
        if self._descriptor is None:
            data = self._file.read(len(view))
            view[: len(data)] = data
            return len(data)
        try:
            return os.readv(self._descriptor, [view])
        except OSError as problem:  # the other end broke off: what came is kept, and it is the end
            self._detail = f"broke off: {problem.strerror or problem}"
            return 0
