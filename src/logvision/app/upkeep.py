"""What a lake needs now and then: compaction and retention, in the background or at the end of a scan."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from logvision.clock import Clock
from logvision.config import LakeSettings
from logvision.errors import StoreError
from logvision.lake.compaction import compact
from logvision.lake.retention import expire
from logvision.lake.segments import Lake

PERIOD_S: Final = 30.0
"""Between two rounds: small segments are merged before questions notice them."""


class Upkeep:
    """Keeps one lake compact and within its bounds from a thread of its own."""

    def __init__(self, lake: Lake, settings: LakeSettings, clock: Clock) -> None:
        self._lake = lake
        self._settings = settings
        self._clock = clock
        self._stop = threading.Event()
        self.problem: str | None = None

    @contextmanager
    def running(self) -> Iterator[Upkeep]:
        thread = threading.Thread(target=self._run, name="logvision-upkeep", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            thread.join()

    def _run(self) -> None:
        while not self._stop.wait(PERIOD_S):
            try:
                tidy(self._lake, self._settings, self._clock.now())
                self.problem = None
            except StoreError as error:  # e.g. a full disk: the next round tries again
                self.problem = str(error)


def tidy(lake: Lake, settings: LakeSettings, now: float) -> None:
    """One round of upkeep."""
    compact(lake, now=now)
    expire(lake, keep_days=settings.keep_days, keep_bytes=settings.keep_bytes, now=now)
