"""Lines from standard input, or from any stream of bytes, until its end."""

from __future__ import annotations

import os
import select
import sys
from dataclasses import dataclass, field
from io import UnsupportedOperation
from typing import BinaryIO

import pyarrow as pa

from logvision.clock import Clock, SystemClock
from logvision.sources.base import Batch, Positions, SourceStatus
from logvision.sources.lines import Lines

TURN_S = 0.05  # longest turn of `read`
ROOM = 1 << 20  # most bytes read in one turn that follows; a pipe holds 64 KB


@dataclass(frozen=True, slots=True)
class StdinSource:
    """What was read cannot be read again: after a restart the positions go on, the lines are new ones.

    `follow`: give lines as they come. Without it they are given when there are as many bytes as a read may
    have, or no more will come: as of a file, whatever the pace of the other end.
    """

    file: BinaryIO | None = None  # none: standard input
    source: str = "stdin"
    follow: bool = True
    clock: Clock = field(default_factory=SystemClock, compare=False, repr=False)

    def open(self, resume: Positions) -> StdinReader:
        return StdinReader(self, int(resume.get(self.source, {"base": 0})["base"]))


class StdinReader:
    """Reads what stands ready; only without `follow` it waits for more, for a turn."""

    def __init__(self, options: StdinSource, base: int) -> None:
        self._options = options
        self._file = options.file or sys.stdin.buffer
        try:
            self._descriptor: int | None = self._file.fileno()
        except UnsupportedOperation:
            self._descriptor = None  # bytes in memory: always ready
        self._lines = Lines()
        self._block: pa.Buffer | None = None  # that is being filled
        self._filled = 0
        self._given = base
        self._finished = False
        self._detail = ""
        self._last_read: float | None = None

    def read(self, limit: int) -> list[Batch]:
        if self._finished:
            return []
        follow = self._options.follow
        if self._block is None:
            self._filled = len(self._lines.pending)
            self._block = self._lines.block(max(1, min(limit, ROOM) if follow else limit))
        self._fill(memoryview(self._block).cast("B"))
        if not (follow or self._finished or self._filled == self._block.size):
            return []
        cut = self._lines.cut(self._block, self._filled, final=self._finished)
        self._block = None
        if not cut.taken:
            return []
        records = cut.records(self._options.source, self._given)
        self._given += cut.taken
        self._last_read = self._options.clock.now()
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

    def _fill(self, view: memoryview) -> None:
        """Read into the block for a turn at most."""
        clock = self._options.clock
        deadline = clock.monotonic() + TURN_S
        left = TURN_S
        while self._filled < len(view) and left >= 0 and self._ready(0.0 if self._options.follow else left):
            count = self._read_into(view[self._filled :])
            self._filled += count
            if count == 0:
                self._finished = True
                break
            left = deadline - clock.monotonic()

    def _ready(self, seconds: float) -> bool:
        return self._descriptor is None or bool(select.select([self._descriptor], [], [], seconds)[0])

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
