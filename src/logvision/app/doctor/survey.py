"""A survey of one log: everything that the checks ask of it, gathered in one pass, in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from logvision.columns import distinct
from logvision.enrich.client import TrustedProxies, resolve
from logvision.formats import Formats
from logvision.lake.queries.kept import readable
from logvision.schema import FILTERED
from logvision.sources.base import Reader

LINES: Final = 1_000_000
"""Lines of a log that are read unless told otherwise; each takes 16 bytes of memory here."""

READ_BYTES: Final = 8 << 20
SAMPLES: Final = 3  # lines of one reason that are shown
ADDRESSES: Final = 100_000  # distinct ones that are counted

FIELDS: Final = (
    "peer_ip",
    "status",
    "bytes",
    "referer",
    "user_agent",
    "duration_us",
    "site",
    "user",
    "forwarded",
)


@dataclass(slots=True)
class Survey:
    """What the lines of one source say."""

    source: str
    lines: int = 0
    events: int = 0
    reasons: Counter[str] = field(default_factory=Counter)  # of rejects, filtered lines included
    samples: dict[str, list[str]] = field(default_factory=dict)  # by reason
    filled: Counter[str] = field(default_factory=Counter)  # events that say something, by field
    peers: Counter[str] = field(default_factory=Counter)
    clients: Counter[str] = field(default_factory=Counter)
    formats: list[tuple[str, float, float]] = field(default_factory=list)  # name, confidence, share of lines
    cut: bool = False  # more lines stand in the log than were read
    changed: float | None = None  # Unix time of the file's last change; null: no plain file
    _times: list[npt.NDArray[np.int64]] = field(default_factory=list)
    _hashes: list[npt.NDArray[np.uint64]] = field(default_factory=list)

    @property
    def times(self) -> npt.NDArray[np.int64]:
        """Event times in reading order, µs since the epoch."""
        return np.concatenate(self._times) if self._times else np.empty(0, np.int64)

    @property
    def hashes(self) -> npt.NDArray[np.uint64]:
        """One number a line; equal lines have equal numbers."""
        return np.concatenate(self._hashes) if self._hashes else np.empty(0, np.uint64)

    @property
    def rejects(self) -> int:
        return sum(count for reason, count in self.reasons.items() if reason not in FILTERED)

    @property
    def filtered(self) -> int:
        return sum(count for reason, count in self.reasons.items() if reason in FILTERED)

    def add(self, raw: pa.ChunkedArray, events: pa.Table, rejects: pa.Table, clients: pa.Table) -> None:
        """Take in one batch: its lines, their PARSED and REJECT rows, and the events with `client_ip`."""
        self.lines += len(raw)
        self.events += events.num_rows
        self._hashes.append(pl.Series(pl.from_arrow(raw.combine_chunks())).hash(seed=1).to_numpy())
        self._times.append(events.column("time").cast(pa.int64()).to_numpy())
        for name in FIELDS:
            self.filled[name] += events.num_rows - events.column(name).null_count
        _tally(self.peers, events, "peer_ip")
        _tally(self.clients, clients, "client_ip")
        for pair in pc.value_counts(rejects.column("reason").cast(pa.string())).to_pylist():
            self.reasons[pair["values"]] += pair["counts"]
        for reason in [r for r in set(self.reasons) - FILTERED if len(self.samples.get(r, ())) < SAMPLES]:
            its = rejects.filter(pc.equal(rejects.column("reason").cast(pa.string()), reason))
            kept = self.samples.setdefault(reason, [])
            kept += [readable(line) for line in its.column("raw").slice(0, SAMPLES - len(kept)).to_pylist()]


def survey(
    reader: Reader, formats: Formats, proxies: TrustedProxies, read_at: datetime, limit: int = LINES
) -> list[Survey]:
    """Read a finite reader to its end, or `limit` lines of each source, in order of names."""
    found: dict[str, Survey] = {}
    while not reader.finished and not (found and all(one.lines >= limit for one in found.values())):
        for batch in reader.read(READ_BYTES):
            one = found.setdefault(batch.source, Survey(batch.source))
            if one.lines >= limit:
                one.cut = True
                continue
            parsed = formats.parse(batch.records, read_at)
            clients = resolve(parsed.events, proxies)
            one.add(batch.records.column("raw"), parsed.events, parsed.rejects, clients)
    known: Mapping[str, list[tuple[str, float, float]]] = formats.known()
    for one in found.values():
        one.formats = known.get(one.source, [])
        one.cut |= not reader.finished and one.lines >= limit
        one.changed = _changed(one.source)
    return [found[name] for name in sorted(found)]


def _tally(counter: Counter[str], events: pa.Table, name: str) -> None:
    """Count addresses; beyond ADDRESSES the rarest are forgotten: nobody asks for them."""
    values, codes = distinct(events, name)
    rows = np.bincount(codes + 1, minlength=len(values) + 1)[1:]
    for at in np.flatnonzero(rows).tolist():
        counter[values[at].as_py()] += int(rows[at])
    if len(counter) > 2 * ADDRESSES:
        kept = counter.most_common(ADDRESSES)
        counter.clear()
        counter.update(dict(kept))


def _changed(source: str) -> float | None:
    path = Path(source)
    compressed = path.suffix in {".gz", ".bz2", ".zst", ".xz"}
    try:
        return None if compressed or not path.is_file() else path.stat().st_mtime
    except OSError:
        return None


def shares(counts: Mapping[str, int]) -> Iterable[tuple[str, float]]:
    """Each value's part of the whole, largest first."""
    total = sum(counts.values())
    ordered: list[tuple[str, int]] = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [(name, count / total) for name, count in ordered] if total else []
