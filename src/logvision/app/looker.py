"""Looking after stores that another process writes: what every `logvision serve` does beside answering."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from logvision.app.aside import aside
from logvision.casebook.base import Casebook
from logvision.casebook.base import Question as CaseQuestion
from logvision.clock import Clock
from logvision.errors import StoreError
from logvision.incident import Case, Status
from logvision.lake.segments import Lake
from logvision.live.base import EVENTS, HEALTH, INCIDENT, Live
from logvision.live.ticker import ROWS, documents

TICK_S: Final = 0.1
LOOK_S: Final = 0.5  # between two looks at the folder: a writer commits every two seconds
CASES: Final = 200  # newest incidents that are watched for changes
WARM_CASES: Final = 50  # newest incidents that a bus gets that forgot everything
FRESH_S: Final = 60.0  # a folder whose newest segment is younger has a writer, as far as one can see
SILENT_S: Final = 20.0  # an engine tells of itself every five seconds


class CasebookAwayError(Exception):
    """The casebook cannot be asked now: it has a check of its own, and the folder is not to blame."""


class Looker:
    """Sees what a writer commits to the lake. Safe from any thread but for `look`, which one thread calls."""

    def __init__(self, lake: Lake, casebook: Casebook, live: Live, clock: Clock) -> None:
        self._lake = lake
        self._casebook = casebook
        self._live = live
        self._clock = clock
        self._stop = threading.Event()
        self.problem: str | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Look twice a second until the block is left."""
        with aside("look", self._run, self._stop):
            yield

    def look(self) -> None:
        """One look at the stores. What cannot be read now is looked at again next time."""
        try:
            self._lake.refresh()
            with suppress(CasebookAwayError):
                self._seen()
            self.problem = None
        except StoreError as error:  # e.g. compaction took a file away between listing and reading
            self.problem = str(error)

    def sources(self) -> list[Mapping[str, Any]]:
        """Rows of GET /api/sources: what the newest segment says of each source."""
        resume = self._lake.resume()
        files = self._lake.catalogue.events
        written = files[-1].path.stat().st_mtime if files and files[-1].path.exists() else 0.0
        state = "following" if self._clock.now() - written < FRESH_S else "finished"
        return [
            {
                "source": name,
                "kind": "file",
                "state": state,
                "detail": "read by another process" if state == "following" else "",
                "read_bytes": counts.bytes,
                "last_read": datetime.fromtimestamp(written, UTC),
                "events": counts.events,
                "rejects": counts.rejects,
                "filtered": counts.filtered,
                "late": counts.late,
            }
            for name, counts in sorted(resume.counts.items())
        ]

    def checks(self) -> list[Mapping[str, Any]]:
        """Rows of GET /api/health beyond the stores' own."""
        return [{"name": "folder", "ok": self.problem is None, "detail": self.problem or "read as it grows"}]

    def _seen(self) -> None:
        """What follows from a look."""

    def _tick(self) -> None:
        """What is due more often than a look."""

    def _run(self) -> None:
        due = 0.0
        while not self._stop.wait(TICK_S):
            if self._clock.monotonic() >= due:
                due = self._clock.monotonic() + LOOK_S
                self.look()
            self._tick()

    def _newest(self, limit: int) -> Sequence[Case]:
        try:
            return self._casebook.cases(CaseQuestion(frozenset(Status)), limit).rows
        except StoreError as error:
            raise CasebookAwayError from error


class Onlooker(Looker):
    """One of many web processes: the engine itself tells their pages, over a bus that all of them share."""

    def __init__(self, lake: Lake, casebook: Casebook, live: Live, clock: Clock) -> None:
        super().__init__(lake, casebook, live, clock)
        self._heard: tuple[str, float] | None = None  # id of the engine's newest message, and when it came
        self._began = clock.monotonic()
        live.snapshot()  # which makes it listen

    def sources(self) -> list[Mapping[str, Any]]:
        told = self._told().get("sources")
        return told or super().sources()

    def checks(self) -> list[Mapping[str, Any]]:
        return [*super().checks(), *self._engine()]

    def _engine(self) -> list[Mapping[str, Any]]:
        """What the engine says of itself; nothing while the bus is lost, for then nobody knows."""
        if self._live.problem is not None:
            return []
        silent = self._clock.monotonic() - (self._began if self._heard is None else self._heard[1])
        if silent > SILENT_S:
            detail = f"no engine has told of itself for {silent:.0f} s"
            return [{"name": "engine", "ok": False, "detail": detail}]
        return [dict(row) for row in self._told().get("checks") or ()]

    def _told(self) -> Mapping[str, Any]:
        message = self._live.snapshot().get(HEALTH)
        return {} if message is None else dict(orjson.loads(message.data))

    def _seen(self) -> None:
        message = self._live.snapshot().get(HEALTH)
        if message is not None and (self._heard is None or self._heard[0] != message.id):
            self._heard = message.id, self._clock.monotonic()
        if self._live.is_cold():
            self._warm()

    def _warm(self) -> None:
        """Fill a bus that forgot everything: the newest rows from the lake, incidents from the casebook.

        Pages that were open have a gap and load anew from there; the counters of now come with the
        engine's next second.
        """
        files = self._lake.catalogue.events
        if files:
            newest = self._lake.events(files[-1])
            rows = documents(newest.slice(max(0, newest.num_rows - ROWS)))
            told = {"rows": rows, "total_new": len(rows), "sampled": False}
            self._live.publish(EVENTS, told)
        for case in reversed(self._newest(WARM_CASES)):
            self._live.publish(INCIDENT, case.to_dict())
