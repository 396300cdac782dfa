"""Volume: spikes and silences of a site's requests, errors, bytes and attacks against its own season.

Counts are judged in spans of five minutes of event time. A season is what the last weeks gave in this
hour of this weekday (UTC): for each hour the median of its spans, their median absolute deviation, the
smallest and the largest are kept. What every week brings at its hour, however odd, is no alarm. With
fewer than two weeks the same hour of the days before stands in, with bands several times as wide, so
that a first weekend is no alarm either unless it is quite unlike.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from logvision.columns import distinct, plain
from logvision.schema import ALERT, Attack, Outcome, Severity
from logvision.windows.dimensions import ALL, MINUTE, OTHER_SITES

MEASURES: Final = ("requests", "errors", "bytes", "attacks")

SPAN_S: Final = 300
SPANS: Final = 12
"""Width of what is judged, s, and how many of them an hour has."""

HOURS: Final = 168
WEEKS: Final = 6
"""Hours of a week, and weeks that are remembered."""

WEEKS_NEEDED: Final = 2

SITES_KEPT: Final = 64
"""Sites that are watched: those with the most requests."""

GAP_S: Final = 86_400
"""After so long without a request on any site the log counts as stopped, which was told: until it goes
on, nothing more is told or learned."""

AGAIN_S: Final = 3600
"""What goes on is told again after this time."""

FLOORS: Final[Mapping[str, float]] = {"requests": 100, "errors": 20, "bytes": 20e6, "attacks": 20}
"""Counts in a span below which nothing is an alarm: a few more or fewer are chance."""

SEVERITIES: Final[Mapping[tuple[str, str], Severity]] = {
    ("requests", "spike"): Severity.MEDIUM,
    ("requests", "silence"): Severity.HIGH,
    ("errors", "spike"): Severity.HIGH,
    ("errors", "silence"): Severity.INFO,
    ("bytes", "spike"): Severity.MEDIUM,
    ("bytes", "silence"): Severity.LOW,
    ("attacks", "spike"): Severity.MEDIUM,
    ("attacks", "silence"): Severity.INFO,
}

VERSION: Final = 1
"""Of the snapshot."""

_MEDIAN, _SPREAD, _LOW, _HIGH = range(4)
_US: Final = 1_000_000
_TO_SIGMA: Final = 1.4826
"""Median absolute deviation to standard deviation of a normal distribution."""

_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

Stats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Band:
    """What is ordinary for one measure in one hour: spans below `low` or above `high` are not."""

    low: float
    high: float
    usual: tuple[float, float]  # the smallest and largest span that the season has
    weekly: bool


@dataclass(slots=True)
class _Alarm:
    """An excursion while it lasts. Times in s since the epoch."""

    first: int
    told: int
    requests: int


@dataclass(slots=True)
class _Site:
    weight: float = 0.0  # requests, of late
    # By hour of the week, week, measure and statistic; NaN: not known.
    season: Stats = field(default_factory=lambda: np.full((HOURS, WEEKS, len(MEASURES), 4), np.nan))
    next: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(HOURS, np.int64))
    spans: list[list[float]] = field(default_factory=list)  # of the hour that goes on
    bands: list[Band | None] = field(default_factory=list)  # of that hour, by measure
    alarms: dict[str, _Alarm] = field(default_factory=dict)  # by rule

    def enter(self, hour: int) -> None:
        """Begin an hour of the week."""
        weeks = self.season[hour]
        days = self.season[[(hour - 24 * d) % HOURS for d in range(1, 7)]].reshape(-1, len(MEASURES), 4)
        self.spans, self.bands = [], [_band(name, weeks[:, m], days[:, m]) for m, name in enumerate(MEASURES)]

    def leave(self, hour: int) -> None:
        """End it: its spans become part of the season, what was not ordinary only up to the bands."""
        if len(self.spans) < SPANS:
            return  # the site was not there for all of it
        values = np.array(self.spans)
        for m, band in enumerate(self.bands):
            if band is not None and band.weekly:
                values[:, m] = np.clip(values[:, m], band.low, band.high)
        middle = np.median(values, axis=0)
        spread = np.median(np.abs(values - middle), axis=0)
        place = int(self.next[hour]) % WEEKS
        self.season[hour, place] = np.stack([middle, spread, values.min(0), values.max(0)], axis=1)
        self.next[hour] += 1


def _band(measure: str, weeks: Stats, days: Stats) -> Band | None:
    """The band from statistics of the hour in past weeks, or in past days; None: too little is known."""
    known = weeks[~np.isnan(weeks[:, _MEDIAN])]
    weekly = len(known) >= WEEKS_NEEDED
    if not weekly:
        known = np.concatenate([known, days[~np.isnan(days[:, _MEDIAN])]])
        if not len(known):
            return None
    floor = FLOORS[measure]
    middle = float(np.median(known[:, _MEDIAN]))
    between = float(np.median(np.abs(known[:, _MEDIAN] - middle)))
    sigma = max(_TO_SIGMA * max(between, float(np.median(known[:, _SPREAD]))), middle**0.5)
    if weekly:
        low, high = float(np.median(known[:, _LOW])), float(np.median(known[:, _HIGH]))
        above = max(1.5 * high, middle + 8 * sigma, 2 * middle, floor)
        below = min(0.5 * low, middle - 6 * sigma, 0.2 * middle)
    else:
        low, high = float(known[:, _LOW].min()), float(known[:, _HIGH].max())
        above = max(4 * high, middle + 16 * sigma, 3 * floor)
        below = min(0.02 * low, middle - 12 * sigma)
    return Band(below if middle >= floor else -1.0, above, (low, high), weekly)


class Volume:
    """The seasons of all sites and what is out of them now; bounded; used by one thread."""

    def __init__(self) -> None:
        self._sites: dict[str | None, _Site] = {}
        # Start of span (s) to site to counts: what has come and is not judged yet.
        self._waiting: dict[int, dict[str | None, list[float]]] = {}
        self._done: int | None = None  # everything before it is judged, s since the epoch
        self._quiet = 0  # how long no site had a request, s

    def step(self, minutes: pa.Table, until: datetime) -> pa.Table:
        """ALERT rows for the spans that end at `until` or before.

        `minutes`: PARTIAL rows of finished minutes (others than grain 60 of dimension "all" are passed
        over), each given once. `until`: no earlier minute will come any more, e.g. the watermark; rows
        before what an earlier call was told are too late and are passed over. A silence is seen only
        when `until` moves on: where a log may stop altogether, give it the clock. The result does not
        depend on how minutes are dealt out to calls.
        """
        limit = int(until.timestamp()) // SPAN_S * SPAN_S
        self._take(minutes)
        if self._done is None:
            if not self._waiting:
                return ALERT.empty_table()
            self._done = min(self._waiting)
        found: list[dict[str, Any]] = []
        while self._done < limit:
            if self._quiet >= GAP_S and self._done not in self._waiting:
                self._done = min([limit, *self._waiting])
                continue
            found += self._judge(self._done)
            self._done += SPAN_S
        return _alerts(found)

    def _take(self, minutes: pa.Table) -> None:
        names, codes = distinct(minutes, "dimension")
        every = np.append(pc.equal(names, ALL).to_numpy(zero_copy_only=False), False)[codes]
        starts = minutes["start"].cast(pa.int64()).to_numpy() // (SPAN_S * 1_000_000) * SPAN_S
        every &= (minutes["grain"].to_numpy() == MINUTE) & (
            starts >= (-(1 << 62) if self._done is None else self._done)
        )
        rows = pa.array(np.flatnonzero(every))
        some = minutes.select(["site", *MEASURES]).take(rows)
        spans = starts[every].tolist()
        measures = [some[m].cast(pa.float64()).to_pylist() for m in MEASURES]
        for span, site, *values in zip(spans, plain(some["site"]), *measures, strict=True):
            if site == OTHER_SITES:
                continue
            kept = self._waiting.setdefault(span, {}).setdefault(site, [0.0] * len(MEASURES))
            for m, value in enumerate(values):
                kept[m] += value

    def _judge(self, span: int) -> list[dict[str, Any]]:
        counts = self._waiting.pop(span, {})
        self._quiet = 0 if counts else self._quiet + SPAN_S
        for name in sorted(counts, key=lambda n: (n is not None, n)):
            self._meet(name, counts[name][0])
        hour = _hour(span)
        found = []
        for name, site in sorted(self._sites.items(), key=lambda item: (item[0] is not None, item[0] or "")):
            if span % 3600 == 0 or not site.bands:
                site.enter(hour)
            values = counts.get(name, [0.0] * len(MEASURES))
            site.spans.append(values)
            site.weight = 0.999 * site.weight + values[0]
            for m, band in enumerate(site.bands):
                if band is not None:
                    found += _tell(name, site, m, values, band, span)
            if span % 3600 == 3600 - SPAN_S:
                site.leave(hour)
            if self._quiet >= GAP_S:
                site.spans, site.bands, site.alarms = [], [], {}
        return found

    def _meet(self, name: str | None, requests: float) -> None:
        """Watch a site, in place of the least busy one when there are too many."""
        if name in self._sites:
            return
        if len(self._sites) >= SITES_KEPT:
            least = min(self._sites, key=lambda n: self._sites[n].weight)
            if self._sites[least].weight > requests:
                return
            del self._sites[least]
        self._sites[name] = _Site()

    def snapshot(self) -> bytes:
        """Everything that a restart needs; up to 100 kB a site."""
        sites = [
            {
                "name": name,
                "weight": site.weight,
                "season": base64.b64encode(zlib.compress(site.season.astype("<f8").tobytes(), 1)).decode(),
                "next": site.next.tolist(),
                "spans": site.spans,
                "bands": [None if b is None else [b.low, b.high, b.usual, b.weekly] for b in site.bands],
                "alarms": {rule: [a.first, a.told, a.requests] for rule, a in site.alarms.items()},
            }
            for name, site in self._sites.items()
        ]
        waiting = [[span, list(counts.items())] for span, counts in self._waiting.items()]
        return orjson.dumps(
            {"version": VERSION, "done": self._done, "quiet": self._quiet, "sites": sites, "waiting": waiting}
        )

    def restore(self, state: bytes) -> None:
        """Go on from a snapshot; from one of another version nothing is taken."""
        given: Mapping[str, Any] = orjson.loads(state)
        if given["version"] != VERSION:
            return
        self._done, self._quiet = given["done"], given["quiet"]
        self._waiting = {span: dict(counts) for span, counts in given["waiting"]}
        self._sites = {site["name"]: _restored(site) for site in given["sites"]}


def _restored(site: Mapping[str, Any]) -> _Site:
    season = np.frombuffer(zlib.decompress(base64.b64decode(site["season"])), "<f8")
    return _Site(
        weight=site["weight"],
        season=season.reshape(HOURS, WEEKS, len(MEASURES), 4).astype(np.float64),
        next=np.array(site["next"], np.int64),
        spans=site["spans"],
        bands=[None if b is None else Band(b[0], b[1], (b[2][0], b[2][1]), b[3]) for b in site["bands"]],
        alarms={rule: _Alarm(*alarm) for rule, alarm in site["alarms"].items()},
    )


def _hour(second: int) -> int:
    """The hour of the week, 0 being Monday at 00:00 UTC (the epoch was a Thursday)."""
    return (second // 3600 + 72) % HOURS


def _tell(
    name: str | None, site: _Site, place: int, values: list[float], band: Band, span: int
) -> list[dict[str, Any]]:
    """The alert of one measure, if there is any to tell now."""
    measure, value = MEASURES[place], values[place]
    way = "spike" if value > band.high else "silence" if value < band.low else None
    if way == "silence" and place and f"{MEASURES[0]}-silence" in site.alarms:
        way = None  # without requests there is nothing else either
    for other in {"spike", "silence"} - {way}:
        site.alarms.pop(f"{measure}-{other}", None)
    if way is None:
        return []
    rule = f"{measure}-{way}"
    alarm = site.alarms.get(rule)
    if alarm is None:
        alarm = site.alarms[rule] = _Alarm(first=span, told=span, requests=0)
    elif span - alarm.told >= AGAIN_S:
        alarm.told = span
    alarm.requests += round(values[0])
    if alarm.told != span:
        return []
    return [
        {
            "detector": "volume",
            "rule": f"volume-{rule}",
            "attack": Attack.ANOMALY.value,
            "severity": SEVERITIES[measure, way].value,
            "score": 0.9 if band.weekly else 0.7,
            "actor": f"site:{name or '-'}",
            "site": name,
            "outcome": Outcome.UNKNOWN.value,
            "first_seen": datetime.fromtimestamp(alarm.first, UTC),
            "last_seen": datetime.fromtimestamp(span + SPAN_S, UTC),
            "events": alarm.requests,
            "evidence": [],
            "explanation": _sentence(name, measure, value, band, span),
        }
    ]


def _sentence(name: str | None, measure: str, value: float, band: Band, span: int) -> str:
    when = datetime.fromtimestamp(span, UTC)
    season = f"on {_DAYS[when.weekday()]}s" if band.weekly else "on the days before"
    low, high = band.usual
    return (
        f"{name or 'The site'} had {value:,.0f} {measure} in {SPAN_S // 60} minutes from {when:%H:%M} UTC; "
        f"{season} at that hour it has {low:,.0f} to {high:,.0f}."
    )


def _alerts(found: list[dict[str, Any]]) -> pa.Table:
    plain = pa.schema([f.with_type(pa.string()) if pa.types.is_dictionary(f.type) else f for f in ALERT])
    return pa.Table.from_pylist(found, schema=plain).cast(ALERT)
