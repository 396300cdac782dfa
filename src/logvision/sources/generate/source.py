"""The generator as a source: seeded traffic, paced to a rate or as fast as it is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import polars as pl
import pyarrow as pa

from logvision import columns
from logvision.clock import Clock, SystemClock
from logvision.errors import Problem, SetupError
from logvision.schema import RECORD
from logvision.sources.base import Batch, Position, Positions, SourceStatus
from logvision.sources.generate.lines import Format, payload, render
from logvision.sources.generate.sites import SITE_NAMES
from logvision.sources.generate.traffic import Traffic

PACED_CHUNK = 8_000
"""Lines drawn at a time when paced: well under 100 ms of work."""
FREE_CHUNK = 30_000
BEHIND_S = 60.0
"""A reader that is further behind than this (a suspended laptop) goes on from now instead of catching up."""
LINE_B = 260
"""About the length of a line, to turn bytes into rows."""


@dataclass(frozen=True, slots=True)
class GenerateSource:
    """Traffic that nobody sent.

    `rate` lines a second: event times are the clock's, the day is flat. None: as fast as it is
    read, in simulated time from `start` (None: from the clock's now), `per_second` lines a simulated
    second on average, with the shape of the day. `lines`: end after so many; None: never.
    The same seed and options give the same requests at the same sequence numbers.
    """

    seed: int = 1
    rate: float | None = 50.0
    sites: tuple[str, ...] = SITE_NAMES
    attacks: bool = True
    start: datetime | None = None
    per_second: float = 50.0
    lines: int | None = None
    format: Format = Format.COMBINED
    name: str = "generate"
    clock: Clock = field(default_factory=SystemClock, compare=False)

    def open(self, resume: Positions) -> GenerateReader:
        """A reader from sequence number `resume[name]["sequence"]`, or from the first line."""
        problems = check_model(
            self.sites, self.rate if self.rate is not None else self.per_second, self.lines
        )
        if problems:
            raise SetupError(problems)
        return GenerateReader(self, resume.get(self.name))


def check_model(sites: tuple[str, ...], per_second: float, lines: int | None) -> list[Problem]:
    """Every mistake in the options of the model."""
    found = [
        Problem("sites", repr(site), "one of " + ", ".join(SITE_NAMES))
        for site in sites
        if site not in SITE_NAMES
    ]
    if not sites:
        found.append(Problem("sites", "none", "at least one of " + ", ".join(SITE_NAMES)))
    if not 0 < per_second < float("inf"):
        found.append(Problem("rate", str(per_second), "lines a second, more than 0"))
    if lines is not None and lines < 0:
        found.append(Problem("lines", str(lines), "a number of lines, or none for no end"))
    return found


class GenerateReader:
    """Hands out lines when their time has come. Position: sequence number, chunk and row in it."""

    def __init__(self, options: GenerateSource, at: Position | None) -> None:
        self._options, self._clock = options, options.clock
        self._sequence = int(at["sequence"]) if at else 0
        self._chunk = int(at["chunk"]) if at else 0
        self._row = int(at["row"]) if at else 0
        self._shift = 0  # µs between the model's time and event time
        self._closed = False
        self._bytes = 0
        self._last: float | None = None
        self._started = self._begin(at)
        self._chunks: Iterator[pl.DataFrame | None] = self._model().chunks(self._chunk)
        self._times = np.empty(0, np.int64)
        self._rows = pl.DataFrame()
        self._loaded = False  # `_rows` are those of chunk `_chunk`

    def _begin(self, at: Position | None) -> int:
        """Unix time (µs) at which the model's run began."""
        options = self._options
        if at is not None and options.rate is None:
            return int(at["started"])
        if at is not None:
            # Paced: the next line is due now, whenever the one before it was.
            return round(self._clock.now() * 1_000_000) - int(at["elapsed"])
        if options.start is not None and options.rate is None:
            return round(options.start.timestamp() * 1_000_000)
        return round(self._clock.now() * 1_000_000)

    def _model(self) -> Traffic:
        options = self._options
        paced = options.rate is not None
        return Traffic(
            seed=options.seed,
            per_second=options.rate if options.rate is not None else options.per_second,
            start=self._started,
            sites=options.sites,
            attacks=options.attacks,
            shaped=not paced,
            chunk_lines=PACED_CHUNK if paced else FREE_CHUNK,
        )

    def read(self, limit: int) -> list[Batch]:
        """Lines that are due, about `limit` bytes at most."""
        if self.finished or not self._fill():
            return []
        stop = min(self._row + max(1, limit // LINE_B), self._times.size)
        if self._options.lines is not None:
            stop = min(stop, self._row + self._options.lines - self._sequence)
        if self._options.rate is not None:
            now = round(self._clock.now() * 1_000_000)
            late = now - int(self._times[self._row]) - self._shift
            if late > BEHIND_S * 1_000_000:
                self._shift += late
            stop = min(stop, int(np.searchsorted(self._times, now - self._shift, side="right")))
        if stop <= self._row:
            return []
        return [self._batch(stop)]

    def _fill(self) -> bool:
        """Have rows at hand; False when there are none yet (the model warms up, a chunk is empty)."""
        if self._row < self._times.size:
            return True
        if self._loaded:
            self._chunk, self._row = self._chunk + 1, 0
        rows = next(self._chunks)
        self._loaded = rows is not None
        self._rows = rows if rows is not None else pl.DataFrame()
        self._times = rows["time"].to_numpy() if rows is not None else np.empty(0, np.int64)
        return self._row < self._times.size

    def _batch(self, stop: int) -> Batch:
        rows = self._rows.slice(self._row, stop - self._row)
        if self._shift:
            rows = rows.with_columns(pl.col("time") + self._shift)
        data, offsets = payload(render(rows, self._options.format))
        ends = pa.py_buffer(offsets.astype(np.int32))
        raw = pa.Array.from_buffers(pa.binary(), rows.height, [None, ends, data])
        name = columns.constant(self._options.name, rows.height)
        position = pa.array(np.arange(self._sequence, self._sequence + rows.height))
        self._sequence += rows.height
        self._row = stop
        size = int(offsets[-1] - offsets[0])
        self._bytes += size
        self._last = self._clock.now()
        last = int(self._times[stop - 1])
        resume: Position = {
            "sequence": self._sequence,
            "chunk": self._chunk,
            "row": self._row,
            "started": self._started,
            "elapsed": last - self._started,
        }
        records = pa.Table.from_arrays([raw, name, position], schema=RECORD)
        return Batch(self._options.name, records, resume, size)

    @property
    def finished(self) -> bool:
        """True once all `lines` are out, or after `close`."""
        lines = self._options.lines
        return self._closed or (lines is not None and self._sequence >= lines)

    def status(self) -> list[SourceStatus]:
        """One source, always there."""
        return [
            SourceStatus(
                source=self._options.name,
                kind="generate",
                state="finished" if self.finished else "following",
                read_bytes=self._bytes,
                last_read=self._last,
                extra={"lines": self._sequence, "rate": self._options.rate, "seed": self._options.seed},
            )
        ]

    def close(self) -> None:
        """Give the model's memory back."""
        self._closed = True
        self._rows, self._times = pl.DataFrame(), np.empty(0, np.int64)
