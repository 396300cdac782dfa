"""Which attack comes when: a deck of campaigns, spaced so that attacks keep their share of the lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from logvision.sources.generate import intrusions, sweeps
from logvision.sources.generate.catalogue import Catalogue
from logvision.sources.generate.rows import empty
from logvision.sources.generate.script import Script


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of campaign: who writes it, its requests and seconds on a quiet and on a busy server."""

    name: str
    write: Callable[[Script], None]
    lines: tuple[int, int]
    seconds: tuple[float, float]


KINDS = (
    Kind("sqli-by-hand", intrusions.sqli_by_hand, (14, 30), (40, 300)),
    Kind("traversal", intrusions.traversal, (12, 40), (25, 120)),
    Kind("log4shell", intrusions.log4shell, (8, 30), (20, 90)),
    Kind("webshell", intrusions.webshell, (12, 25), (30, 400)),
    Kind("directory-scan", sweeps.directory_scan, (60, 900), (30, 240)),
    Kind("sqlmap", intrusions.sqli_by_tool, (60, 400), (40, 200)),
    Kind("login-brute-force", sweeps.brute_force, (60, 500), (50, 400)),
    Kind("xss", intrusions.xss, (12, 40), (40, 240)),
    Kind("command-injection", intrusions.command_injection, (10, 30), (30, 200)),
    Kind("wordpress-probing", sweeps.wordpress, (40, 200), (30, 150)),
    Kind("credential-stuffing", sweeps.stuffing, (80, 800), (120, 900)),
    Kind("ssrf", intrusions.ssrf, (8, 24), (40, 200)),
    Kind("template-injection", intrusions.template_injection, (8, 24), (40, 200)),
    Kind("fake-googlebot", sweeps.fake_googlebot, (60, 300), (60, 300)),
    Kind("flood", sweeps.flood, (200, 4_000), (12, 40)),
    Kind("vulnerability-scan", sweeps.vulnerability_scan, (50, 600), (30, 200)),
    Kind("distributed-probing", sweeps.distributed, (60, 400), (200, 1_800)),
    Kind("slow-scan", sweeps.slow_scan, (40, 120), (7_200, 90_000)),
    Kind("odd-protocol", sweeps.odd_protocol, (6, 20), (20, 200)),
)
OVERTURE = (
    ("sqli-by-hand", 3),
    ("traversal", 11),
    ("log4shell", 22),
    ("webshell", 28),
    ("directory-scan", 36),
)
"""What an onlooker sees within the first minute, and after how many seconds."""
BUSY_PER_SECOND = 300.0


@dataclass(frozen=True, slots=True)
class Plan:
    """One campaign before it is written. Times in µs since the run began."""

    index: int
    kind: Kind
    begin: int
    lines: int
    seconds: float

    @property
    def until(self) -> int:
        """A time when it is surely over."""
        return self.begin + round(self.seconds * 4_000_000) + 600_000_000


def plans(seed: int, per_second: float, share: float) -> Iterator[Plan]:
    """Campaigns in order of their begin, without end: every kind once, shuffled, then again."""
    rng = np.random.default_rng([seed, 3])
    scale = min(1.0, per_second / BUSY_PER_SECOND)
    by_name = {kind.name: kind for kind in KINDS}
    index, at = 0, 0.0
    for name, second in OVERTURE:
        kind = by_name[name]
        yield Plan(index, kind, second * 1_000_000, kind.lines[0], kind.seconds[0])
        index += 1
        at = max(at, second + kind.lines[0] / (per_second * share))
    while True:
        for place in rng.permutation(len(KINDS)):
            kind = KINDS[int(place)]
            lines, seconds = (
                low + (high - low) * scale * float(rng.uniform(0.5, 1.0))
                for low, high in (kind.lines, kind.seconds)
            )
            yield Plan(index, kind, round(at * 1_000_000), round(lines), seconds)
            index += 1
            at += lines / (per_second * share) * float(rng.uniform(0.7, 1.3))


class Campaigns:
    """The campaigns of a run, asked for window by window."""

    def __init__(self, seed: int, catalogue: Catalogue, per_second: float, share: float) -> None:
        self._seed, self._catalogue = seed, catalogue
        self._plans = plans(seed, per_second, share)
        self._next = next(self._plans)
        self._running: list[pl.DataFrame] = []

    def requests(self, begin: int, end: int, start: int) -> pl.DataFrame:
        """Rows in [begin, end) µs since the run began at Unix time `start` (µs). Windows must not go back."""
        while self._next.begin < end:
            if self._next.until > begin:
                self._running.append(write(self._next, self._seed, self._catalogue).frame(start))
            self._next = next(self._plans)
        found, running = [empty()], []
        for rows in self._running:
            times = rows["time"]
            found.append(rows.filter((times >= begin + start) & (times < end + start)))
            if len(times) and times[-1] >= end + start:
                running.append(rows)
        self._running = running
        return pl.concat(found)


def write(plan: Plan, seed: int, catalogue: Catalogue) -> Script:
    """All requests of one campaign; the same for the same plan and seed."""
    script = Script(
        name=f"{plan.kind.name}-{plan.index}",
        rng=np.random.default_rng([seed, 4, plan.index]),
        catalogue=catalogue,
        at=plan.begin,
        lines=plan.lines,
        seconds=plan.seconds,
    )
    plan.kind.write(script)
    return script
