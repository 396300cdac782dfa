"""The driver's half: what a batch teaches, its counts and incidents, and the commit of all of it.

A batch is one segment of the lake. Its rename commits the facts, the last position of every source and the
batch's own name, so a batch that Spark runs again is known and left alone, and a line that a shipper sends
again stands no further than what is committed. The casebook follows: a restart folds again what it has not
seen, with what was learned at that moment, and comes to the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import pyarrow as pa

from logvision import pipeline
from logvision.casebook.base import Casebook
from logvision.clock import Clock
from logvision.columns import constant
from logvision.engines.embedded import RETRY_S
from logvision.engines.meters import Meters
from logvision.engines.spark.judging import Order, Part
from logvision.engines.state import State, in_order
from logvision.engines.summary import Summary
from logvision.errors import StoreError
from logvision.incident import Incident
from logvision.lake.anonymise import Anonymiser
from logvision.lake.catalogue import File
from logvision.lake.segments import Counts, Lake
from logvision.live.base import INCIDENT, Live
from logvision.live.ticker import Ticker
from logvision.metrics import Metrics
from logvision.schema import RECORD, REJECT
from logvision.windows.watermark import Watermark

R = TypeVar("R")

STATES_S: Final = 10.0
"""What was learned and is open is saved this often; what is younger is folded again after a restart."""

AGAIN: Final[pipeline.Steps] = [step for step in pipeline.LEARNING if step[0] != "site"]
"""What committed events teach once more; their verdicts stand."""

Tell = Callable[[Sequence[Incident]], None]
"""Sends changed incidents on, at least once each time they change. Raises StoreError: try again."""

OnIncidents = Callable[[Sequence[Incident]], None]


@dataclass(frozen=True, slots=True)
class Places:
    """Where the driver keeps things."""

    lake: Lake
    casebook: Casebook
    live: Live | None = None
    ticker: Ticker | None = None
    tell: Tell | None = None


class Fold:
    """Takes judged batches in order; used by one thread, but for `tick` and `problem`."""

    def __init__(
        self,
        places: Places,
        known: pipeline.Knowledge,
        state: State,
        *,
        clock: Clock,
        pins: Mapping[str, str] | None = None,
        metrics: Metrics | None = None,
        anonymiser: Anonymiser | None = None,
        stop: threading.Event | None = None,
        patient: bool = True,
        states_s: float = STATES_S,
        on_incidents: OnIncidents | None = None,
    ) -> None:
        """`pins`: formats that are told, as in the settings. `patient`: as in `embedded.Options`."""
        self._places = places
        self.known = known
        self._state = state
        self._clock = clock
        self._pins = dict(pins or {})
        self._anonymiser = anonymiser
        self._stop = stop or threading.Event()
        self._patient = patient
        self._states_s = states_s
        self._states_due = clock.monotonic() + states_s
        self._on_incidents = on_incidents
        self._ticking = threading.Lock()
        self._paces: dict[str, dict[str, Sequence[int]]] = {}
        self._batch = ""
        self._unsaved = False
        self._torn = False  # a batch was begun and is not kept whole
        metrics = metrics or Metrics()
        self._meters = Meters(metrics)
        self._repeats = metrics.counter(
            "logvision_read_repeats_rows_total", "Lines that came before and were counted then"
        )
        self.summary = Summary()
        self._watermark = Watermark()
        self.problem: str | None = None  # why nothing can be committed right now

    def take_up(self) -> None:
        """Go on where the newest segment stands, and fold what the casebook has not seen."""
        lake, casebook = self._places.lake, self._places.casebook
        resume = lake.resume()
        self._paces = {source: dict(paces) for source, paces in resume.positions.items()}
        self._batch = resume.state.get("batch", "")
        self.known.formats.restore(resume.state.get("formats", {}))
        self.summary = Summary(sources=dict(resume.counts))
        self._watermark.restore(resume.state.get("watermark", {}))
        restored = self._state.restore(casebook.load_state)
        self.known.restore(casebook.load_state)
        cursor = casebook.cursor() if restored else None
        seen = -1 if cursor is None else int(cursor["sequence"])
        for file in lake.catalogue.events:
            if file.last is not None and file.last > seen:
                self._again(file)

    def _again(self, file: File) -> None:
        """Fold a committed segment that the casebook has not seen."""
        events = in_order(self._places.lake.events(file))
        watermark = Watermark()
        watermark.restore(file.metadata.get("state", {}).get("watermark", {}))
        claims = constant(None, events.num_rows) if self._anonymiser else None
        pipeline.through(AGAIN, _flow(events.drop_columns(["route", "kind"])), self.known)
        changed, _ = self._folded(events, claims, watermark.passed())
        self._insist(lambda: self._tell(changed))
        assert file.last is not None  # `take_up` takes no other
        sequence = file.last
        self._insist(lambda: self._keep(changed, sequence, whole=True))

    def seen(self, batch: str) -> bool:
        """Whether this batch is committed already; batches come in order."""
        return batch == self._batch

    def order(self) -> Order:
        """What the tasks of the next batch are told."""
        read_at = datetime.fromtimestamp(self._clock.now(), UTC)
        return Order(read_at, self._paces, self.known.formats.snapshot(), self._pins)

    def batch(self, name: str, parts: Sequence[Part]) -> None:
        """Learn from one batch, fold it and commit it.

        `name`: the same when it is run again. Raises StoreError when a store is lost and it is not patient,
        or was stopped: then nothing may follow.
        """
        self._torn = True
        for part in parts:
            self._repeats.add(part.repeats)
            self.known.formats.restore(part.formats)
            for source, paces in part.paces.items():
                self._paces.setdefault(source, {}).update(paces)
        rejects = in_order(pa.concat_tables([part.rejects for part in parts] or [REJECT.empty_table()]))
        some = [part.events for part in parts if part.events.num_rows]
        if not some and not rejects.num_rows:
            self._torn = False
            return
        judged = in_order(pa.concat_tables(some or [part.events for part in parts]))
        events = pipeline.learning(_flow(judged), self.known).events
        claims = None
        if self._anonymiser is not None:
            claims = self._state.behaviour.claims(events)
            events, rejects = self._anonymiser.events(events), self._anonymiser.rejects(rejects)
        log_bytes: dict[str, int] = {}
        for part in parts:
            for source, size in part.log_bytes.items():
                log_bytes[source] = log_bytes.get(source, 0) + size
        now = self._clock.now()
        self.summary.add(events, rejects, log_bytes, self._watermark.advance(events, now))
        changed, partials = self._folded(events, claims, self._watermark.passed())
        self._meters.folded(events, rejects, now)
        self._meters.changed(changed, self._clock.now())
        segment = self._insist(
            lambda: self._places.lake.commit(
                [events], rejects, partials, self._paces, self.summary.sources, self._said(name)
            )
        )
        self._batch = name
        self._meters.committed(segment)
        self._show(events, rejects, changed)
        self._insist(lambda: self._tell(changed))
        whole = self._clock.monotonic() >= self._states_due
        self._insist(lambda: self._keep(changed, segment.sequence, whole=whole))
        self._torn = False

    def counts(self) -> dict[str, Counts]:
        """What became of the lines of each source; any thread."""
        return self.summary.sources.copy()

    def save(self) -> None:
        """Keep what was learned and is open now, so that a restart folds nothing again.

        After a batch that ended in the middle nothing is kept: the restart folds it again.
        """
        if self._unsaved and not self._torn:
            self._insist(lambda: self._keep((), self._places.lake.catalogue.newest, whole=True))

    def tick(self) -> None:
        """Serve the live page, several times a second; any thread."""
        if self._places.ticker is not None:
            with self._ticking:
                self._places.ticker.tick()

    def _said(self, name: str) -> dict[str, Any]:
        return {
            "formats": self.known.formats.snapshot(),
            "watermark": self._watermark.snapshot(),
            "batch": name,
        }

    def _folded(
        self, events: pa.Table, claims: pa.DictionaryArray | None, passed: datetime | None
    ) -> tuple[list[Incident], pa.Table]:
        """Incidents that these events changed, and their PARTIAL rows."""
        found = list(self._state.correlate(events, claims))
        self._state.folder.add(events)
        partials = self._state.folder.take()
        if passed is not None:
            found += self._state.measure(partials, passed)
        if self._on_incidents is not None:
            self._on_incidents(found)
        return list({incident.id: incident for incident in found}.values()), partials

    def _show(self, events: pa.Table, rejects: pa.Table, changed: Sequence[Incident]) -> None:
        if self._places.ticker is not None:
            with self._ticking:
                self._places.ticker.add(events, rejects)
        if self._places.live is not None:
            for incident in changed:
                self._places.live.publish(INCIDENT, incident.to_dict())

    def _tell(self, changed: Sequence[Incident]) -> None:
        if self._places.tell is not None and changed:
            self._places.tell(changed)

    def _keep(self, changed: Sequence[Incident], sequence: int, *, whole: bool) -> None:
        states = {**self._state.save(), **self.known.save()} if whole else None
        self._places.casebook.apply(changed, states, {"sequence": sequence} if whole else None)
        self._unsaved = not whole
        if whole:
            self._states_due = self._clock.monotonic() + self._states_s

    def _insist(self, write: Callable[[], R]) -> R:
        """Try until the store takes it; nothing is read meanwhile, so nothing is lost."""
        while True:
            try:
                result = write()
            except StoreError as error:
                self.problem = str(error)
                if not self._patient or self._stop.wait(RETRY_S):
                    raise
            else:
                self.problem = None
                return result


def _flow(judged: pa.Table) -> pipeline.Flow:
    """What the executors said, or what is committed, on its way through steps that learn."""
    return pipeline.Flow(RECORD.empty_table(), datetime.now(UTC), judged, REJECT.empty_table())
