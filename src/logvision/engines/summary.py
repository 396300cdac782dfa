"""What a run has counted so far: totals, statuses, methods, visitors, per source and over all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import datasketches
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from logvision.columns import distinct, hashes
from logvision.lake.segments import Counts
from logvision.schema import FILTERED

EXACT_VISITORS: Final = 4_000_000
"""Distinct addresses that are counted exactly (8 B each); beyond it a HyperLogLog goes on."""

METHODS: Final = 1_000
"""Request methods counted by name. A log may claim any token for a method: the rare ones become OTHER."""

METHOD_READ: Final = 64  # characters of a method; no real one is longer

OTHER: Final = "(other)"  # no method can be called so: brackets are no token (RFC 9110, 5.6.2)

LG_K: Final = 14  # standard error 0.8 % (Flajolet et al., "HyperLogLog", AofA 2007)


class Distinct:
    """How many different values have been seen: exact up to `EXACT_VISITORS`, then within 0.8 %."""

    def __init__(self) -> None:
        self._seen: npt.NDArray[np.uint64] = np.empty(0, np.uint64)
        self._fresh: list[npt.NDArray[np.uint64]] = []
        self._fresh_rows = 0
        self._sketch: Any = None

    def add(self, values: pa.StringArray) -> None:
        """Count these; repeats cost little but feed distinct values where there are any."""
        found = hashes(values, 1)
        if self._sketch is not None:
            for value in np.unique(found).tolist():  # distinct per batch only
                self._sketch.update(value)
            return
        self._fresh.append(found)
        self._fresh_rows += found.size
        if self._fresh_rows > 1_000_000:
            self._settle()

    def count(self) -> int:
        self._settle()
        return self._seen.size if self._sketch is None else round(self._sketch.get_estimate())

    def _settle(self) -> None:
        if self._sketch is None and self._fresh:
            self._seen = np.unique(np.concatenate([self._seen, *self._fresh]))
            self._fresh, self._fresh_rows = [], 0
            if self._seen.size > EXACT_VISITORS:
                self._sketch = datasketches.hll_sketch(LG_K)
                for value in self._seen.tolist():  # once in a run
                    self._sketch.update(value)
                self._seen = np.empty(0, np.uint64)


@dataclass(slots=True)
class Summary:
    """Totals of a run over all sources. Memory is bounded whatever is read."""

    sources: dict[str, Counts] = field(default_factory=dict)
    traffic: int = 0  # bytes sent to clients
    success: int = 0  # status 2xx and 3xx
    attacks: int = 0
    status: Counter[str] = field(default_factory=Counter)
    methods: Counter[str] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    reject_reasons: Counter[str] = field(default_factory=Counter)
    filter_reasons: Counter[str] = field(default_factory=Counter)
    first: datetime | None = None
    last: datetime | None = None
    _visitors: Distinct = field(default_factory=Distinct)

    def add(
        self,
        events: pa.Table,
        rejects: pa.Table,
        log_bytes: Mapping[str, int],
        late: Mapping[str, int] | None = None,
    ) -> None:
        """Count one batch: EVENT rows, REJECT rows, the log bytes read and the late events per source."""
        for source, size in log_bytes.items():
            self._count(source, Counts(bytes=size))
        if events.num_rows:
            self._add_events(events, late or {})
        if rejects.num_rows:
            self._add_rejects(rejects)

    def _add_events(self, events: pa.Table, late: Mapping[str, int]) -> None:
        for source, rows in _counts(events, "source").items():
            self._count(source, Counts(read=rows, events=rows, late=late.get(source, 0)))
        self._add_methods(_counts(events, "method"))
        self.classes.update(_counts(events, "attack", null=None))
        self.attacks = self.classes.total()
        self.traffic += pc.sum(events.column("bytes")).as_py() or 0
        for pair in pc.value_counts(events.column("status").combine_chunks()).to_pylist():
            value, rows = pair["values"], pair["counts"]
            self.status["-" if value is None else str(value)] += rows
            self.success += rows if value is not None and 200 <= value < 400 else 0
        times = pc.min_max(events.column("time")).as_py()
        self.first = times["min"] if self.first is None else min(self.first, times["min"])
        self.last = times["max"] if self.last is None else max(self.last, times["max"])
        addresses, codes = distinct(events, "client_ip")
        used = np.unique(codes)
        self._visitors.add(addresses.take(pa.array(used[used >= 0])))

    def _add_methods(self, counts: dict[str, int]) -> None:
        for method, rows in counts.items():
            self.methods[method if len(method) <= METHOD_READ else f"{method[:METHOD_READ]}…"] += rows
        if len(self.methods) > METHODS:
            rare = self.methods.most_common()[METHODS // 2 :]
            for method, _ in rare:
                del self.methods[method]
            self.methods[OTHER] += sum(rows for _, rows in rare)

    def _add_rejects(self, rejects: pa.Table) -> None:
        reasons, reason_of = distinct(rejects, "reason")
        sources, source_of = distinct(rejects, "source")
        pairs, found = np.unique(reason_of.astype(np.int64) * len(sources) + source_of, return_counts=True)
        for pair, rows in zip(pairs.tolist(), found.tolist(), strict=True):
            reason, source = (
                part.as_py() for part in (reasons[pair // len(sources)], sources[pair % len(sources)])
            )
            if reason in FILTERED:
                self._count(source, Counts(read=rows, filtered=rows))
                self.filter_reasons[reason] += rows
            else:
                self._count(source, Counts(read=rows, rejects=rows))
                self.reject_reasons[reason] += rows

    def _count(self, source: str, more: Counts) -> None:
        self.sources[source] = self.sources.get(source, Counts()) + more

    @property
    def visitors(self) -> int:
        """Distinct client addresses."""
        return self._visitors.count()

    def total(self, name: str) -> int:
        """Sum of one field of `Counts` over all sources."""
        return sum(getattr(counts, name) for counts in self.sources.values())


def _counts(events: pa.Table, name: str, null: str | None = "-") -> dict[str, int]:
    """Rows per value of a text column; nulls under `null`, or left out when that is None."""
    values, codes = distinct(events, name)
    rows = np.bincount(codes + 1, minlength=len(values) + 1)
    found = {values[i].as_py(): int(rows[i + 1]) for i in np.flatnonzero(rows[1:])}
    if null is not None and rows[0]:
        found[null] = int(rows[0])
    return found
