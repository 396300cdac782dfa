"""Correlation: alerts of one actor, or of actors that are one, joined over event time into incidents.

Not every alert is an incident. It becomes worth somebody's attention (`tracks.Track`) when
- an attempt likely worked, or
- a request of an exploiting class has a score of at least SURE, or two different ones are below it, or
- a scenario of at least medium severity and a confidence of at least CONFIDENT overflowed, or
- PROBES different requests of a milder class (admin paths, secret files, scanners) were made.
What stays below waits, and counts as soon as more comes of the same actor.

Alerts of an actor that come within GAP of each other are one incident. A scenario about a network or a
site, and CROWD addresses of one network that attack with the same agent, make a campaign: one incident
whose members are the addresses; what they did before becomes part of it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from logvision.detect import story
from logvision.detect.behaviour import network_of
from logvision.detect.tracks import Finding, Track, known
from logvision.incident import Evidence, Incident
from logvision.schema import ALERT, EVIDENCE_KEPT, TEXT, Attack, Outcome, Severity

GAP: Final = timedelta(hours=6)
"""Quiet for longer than this ends an incident; what comes later begins another."""

SITE_GAP: Final = timedelta(minutes=30)
"""The same for what is known of a site only: soon later it may be somebody else."""

CROWD: Final = 4
"""Addresses of one network, attacking with one agent within GAP of each other, that are one actor."""

TRACKS_KEPT: Final = 4096
"""Actors followed at once, worthy or not; beyond it the one quiet for longest is let go."""

SIGNING_IN: Final = frozenset({Attack.BRUTE_FORCE, Attack.STUFFING})

_DETAILS: Final = [
    *("time", "client_ip", "method", "target", "status", "bytes", "score", "attack", "rules", "outcome"),
    *("user_agent", "referer", "route", "agent", "country"),
]


def alerts_of(events: pa.Table) -> pa.Table:
    """Attack events as ALERT rows: one per actor, site, class and set of rules, in order of arrival.

    An actor quiet for longer than GAP begins another row. Evidence is the first events and the newest,
    in order of arrival. Cost is that of the attack events alone.
    """
    attacks = events.filter(pc.is_valid(events["attack"]))
    if not attacks.num_rows:
        return ALERT.empty_table()
    wanted = ["time", "source", "position", "site", "client_ip", "score", "attack", "rules", "outcome"]
    frame = pl.DataFrame(pl.from_arrow(attacks.select(wanted))).with_columns(
        pl.col("source", "site", "client_ip", "attack", "rules", "outcome").cast(pl.String)
    )
    frame = frame.with_columns(
        actor=pl.when(pl.col("client_ip").is_null())
        .then("site:" + pl.col("site").fill_null("-"))
        .otherwise("ip:" + pl.col("client_ip")),
        worst=pl.col("outcome").replace_strict({o.value: i for i, o in enumerate(story.WORST)}, default=2),
    )
    quiet = pl.col("time").diff().abs() > GAP
    frame = frame.with_columns(stretch=quiet.fill_null(False).cum_sum().over("actor"))
    half = EVIDENCE_KEPT // 2
    place = pl.struct("source", "position")
    grouped = frame.group_by("actor", "site", "attack", "rules", "stretch", maintain_order=True).agg(
        pl.col("score").max(),
        pl.col("worst").max(),
        pl.col("time").min().alias("first_seen"),
        pl.col("time").max().alias("last_seen"),
        pl.len().cast(pl.Int64).alias("events"),
        pl.concat_list(place.head(half).implode(), place.slice(half).tail(half).implode()).alias("evidence"),
    )
    severity = {a.value: s.value for a, s in story.GRADE.items()}
    outcomes = {number: outcome.value for number, outcome in enumerate(story.WORST)}
    names = {a.value: name[:1].upper() + name[1:] for a, name in story.NAMES.items()}
    done = grouped.with_columns(
        detector=pl.when(pl.col("rules").is_null()).then(pl.lit("classifier")).otherwise(pl.lit("signature")),
        rule=pl.col("rules").fill_null("classifier"),
        severity=pl.col("attack").replace_strict(severity),
        outcome=pl.col("worst").replace_strict(outcomes, return_dtype=pl.String),
        explanation=pl.format(
            "{}: {} {}.",
            pl.col("attack").replace_strict(names),
            pl.col("events"),
            pl.when(pl.col("events") == 1).then(pl.lit("request")).otherwise(pl.lit("requests")),
        ),
    ).select(ALERT.names)
    plain = pa.schema([f.with_type(pa.string()) if f.type == TEXT else f for f in ALERT])
    return done.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(plain).cast(ALERT)


class Correlator:
    """Follows actors over batches; used by one thread. Deterministic in event time and order."""

    def __init__(self) -> None:
        # By actor, and campaigns by what they share; the one longest quiet first.
        self._tracks: OrderedDict[str, Track] = OrderedDict()
        # Addresses lately seen attacking, per network and agent.
        self._crowds: OrderedDict[str, tuple[datetime, list[str]]] = OrderedDict()

    def step(self, alerts: pa.Table, events: pa.Table) -> list[Incident]:
        """Incidents that these alerts changed. `events` are those that the alerts are about."""
        if not alerts.num_rows and not self._tracks:
            return []
        changed: OrderedDict[str, Track] = OrderedDict()
        for finding in _findings(alerts, events):
            for track in self._place(finding, events):
                changed[track.id] = track
        for track in self._signed_in(events):
            changed[track.id] = track
        return [track.incident() for track in changed.values() if track.worthy]

    def _place(self, finding: Finding, events: pa.Table) -> list[Track]:
        """Add one finding where it belongs, and give every track that it changed."""
        kind, _, name = finding.actor.partition(":")
        if kind != "ip":
            return self._campaign(finding.actor, finding, _clients(finding, events))
        network = f"net:{network_of(name)}"
        home = self._alive(network, finding)
        if home is None and finding.attack in SIGNING_IN:
            shared = self._alive(f"site:{finding.site or '-'}", finding)
            home = shared if shared is not None and name in shared.members else None
        if home is not None and self._alike(home, finding):
            before = self._alive(finding.actor, finding)
            home.join(name)
            home.add(finding)
            return [home] if before is None else [home, *self._swallow(home, before)]
        own = self._alive(finding.actor, finding) or self._begin(finding, finding.actor)
        own.add(finding)
        crowd = self._crowd(network, finding, name)
        return [own] if crowd is None else [*self._gather(network, finding, crowd)]

    def _campaign(self, actor: str, finding: Finding, clients: Sequence[str]) -> list[Track]:
        """A finding about several addresses at once, which become members."""
        track = self._alive(actor, finding) or self._begin(finding, actor)
        track.add(finding)
        changed = [track]
        for client in clients:
            track.join(client)
            single = self._tracks.get(f"ip:{client}")
            if single is not None and self._alike(track, finding) and set(single.counts) & set(track.counts):
                changed += self._swallow(track, single)
        return changed

    def _gather(self, network: str, finding: Finding, crowd: Sequence[str]) -> list[Track]:
        """Make one campaign of the tracks of these addresses."""
        singles = [t for name in crowd if (t := self._tracks.get(f"ip:{name}")) is not None]
        track = self._begin(finding, network)
        for name in crowd:
            track.join(name)
        changed = [track]
        for single in singles:
            changed += self._swallow(track, single)
        return changed

    def _swallow(self, campaign: Track, single: Track) -> list[Track]:
        campaign.absorb(single)
        self._tracks.pop(single.actor, None)
        return [single]

    def _crowd(self, network: str, finding: Finding, name: str) -> list[str] | None:
        """The addresses of this network that attack with the same agent, when they are enough."""
        key = f"{network} {finding.agents[0] if finding.agents else '-'}"
        at, names = self._crowds.pop(key, (finding.last_seen, []))
        if finding.first_seen - at > GAP:
            names = []
        known(names, [name], CROWD)
        self._crowds[key] = (max(at, finding.last_seen), names)
        if len(self._crowds) > TRACKS_KEPT:
            self._crowds.popitem(last=False)
        return names if len(names) >= CROWD else None

    @staticmethod
    def _alike(campaign: Track, finding: Finding) -> bool:
        """Whether an address of the campaign's network does what the campaign does."""
        if finding.attack in campaign.counts:
            return True
        shared = set(finding.agents) & set(campaign.agents)
        return bool(shared) or (finding.attack in SIGNING_IN and bool(SIGNING_IN & set(campaign.counts)))

    def _alive(self, actor: str, finding: Finding) -> Track | None:
        """The actor's track, unless it was quiet for too long: then it is over."""
        track = self._tracks.get(actor)
        if track is None:
            return None
        gap = SITE_GAP if actor.startswith("site:") else GAP
        if finding.first_seen - track.last_seen > gap:
            del self._tracks[actor]
            return None
        self._tracks.move_to_end(actor)
        return track

    def _begin(self, finding: Finding, actor: str) -> Track:
        track = Track.begin(finding, actor)
        self._tracks[actor] = track
        if len(self._tracks) > TRACKS_KEPT:
            self._tracks.popitem(last=False)
        return track

    def _signed_in(self, events: pa.Table) -> list[Track]:
        """Tracks of password guessers whose sign-in was answered otherwise than all before, and well."""
        guessers = {
            client: track
            for track in self._tracks.values()
            if SIGNING_IN & set(track.counts) and track.routes
            for client in (track.members if track.members else [track.actor.partition(":")[2]])
        }
        if not guessers or not events.num_rows:
            return []
        clients = pa.array(list(guessers), pa.string()).cast(pa.string())
        posted = pc.and_(
            pc.is_in(events["client_ip"].cast(pa.string()), clients),
            pc.and_(
                pc.equal(events["method"].cast(pa.string()), "POST"),
                pc.is_in(events["status"], pa.array([200, 201, 204, 302, 303], pa.int16())),
            ),
        )
        changed = []
        for row in _rows(events.filter(posted.fill_null(False))):
            track = guessers[row["client_ip"]]
            failed = {e.status for e in track.evidence if e.outcome is not Outcome.WORKED}
            if row["route"] in track.routes and failed and row["status"] not in failed:
                attack = next(a for a in track.counts if a in SIGNING_IN)
                track.worked(attack, [_evidence(row, attack, Outcome.WORKED)])
                changed.append(track)
        return changed

    def snapshot(self) -> bytes:
        """Everything that a restart needs."""
        return orjson.dumps(
            {
                "tracks": [track.to_dict() for track in self._tracks.values()],
                "crowds": [[key, at, names] for key, (at, names) in self._crowds.items()],
            }
        )

    def restore(self, state: bytes) -> None:
        """Go on from a snapshot."""
        given = orjson.loads(state)
        tracks = [Track.from_dict(one) for one in given["tracks"]]
        self._tracks = OrderedDict((track.actor, track) for track in tracks)
        self._crowds = OrderedDict(
            (key, (datetime.fromisoformat(at).astimezone(UTC), names)) for key, at, names in given["crowds"]
        )


def _findings(alerts: pa.Table, events: pa.Table) -> list[Finding]:
    """Alerts with the details of their evidence, in the order in which their first evidence arrived."""
    if not alerts.num_rows:
        return []
    details = _details(alerts, events)
    found = []
    for number, alert in enumerate(alerts.to_pylist()):  # alerts are few
        rows = details.get(number, [])
        attack = Attack(alert["attack"])
        behaviour = alert["detector"] == "behaviour"
        first = rows[0]["row"] if rows else events.num_rows
        repeats = alert["first_seen"].isoformat() if behaviour else attack.value
        found.append(
            (
                first,
                Finding(
                    actor=alert["actor"],
                    site=alert["site"],
                    rule=alert["rule"],
                    attack=attack,
                    severity=Severity(alert["severity"]),
                    score=alert["score"],
                    outcome=Outcome(alert["outcome"]),
                    first_seen=alert["first_seen"],
                    last_seen=alert["last_seen"],
                    events=alert["events"],
                    behaviour=behaviour,
                    digest=f"{alert['rule']} {repeats}",
                    evidence=tuple(_evidence(row, attack, Outcome(alert["outcome"])) for row in rows),
                    clients=_distinct(rows, "client_ip"),
                    routes=_distinct(rows, "route"),
                    agents=_distinct(rows, "user_agent"),
                    countries=_distinct(rows, "country"),
                ),
            )
        )
    return [finding for _, finding in sorted(found, key=lambda pair: pair[0])]


def _details(alerts: pa.Table, events: pa.Table) -> dict[int, list[dict[str, Any]]]:
    """Per alert, its events that are at hand, in the order of arrival."""
    lists = pl.DataFrame({"alert": range(alerts.num_rows), "at": pl.from_arrow(alerts["evidence"])})
    places = lists.explode("at").unnest("at")
    at_hand = events.select(["source", "position"])
    rows = (
        pl.DataFrame(pl.from_arrow(at_hand))
        .with_columns(pl.col("source").cast(pl.String))
        .with_row_index("row")
    )
    joined = places.join(rows, on=["source", "position"]).sort("alert", "row")
    picked = _rows(events.take(pa.array(joined["row"].to_numpy())))
    of_alert: dict[int, list[dict[str, Any]]] = {}
    for alert, row, detail in zip(joined["alert"], joined["row"], picked, strict=True):
        of_alert.setdefault(alert, []).append(detail | {"row": row})
    return of_alert


def _clients(finding: Finding, events: pa.Table) -> list[str]:
    """Addresses that did in this batch what the evidence of a campaign shows: same route, same answer."""
    statuses = pa.array(sorted({e.status for e in finding.evidence if e.status is not None}), pa.int16())
    methods = pa.array(sorted({e.method for e in finding.evidence if e.method is not None}), pa.string())
    alike = pc.and_(
        pc.is_in(events["status"], statuses),
        pc.and_(
            pc.is_in(events["method"].cast(pa.string()), methods),
            pc.is_in(events["route"].cast(pa.string()), pa.array(finding.routes, pa.string())),
        ),
    )
    inside = pc.and_(
        pc.greater_equal(events["time"], pa.scalar(finding.first_seen, events.schema.field("time").type)),
        pc.less_equal(events["time"], pa.scalar(finding.last_seen, events.schema.field("time").type)),
    )
    found = events.filter(pc.and_(alike, inside))["client_ip"].cast(pa.string()).unique().drop_null()
    names: list[str] = found.to_pylist()
    kind, _, name = finding.actor.partition(":")
    more = [n for n in names if network_of(n) == name] if kind == "net" else names if kind == "site" else []
    return list(dict.fromkeys([*finding.clients, *more]))


def _rows(events: pa.Table) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = events.select(["source", "position", *_DETAILS]).to_pylist()
    return rows


def _evidence(row: dict[str, Any], attack: Attack, outcome: Outcome) -> Evidence:
    """A row as evidence; what the event itself does not say is that of the alert."""
    return Evidence(
        source=row["source"],
        position=row["position"],
        time=row["time"].astimezone(UTC),
        method=row["method"],
        target=row["target"],
        status=row["status"],
        bytes=row["bytes"],
        score=row["score"],
        attack=Attack(row["attack"]) if row["attack"] else attack,
        rules=tuple((row["rules"] or "").split()),
        outcome=Outcome(row["outcome"]) if row["outcome"] else outcome,
        user_agent=row["user_agent"],
        referer=row["referer"],
    )


def _distinct(rows: list[dict[str, Any]], name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row[name] for row in rows if row[name] is not None))
