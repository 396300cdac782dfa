"""Upkeep of a lake and of memory in the background: compaction, retention, pages given back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from logvision.app import memory
from logvision.app.aside import aside
from logvision.app.stores import Stores, applied
from logvision.clock import Clock
from logvision.config import LakeSettings
from logvision.errors import StoreError
from logvision.lake.compaction import compact
from logvision.lake.retention import expire

PERIOD_S: Final = 30.0
"""Between two rounds: small segments are merged before questions notice them."""


class Upkeep:
    """Keeps one lake compact and within its bounds from a thread of its own."""

    def __init__(self, stores: Stores, settings: LakeSettings, clock: Clock) -> None:
        self._stores = stores
        self._settings = settings
        self._clock = clock
        self._stop = threading.Event()
        self.problem: str | None = None

    @contextmanager
    def running(self) -> Iterator[Upkeep]:
        with aside("upkeep", self._run, self._stop):
            yield self

    def _run(self) -> None:
        while not self._stop.wait(PERIOD_S):
            try:
                tidy(self._stores, self._settings, self._clock.now())
                self.problem = None
            except StoreError as error:  # e.g. a full disk: the next round tries again
                self.problem = str(error)
            memory.give_back()


def tidy(stores: Stores, settings: LakeSettings, now: float) -> None:
    """One round: merge what the casebook has seen, then let go of what is too old or too much."""
    compact(stores.lake, now=now, upto=applied(stores.casebook))
    expire(stores.lake, keep_days=settings.keep_days, keep_bytes=settings.keep_bytes, now=now)
