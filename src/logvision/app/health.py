"""State of the sources and of the engine, as the page and its live stream show it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from logvision.app.aside import aside
from logvision.app.problems import LOOK_S, PERIOD_S, Problems, Teller, checks
from logvision.app.pulse import LAG
from logvision.clock import Clock
from logvision.engines.embedded import Embedded
from logvision.lake.segments import Counts
from logvision.live.base import HEALTH, Live
from logvision.metrics import Metrics
from logvision.pipeline import Knowledge
from logvision.sources.base import Reader, SourceStatus


class Health:
    """Asks reader and engine; safe from any thread."""

    def __init__(
        self,
        reader: Reader,
        engine: Embedded,
        known: Knowledge,
        live: Live,
        clock: Clock,
        *,
        others: Problems | None = None,
        say: Callable[[str], None] | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        """`others`: further parts to ask. `say`: told when something goes wrong or is well again."""
        self._lag = (metrics or Metrics()).gauge(*LAG)
        self._reader = reader
        self._engine = engine
        self._known = known
        self._live = live
        self._clock = clock
        self._others = dict(others or {})
        self._teller = None if say is None else Teller(say)
        self._stop = threading.Event()
        self._rates: dict[str, float] = {}
        self._before: tuple[float, dict[str, int]] = (clock.monotonic(), {})

    def sources(self) -> list[Mapping[str, Any]]:
        """Rows of GET /api/sources, one per source."""
        formats = self._known.formats.known()
        counts = dict(self._engine.summary.sources)
        return [self._row(status, counts, formats) for status in self._reader.status()]

    def _row(
        self, status: SourceStatus, counts: Mapping[str, Counts], formats: Mapping[str, Sequence[Any]]
    ) -> Mapping[str, Any]:
        name = status.source
        count = counts.get(name, Counts())
        known = formats.get(name) or [(None, None, None)]
        return {
            "source": name,
            "kind": status.kind,
            "state": status.state,
            "detail": status.detail,
            "read_bytes": status.read_bytes,
            "size_bytes": status.size_bytes,
            "lag_bytes": status.lag_bytes,
            "last_read": None if status.last_read is None else datetime.fromtimestamp(status.last_read, UTC),
            "events": count.events,
            "rejects": count.rejects,
            "filtered": count.filtered,
            "late": count.late,
            "format": known[0][0],
            "confidence": known[0][1],
            "lines_per_second": self._rates.get(name),
        }

    def checks(self) -> list[Mapping[str, Any]]:
        """Rows of GET /api/health beyond the stores' own."""
        problem = self._engine.problem
        lost = self._lost()
        return [
            {"name": "engine", "ok": problem is None, "detail": problem or "reading and committing"},
            {
                "name": "sources",
                "ok": not lost,
                "detail": "; ".join(f"{name}: {detail}" for name, detail in lost.items()) or "all there",
            },
            *checks(self._others),
        ]

    def _lost(self) -> dict[str, str]:
        return {s.source: s.detail for s in self._reader.status() if s.state == "lost"}

    def speak(self) -> None:
        """Tell the operator what has gone wrong, or is well again, since the last time."""
        if self._teller is None:
            return
        wrong = self._lost()
        if self._engine.problem is not None:
            wrong["engine"] = self._engine.problem
        self._teller.tell(wrong)

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Publish `health` when a state changes, and every five seconds."""
        with aside("health", self._tell, self._stop):
            yield

    def _tell(self) -> None:
        told: object = None
        due = 0.0
        while not self._stop.wait(LOOK_S):
            states = [(s.source, s.state, s.detail) for s in self._reader.status()]
            states.append(("", self._engine.problem or "", ""))
            self.speak()
            now = self._clock.monotonic()
            if states == told and now < due:
                continue
            told, due = states, now + PERIOD_S
            self._measure(now)
            self._live.publish(HEALTH, {"sources": self.sources(), "checks": self.checks()})

    def _measure(self, now: float) -> None:
        """Lines that wait in each partition, and lines per second of each source since the last time."""
        waiting = {place: rows for s in self._reader.status() for place, rows in s.waiting_rows.items()}
        self._lag.set_each("partition", waiting)
        at, before = self._before
        reads = {name: counts.read for name, counts in list(self._engine.summary.sources.items())}
        if now - at >= 1.0:
            self._rates = {name: (read - before.get(name, read)) / (now - at) for name, read in reads.items()}
            self._before = (now, reads)
