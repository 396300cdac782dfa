"""Who waits for an answer. What is being found out for one who has gone away ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from logvision.errors import StoreError


class Abandoned(StoreError):
    """Who asked has gone away."""


class Asker:
    """Somebody with questions, who may leave at any time. Safe from any thread."""

    def __init__(self) -> None:
        self._gone = False
        self._lock = threading.Lock()
        self._stops: list[Callable[[], None]] = []

    def leave(self) -> None:
        """No answer is needed any more."""
        with self._lock:
            self._gone = True
            for stop in self._stops:
                stop()

    def check(self) -> None:
        """Raises Abandoned."""
        if self._gone:
            raise Abandoned("who asked has gone away")

    @contextmanager
    def waiting(self, stop: Callable[[], None]) -> Iterator[None]:
        """While an answer is being found; `stop` is called if they leave. Raises Abandoned if they have."""
        with self._lock:
            self._stops.append(stop)
        try:
            self.check()
            yield
        finally:
            with self._lock:
                self._stops.remove(stop)
