"""The traffic of all sites in order of time, in chunks of simulated time, the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import polars as pl

from logvision.sources.generate.bots import Robots
from logvision.sources.generate.campaigns import Campaigns
from logvision.sources.generate.catalogue import Catalogue, Ints, compile_sites
from logvision.sources.generate.rows import empty
from logvision.sources.generate.sessions import LINES_PER_SESSION, Visitors, sessions
from logvision.sources.generate.sites import SITE_NAMES, build

HOURS = (
    38,
    27,
    20,
    16,
    15,
    19,
    32,
    55,
    82,
    102,
    113,
    118,
    121,
    124,
    123,
    122,
    124,
    129,
    136,
    148,
    158,
    152,
    118,
    72,
)
"""Requests by hour of the day, UTC: low at four, a working day, highest in the evening."""
WEEKDAYS = (1.05, 1.06, 1.05, 1.03, 0.97, 0.88, 0.96)
HUMAN_SHARE = 0.8
"""Of all lines, attacks included; the rest are robots'."""
BIN_US = 600 * 1_000_000
WARM_LINES = 1_500_000
BEFORE = 1 << 24
"""Chunks before the first are drawn too (sessions that are under way when a run begins)."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """A model of traffic. `per_second`: lines a second, on average over a week when `shaped`.

    `start`: Unix time of the run's beginning, µs. `chunk_lines`: about how many lines a chunk holds;
    memory is bounded by it. The content depends on every one of these and on nothing else.
    """

    seed: int
    per_second: float
    start: int
    sites: tuple[str, ...] = SITE_NAMES
    attacks: bool = True
    attack_share: float = 0.02
    shaped: bool = True
    visitors: int = 60_000
    chunk_lines: int = 150_000

    @property
    def width(self) -> int:
        """Length of a chunk in µs."""
        return max(1_000, round(self.chunk_lines / self.per_second * 1_000_000))

    @property
    def longest(self) -> int:
        """Longest session in µs: ten minutes, less where so much traffic would take long to begin with."""
        return round(min(600.0, max(100.0, WARM_LINES / self.per_second)) * 1_000_000)

    def chunks(self, first: int = 0) -> Iterator[pl.DataFrame | None]:
        """Chunk `first` and those after it for ever, each sorted by time; the same whatever `first` was.

        The sites and visitors are drawn by the call (a third of a second). To begin, what started in the
        minutes before is drawn again; None is given for each step of that, so that a caller is not held up.
        """
        rng = np.random.default_rng([self.seed, 0])
        catalogue = compile_sites(build(self.seed, self.sites), rng)
        visitors = Visitors.draw(rng, self.visitors)
        robots = Robots.draw(rng, catalogue, self.per_second)
        campaigns = (
            Campaigns(self.seed, catalogue, self.per_second, self.attack_share) if self.attacks else None
        )
        return self._run(first, catalogue, visitors, robots, campaigns)

    def _run(
        self,
        first: int,
        catalogue: Catalogue,
        visitors: Visitors,
        robots: Robots,
        campaigns: Campaigns | None,
    ) -> Iterator[pl.DataFrame | None]:
        carried = empty()
        for chunk in range(first - -(-self.longest // self.width), first):
            begun = self._sessions(chunk, catalogue, visitors)
            carried = pl.concat([carried, begun.filter(pl.col("time") >= self._begin(first))])
            yield None
        chunk = first
        while True:
            begin, end = self._begin(chunk), self._begin(chunk + 1)
            carried = pl.concat([carried, self._sessions(chunk, catalogue, visitors)])
            later = carried["time"] >= end
            due, carried = carried.filter(~later), carried.filter(later)
            now = [due, robots.requests(self._rng(2, chunk), begin, end)]
            if campaigns is not None:
                now.append(campaigns.requests(begin - self.start, end - self.start, self.start))
            yield pl.concat(now).sort("time", maintain_order=True)
            chunk += 1

    def _begin(self, chunk: int) -> int:
        return self.start + chunk * self.width

    def _rng(self, what: int, chunk: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, what, chunk + BEFORE])

    def _sessions(self, chunk: int, catalogue: Catalogue, visitors: Visitors) -> pl.DataFrame:
        rng = self._rng(1, chunk)
        starts = self._starts(rng, self._begin(chunk), self._begin(chunk + 1))
        return sessions(rng, catalogue, visitors, starts, self.longest)

    def _starts(self, rng: np.random.Generator, begin: int, end: int) -> Ints:
        """When sessions begin: at random, as often as the hour has them."""
        edges = np.append(np.arange(begin, end, BIN_US), end)
        factors = np.array([factor(int(edge)) if self.shaped else 1.0 for edge in edges[:-1]])
        people = HUMAN_SHARE - (self.attack_share if self.attacks else 0.0)
        mean = self.per_second * people / LINES_PER_SESSION * np.diff(edges) / 1_000_000 * factors
        many = rng.poisson(mean)
        inside = rng.random(int(many.sum())) * np.repeat(np.diff(edges), many)
        starts: Ints = np.repeat(edges[:-1], many) + inside.astype(np.int64)
        return starts


def factor(at: int) -> float:
    """How busy a moment (Unix time, µs) is against the week's mean."""
    when = datetime.fromtimestamp(at / 1_000_000, UTC)
    here, following = HOURS[when.hour], HOURS[(when.hour + 1) % 24]
    level = here + (following - here) * when.minute / 60
    return level / (sum(HOURS) / 24) * WEEKDAYS[when.weekday()]
