"""Telling the pages of this process what another process commits, where no bus connects the two."""

from __future__ import annotations

import pyarrow as pa

from logvision.app.looker import CASES, Looker
from logvision.casebook.base import Casebook
from logvision.clock import Clock
from logvision.errors import StoreError
from logvision.lake import storage
from logvision.lake.catalogue import File
from logvision.lake.segments import Lake
from logvision.live.base import HEALTH, INCIDENT, Live
from logvision.live.ticker import Ticker
from logvision.schema import REJECT

HEALTH_S = 5.0


class Follower(Looker):
    """Tells the live bus what a writer elsewhere commits: rows, counts, changed incidents."""

    def __init__(self, lake: Lake, casebook: Casebook, live: Live, clock: Clock) -> None:
        """What the stores hold now counts as told; of a lost casebook what it holds when it is back."""
        super().__init__(lake, casebook, live, clock)
        self._ticker = Ticker(live, clock)
        self._told = lake.catalogue.newest
        self._health_at = clock.monotonic()
        self._revisions: dict[str, int] | None = None
        try:
            self._tell_cases()
        except StoreError as error:
            self.problem = str(error)

    def look(self) -> None:
        super().look()
        if self._clock.monotonic() - self._health_at >= HEALTH_S:
            self._health_at = self._clock.monotonic()
            self._live.publish(HEALTH, {"sources": self.sources(), "checks": self.checks()})

    def _seen(self) -> None:
        for file in self._fresh():
            self._ticker.add(self._lake.events(file), self._rejects(file))
            self._told = max(self._told, file.last or 0)
        self._tell_cases()

    def _tick(self) -> None:
        self._ticker.tick()

    def _fresh(self) -> list[File]:
        """Segments that are not told yet. One that compaction has merged with told ones counts as told."""
        return [f for f in self._lake.catalogue.events if f.first is not None and f.first > self._told]

    def _rejects(self, file: File) -> pa.Table:
        beside = self._lake.folder / "rejects" / file.path.name
        return storage.read(beside, REJECT) if beside.exists() else REJECT.empty_table()

    def _tell_cases(self) -> None:
        newest = self._newest(CASES)
        told, self._revisions = self._revisions, {case.incident.id: case.revision for case in newest}
        if told is not None:
            for case in reversed(newest):
                if told.get(case.incident.id) != case.revision:
                    self._live.publish(INCIDENT, case.to_dict())
