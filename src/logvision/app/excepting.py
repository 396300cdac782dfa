"""Exceptions in a running process: what people add or take back counts from the next batch on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from logvision.app.aside import aside
from logvision.casebook.base import Casebook
from logvision.errors import StoreError
from logvision.pipeline import Knowledge

LOOK_S: Final = 1.0
"""Between two looks at the casebook, which the page and the command line write."""


class Excepting:
    """Keeps the exceptions of an engine those of the casebook."""

    def __init__(self, known: Knowledge, casebook: Casebook) -> None:
        self._known = known
        self._casebook = casebook
        self._stop = threading.Event()
        self.problem: str | None = None  # why the exceptions in use may be old

    @contextmanager
    def running(self) -> Iterator[None]:
        with aside("except", self._run, self._stop):
            yield

    def look(self) -> None:
        """Take up what the casebook has now; the former ones stay while it cannot be asked."""
        try:
            kept = self._casebook.exemptions()
        except StoreError as error:
            self.problem = str(error)
            return
        self.problem = None
        # The engine looks them up once per batch, so a batch is judged by one set.
        self._known.exemptions = tuple(each for each in kept if each.ended is None)

    def _run(self) -> None:
        while not self._stop.wait(LOOK_S):
            self.look()
