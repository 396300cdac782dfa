"""What the engine counts for Prometheus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from logvision.incident import Incident
from logvision.lake.segments import Segment
from logvision.metrics import Metrics

BOUNDS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)  # s
LATELY_S: Final = 3_600.0


class Meters:
    """The engine's counters and gauges. `GET /metrics` of the page gives them."""

    def __init__(self, metrics: Metrics) -> None:
        self._events = metrics.counter("logvision_fold_events_rows_total", "Lines that became events")
        self._rejects = metrics.counter("logvision_fold_rejects_rows_total", "Lines that did not, by reason")
        self._attacks = metrics.counter(
            "logvision_fold_attacks_rows_total", "Events judged attacks, by class"
        )
        self._changes = metrics.counter(
            "logvision_correlate_incident_changes_total", "Times an incident came or changed"
        )
        self._segments = metrics.counter("logvision_commit_segments_total", "Segments committed")
        self._bytes = metrics.counter("logvision_commit_written_bytes_total", "Bytes of committed segments")
        self._lag = metrics.gauge("logvision_fold_event_lag_seconds", "Now less the newest event's time")
        self._batch = metrics.histogram("logvision_judge_batch_seconds", "What judging a batch took", BOUNDS)
        self._delay = metrics.histogram(
            "logvision_correlate_incident_delay_seconds",
            "From an event to the incident that it is part of",
            BOUNDS,
        )

    def judged(self, seconds: float) -> None:
        """One batch went through the pipeline."""
        self._batch.observe(seconds)

    def folded(self, events: pa.Table, rejects: pa.Table, now: float) -> None:
        """One batch went through."""
        self._events.add(events.num_rows)
        for reason in pc.value_counts(rejects.column("reason").cast(pa.string())).to_pylist():
            self._rejects.add(reason["counts"], reason=reason["values"])
        for attack in pc.value_counts(events.column("attack").cast(pa.string()).drop_null()).to_pylist():
            self._attacks.add(attack["counts"], attack=attack["values"])
        if events.num_rows:
            newest = pc.max(events.column("time")).as_py()
            self._lag.set(round(now - newest.timestamp(), 3))

    def changed(self, incidents: Sequence[Incident], now: float) -> None:
        """These came or changed."""
        self._changes.add(len(incidents))
        for incident in incidents:
            delay = now - incident.last_seen.timestamp()
            if delay < LATELY_S:  # of history it says nothing
                self._delay.observe(max(0.0, delay))

    def committed(self, segment: Segment) -> None:
        """One segment stands."""
        self._segments.add()
        self._bytes.add(segment.size)
