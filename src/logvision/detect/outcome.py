"""Outcome: how an attack went, read from its answer against what the site answers ordinarily.

A status alone tells little: many sites answer 200 to whatever is asked. So an answer is held against
the ordinary answers of its route (sizes, durations), against the page that the site gives for what is
not there, and against the other answers to the same attacker. When that does not tell, it is unknown.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import orjson
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from logvision.schema import Attack, Outcome

LEARNED_PER_BATCH: Final = 2048
"""Clean events that a batch teaches at most, evenly spread over it."""

ROUTES_KEPT: Final = 4096
SITES_KEPT: Final = 256
SIZES_KEPT: Final = 48
"""Bounds of memory: routes over all sites, sites, and latest answers of a route."""

ENOUGH: Final = 8
"""Ordinary answers that a route must have given before anything is held against them."""

ANYTHING: Final = 3
"""Different paths answered 200 with one size, among those that attackers ask for: that is the site's page
for what is not there."""

REFUSED: Final = frozenset({400, 401, 403, 406, 407, 418, 422, 429, 431, 444, 451, 494, 495, 496, 497})

_FILES: Final = frozenset(
    {Attack.SENSITIVE, Attack.TRAVERSAL, Attack.RFI, Attack.WEBSHELL, Attack.CVE, Attack.XXE}
)
"""Classes whose success is an answer that the site has nowhere else."""

_BLIND: Final = frozenset(
    {
        *(Attack.LOG4SHELL, Attack.XSS, Attack.SCANNER, Attack.PROTOCOL, Attack.FAKE_BOT, Attack.CRAWL),
        *(Attack.DESERIALISATION, Attack.SMUGGLING, Attack.ENUMERATION, Attack.FLOOD, Attack.PROBE),
    }
)
"""Classes of which an answer of 200 proves nothing either way."""

_DELAY: Final = r"(?i)(?:sleep|delay)(?:\(|%28|[\s+]|%20|'|%27)*(?:0:0:|00:00:)?(?P<seconds>\d{1,2})(?:\D|$)"
"""How many seconds a payload asks the database to wait (RE2)."""


@dataclass(slots=True)
class _Route:
    sizes: deque[int] = field(default_factory=lambda: deque(maxlen=SIZES_KEPT))  # B, of answers 200
    durations: deque[int] = field(default_factory=lambda: deque(maxlen=SIZES_KEPT))  # µs
    redirects: int = 0

    def ordinary(self, size: int) -> bool | None:
        """Whether the route gives answers of this size; None: not known yet."""
        if len(self.sizes) < ENOUGH:
            return None
        low, high = min(self.sizes), max(self.sizes)
        slack = max(256, (high - low) // 4, high // 20)
        return low - slack <= size <= high + slack


@dataclass(slots=True)
class _Site:
    misses: int = 0  # answers 404 and 410
    # Size of a 200 to the paths that attackers asked for and that got it (their first few).
    answers: OrderedDict[int, list[str]] = field(default_factory=OrderedDict)

    def note(self, size: int, path: str) -> None:
        paths = self.answers.setdefault(size, [])
        if len(paths) < ANYTHING and path not in paths:
            paths.append(path)
        self.answers.move_to_end(size)
        if len(self.answers) > SIZES_KEPT:
            self.answers.popitem(last=False)

    def anything(self, size: int) -> bool:
        """Whether this is the page that the site gives for whatever is not there."""
        return any(
            len(paths) >= ANYTHING and abs(size - known) <= max(16, known // 50)
            for known, paths in self.answers.items()
        )


class Baselines:
    """The ordinary answers of routes and sites, learned from clean events; bounded. One thread."""

    def __init__(self) -> None:
        self._routes: OrderedDict[tuple[str, str], _Route] = OrderedDict()
        self._sites: OrderedDict[str, _Site] = OrderedDict()

    def route(self, site: str, route: str) -> _Route | None:
        return self._routes.get((site, route))

    def site(self, name: str) -> _Site:
        found = self._sites.get(name)
        if found is None:
            found = self._sites[name] = _Site()
            if len(self._sites) > SITES_KEPT:
                self._sites.popitem(last=False)
        return found

    def learn(self, events: pa.Table) -> None:
        """Take note of the answers to clean events (rows whose `attack` is null)."""
        clean = np.flatnonzero(events["attack"].is_null().to_numpy())
        if not clean.size:
            return
        step = -(-clean.size // LEARNED_PER_BATCH)
        rows = events.select(["site", "route", "status", "bytes", "duration_us", "method"]).take(
            pa.array(clean[::step])
        )
        for row in rows.to_pylist():  # LEARNED_PER_BATCH at most
            site, status = row["site"] or "", row["status"] or 0
            if status in (404, 410):
                self.site(site).misses += 1
                continue
            if row["route"] is None or row["method"] == "HEAD":
                continue
            key = (site, row["route"])
            route = self._routes.get(key)
            if route is None:
                route = self._routes[key] = _Route()
                if len(self._routes) > ROUTES_KEPT:
                    self._routes.popitem(last=False)
            else:
                self._routes.move_to_end(key)
            if status == 200 and row["bytes"] is not None:
                route.sizes.append(row["bytes"])
                if row["duration_us"] is not None:
                    route.durations.append(row["duration_us"])
            elif 300 <= status < 400 and status != 304:
                route.redirects += 1

    def snapshot(self) -> bytes:
        """Everything that a restart needs."""
        return orjson.dumps(
            {
                "routes": [
                    [*k, list(r.sizes), list(r.durations), r.redirects] for k, r in self._routes.items()
                ],
                "sites": [[name, s.misses, list(s.answers.items())] for name, s in self._sites.items()],
            }
        )

    def restore(self, state: bytes) -> None:
        """Go on from a snapshot."""
        given: Mapping[str, Any] = orjson.loads(state)
        self._routes = OrderedDict(
            ((site, route), _Route(deque(sizes, SIZES_KEPT), deque(durations, SIZES_KEPT), redirects))
            for site, route, sizes, durations, redirects in given["routes"]
        )
        self._sites = OrderedDict(
            (name, _Site(misses, OrderedDict((size, paths) for size, paths in answers)))
            for name, misses, answers in given["sites"]
        )


def judge(events: pa.Table, baselines: Baselines) -> pa.Table:
    """Events with `outcome` set (null where `attack` is null); the clean ones teach the baselines first.

    Cost is that of the attack events, and of LEARNED_PER_BATCH others.
    """
    baselines.learn(events)
    attacks = np.flatnonzero(events["attack"].is_valid().to_numpy())
    codes = np.full(events.num_rows, -1, np.int32)
    if attacks.size:
        codes[attacks] = _outcomes(events.take(pa.array(attacks)), baselines)
    names = pa.array([o.value for o in Outcome], pa.string())
    column = pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32(), mask=codes < 0), names)
    if "outcome" in events.column_names:
        return events.set_column(events.schema.get_field_index("outcome"), "outcome", column)
    return events.append_column("outcome", column)


_READ: Final = [
    *("site", "route", "path", "method", "target", "status", "bytes", "duration_us", "attack", "client_ip")
]

_CODE: Final = {outcome: number for number, outcome in enumerate(Outcome)}


def _outcomes(attacks: pa.Table, baselines: Baselines) -> np.ndarray[Any, np.dtype[np.int32]]:
    status = pc.fill_null(attacks["status"], 0).to_numpy().astype(np.int64)
    codes = np.full(status.size, _CODE[Outcome.UNKNOWN], np.int32)
    codes[(status >= 300) & (status < 500)] = _CODE[Outcome.MISSED]
    codes[status == 501] = _CODE[Outcome.MISSED]
    codes[np.isin(status, list(REFUSED))] = _CODE[Outcome.BLOCKED]
    missing = attacks.filter(pa.array(np.isin(status, (404, 410))))
    for site, count in pl.Series(pl.from_arrow(missing["site"].cast(pa.string()))).value_counts().iter_rows():
        baselines.site(site or "").misses += count
    # What was answered well, or sent elsewhere, is read one by one: few attacks are.
    open_redirects = pc.equal(attacks["attack"].cast(pa.string()), Attack.REDIRECT.value).to_numpy()
    read = np.flatnonzero(((status >= 200) & (status < 300)) | ((status // 100 == 3) & open_redirects))
    if not read.size:
        return codes
    picked = attacks.select(_READ).take(pa.array(read))
    asked = pc.struct_field(pc.extract_regex(picked["target"].cast(pa.string()), _DELAY), "seconds")
    rows = picked.append_column("asked", asked).to_pylist()
    for row in rows:
        # All of a batch first: the third path with the same answer tells of the first two.
        if row["bytes"] is not None and Attack(row["attack"]) in _FILES | {Attack.PROBE}:
            baselines.site(row["site"] or "").note(row["bytes"], row["path"] or "")
    blind = _two_answers(rows)
    for number, row in zip(read.tolist(), rows, strict=True):
        outcome = Outcome.WORKED if _spot(row) in blind else _outcome(row, baselines)
        codes[number] = _CODE[outcome]
    return codes


def _outcome(row: Mapping[str, Any], baselines: Baselines) -> Outcome:
    """Of one attack that was answered 2xx (or an open redirect answered 3xx)."""
    attack, size = Attack(row["attack"]), row["bytes"]
    site = baselines.site(row["site"] or "")
    route = None if row["route"] is None else baselines.route(row["site"] or "", row["route"])
    slept = _slept(row, route)
    if attack is Attack.REDIRECT and row["status"] >= 300:
        outcome = Outcome.WORKED if route is None or not route.redirects else Outcome.UNKNOWN
    elif slept is not None:
        outcome = Outcome.WORKED if slept else Outcome.MISSED
    elif size is None or row["method"] == "HEAD":
        outcome = Outcome.UNKNOWN
    elif site.anything(size):
        outcome = Outcome.MISSED
    elif attack in _FILES:
        outcome = _of_file(attack, size, site, route, baselines.route(row["site"] or "", "/"))
    else:
        outcome = _of_payload(attack, size, route)
    return outcome


def _of_file(attack: Attack, size: int, site: _Site, route: _Route | None, home: _Route | None) -> Outcome:
    """Of a request for something that is nobody's to read."""
    ordinary = None if route is None else route.ordinary(size)
    if ordinary:
        return Outcome.MISSED
    # Single-page applications answer their first page to every path.
    if route is None and home is not None and home.ordinary(size) and attack is not Attack.TRAVERSAL:
        return Outcome.MISSED
    # Without a single 404 the site may well answer 200 to everything.
    return Outcome.WORKED if size > 0 and (site.misses or ordinary is False) else Outcome.UNKNOWN


def _of_payload(attack: Attack, size: int, route: _Route | None) -> Outcome:
    """Of a payload for an application: an answer larger than any ordinary one has something more in it."""
    ordinary = None if route is None else route.ordinary(size)
    if route is None or ordinary is None or attack in _BLIND:
        return Outcome.UNKNOWN
    if ordinary:
        return Outcome.MISSED
    return Outcome.WORKED if size > max(route.sizes) else Outcome.UNKNOWN


def _slept(row: Mapping[str, Any], route: _Route | None) -> bool | None:
    """Whether the answer took as long as the payload asked it to sleep; None: it did not ask, or no times."""
    if row["asked"] is None or row["duration_us"] is None:
        return None
    seconds = int(row["asked"])
    if not 1 <= seconds <= 60:
        return None
    usual = int(np.median(route.durations)) if route is not None and route.durations else 500_000
    return bool(row["duration_us"] >= usual + 0.85 * seconds * 1_000_000)


def _spot(row: Mapping[str, Any]) -> tuple[str | None, str | None, str | None, str]:
    return row["client_ip"], row["site"], row["route"], row["attack"]


def _two_answers(rows: list[dict[str, Any]]) -> set[tuple[str | None, str | None, str | None, str]]:
    """Where one client's SQL injections into one route were answered with two sizes by turns: true and false.

    Each of the two must come at least three times, at least two sizes in five turns change, and both
    together make nearly all answers.
    """
    sizes: dict[tuple[str | None, str | None, str | None, str], list[int]] = {}
    for row in rows:
        if row["attack"] == Attack.SQLI and row["bytes"] is not None:
            sizes.setdefault(_spot(row), []).append(row["bytes"])
    found = set()
    for spot, given in sizes.items():
        values, counts = np.unique(given, return_counts=True)
        if values.size < 2 or len(given) < 8:
            continue
        top = np.argsort(-counts, kind="stable")[:2]
        turns = np.count_nonzero(np.diff(np.asarray(given)) != 0)
        if counts[top].min() >= 3 and counts[top].sum() >= 0.8 * len(given) and turns >= 0.3 * len(given):
            found.add(spot)
    return found
