"""Serving: the page over a data folder that another process writes, or that is finished."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import pyarrow as pa

from logvision.app import parts
from logvision.app.access import protected
from logvision.app.explaining import Explainer
from logvision.app.silenced import without
from logvision.app.stores import open_stores
from logvision.app.watching import Announce, address, explained, listening, on_signals, serving
from logvision.casebook.base import Casebook
from logvision.casebook.base import Question as CaseQuestion
from logvision.clock import Clock, SystemClock
from logvision.config import Settings
from logvision.enrich.network import Networks
from logvision.errors import StoreError
from logvision.incident import Status
from logvision.lake import storage
from logvision.lake.catalogue import File
from logvision.lake.segments import Lake
from logvision.live.base import HEALTH, INCIDENT, Live
from logvision.live.memory import MemoryLive
from logvision.live.ticker import Ticker
from logvision.schema import REJECT
from logvision.web.app import create_app
from logvision.web.services import Hooks, WebOptions

LOOK_S: Final = 0.5  # between two looks at the folder: a writer commits every two seconds
TICK_S: Final = 0.1
HEALTH_S: Final = 5.0
CASES: Final = 200  # newest incidents that are watched for changes
FRESH_S: Final = 60.0  # a folder whose newest segment is younger has a writer, as far as one can see


def serve(settings: Settings, announce: Announce) -> None:
    """Run until a signal comes. Raises SetupError when there is no data folder, or the port is taken.

    The lake is only read; decisions about incidents go to the casebook, which the writer shares.
    """
    stop = threading.Event()
    clock = SystemClock()
    with ExitStack() as stack:
        stack.enter_context(on_signals(stop.set, signal.SIGINT, signal.SIGTERM))
        listener = stack.enter_context(listening(settings.web))
        stores = stack.enter_context(open_stores(settings.lake.folder, writer=False))
        web, password = protected(settings.web, settings.lake.folder)
        live = MemoryLive()
        stack.callback(live.close)
        follower = Follower(stores.lake, stores.casebook, live, clock)
        networks = Networks.open(settings.network.country_db, settings.network.asn_db)
        options = WebOptions(
            host=web.host,
            password_hash=web.password_hash,
            allowed_hosts=web.allowed_hosts,
            attributions=tuple(networks.attribution()),
        )
        explainer = _explainer(settings, stores.casebook)
        hooks = Hooks(
            sources=follower.sources,
            explain=lambda line: explainer().explain(line),
            explain_event=lambda found: explained(explainer(), found),
            silenced=lambda exception: without(stores, exception, explainer().detector),
            checks=follower.checks,
        )
        app = create_app(stores.lake, stores.casebook, live, options, hooks=hooks)
        stack.enter_context(serving(app, listener))
        announce(address(web, listener), password)
        with follower.running():
            while not stop.wait(TICK_S):
                pass


class Follower:
    """Tells the live bus what a writer elsewhere commits: rows, counts, changed incidents."""

    def __init__(self, lake: Lake, casebook: Casebook, live: Live, clock: Clock) -> None:
        """What the folder holds now counts as told."""
        self._lake = lake
        self._casebook = casebook
        self._live = live
        self._clock = clock
        self._ticker = Ticker(live, clock)
        self._stop = threading.Event()
        self._told = lake.catalogue.newest
        self._revisions = {case.incident.id: case.revision for case in self._newest()}
        self._health_at = clock.monotonic()
        self.problem: str | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self._run, name="logvision-follow", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def look(self) -> None:
        """One look at the folder. What cannot be read now is looked at again next time."""
        try:
            self._lake.refresh()
            for file in self._fresh():
                self._ticker.add(self._lake.events(file), self._rejects(file))
                self._told = max(self._told, file.last or 0)
            self._tell_cases()
            self.problem = None
        except StoreError as error:  # e.g. compaction took a file away between listing and reading
            self.problem = str(error)
        if self._clock.monotonic() - self._health_at >= HEALTH_S:
            self._health_at = self._clock.monotonic()
            self._live.publish(HEALTH, {"sources": self.sources(), "checks": self.checks()})

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
            }
            for name, counts in sorted(resume.counts.items())
        ]

    def checks(self) -> list[Mapping[str, Any]]:
        """Rows of GET /api/health beyond the stores' own."""
        return [{"name": "folder", "ok": self.problem is None, "detail": self.problem or "read as it grows"}]

    def _run(self) -> None:
        due = 0.0
        while not self._stop.wait(TICK_S):
            if self._clock.monotonic() >= due:
                due = self._clock.monotonic() + LOOK_S
                self.look()
            self._ticker.tick()

    def _fresh(self) -> list[File]:
        """Segments that are not told yet. One that compaction has merged with told ones counts as told."""
        return [f for f in self._lake.catalogue.events if f.first is not None and f.first > self._told]

    def _rejects(self, file: File) -> pa.Table:
        beside = self._lake.folder / "rejects" / file.path.name
        return storage.read(beside, REJECT) if beside.exists() else REJECT.empty_table()

    def _tell_cases(self) -> None:
        newest = self._newest()
        for case in reversed(newest):
            if self._revisions.get(case.incident.id) != case.revision:
                self._live.publish(INCIDENT, case.to_dict())
        self._revisions = {case.incident.id: case.revision for case in newest}

    def _newest(self) -> list[Any]:
        return list(self._casebook.cases(CaseQuestion(frozenset(Status)), CASES).rows)


def _explainer(settings: Settings, casebook: Casebook) -> Callable[[], Explainer]:
    """The explainer; the rules are compiled when it is first asked for, which takes seconds."""
    lock = threading.Lock()
    made: list[Explainer] = []

    def explainer() -> Explainer:
        with lock:
            if not made:
                known = parts.knowledge(settings)
                made.append(Explainer(known, known.agents, casebook))
        return made[0]

    return explainer
