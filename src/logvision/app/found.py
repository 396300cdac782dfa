"""The incidents that a run found: the worst of them, and how many there were in all."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pyarrow as pa

from logvision.engines.summary import Distinct
from logvision.incident import Incident
from logvision.schema import Severity

KEPT: Final = 2_000
"""Incidents that are kept, all but their evidence, which is most of their weight; a flood of attackers from
everywhere makes as many as it has addresses."""

TOGETHER: Final = 10_000  # ids that are counted at once

_SEVERITIES: Final = list(Severity)


class _Ids:
    """How many different ids have come."""

    def __init__(self) -> None:
        self._distinct = Distinct()
        self._waiting: list[str] = []

    def add(self, name: str) -> None:
        self._waiting.append(name)
        if len(self._waiting) >= TOGETHER:
            self.count()

    def count(self) -> int:
        if self._waiting:
            self._distinct.add(pa.array(self._waiting))
            self._waiting = []
        return self._distinct.count()


class Found:
    """Collects incidents as they change; memory is bounded whatever comes."""

    def __init__(self) -> None:
        self._incidents: dict[str, Incident] = {}
        self._all = _Ids()
        self._swallowed = _Ids()

    def add(self, incident: Incident) -> None:
        """An incident came, or changed; one that was swallowed by a campaign is none of its own any more."""
        if incident.id not in self._incidents:
            self._all.add(incident.id)
        if incident.part_of is not None:
            self._swallowed.add(incident.id)
        self._incidents[incident.id] = replace(incident, evidence=())
        if len(self._incidents) > 2 * KEPT:
            self._incidents = {kept.id: kept for kept in self.worst()[:KEPT]}

    @property
    def count(self) -> int:
        """How many stand by themselves: exact up to `EXACT_VISITORS`, then within a percent."""
        return self._all.count() - self._swallowed.count()

    def worst(self) -> list[Incident]:
        """Those kept that stand by themselves, worst first; without evidence."""
        alone = [incident for incident in self._incidents.values() if incident.part_of is None]
        return sorted(
            alone,
            key=lambda i: (_SEVERITIES.index(i.severity), i.outcome == "worked", i.score, i.events, i.id),
            reverse=True,
        )
