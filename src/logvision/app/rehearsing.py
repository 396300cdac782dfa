"""Backtests of a running process: on its own when rules change, or when the page asks; never in the way.

One runs at a time, in a thread of the lowest priority, over the newest events alone, in small batches with
a pause after each as long as the batch took.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import orjson

from logvision.app.backtesting import Setup, backtest
from logvision.app.stores import Stores, site_of
from logvision.casebook.base import BACKTEST
from logvision.clock import Clock
from logvision.detect import Detector
from logvision.detect.behaviour import Behaviour
from logvision.detect.site import Site
from logvision.errors import SetupError, StoreError
from logvision.incident import iso
from logvision.lake.queries import Database, Question

NEWEST: Final = 20_000  # events that are judged
AT_ONCE: Final = 2_000  # of a batch: a tenth of a second
LOWEST: Final = 19  # niceness
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Change:
    """What to rehearse."""

    why: str  # what changed, for people
    before: Detector
    after: Callable[[], Detector]  # may take seconds, and raise SetupError
    exceptions: bool = True  # whether exceptions still count afterwards


class Rehearsing:
    """Runs what was asked for last; what waits behind a running one is replaced by what comes later."""

    def __init__(
        self,
        stores: Stores,
        behaviour: Callable[[], Behaviour],
        clock: Clock,
        say: Say,
        *,
        anonymised: bool = False,
    ) -> None:
        """`behaviour`: gives an empty one."""
        self._stores = stores
        self._behaviour = behaviour
        self._clock = clock
        self._say = say
        self._anonymised = anonymised
        self._wanted: Change | None = None
        self._wake = threading.Condition()
        self._stop = self._running = False
        self.problem: str | None = None  # why the last one came to nothing

    def rehearse(self, change: Change) -> None:
        """Run this next; at once back."""
        with self._wake:
            self._wanted = change
            self._wake.notify()

    @property
    def busy(self) -> bool:
        """Whether one runs or waits."""
        return self._running or self._wanted is not None

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self._run, name="logvision-backtest", daemon=True)
        thread.start()
        try:
            yield
        finally:
            with self._wake:
                self._stop = True
                self._wake.notify()
            thread.join()

    def _run(self) -> None:
        if sys.platform == "linux":  # where every thread has a priority of its own
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWEST)
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._stop or self._wanted is not None)
                if self._stop or self._wanted is None:
                    return
                change, self._wanted, self._running = self._wanted, None, True
            try:
                self.run(change)
                self.problem = None
            except (StoreError, SetupError) as error:
                self.problem = " ".join(str(error).split())
            except _Stopped:
                return
            finally:
                self._running = False

    def run(self, change: Change) -> None:
        """Run one now, keep its report and say it in short. Raises StoreError, and what `after` raises."""
        known = site_of(self._stores.casebook)
        after = change.after()
        database = Database(self._stores.lake, threads=1)
        try:
            report = backtest(
                database,
                Question(),
                Setup(change.before, self._behaviour, known),
                Setup(after, self._behaviour, known if change.exceptions else Site(known.profiles)),
                most=NEWEST,
                at_once=AT_ONCE,
                anonymised=self._anonymised,
                pause=_Pause(lambda: self._stop),
            )
        finally:
            database.close()
        made = datetime.fromtimestamp(self._clock.now(), UTC)
        self._stores.casebook.save_state(
            BACKTEST, orjson.dumps({"made": iso(made), "why": change.why, **report.to_dict()})
        )
        self._say(f"backtest, {change.why}: {report.sentence()}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A change that somebody wants to see before it is made; what is null stays as it is."""

    threshold: float | None = None
    rule: tuple[str, str] | None = None  # id and YAML text of a new rule, or of another text for an old one
    exceptions: bool = True


def changed(asked: Asked, running: Detector, folders: Sequence[Path]) -> Change:
    """The change; a rule is read and compiled when it is rehearsed. `folders`: the operator's own rules."""

    def after() -> Detector:
        threshold = running.threshold if asked.threshold is None else asked.threshold
        detector = replace(running, threshold=threshold)
        if asked.rule is None:
            return detector
        name, text = asked.rule
        with TemporaryDirectory(prefix="logvision-rule-") as folder:
            (Path(folder) / f"{name}.yml").write_text(text, "utf-8")
            return detector.reloaded([*folders, Path(folder)])

    parts = (
        f"threshold {asked.threshold}" if asked.threshold is not None else "",
        f"rule {asked.rule[0]}" if asked.rule is not None else "",
        "" if asked.exceptions else "no exceptions",
    )
    why = ", ".join(part for part in parts if part) or "nothing changed"
    return Change(why, running, after, asked.exceptions)


class _Stopped(Exception):
    """The process ends."""


class _Pause:
    """As long as the work since the last pause took."""

    def __init__(self, stopped: Callable[[], bool]) -> None:
        self._stopped = stopped
        self._since = time.thread_time()

    def __call__(self) -> None:
        worked = time.thread_time() - self._since
        until = time.monotonic() + worked
        while time.monotonic() < until and not self._stopped():
            time.sleep(min(worked, 0.05))
        if self._stopped():
            raise _Stopped
        self._since = time.thread_time()
