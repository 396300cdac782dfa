"""What the next segment will hold: judged batches on their way from the pipeline to the stores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from logvision.incident import Incident
from logvision.lake.segments import Counts
from logvision.schema import REJECT
from logvision.sources.base import Position


@dataclass(frozen=True, slots=True)
class Judged:
    """One batch after the pipeline."""

    events: pa.Table
    rejects: pa.Table
    log_bytes: dict[str, int]
    resume: dict[str, Position]
    formats: dict[str, Any]  # what format detection knew after this batch
    learned: dict[str, bytes]  # what the other steps have learned; empty: not due yet
    claims: pa.DictionaryArray | None  # of crawlers, where the events do not hold their addresses any more


@dataclass(frozen=True, slots=True)
class Flush:
    """A segment on its way to the stores, with everything as it stood after its last row."""

    events: list[pa.Table]
    rejects: pa.Table
    partials: pa.Table
    positions: dict[str, Position]
    counts: dict[str, Counts]
    told: dict[str, Any]  # what the lake keeps beside positions and counts
    incidents: list[Incident]
    states: dict[str, bytes]
    whole: bool  # the states are those after this segment, so the casebook's cursor moves on to it


@dataclass(slots=True)
class Pending:
    """Rows and incidents since the last segment; filled by one thread."""

    since: float  # when its first row came, monotonic s
    events: list[pa.Table] = field(default_factory=list)
    rejects: list[pa.Table] = field(default_factory=list)
    waiting: list[Judged] = field(default_factory=list)  # no incident knows of them yet
    rows: int = 0
    incidents: dict[str, Incident] = field(default_factory=dict)
    learned: dict[str, bytes] = field(default_factory=dict)

    def add(self, judged: Judged, now: float, *, keep: bool) -> None:
        """One more batch. `keep`: its rejects and what was learned will be committed."""
        if not self.rows:
            self.since = now
        self.rows += judged.events.num_rows + judged.rejects.num_rows
        self.waiting.append(judged)
        if keep:
            self.rejects.append(judged.rejects)
            self.learned.update(judged.learned)

    def change(self, incidents: Sequence[Incident]) -> None:
        """Incidents as they stand now."""
        self.incidents.update({incident.id: incident for incident in incidents})

    def take_waiting(self) -> tuple[pa.Table, pa.DictionaryArray | None] | None:
        """The events that wait, in order, as one table, and their claims; None: none wait.

        It has a chunk and a dictionary a column: what follows unifies no texts.
        """
        waiting, self.waiting = self.waiting, []
        if not waiting:
            return None
        events, claims = waiting[0].events, waiting[0].claims
        if len(waiting) > 1:
            events = pa.concat_tables([part.events for part in waiting])
            events = events.unify_dictionaries().combine_chunks()
            if claims is not None:
                several = pa.chunked_array([part.claims for part in waiting])
                claims = several.unify_dictionaries().combine_chunks()
        return events, claims

    def rejected(self) -> pa.Table:
        """All REJECT rows."""
        return pa.concat_tables(self.rejects) if self.rejects else REJECT.empty_table()
