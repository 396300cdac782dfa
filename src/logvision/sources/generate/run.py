"""A run of the generator from its options to a writer, with a label file beside."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

import numpy as np
import polars as pl

from logvision.clock import Clock
from logvision.errors import Problem, SetupError
from logvision.sources.generate.lines import Format, labels, payload, render
from logvision.sources.generate.sites import SITE_NAMES
from logvision.sources.generate.spread import Spread
from logvision.sources.generate.stream import PACED_CHUNK, Stream, mistakes
from logvision.sources.generate.writers import Writer

FREE_CHUNK = 60_000
TAKE = 50_000
LEAST_CHUNK = 100
PAUSE_S = 0.05
"""Longest wait at a time when paced, so that lines come out as a server writes them, a few at once."""


@dataclass(frozen=True, slots=True)
class GenerateOptions:
    """What to generate; the same options give the same bytes.

    `rate`: lines a second, by the clock, for ever or until `lines`. None: `lines` lines (100,000 if not
    said) over about `hours` of simulated time from `start`, as fast as possible, with the shape of the day.
    Without a start as many hours that end now, of which no line is later.
    """

    seed: int = 1
    lines: int | None = None
    rate: float | None = None
    hours: float = 24.0
    start: datetime | None = None
    sites: tuple[str, ...] = SITE_NAMES
    attacks: bool = True
    attack_share: float = 0.02
    format: Format = Format.COMBINED

    DEFAULT_LINES = 100_000

    def problems(self) -> list[Problem]:
        """Every mistake in them."""
        found = mistakes(
            self.seed, self.sites, 1.0 if self.rate is None else self.rate, self.lines, self.attack_share
        )
        if not 0 < self.hours < 24 * 3660:
            found.append(
                Problem("hours", str(self.hours), "hours of simulated time, above 0 and up to ten years")
            )
        return found


@dataclass(frozen=True, slots=True)
class Generated:
    """What a run gave."""

    lines: int
    bytes: int
    attacks: int  # lines that are attacks
    campaigns: int
    seconds: float


def generate(
    options: GenerateOptions,
    out: Writer,
    clock: Clock,
    *,
    label_file: BinaryIO | None = None,
    pause: Callable[[float], None] = time.sleep,
    going: Callable[[], bool] = lambda: True,
) -> Generated:
    """Write the traffic of `options` to `out`, until its lines are out or `going` says no.

    `label_file` gets one JSON object per line: line (from 1), position (byte offset of its start over
    the whole run, rotation or not), label (normal or attack), and of attacks class, outcome and stage;
    campaign and actor also of the ordinary requests that an attacker makes on the way.

    Raises SetupError for options that can never work. Memory is that of one chunk of about 60,000 lines.
    """
    if problems := options.problems():
        raise SetupError(problems)
    begun = clock.monotonic()
    spread = _spread(options, clock)
    stream = _stream(options, clock, spread)
    size = attacks = 0
    campaigns: set[str] = set()
    while going() and not stream.finished:
        first = stream.sequence
        rows = stream.take(TAKE)
        if rows is None:
            if wait := stream.wait_s():
                pause(min(wait, PAUSE_S) if options.rate is not None else wait)
            continue
        if spread is not None:
            rows = rows.with_columns(time=pl.Series(spread.times(rows["time"].to_numpy())))
        data, offsets = payload(render(rows, options.format))
        out.write(memoryview(data), offsets, rows["time"].to_numpy())
        if label_file is not None:
            told, ends = payload(labels(rows, first + 1, offsets[:-1] - offsets[0] + size))
            label_file.write(memoryview(told)[int(ends[0]) : int(ends[-1])])
        size += int(offsets[-1] - offsets[0])
        attacks += rows["attack"].count()
        campaigns.update(rows["campaign"].drop_nulls().unique())
    return Generated(stream.sequence, size, attacks, len(campaigns), clock.monotonic() - begun)


def _spread(options: GenerateOptions, clock: Clock) -> Spread | None:
    """How the lines are laid onto the time that ends now; None: their times are the model's own."""
    lines = options.lines if options.lines is not None else options.DEFAULT_LINES
    if options.rate is not None or options.start is not None or not lines:
        return None
    now = int(clock.now())
    return Spread(now * 1_000_000 - round(options.hours * 3_600_000_000), now * 1_000_000, lines)


def _stream(options: GenerateOptions, clock: Clock, spread: Spread | None) -> Stream:
    paced = options.rate is not None
    lines = options.lines if paced or options.lines is not None else options.DEFAULT_LINES
    per_second = options.rate if options.rate is not None else max(1, lines or 0) / (options.hours * 3600)
    chunk_lines = PACED_CHUNK if paced else FREE_CHUNK
    if spread is not None:
        # A chunk of very few lines would be years long.
        per_second, chunk_lines = spread.per_second, min(FREE_CHUNK, max(2 * spread.lines, LEAST_CHUNK))
    start = options.start
    if start is None:
        start = datetime.fromtimestamp(np.floor(clock.now()), UTC) - timedelta(hours=options.hours)
    return Stream(
        seed=options.seed,
        per_second=per_second,
        paced=paced,
        clock=clock,
        sites=options.sites,
        attacks=options.attacks,
        attack_share=options.attack_share,
        start=start,
        lines=lines,
        chunk_lines=chunk_lines,
    )
