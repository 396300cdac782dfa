"""The embedded engine: one process, four threads, from a reader's batches to committed segments.

    read and parse ─► judge (the other steps of pipeline.STEPS) ─► fold (counts, windows, incidents, live)
        ─► commit (lake, casebook)

The channels between the threads are short, so a slow stage is felt by the source and nothing is
dropped. Facts and source positions commit together (see `lake.segments`); the casebook follows with
the sequence of the last segment it has seen, and what it missed in a crash is folded again at start.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pyarrow as pa

from logvision import pipeline
from logvision.casebook.base import Casebook
from logvision.clock import Clock
from logvision.engines.channel import Channel, Closed
from logvision.engines.commits import Commits
from logvision.engines.meters import Meters
from logvision.engines.pending import Flush, Judged, Pending
from logvision.engines.state import State
from logvision.engines.summary import Summary
from logvision.errors import SourceError
from logvision.incident import Incident
from logvision.lake.anonymise import Anonymiser
from logvision.lake.segments import Lake, Resume
from logvision.live.base import INCIDENT, Live
from logvision.live.ticker import Ticker
from logvision.metrics import Metrics
from logvision.schema import PARTIAL
from logvision.sources.base import Batch, Position, Reader
from logvision.windows.watermark import LATENESS_S, Watermark

READ_BYTES: Final = 6 << 20
"""Most that is read at once: large enough to share work between equal values, and judged in a tenth of a
second, for which somebody waits."""

HISTORY_BYTES: Final = 12 << 20
"""The same where nobody waits: a tenth of the time is saved. Beyond it little is, and memory grows by four
times a block."""

LATENESS: Final = timedelta(seconds=LATENESS_S)
"""Servers log a request when it ends: a minute is closed only when events are this much past it."""

LATELY: Final = timedelta(days=1)
"""A log whose newest event is younger is alive: its silence is measured by the clock."""

POLL_S: Final = 0.02  # pause when a source has nothing: well under what a person notices
RETRY_S: Final = 1.0  # pause before a lost neighbour is asked again
LEARNED_S: Final = 60.0  # what the pipeline learned is saved this often: losing a minute of it is no harm
STATES_S: Final = 30.0  # buckets and open incidents are saved this often; what is younger is folded again
TICK_S: Final = 0.1  # the live page is served at least this often, also when nothing comes


@dataclass(frozen=True, slots=True)
class Options:
    """How the engine runs."""

    flush_s: float = 2.0  # a segment is written when its first row is this old
    flush_rows: int = 32_768  # or when it has this many
    read_bytes: int = READ_BYTES
    patient: bool = True  # wait for a store that is lost; otherwise its error ends the run
    at_once: bool = True  # incidents are told batch by batch; otherwise segment by segment, at half the cost


@dataclass(slots=True)
class _Read:
    """Batches of one read, parsed: what other threads do in Python does not stop that."""

    parsed: pipeline.Flow | None
    log_bytes: dict[str, int]
    resume: dict[str, Position]
    formats: dict[str, Any]  # as this read left them

    def take(self) -> pipeline.Flow:
        """What is to be judged, once: it is not kept while it becomes something else."""
        parsed, self.parsed = self.parsed, None
        assert parsed is not None
        return parsed


OnIncident = Callable[[Incident], None]
"""Called with every incident each time it changes."""

OnBatch = Callable[[pa.Table, pa.Table], None]
"""Called in order with every batch of EVENT and REJECT rows, before they are committed."""


class Embedded:
    """Runs one reader to its end, or until it is stopped.

    Without a lake nothing is kept: `summary` and `on_batch` are then all there is.
    """

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
        on_incident: OnIncident | None = None,
        resume: Resume | None = None,
        metrics: Metrics | None = None,
        anonymiser: Anonymiser | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        """`resume`: where the lake stands; None: at the beginning. `stop`: as `stop()`, when set.

        `anonymiser`: applied before anything is counted, shown or kept.
        """
        self._reader = reader
        self._known = known
        self._state = state
        self._clock = clock
        self._lake = lake
        self._live = live
        self._ticker = ticker
        self._options = options or Options()
        self._on_batch = on_batch
        self._on_incident = on_incident
        resume = resume or Resume()
        self._positions: dict[str, Position] = dict(resume.positions)
        self._watermark = Watermark()
        self._watermark.restore(resume.state.get("watermark", {}))
        self._formats: dict[str, Any] = known.formats.snapshot()
        self._read: Channel[_Read] = Channel(1)
        self._judged: Channel[Judged] = Channel(1)
        self._flushes: Channel[Flush] = Channel(1)
        self._learned_due = clock.monotonic() + LEARNED_S
        self._states_due = clock.monotonic() + STATES_S
        self._anonymiser = anonymiser
        self._stop = stop or threading.Event()
        self._problems: dict[str, str] = {}  # by stage
        self._failure: BaseException | None = None
        self.summary = Summary(sources=dict(resume.counts))
        self._meters = Meters(metrics or Metrics())
        self._commits = (
            None
            if lake is None
            else Commits(reader, lake, casebook, self._meters, self._problems, self._gives_up)
        )
        self.seconds: dict[str, float] = {}  # wall seconds per pipeline step

    @property
    def problem(self) -> str | None:
        """Why nothing can be read or committed right now."""
        return "; ".join(self._problems.copy().values()) or None

    def stop(self) -> None:
        """Ask it to end: what was read so far is committed, then `run` returns. Any thread."""
        self._stop.set()

    def run(self) -> Summary:
        """Block until the source is finished or `stop` was called; raises what a thread raised."""
        steps = {"read": self._reading, "judge": self._judging, "commit": self._committing}
        threads = [
            threading.Thread(target=self._guarded, args=(step,), name=f"logvision-{name}", daemon=True)
            for name, step in steps.items()
        ]
        for thread in threads:
            thread.start()
        self._guarded(self._folding)
        for thread in threads:
            thread.join()
        if self._failure is not None:
            raise self._failure
        return self.summary

    def _guarded(self, step: Callable[[], None]) -> None:
        """Run one stage; what it raises ends all of them and is raised again by `run`."""
        try:
            step()
        except Closed:
            return
        except BaseException as error:
            self._failure = self._failure or error
            self._stop.set()
            for channel in (self._read, self._judged, self._flushes):
                channel.abort()

    def _reading(self) -> None:
        while not self._stop.is_set():
            self._read.room()  # what was read waits in one place only
            try:
                batches = self._reader.read(self._options.read_bytes)
            except SourceError as error:
                self._problems["read"] = str(error)
                self._stop.wait(RETRY_S)
                continue
            self._problems.pop("read", None)
            if batches:
                self._read.put(self._parsed(batches))
                del batches  # while the next are read, only the channel holds these
            elif self._reader.finished:
                break
            else:
                self._stop.wait(POLL_S)
        self._read.end()

    def _parsed(self, batches: Sequence[Batch]) -> _Read:
        records = pa.concat_tables([batch.records for batch in batches])
        log_bytes: dict[str, int] = {}
        for batch in batches:
            log_bytes[batch.source] = log_bytes.get(batch.source, 0) + batch.bytes
        flow = pipeline.begin(records, datetime.fromtimestamp(self._clock.now(), UTC))
        parsed = pipeline.through(pipeline.PARSING, flow, self._known, self.seconds)
        resume = {batch.source: batch.resume for batch in batches}
        return _Read(parsed, log_bytes, resume, self._known.formats.snapshot())

    def _judging(self) -> None:
        try:
            while True:
                read = self._read.get()
                if read is not None:
                    judged = self._judge(read)
                    self._judged.put(judged)
                    del judged
        except Closed:
            self._judged.end()

    def _judge(self, read: _Read) -> Judged:
        begun = self._clock.monotonic()
        flow = pipeline.through(pipeline.JUDGING, read.take(), self._known, self.seconds)
        flow = pipeline.learning(flow, self._known, self.seconds)
        self._meters.judged(self._clock.monotonic() - begun)
        events, rejects = flow.events, flow.rejects
        claims = None
        if self._anonymiser is not None:
            claims = self._state.behaviour.claims(events)
            events, rejects = self._anonymiser.events(events), self._anonymiser.rejects(rejects)
        learned: dict[str, bytes] = {}
        if self._lake is not None and self._clock.monotonic() >= self._learned_due:
            self._learned_due = self._clock.monotonic() + LEARNED_S
            learned = self._known.save()
        return Judged(events, rejects, read.log_bytes, read.resume, read.formats, learned, claims)

    def _folding(self) -> None:
        pending = Pending(self._clock.monotonic())
        try:
            while True:
                judged = self._judged.get(TICK_S)
                if judged is not None:
                    self._fold(judged, pending)
                    del judged
                if self._ticker is not None:
                    self._ticker.tick()
                if self._due(pending):
                    self._hand_over(pending)
                    pending = Pending(self._clock.monotonic())
        except Closed:
            if self._failure is None:
                self._states_due = 0.0
                self._hand_over(pending)
                if not pending.rows and self._lake is not None:
                    # Or the next start would fold again what came since the states were saved last.
                    self._flush(pending, PARTIAL.empty_table())
            self._flushes.end()

    def _fold(self, judged: Judged, pending: Pending) -> None:
        events, rejects = judged.events, judged.rejects
        now = self._clock.now()
        self.summary.add(events, rejects, judged.log_bytes, self._watermark.advance(events, now))
        self._meters.folded(events, rejects, now)
        if self._on_batch is not None:
            self._on_batch(events, rejects)
        self._positions.update(judged.resume)
        self._formats = judged.formats
        pending.add(judged, self._clock.monotonic(), keep=self._lake is not None)
        if self._options.at_once:
            self._relate(pending)
        if self._ticker is not None:
            self._ticker.add(events, rejects)

    def _relate(self, pending: Pending) -> None:
        """Join what waits to windows and incidents."""
        waiting = pending.take_waiting()
        if waiting is None:
            return
        events, claims = waiting
        changed = self._state.correlate(events, claims)
        self._meters.changed(changed, self._clock.now())
        if self._lake is not None:
            self._state.folder.add(events)
            self._lake.hot.append(events)
            pending.events.append(events)
            pending.change(changed)
        self._tell(changed)

    def _tell(self, changed: Sequence[Incident]) -> None:
        for incident in changed:
            if self._on_incident is not None:
                self._on_incident(incident)
            if self._live is not None:
                self._live.publish(INCIDENT, incident.to_dict())

    def _closed(self) -> datetime:
        """The time before which no event will come any more."""
        now = datetime.fromtimestamp(self._clock.now(), UTC)
        passed = self._watermark.passed() or now - LATENESS
        watched = self._ticker is not None and now - LATENESS - passed < LATELY
        caught_up = watched and not any(status.lag_bytes for status in self._reader.status())
        return now - LATENESS if caught_up else passed

    def _due(self, pending: Pending) -> bool:
        age = self._clock.monotonic() - pending.since
        return pending.rows >= self._options.flush_rows or (pending.rows > 0 and age >= self._options.flush_s)

    def _hand_over(self, pending: Pending) -> None:
        self._relate(pending)
        if self._lake is None or not pending.rows:
            return
        partials = self._state.folder.take()
        odd = self._state.measure(partials, self._closed())
        pending.change(odd)
        self._tell(odd)
        self._flush(pending, partials)

    def _flush(self, pending: Pending, partials: pa.Table) -> None:
        states: dict[str, bytes] = {}
        if self._clock.monotonic() >= self._states_due:
            self._states_due = self._clock.monotonic() + STATES_S
            states = self._state.save()
        self._flushes.put(
            Flush(
                pending.events,
                pending.rejected(),
                partials,
                dict(self._positions),
                dict(self.summary.sources),
                {"formats": self._formats, "watermark": self._watermark.snapshot()},
                list(pending.incidents.values()),
                {**states, **pending.learned},
                whole=bool(states),
            )
        )

    def _committing(self) -> None:
        while True:
            flush = self._flushes.get()
            if flush is not None:
                assert self._commits is not None  # nothing is handed over without a lake
                self._commits.commit(flush)
                del flush  # a segment is not kept while the next is waited for

    def _gives_up(self) -> bool:
        """Whether a lost store ends the run; otherwise it is some time later."""
        return not self._options.patient or self._failure is not None or self._stop.wait(RETRY_S)
