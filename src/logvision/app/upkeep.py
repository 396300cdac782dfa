"""Upkeep of the stores and of memory in the background: compaction, retention, pages given back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from logvision.app import memory
from logvision.app.aside import aside
from logvision.app.stores import Stores, applied
from logvision.clock import Clock
from logvision.config import CasebookSettings, LakeSettings
from logvision.errors import StoreError
from logvision.lake.compaction import compact
from logvision.lake.retention import expire

PERIOD_S: Final = 30.0
"""Between two rounds: small segments are merged before questions notice them."""

CASEBOOK_S: Final = 3_600.0
"""Between two looks for what the casebook shall keep no longer: its ages are days."""


class Upkeep:
    """Keeps a lake compact, and lake and casebook within their bounds, from a thread of its own."""

    def __init__(
        self, stores: Stores, settings: LakeSettings, casebook: CasebookSettings, clock: Clock
    ) -> None:
        self._stores = stores
        self._settings = settings
        self._keep = timedelta(days=casebook.keep_days)
        self._casebook_at = clock.monotonic()
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
                self.round()
                self.problem = None
            except StoreError as error:  # e.g. a full disk: the next round tries again
                self.problem = str(error)
            memory.give_back()

    def round(self) -> None:
        """Merge what the casebook has seen, then let go of what is too old or too much. Raises StoreError."""
        lake, casebook, now = self._stores.lake, self._stores.casebook, self._clock.now()
        compact(lake, now=now, upto=applied(casebook))
        expire(lake, keep_days=self._settings.keep_days, keep_bytes=self._settings.keep_bytes, now=now)
        if self._clock.monotonic() >= self._casebook_at:
            casebook.expire(self._keep, datetime.fromtimestamp(now, UTC))
            self._casebook_at = self._clock.monotonic() + CASEBOOK_S
