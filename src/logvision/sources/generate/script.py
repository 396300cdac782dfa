"""The paper on which a campaign writes its requests, and how the sites answer what they lack."""

# ruff: noqa: E501 (a user agent is long)

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from logvision.schema import Attack, Outcome, Stage
from logvision.sources.generate.catalogue import Catalogue
from logvision.sources.generate.rows import SCHEMA
from logvision.sources.generate.site import Site

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/154.0.0.0 Safari/537.36"
BLOCKED_SIZE = 146


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server gave: status, size in B, duration in µs."""

    status: int
    size: int
    took: int

    def with_size(self, size: int) -> Answer:
        """The same with another size."""
        return Answer(self.status, size, self.took)

    def with_form(self, size: int) -> Answer:
        """The page with the form once more instead of a redirect."""
        return Answer(200, size, self.took)

    def later(self, seconds: float) -> Answer:
        """The same after a delay, e.g. that of a `sleep(5)` which the database obeyed."""
        return Answer(self.status, self.size, self.took + round(seconds * 1_000_000))


@dataclass
class Script:
    """One campaign while it is written. `at` is its own clock, µs since the run began."""

    name: str
    rng: np.random.Generator
    catalogue: Catalogue
    at: int
    lines: int  # how many requests it has to spend, about
    seconds: float  # how long it may take, about
    actor: str = ""  # an address, a /24, or "many"
    rows: list[tuple[Any, ...]] = field(default_factory=list)

    def site(self, *names: str) -> Site:
        """One of these sites, or any that the run has if it has none of them."""
        found = [site for site in self.catalogue.sites if site.name in names] or list(self.catalogue.sites)
        return found[int(self.rng.integers(len(found)))]

    def wait(self, seconds: float, jitter: float = 0.6) -> None:
        """Let time go by, more or less."""
        self.at += round(seconds * 1_000_000 * float(self.rng.uniform(1 - jitter, 1 + jitter)))

    def chance(self, share: float) -> bool:
        """True that often."""
        return bool(self.rng.random() < share)

    def pick(self, choices: Any) -> Any:
        """One of a sequence."""
        return choices[int(self.rng.integers(len(choices)))]

    def deal(self, choices: Any, count: int) -> list[Any]:
        """`count` of a sequence in random order, each once before any comes twice."""
        dealt: list[Any] = []
        while len(dealt) < count:
            dealt += [choices[int(n)] for n in self.rng.permutation(len(choices))]
        return dealt[:count]

    def usual(self, site: Site, pool: str) -> Answer:
        """How a page of that pool is answered in a sound request."""
        kind = site.pool(pool)
        swing = 0 if kind.steady else int(self.rng.integers(-40, 41))
        return Answer(kind.status, max(0, kind.size + swing), self._us(kind.ms))

    def missing(self, site: Site) -> Answer:
        """How the site answers for what it does not have."""
        lack = site.missing
        return Answer(lack.status, lack.size + int(self.rng.integers(0, lack.swing + 1)), self._us(lack.ms))

    def blocked(self) -> Answer:
        """A firewall's refusal."""
        return Answer(403, BLOCKED_SIZE, self._us(0.4))

    def failed(self) -> Answer:
        """The application fell over."""
        return Answer(500, 1_187, self._us(70))

    def _us(self, ms: float) -> int:
        return max(100, round(ms * 1000 * float(np.exp(self.rng.normal(0, 0.3)))))

    def send(
        self,
        site: Site,
        target: str,
        answer: Answer,
        *,
        client: str = "",
        agent: str = CHROME,
        method: str = "GET",
        referer: str = "-",
        user: str = "-",
        protocol: str = "HTTP/1.1",
        attack: Attack | None = None,
        outcome: Outcome | None = None,
        stage: Stage = Stage.EXPLOIT,
    ) -> None:
        """Write one request down. Without `attack` it is ordinary in itself (a look around, a control)."""
        self.rows.append(
            (
                self.at, site.host, client or self.actor, user, method, target, protocol, answer.status,
                0 if method == "HEAD" else answer.size, referer, agent, answer.took,
                attack, self.name, outcome if attack else None, stage if attack else None, self.actor,
            )
        )  # fmt: skip

    def frame(self, start: int) -> pl.DataFrame:
        """ROWS of the campaign by time; `start` is the Unix time of the run's beginning in µs."""
        frame = pl.DataFrame(self.rows, schema=SCHEMA, orient="row", infer_schema_length=None)
        return frame.with_columns(pl.col("time") + start).sort("time", maintain_order=True)
