"""The embedded engine: one process, four threads, from a reader's batches to committed segments.

    read ─► judge (pipeline.STEPS) ─► fold (counts, windows, incidents, live) ─► commit (lake, casebook)

Queues between the threads are short, so a slow stage is felt by the source and nothing is dropped.
Facts and source positions commit together (see `lake.segments`); the casebook follows with a cursor
of the segment it has seen, and what it misses after a crash is folded again at start.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import pyarrow as pa

from logvision import pipeline
from logvision.casebook.base import Casebook
from logvision.clock import Clock
from logvision.detect.behaviour import Behaviour
from logvision.detect.correlate import Correlator, alerts_of
from logvision.engines.summary import Summary
from logvision.errors import SourceError, StoreError
from logvision.incident import Incident
from logvision.lake.segments import Lake
from logvision.live.base import HEALTH, INCIDENT, Live
from logvision.live.ticker import Ticker
from logvision.sources.base import Batch, Position, Reader
from logvision.windows.partials import Folder

READ_BYTES: Final = 8 << 20  # a block of history: large enough to share work, small enough for memory
POLL_S: Final = 0.02  # pause when a source has nothing: well under the latency a reader notices
RETRY_S: Final = 1.0  # pause before a lost neighbour is asked again
HEALTH_S: Final = 5.0


@dataclass(slots=True)
class State:
    """What folding keeps between batches. Saved with the casebook, so that a restart goes on."""

    folder: Folder
    behaviour: Behaviour
    correlator: Correlator


@dataclass(slots=True)
class Options:
    """How the engine runs."""

    flush_s: float = 2.0  # a segment is written when it is this old
    flush_rows: int = 262_144  # or this large
    read_bytes: int = READ_BYTES


@dataclass(frozen=True, slots=True)
class _Judged:
    """One batch after the pipeline."""

    events: pa.Table
    rejects: pa.Table
    log_bytes: dict[str, int]
    resume: dict[str, Position]
    formats: dict[str, Any]  # state of format detection after this batch


@dataclass(slots=True)
class _Pending:
    """What the next segment will hold."""

    events: list[pa.Table] = field(default_factory=list)
    rejects: list[pa.Table] = field(default_factory=list)
    rows: int = 0
    since: float = 0.0
    incidents: dict[str, Incident] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Flush:
    events: list[pa.Table]
    rejects: list[pa.Table]
    partials: pa.Table
    positions: dict[str, Position]
    counts: dict[str, dict[str, int]]
    formats: dict[str, Any]
    incidents: list[Incident]
    states: dict[str, bytes]


OnBatch = Callable[[pa.Table, pa.Table], None]
"""Called with every batch of EVENT and REJECT rows, in order, before they are committed."""


class Embedded:
    """Runs one reader to its end, or until it is stopped. Stores may be None: then nothing is kept."""

    def __init__(
        self,
        reader: Reader,
        known: pipeline.Knowledge,
        state: State,
        *,
        clock: Clock,
        lake: Lake | None = None,
        casebook: Casebook | None = None,
        live: Live | None = None,
        ticker: Ticker | None = None,
        options: Options | None = None,
        on_batch: OnBatch | None = None,
        positions: Mapping[str, Position] | None = None,
        summary: Summary | None = None,
    ) -> None:
        self._reader = reader
        self._known = known
        self._state = state
        self._clock = clock
        self._lake = lake
        self._casebook = casebook
        self._live = live
        self._ticker = ticker
        self._options = options or Options()
        self._on_batch = on_batch
        self._positions: dict[str, Position] = dict(positions or {})
        self._formats: dict[str, Any] = known.formats.snapshot()
        self.summary = summary or Summary()
        self.seconds: dict[str, float] = {}
        self.incidents = 0
        self._stop = threading.Event()
        self._read: queue.Queue[list[Batch] | None] = queue.Queue(2)
        self._judged: queue.Queue[_Judged | None] = queue.Queue(2)
        self._flushes: queue.Queue[_Flush | None] = queue.Queue(1)
        self._failure: BaseException | None = None
        self._health_due = 0.0
        self.store_problem: str | None = None

    def stop(self) -> None:
        """Ask it to end: what was read so far is committed, then `run` returns. Any thread."""
        self._stop.set()

    def run(self) -> Summary:
        """Block until the source is finished or `stop` was called; raises what a thread raised."""
        threads = [
            threading.Thread(target=self._guard, args=(step,), name=name, daemon=True)
            for name, step in (("read", self._reading), ("judge", self._judging), ("commit", self._committing))
        ]
        for thread in threads:
            thread.start()
        try:
            self._folding()
        except BaseException as error:
            self._fail(error)
        for thread in threads:
            thread.join()
        if self._failure is not None:
            raise self._failure
        return self.summary

    def _guard(self, step: Callable[[], None]) -> None:
        try:
            step()
        except BaseException as error:  # handed to run(), which raises it
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error
        self._stop.set()
        for waiting in (self._read, self._judged, self._flushes):
            _drain(waiting)
            waiting.put(None)

    def _reading(self) -> None:
        while not self._stop.is_set():
            try:
                batches = self._reader.read(self._options.read_bytes)
            except SourceError:
                self._stop.wait(RETRY_S)
                continue
            if batches:
                self._read.put(batches)
            elif self._reader.finished:
                break
            else:
                self._stop.wait(POLL_S)
        self._read.put(None)

    def _judging(self) -> None:
        while (batches := self._read.get()) is not None:
            records = _joined([batch.records for batch in batches])
            read_at = datetime.fromtimestamp(self._clock.now(), UTC)
            flow = pipeline.run(records, read_at, self._known, self.seconds)
            self._judged.put(
                _Judged(
                    flow.events,
                    flow.rejects,
                    _bytes_by_source(batches),
                    {batch.source: batch.resume for batch in batches},
                    self._known.formats.snapshot(),
                )
            )
        self._judged.put(None)

    def _folding(self) -> None:
        pending = _Pending(since=self._clock.monotonic())
        while True:
            try:
                judged = self._judged.get(timeout=self._patience(pending))
            except queue.Empty:
                judged = _NOTHING
            if judged is None:
                break
            if judged is not _NOTHING:
                self._fold(judged, pending)
            if self._ticker is not None:
                self._ticker.tick()
            self._tell_health()
            if self._due(pending):
                self._hand_over(pending)
                pending = _Pending(since=self._clock.monotonic())
        if self._failure is None:
            self._hand_over(pending)
        self._flushes.put(None)

    def _patience(self, pending: _Pending) -> float:
        age = self._clock.monotonic() - pending.since
        return min(0.2, max(0.01, self._options.flush_s - age))

    def _due(self, pending: _Pending) -> bool:
        old = self._clock.monotonic() - pending.since >= self._options.flush_s
        return pending.rows >= self._options.flush_rows or (old and pending.rows > 0)

    def _fold(self, judged: _Judged, pending: _Pending) -> None:
        events, rejects = judged.events, judged.rejects
        self.summary.add(events, rejects, judged.log_bytes)
        if self._on_batch is not None:
            self._on_batch(events, rejects)
        changed = self._correlate(events)
        self._positions.update(judged.resume)
        self._formats = judged.formats
        if self._lake is not None:
            self._state.folder.add(events)
            self._lake.hot.append(events, rejects)
            pending.events.append(events)
            pending.rejects.append(rejects)
        pending.rows += events.num_rows + rejects.num_rows
        pending.incidents.update({incident.id: incident for incident in changed})
        if self._ticker is not None:
            self._ticker.add(events, rejects)
        if self._live is not None:
            for incident in changed:
                self._live.publish(INCIDENT, incident.to_dict())

    def _correlate(self, events: pa.Table) -> Sequence[Incident]:
        found = pa.concat_tables([alerts_of(events), self._state.behaviour.step(events)])
        return self._state.correlator.step(found, events)

    def _hand_over(self, pending: _Pending) -> None:
        if self._lake is None or not pending.rows:
            return
        self._flushes.put(
            _Flush(
                pending.events,
                pending.rejects,
                self._state.folder.take(),
                dict(self._positions),
                {name: counts.to_dict() for name, counts in self.summary.sources.items()},
                self._formats,
                list(pending.incidents.values()),
                self._states(),
            )
        )

    def _states(self) -> dict[str, bytes]:
        return {"behaviour": self._state.behaviour.snapshot(), "correlator": self._state.correlator.snapshot()}

    def _committing(self) -> None:
        while (flush := self._flushes.get()) is not None:
            self._persist(lambda flush=flush: self._commit(flush))

    def _commit(self, flush: _Flush) -> None: ...

    def _persist(self, write: Callable[[], None]) -> None:
        """Try until the store takes it: positions do not move on, so nothing is lost meanwhile."""
        while True:
            try:
                write()
                self.store_problem = None
                return
            except StoreError as error:
                self.store_problem = str(error)
                if self._failure is not None:
                    return
                threading.Event().wait(RETRY_S)

    def _tell_health(self) -> None: ...


def _joined(tables: Sequence[pa.Table]) -> pa.Table:
    return tables[0] if len(tables) == 1 else pa.concat_tables(tables)


def _bytes_by_source(batches: Sequence[Batch]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for batch in batches:
        sizes[batch.source] = sizes.get(batch.source, 0) + batch.bytes
    return sizes


def _drain(waiting: queue.Queue[Any]) -> None:
    while True:
        try:
            waiting.get_nowait()
        except queue.Empty:
            return
