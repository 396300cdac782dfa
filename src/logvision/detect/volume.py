"""Volume: hours with far more, or far less, than a site or a source has at that hour of the week.

Every closed hour is held against the same hour of earlier weeks, or while there are few of them, of
earlier days: median and median absolute deviation, which a few odd hours do not move (Rousseeuw and
Croux, "Alternatives to the Median Absolute Deviation", 1993). Without enough history it is silent.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from logvision.incident import iso
from logvision.schema import ALERT, TEXT, Attack, Outcome, Severity
from logvision.windows.dimensions import ALL, HOUR

WEEKS_NEEDED: Final = 3
DAYS_NEEDED: Final = 5
"""Earlier hours of the same kind that are needed before anything is said."""

HOURS_KEPT: Final = 8 * 7 * 24
SERIES_KEPT: Final = 512
"""Bounds of memory: eight weeks of hours, for so many sites and sources."""

FAR: Final = 6.0
"""Deviations from the median from which an hour is odd."""

LEAST: Final[Mapping[str, int]] = {"requests": 200, "errors": 50, "attacks": 50, "bytes": 100 << 20}
"""What an hour must have more, or less, than the median to be worth a word."""

MEASURES: Final = tuple(LEAST)
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Series:
    """Counts of consecutive hours, the newest last; `next` is the hour after it, since the epoch."""

    next: int
    hours: deque[list[int]] = field(default_factory=lambda: deque(maxlen=HOURS_KEPT))

    def season(self, place: int) -> list[float] | None:
        """Earlier values of this measure at the hour that `next` stands for; None: too few."""
        for period, needed in ((7 * 24, WEEKS_NEEDED), (24, DAYS_NEEDED)):
            earlier = range(len(self.hours) - period, -1, -period)
            if len(earlier) >= needed:
                return [float(self.hours[i][place]) for i in earlier]
        return None


class Volume:
    """Follows the hours of every site and source; used by one thread."""

    def __init__(self) -> None:
        self._series: OrderedDict[str, _Series] = OrderedDict()
        self._open: dict[tuple[str, int], list[int]] = {}

    def step(self, partials: pa.Table, closed: datetime) -> pa.Table:
        """ALERT rows for the hours that ended by `closed`, the watermark.

        `partials`: PARTIAL rows since the last step; those of other grains and dimensions are passed
        over. An hour of which nothing came counts as zero. What comes for an hour already closed is
        late, and is left out.
        """
        self._take(partials)
        until = int((closed - _START).total_seconds()) // HOUR
        found = []
        for name in sorted({name for name, _ in self._open} | set(self._series)):
            series = self._series.get(name)
            if series is None:
                first = min(hour for key, hour in self._open if key == name)
                series = self._series[name] = _Series(first)
                if len(self._series) > SERIES_KEPT:
                    self._series.popitem(last=False)
            # After a gap of weeks nothing is known any more.
            series.next = max(series.next, until - HOURS_KEPT)
            while series.next < until:
                counts = self._open.pop((name, series.next), [0] * len(MEASURES))
                found += self._odd(name, series, counts)
                series.hours.append(counts)
                series.next += 1
        starts = {name: series.next for name, series in self._series.items()}
        self._open = {k: v for k, v in self._open.items() if k[1] >= starts.get(k[0], k[1])}
        plain = pa.schema([f.with_type(pa.string()) if f.type == TEXT else f for f in ALERT])
        return pa.Table.from_pylist(found, schema=plain).cast(ALERT)

    def _take(self, partials: pa.Table) -> None:
        hourly = partials.filter(
            pc.and_(
                pc.equal(partials["grain"], HOUR),
                pc.is_in(partials["dimension"].cast(pa.string()), pa.array([ALL, "source"])),
            )
        )
        for row in hourly.select(["start", "site", "dimension", "value", *MEASURES]).to_pylist():
            name = f"site:{row['site'] or '-'}" if row["dimension"] == ALL else f"source:{row['value']}"
            key = (name, int((row["start"] - _START).total_seconds()) // HOUR)
            counts = self._open.setdefault(key, [0] * len(MEASURES))
            for place, measure in enumerate(MEASURES):
                counts[place] += row[measure]

    def _odd(self, name: str, series: _Series, counts: list[int]) -> list[dict[str, Any]]:
        found = []
        for place, measure in enumerate(MEASURES):
            season = series.season(place)
            if season is None:
                continue
            usual = float(np.median(season))
            spread = 1.4826 * float(np.median(np.abs(np.asarray(season) - usual)))
            # Counts scatter by at least their root, and traffic by a tenth from day to day.
            spread = max(spread, usual**0.5, usual / 10, 1.0)
            more = counts[place] - usual
            silent = measure == "requests" and counts[place] <= usual / 20
            spike = more >= FAR * spread
            if abs(more) >= LEAST[measure] and (spike or silent):
                found.append(_alert(name, series.next, measure, counts[place], usual, spike))
        return found

    def snapshot(self) -> bytes:
        """Everything that a restart needs."""
        return orjson.dumps(
            {
                "series": [[name, s.next, list(s.hours)] for name, s in self._series.items()],
                "open": [[name, hour, counts] for (name, hour), counts in self._open.items()],
            }
        )

    def restore(self, state: bytes) -> None:
        """Go on from a snapshot."""
        given = orjson.loads(state)
        self._series = OrderedDict(
            (name, _Series(following, deque(hours, HOURS_KEPT))) for name, following, hours in given["series"]
        )
        self._open = {(name, hour): counts for name, hour, counts in given["open"]}


def _alert(name: str, hour: int, measure: str, got: int, usual: float, spike: bool) -> dict[str, Any]:
    start = _START + timedelta(hours=hour)
    kind = "spike" if spike else "silence"
    grave = measure in ("errors", "attacks") or not spike
    return {
        "detector": "volume",
        "rule": f"volume-{kind}-{measure}",
        "attack": Attack.ANOMALY.value,
        "severity": (Severity.MEDIUM if grave else Severity.LOW).value,
        "score": 0.6,
        "actor": name,
        "site": name.removeprefix("site:") if name.startswith("site:") and name != "site:-" else None,
        "outcome": Outcome.UNKNOWN.value,
        "first_seen": start,
        "last_seen": start + timedelta(hours=1) - timedelta(microseconds=1),
        "events": got if measure != "bytes" else 0,
        "evidence": [],
        "explanation": (
            f"{measure.capitalize()} in the hour from {iso(start)}: {got}, where {usual:.0f} are usual."
        ),
    }
