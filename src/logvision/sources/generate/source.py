"""The generator as a source: seeded traffic, paced to a rate or as fast as it is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pyarrow as pa

from logvision import columns
from logvision.clock import Clock, SystemClock
from logvision.errors import SetupError
from logvision.schema import RECORD
from logvision.sources.base import Batch, Position, Positions, SourceStatus
from logvision.sources.generate.lines import Format, payload, render
from logvision.sources.generate.sites import SITE_NAMES
from logvision.sources.generate.stream import PACED_CHUNK, Stream, mistakes

FREE_CHUNK = 30_000
LINE_B = 280
"""About the length of a line, to turn bytes into rows."""


@dataclass(frozen=True, slots=True)
class GenerateSource:
    """Traffic that nobody sent.

    `rate` lines a second: event times are the clock's, the day is flat. None: as fast as it is
    read, in simulated time from `start` (None: from the clock's now), `per_second` lines a simulated
    second on average, with the shape of the day. `lines`: end after so many; None: never.
    The same seed and options give the same requests at the same sequence numbers; only what shows
    the time of day (time, cache stamps, expiry dates) follows the clock.
    """

    seed: int = 1
    rate: float | None = 50.0
    sites: tuple[str, ...] = SITE_NAMES
    attacks: bool = True
    attack_share: float = 0.02
    start: datetime | None = None
    per_second: float = 50.0
    lines: int | None = None
    format: Format = Format.COMBINED
    name: str = "generate"
    clock: Clock = field(default_factory=SystemClock, compare=False)

    def open(self, resume: Positions) -> GenerateReader:
        """A reader from sequence number `resume[name]["sequence"]`, or from the first line."""
        per_second = self.per_second if self.rate is None else self.rate
        problems = mistakes(self.seed, self.sites, per_second, self.lines, self.attack_share)
        if problems:
            raise SetupError(problems)
        return GenerateReader(self, resume.get(self.name))


class GenerateReader:
    """Hands out lines when their time has come; a record's position is its sequence number."""

    def __init__(self, options: GenerateSource, at: Position | None) -> None:
        paced = options.rate is not None
        self._options = options
        self._stream = Stream(
            seed=options.seed,
            per_second=options.per_second if options.rate is None else options.rate,
            paced=paced,
            clock=options.clock,
            sites=options.sites,
            attacks=options.attacks,
            attack_share=options.attack_share,
            start=options.start,
            lines=options.lines,
            chunk_lines=PACED_CHUNK if paced else FREE_CHUNK,
            at=at,
        )
        self._closed = False
        self._bytes = 0
        self._last: float | None = None

    def read(self, limit: int) -> list[Batch]:
        """Lines that are due, about `limit` bytes at most."""
        if self._closed:
            return []
        first = self._stream.sequence
        rows = self._stream.take(limit // LINE_B)
        if rows is None:
            return []
        data, offsets = payload(render(rows, self._options.format))
        ends = pa.py_buffer(offsets.astype(np.int32))
        raw = pa.Array.from_buffers(pa.binary(), rows.height, [None, ends, data])
        name = columns.constant(self._options.name, rows.height)
        position = pa.array(np.arange(first, first + rows.height))
        size = int(offsets[-1] - offsets[0])
        self._bytes += size
        self._last = self._options.clock.now()
        records = pa.Table.from_arrays([raw, name, position], schema=RECORD)
        return [Batch(self._options.name, records, self._stream.position(), size)]

    def committed(self, positions: Positions) -> None:
        """Nobody needs to know."""

    @property
    def finished(self) -> bool:
        """True once all `lines` are out, or after `close`."""
        return self._closed or self._stream.finished

    def status(self) -> list[SourceStatus]:
        """One source, always there."""
        options = self._options
        state = "finished" if self.finished else "waiting" if self._stream.warming else "following"
        return [
            SourceStatus(
                source=options.name,
                kind="generate",
                state=state,
                detail="Drawing the visitors who are already there." if state == "waiting" else "",
                read_bytes=self._bytes,
                last_read=self._last,
                extra={"lines": self._stream.sequence, "rate": options.rate, "seed": options.seed},
            )
        ]

    def close(self) -> None:
        """Nothing comes after this."""
        self._closed = True
