"""Following logs for one person at a terminal: an engine over a folder that is gone afterwards."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from logvision.app import parts
from logvision.app.glancing import DIMENSIONS, ROWS, Glance
from logvision.app.stores import Stores, open_stores
from logvision.app.upkeep import Upkeep
from logvision.casebook.base import Question as CaseQuestion
from logvision.clock import Clock
from logvision.config import Settings
from logvision.engines.embedded import Embedded, Options
from logvision.lake import queries
from logvision.lake.queries import Database, Dimension, Question

KEPT_BYTES: Final = 1 << 30
"""What the temporary folder may take; the oldest goes first."""


class Following:
    """A running engine, and glances at what it has found."""

    def __init__(
        self, stores: Stores, database: Database, engine: Embedded, where: str, clock: Clock
    ) -> None:
        self._stores = stores
        self._database = database
        self._engine = engine
        self._where = where
        self._clock = clock
        self._before = (clock.monotonic(), 0)
        self.failure: BaseException | None = None

    def glance(self, question: Question) -> Glance:
        """What was found up to now. Raises what the engine raised."""
        if self.failure is not None:
            raise self.failure
        at, events = self._clock.monotonic(), self._engine.summary.total("events")
        before, seen = self._before
        self._before = (at, events)
        cases = CaseQuestion()
        return Glance(
            where=self._where,
            totals={
                **asdict(queries.totals(self._database, question)),
                "rate_now": (events - seen) / max(at - before, 1e-3),
                "incidents_open": self._stores.casebook.count(cases),
            },
            tops={
                name: [
                    asdict(row)
                    for row in queries.top(self._database, question, Dimension(name), limit=ROWS).rows
                ]
                for name in DIMENSIONS
            },
            incidents=[case.to_dict() for case in self._stores.casebook.cases(cases, ROWS).rows],
        )

    def run(self) -> None:
        """The engine's thread: what it raises is raised by the next glance."""
        try:
            self._engine.run()
        except BaseException as error:  # handed over, not swallowed
            self.failure = error


@contextmanager
def following(settings: Settings, files: Sequence[str], clock: Clock, *, follow: bool) -> Iterator[Following]:
    """Read these logs; without `follow` they have been read to their end when this returns.

    Nothing is left behind. Raises SetupError.
    """
    stop = threading.Event()
    with ExitStack() as stack:
        known, state = parts.knowledge(settings), parts.state(settings)
        reader = parts.source(parts.Wanted(files, ()), follow=follow).open({})
        stack.callback(reader.close)
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="logvision-top-")))
        stores = stack.enter_context(open_stores(folder, writer=True))
        database = Database(stores.lake)
        stack.callback(database.close)
        engine = Embedded(
            reader,
            known,
            state,
            clock=clock,
            lake=stores.lake,
            casebook=stores.casebook,
            options=Options(flush_s=1.0, flush_rows=settings.lake.flush_rows),
            anonymiser=parts.anonymiser(settings.lake, kept=False),
            stop=stop,
        )
        found = Following(stores, database, engine, ", ".join(files), clock)
        if not follow:
            engine.run()
            yield found
            return
        bounded = settings.lake.model_copy(update={"keep_bytes": KEPT_BYTES})
        stack.enter_context(Upkeep(stores, bounded, settings.casebook, clock).running())
        thread = threading.Thread(target=found.run, name="logvision-engine", daemon=True)
        thread.start()
        stack.callback(thread.join)
        stack.callback(stop.set)
        yield found
