"""Backtest: changed rules, threshold, scenarios or model over the kept lake, and what would come and go.

Both sides judge the same events anew, so that what differs comes of the change alone. Nothing is learned
and nothing is kept of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from logvision.app.silenced import judged_again
from logvision.columns import constant
from logvision.detect import Detector
from logvision.detect.behaviour import Behaviour, network_of
from logvision.detect.cascade import Verification
from logvision.detect.correlate import Correlator
from logvision.detect.outcome import Baselines
from logvision.detect.outcome import judge as judge_outcome
from logvision.detect.site import Site, reconsider
from logvision.detect.volume import Volume
from logvision.engines.state import State
from logvision.incident import Incident
from logvision.lake import queries
from logvision.lake.queries import Database, Question
from logvision.schema import Severity
from logvision.windows.folder import Folder

AT_ONCE: Final = 20_000  # rows of a batch
SAMPLES: Final = 20
LISTED: Final = 50  # incidents of a side that are listed, and rules, classes and routes
COUNTED: Final = 100_000  # distinct texts that are told apart; beyond it counts are too small


@dataclass(frozen=True, slots=True)
class Setup:
    """One side: what judges, and by which exceptions."""

    detector: Detector
    behaviour: Callable[[], Behaviour]  # gives an empty one
    site: Site


@dataclass(slots=True)
class Part:
    """What one side has and the other has not. Texts are as logged: hostile."""

    events: int = 0
    requests: int = 0  # distinct method, target, agent and referer
    clients: int = 0
    ordinary_clients: int = 0  # that were no attackers on the other side: collateral
    networks: int = 0
    routes: Mapping[str, int] = field(default_factory=dict)  # events of each, the most first
    route_count: int = 0
    rules: Mapping[str, int] = field(default_factory=dict)
    classes: Mapping[str, int] = field(default_factory=dict)
    samples: Sequence[Mapping[str, Any]] = ()
    incident_count: int = 0
    incidents: Sequence[Incident] = ()  # the worst first


@dataclass(frozen=True, slots=True)
class Report:
    """What a change would do to a range of the lake."""

    first: datetime | None  # of the events that were judged
    last: datetime | None
    events: int
    whole: bool  # false: only the newest events of the question were judged
    attacks_before: int
    attacks_after: int
    incidents_before: int
    incidents_after: int
    reclassified: int  # attacks of both sides, of another class
    appearing: Part
    disappearing: Part

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready but for times."""
        said = asdict(self)
        for name in ("appearing", "disappearing"):
            part: Part = getattr(self, name)
            said[name]["incidents"] = [incident.to_dict() for incident in part.incidents]
        return said

    def sentence(self) -> str:
        """In short."""
        new, gone = self.appearing, self.disappearing
        return (
            f"of {self.events:,} events {new.events:,} would become attacks ({new.ordinary_clients:,} clients"
            f" and {new.route_count:,} routes that had none) and {gone.events:,} would be none any more;"
            f" incidents: {new.incident_count:,} more, {gone.incident_count:,} fewer"
        )


def backtest(
    database: Database,
    question: Question,
    before: Setup,
    after: Setup,
    *,
    most: int | None = None,
    at_once: int = AT_ONCE,
    anonymised: bool = False,
    pause: Callable[[], None] = lambda: None,
) -> Report:
    """Judge the events of a question by both set-ups, the oldest first. Cost: twice that of a scan.

    `most`: only about so many of the newest. `anonymised`: addresses say nothing of crawlers. `pause` is
    called between batches, and may raise to end it.
    """
    narrowed = question if most is None else queries.newest(database, question, most)
    sides = (_Side(before, anonymised=anonymised), _Side(after, anonymised=anonymised))
    compared = _Compared()
    for table in queries.tables(database, narrowed, oldest_first=True, rows=at_once):
        for start in range(0, table.num_rows, at_once):
            events = table.slice(start, at_once)
            compared.add(*(side.judge(events) for side in sides))
            pause()
    return compared.report(narrowed == question, *(side.incidents() for side in sides))


class _Side:
    """One set-up as it judges batch by batch."""

    def __init__(self, setup: Setup, *, anonymised: bool) -> None:
        self._detector = replace(setup.detector, verification=Verification())
        self._site = setup.site
        self._baselines = Baselines()
        self._state = State(Folder(), setup.behaviour(), Correlator(), Volume())
        self._anonymised = anonymised
        self._found: dict[str, Incident] = {}

    def judge(self, events: pa.Table) -> pa.Table:
        judged = reconsider(judged_again(events, self._detector), self._detector, self._site)
        judged = judge_outcome(judged, self._baselines)
        claims = constant(None, judged.num_rows) if self._anonymised else None
        for incident in self._state.correlate(judged, claims):
            self._found[incident.id] = incident
        return judged

    def incidents(self) -> list[Incident]:
        """Those that stand by themselves."""
        return [each for each in self._found.values() if each.part_of is None]


class _Tally:
    """What is counted of the events that one side has alone."""

    def __init__(self) -> None:
        self.events = 0
        self.requests: set[int] = set()
        self.clients: set[str] = set()
        self.routes: Counter[str] = Counter()
        self.rules: Counter[str] = Counter()
        self.classes: Counter[str] = Counter()
        self.samples: dict[int, dict[str, Any]] = {}

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        for row in rows:  # the few that differ
            self.events += 1
            request = hash((row["method"], row["target"], row["user_agent"], row["referer"]))
            if len(self.requests) < COUNTED:
                self.requests.add(request)
                self.clients.add(row["client_ip"] or "-")
                self.routes[row["route"] or "-"] += 1
            self.rules.update((row["rules"] or "").split())
            self.classes[row["attack"]] += 1
            if request not in self.samples:
                self.samples[request] = {name: row[name] for name in _SAMPLED} | {
                    "id": f"{row['source']}@{row['position']}",
                    "rules": (row["rules"] or "").split(),
                    "score": round(row["score"], 4),
                }
                if len(self.samples) > SAMPLES:  # the newest are the most telling
                    del self.samples[next(iter(self.samples))]

    def part(self, attackers: set[str], incidents: Sequence[Incident]) -> Part:
        worst = sorted(incidents, key=lambda i: (-_SEVERITIES.index(i.severity), -i.events, i.id))
        return Part(
            events=self.events,
            requests=len(self.requests),
            clients=len(self.clients),
            ordinary_clients=len(self.clients - attackers),
            networks=len({network_of(client) for client in self.clients}),
            routes=dict(self.routes.most_common(LISTED)),
            route_count=len(self.routes),
            rules=dict(self.rules.most_common(LISTED)),
            classes=dict(self.classes.most_common()),
            samples=list(reversed(self.samples.values())),
            incident_count=len(incidents),
            incidents=worst[:LISTED],
        )


_SEVERITIES: Final = list(Severity)
_SAMPLED: Final = ("time", "site", "client_ip", "method", "target", "status", "attack", "route")
_COMPARED: Final = [
    *("time", "source", "position", "site", "client_ip", "method", "target", "status", "user_agent"),
    *("referer", "route", "score", "attack", "rules"),
]


class _Compared:
    """The two sides' verdicts, added up."""

    def __init__(self) -> None:
        self._events = self._reclassified = 0
        self._attacks = [0, 0]
        self._attackers: tuple[set[str], set[str]] = (set(), set())
        self._alone = (_Tally(), _Tally())
        self._times: list[datetime] = []

    def add(self, before: pa.Table, after: pa.Table) -> None:
        self._events += before.num_rows
        span = pc.min_max(before["time"]).as_py()
        self._times = [min([*self._times[:1], span["min"]]), max([*self._times[1:], span["max"]])]
        attacks = [side["attack"].cast(pa.string()) for side in (before, after)]
        is_attack = [pc.is_valid(attack) for attack in attacks]
        for number, side in enumerate((before, after)):
            self._attacks[number] += pc.sum(is_attack[number]).as_py() or 0
            clients = pc.unique(side["client_ip"].cast(pa.string()).filter(is_attack[number])).to_pylist()
            self._attackers[number].update(client or "-" for client in clients)
            alone = pc.and_(is_attack[number], pc.invert(is_attack[1 - number]))
            self._alone[number].add(side.select(_COMPARED).filter(alone).to_pylist())
        both = pc.and_(is_attack[0], is_attack[1])
        other = pc.fill_null(pc.not_equal(attacks[0], attacks[1]), False)
        self._reclassified += pc.sum(pc.and_(both, other)).as_py() or 0

    def report(self, whole: bool, before: Sequence[Incident], after: Sequence[Incident]) -> Report:
        first, last = self._times or (None, None)
        return Report(
            first=first,
            last=last,
            events=self._events,
            whole=whole,
            attacks_before=self._attacks[0],
            attacks_after=self._attacks[1],
            incidents_before=len(before),
            incidents_after=len(after),
            reclassified=self._reclassified,
            appearing=self._alone[1].part(self._attackers[0], _alone(after, before)),
            disappearing=self._alone[0].part(self._attackers[1], _alone(before, after)),
        )


def _alone(mine: Sequence[Incident], others: Sequence[Incident]) -> list[Incident]:
    """Incidents without one of the same actor, or of a campaign with it, at that time on the other side."""
    of_actor: dict[str, list[Incident]] = {}
    for other in others:
        for actor in {other.actor, *other.members}:
            of_actor.setdefault(actor, []).append(other)
    return [
        incident
        for incident in mine
        if not any(
            other.first_seen <= incident.last_seen and incident.first_seen <= other.last_seen
            for actor in {incident.actor, *incident.members}
            for other in of_actor.get(actor, ())
        )
    ]
