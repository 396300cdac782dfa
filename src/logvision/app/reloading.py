"""Rules read again while running: when a rule file of the operator's changes, or when told to (SIGHUP)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from logvision.app.aside import aside
from logvision.detect import Detector
from logvision.detect.classifier import Classifier
from logvision.detect.detector import MODEL_FILE
from logvision.errors import SetupError
from logvision.pipeline import Knowledge

PERIOD_S: Final = 3.0
"""Between two looks at the rule files."""

ASKED_S: Final = 0.2  # somebody who asks waits no longer

Say = Callable[[str], None]
"""Told one sentence for the operator at a time."""

OnChange = Callable[[Detector, Detector], None]
"""Told the former detector and the one that is in use now."""

Stamp = dict[str, tuple[int, int]]
"""Size and time of change of each file; a file that comes, goes or changes makes another stamp."""


class Reloading:
    """Swaps the detector under a running engine. Bad rules are refused: the running set stays."""

    def __init__(
        self,
        known: Knowledge,
        paths: Sequence[Path],
        say: Say,
        changed: OnChange | None = None,
        model: Path | None = None,
    ) -> None:
        """`paths`: the operator's own folders and files of rules. `changed`: told of every swap. `model`:
        where a promoted classifier may come and go."""
        self._known = known
        self._paths = tuple(paths)
        self._say = say
        self._changed = changed
        self._model = model
        self._stop = threading.Event()
        self._asked = False
        self._seen = self._stamp()
        self.problem: str | None = None  # why the rules as they stand in the files are not in use

    def ask(self) -> None:
        """Read the rules again now; may be called from a signal handler."""
        self._asked = True  # and no more: a lock taken here could be held by the code that was interrupted

    @contextmanager
    def running(self) -> Iterator[Reloading]:
        with aside("rules", self._run, self._stop):
            yield self

    def _run(self) -> None:
        due = 0.0
        while not self._stop.wait(ASKED_S):
            due += ASKED_S
            if self._asked or due >= PERIOD_S:
                due = 0.0
                self.look()

    def leave_out(self) -> None:
        """Say which of the rules are left out, each with what it needs and no access log says."""
        for each in self._known.detector.rules.unusable:
            self._say(f"rule left out: {each.id} needs {each.needs}")

    def look(self) -> None:
        """Read the rules again if somebody asked for it or a file has changed."""
        found = self._stamp()
        if not self._asked and found == self._seen:
            return
        self._asked, self._seen = False, found
        running = self._known.detector
        try:
            fresh = self._with_model(running.reloaded(self._paths))
        except SetupError as error:
            self.problem = "; ".join(str(problem) for problem in error.problems)
            for problem in error.problems:
                self._say(f"rules refused, the former ones stay: {problem}")
            return
        self.problem = None
        # The engine looks its detector up once per batch, so a batch is judged by one set of rules.
        self._known.detector = fresh
        what = "unchanged" if fresh is running else "in use"
        self._say(f"rules read again: {len(fresh.rules.rules)} rules, {what}")
        if fresh is not running:
            self.leave_out()
        if self._changed is not None and fresh is not running:
            self._changed(running, fresh)

    def _stamp(self) -> Stamp:
        return stamp([*self._paths, *([self._model] if self._model is not None else [])])

    def _with_model(self, detector: Detector) -> Detector:
        """The detector with the model that is promoted now, or else the shipped one."""
        if self._model is None:
            return detector
        model = Classifier.open(self._model if self._model.exists() else MODEL_FILE)
        same = detector.model is not None and detector.model.card == model.card
        return detector if same else replace(detector, model=model)


def stamp(paths: Sequence[Path]) -> Stamp:
    """The files under these paths as they are now; what cannot be looked at is left out."""
    found: Stamp = {}
    for path in paths:
        # A file may be taken away at this very moment, and a link may lead nowhere: reading the rules tells.
        with suppress(OSError):
            for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                with suppress(OSError):
                    status = file.stat()
                    found[str(file)] = (status.st_size, status.st_mtime_ns)
    return found
