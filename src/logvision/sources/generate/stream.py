"""Rows of the model when their time has come: paced by a clock, or as fast as they are taken."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import numpy as np
import polars as pl

from logvision.clock import Clock
from logvision.errors import Problem
from logvision.sources.base import Position
from logvision.sources.generate.sites import SITE_NAMES
from logvision.sources.generate.traffic import Traffic

PACED_CHUNK = 8_000
"""Lines drawn at a time when paced: well under 100 ms of work."""
BEHIND_S = 60.0
"""A reader that is further behind than this (a suspended laptop) goes on from now instead of catching up."""


def mistakes(
    seed: int, sites: tuple[str, ...], per_second: float, lines: int | None, attack_share: float
) -> list[Problem]:
    """Every mistake in the options of a model."""
    known = "one of " + ", ".join(SITE_NAMES)
    found = [Problem("sites", repr(site), known) for site in sites if site not in SITE_NAMES]
    if seed < 0:
        found.append(Problem("seed", str(seed), "a number, 0 or more"))
    if not sites:
        found.append(Problem("sites", "none", "at least " + known))
    if not 0 < per_second < float("inf"):
        found.append(Problem("rate", str(per_second), "lines a second, more than 0"))
    if lines is not None and lines < 0:
        found.append(Problem("lines", str(lines), "a number of lines, or none for no end"))
    if not 0 < attack_share <= 0.5:
        found.append(
            Problem("attack_share", str(attack_share), "a share of the lines, above 0 and up to 0.5")
        )
    return found


class Stream:
    """One run of a model, taken piece by piece; knows its position and goes on from one.

    A position is the sequence number of the next row, the chunk it stands in and its row there, when
    the run began (Unix time, µs) and how long after that the row before it was due (µs).
    """

    def __init__(
        self,
        *,
        seed: int,
        per_second: float,
        paced: bool,
        clock: Clock,
        sites: tuple[str, ...] = SITE_NAMES,
        attacks: bool = True,
        attack_share: float = 0.02,
        start: datetime | None = None,
        lines: int | None = None,
        chunk_lines: int = PACED_CHUNK,
        at: Position | None = None,
    ) -> None:
        self._clock, self._paced, self._lines = clock, paced, lines
        self.sequence = int(at["sequence"]) if at else 0
        self._chunk = int(at["chunk"]) if at else 0
        self._row = int(at["row"]) if at else 0
        self._elapsed = int(at["elapsed"]) if at else 0
        now = round(clock.now() * 1_000_000)
        if at is not None:
            # Paced: the next row is due now, however long ago the one before it was.
            self._started = now - self._elapsed if paced else int(at["started"])
        else:
            self._started = now if paced or start is None else round(start.timestamp() * 1_000_000)
        model = Traffic(
            seed=seed,
            per_second=per_second,
            start=self._started,
            sites=sites,
            attacks=attacks,
            attack_share=attack_share,
            shaped=not paced,
            chunk_lines=chunk_lines,
        )
        self._chunks: Iterator[pl.DataFrame | None] = model.chunks(self._chunk)
        self._rows, self._times = pl.DataFrame(), np.empty(0, np.int64)
        self._loaded = False  # `_rows` are those of chunk `_chunk`
        self._shift = 0  # µs by which event time is later than the model's
        self.warming = True  # nothing was given yet: what began before the run is being drawn

    def take(self, most: int) -> pl.DataFrame | None:
        """Up to `most` rows that are due now, by time; None: none at present.

        Draws at most one chunk. `time` is event time.
        """
        if self.finished or not self._fill():
            return None
        stop = min(self._row + max(1, most), self._times.size)
        if self._lines is not None:
            stop = min(stop, self._row + self._lines - self.sequence)
        if self._paced:
            now = round(self._clock.now() * 1_000_000)
            if self.warming:
                self._shift = now - self._started - self._elapsed
            late = now - int(self._times[self._row]) - self._shift
            if late > BEHIND_S * 1_000_000:
                self._shift += late
            stop = min(stop, int(np.searchsorted(self._times, now - self._shift, side="right")))
        self.warming = False
        if stop <= self._row:
            return None
        rows = self._rows.slice(self._row, stop - self._row)
        self.sequence += rows.height
        self._elapsed = int(self._times[stop - 1]) - self._started
        self._row = stop
        return rows.with_columns(pl.col("time") + self._shift) if self._shift else rows

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

    @property
    def finished(self) -> bool:
        """True once as many rows as wanted were taken."""
        return self._lines is not None and self.sequence >= self._lines

    def wait_s(self) -> float:
        """Seconds until the next row at hand is due; 0 when it is, or when more must be drawn first."""
        if not self._paced or self._row >= self._times.size:
            return 0.0
        return max(0.0, (int(self._times[self._row]) + self._shift) / 1_000_000 - self._clock.now())

    def position(self) -> Position:
        """Where to go on after what was taken."""
        return {
            "sequence": self.sequence,
            "chunk": self._chunk,
            "row": self._row,
            "started": self._started,
            "elapsed": self._elapsed,
        }
