"""Turns judged batches into live messages: counts once a second, a sample of rows a few times a second."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from logvision.clock import Clock
from logvision.columns import distinct
from logvision.incident import iso
from logvision.live.base import EVENTS, NOW, Live

NOW_S: Final = 1.0
EVENTS_S: Final = 0.25
ROWS: Final = 50  # of one `events` message: what a person can see pass by


class Ticker:
    """Fed by the engine's fold thread; `tick` must be called several times a second.

    Rows become JSON only for the sample. The first rows of a batch are taken evenly over it, and
    attacks before ordinary requests, since those are what the page is opened for.
    """

    def __init__(self, live: Live, clock: Clock) -> None:
        self._live = live
        self._clock = clock
        self._now_at = clock.monotonic()
        self._events_at = clock.monotonic() - EVENTS_S
        self._second = dict.fromkeys(("requests", "attacks", "bytes", "success", "errors", "rejects"), 0)
        self._total = dict(self._second)
        self._sample: list[pa.Table] = []
        self._new = 0

    def add(self, events: pa.Table, rejects: pa.Table) -> None:
        """Count one batch of EVENT and REJECT rows."""
        self._add_counts(events, rejects)
        if events.num_rows:
            self._new += events.num_rows
            self._sample.append(_chosen(events, ROWS))
            if len(self._sample) > 8:
                self._sample = [_chosen(pa.concat_tables(self._sample), ROWS)]
        self.tick()

    def _add_counts(self, events: pa.Table, rejects: pa.Table) -> None:
        status = events.column("status")
        counts = {
            "requests": events.num_rows,
            "attacks": events.num_rows - events.column("attack").null_count,
            "bytes": pc.sum(events.column("bytes")).as_py() or 0,
            "success": pc.sum(pc.and_(pc.greater_equal(status, 200), pc.less(status, 400))).as_py() or 0,
            "errors": pc.sum(pc.greater_equal(status, 500)).as_py() or 0,
            "rejects": rejects.num_rows,
        }
        for name, value in counts.items():
            self._second[name] += value
            self._total[name] += value

    def tick(self) -> None:
        """Publish what is due."""
        at = self._clock.monotonic()
        if self._new and at - self._events_at >= EVENTS_S:
            self._publish_rows(at)
        if at - self._now_at >= NOW_S:
            self._publish_now(at)

    def _publish_rows(self, at: float) -> None:
        chosen = _chosen(pa.concat_tables(self._sample), ROWS)
        self._live.publish(
            EVENTS,
            {"rows": documents(chosen), "total_new": self._new, "sampled": self._new > chosen.num_rows},
        )
        self._sample, self._new, self._events_at = [], 0, at

    def _publish_now(self, at: float) -> None:
        elapsed = at - self._now_at
        totals = self._total
        self._live.publish(
            NOW,
            {
                "t": self._clock.now(),
                "rate": round(self._second["requests"] / elapsed, 2),
                **{k: self._second[k] for k in ("requests", "attacks", "bytes", "success", "errors")},
                "totals": {
                    **totals,
                    "other": totals["requests"] - totals["success"],
                },
            },
        )
        self._second = dict.fromkeys(self._second, 0)
        self._now_at = at


def _chosen(events: pa.Table, rows: int) -> pa.Table:
    """At most `rows` of them in their order: attacks first of all, the rest spread evenly."""
    if events.num_rows <= rows:
        return events
    _, codes = distinct(events, "attack")
    attacks = np.flatnonzero(codes >= 0)[-rows:]
    rest = np.linspace(0, events.num_rows - 1, rows - attacks.size, dtype=np.int64)
    return events.take(pa.array(np.union1d(attacks, rest)[:rows]))


def documents(events: pa.Table) -> list[dict[str, Any]]:
    """EVENT rows in the form of the web API; for a few rows, not for a batch."""
    rows: list[dict[str, Any]] = events.to_pylist()
    for row in rows:
        row["id"] = f"{row['source']}@{row['position']}"
        row["time"] = iso(row["time"])
        row["rules"] = row["rules"].split(" ") if row["rules"] else []
    return rows
