"""Correlation: alerts of one actor, or of actors that are one, joined over event time into incidents.

Not every alert is an incident. It becomes worth somebody's attention (`tracks.Track`) when
- an attempt likely worked, or
- a request of an exploiting class has a score of at least SURE, or two different ones are below it, or
- a scenario of at least medium severity and a confidence of at least CONFIDENT overflowed, or
- PROBES different requests of a milder class (admin paths, secret files, scanners) were made.
What stays below waits, and counts as soon as more comes of the same actor.

Alerts of an actor that come within SLOW_GAP of each other are one incident. A scenario about a network or a
site, CROWD addresses of one network that attack with the same agent, and FAR addresses anywhere that do the
same at one time, make a campaign: one incident whose members are the addresses; what they did before becomes
part of it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from logvision.columns import distinct, plain
from logvision.detect import story
from logvision.detect.behaviour import network_of
from logvision.detect.tracks import SURE, Finding, Track, known
from logvision.incident import Evidence, Incident
from logvision.schema import ALERT, EVIDENCE_KEPT, TEXT, Attack, Outcome, Severity

Ints = npt.NDArray[np.int64]

GAP: Final = timedelta(hours=6)
"""Quiet for longer than this, what was no incident yet is forgotten."""

SLOW_GAP: Final = timedelta(hours=24)
"""Quiet for longer than this ends an incident; what comes later begins another. Who attacks over days rests
for a night."""

SITE_GAP: Final = timedelta(minutes=30)
"""The same for what is known of a site only: soon later it may be somebody else."""

CROWD: Final = 4
"""Addresses of one network, attacking with one agent within GAP of each other, that are one actor."""

FAR: Final = 20
FAR_NETWORKS: Final = 6
FAR_SPAN: Final = timedelta(hours=1)
"""Addresses of so many networks that do the same within this span, surely an attack, with one agent and
method, are one actor wherever they are: a botnet, or one tool behind many proxies."""

TRACKS_KEPT: Final = 4096
"""Actors followed at once, worthy or not; beyond it the one quiet for longest is let go."""

TARGET_KEPT: Final = 1024
AGENT_KEPT: Final = 256
"""Characters of a target, and of an agent or referer, that a track keeps: 4096 actors who send megabytes must
not fill the memory. The event itself has all of it."""

SIGNING_IN: Final = frozenset({Attack.BRUTE_FORCE, Attack.STUFFING})

ATTACKS: Final = {attack.value: attack for attack in Attack}
OUTCOMES: Final = {outcome.value: outcome for outcome in Outcome}
"""By their text: a look-up is a quarter of a call of the class."""


def alerts_of(events: pa.Table) -> pa.Table:
    """Attack events as ALERT rows: one per actor, site, class and set of rules, in order of arrival.

    An actor quiet for longer than GAP begins another row. Evidence is the first events and the newest,
    in order of arrival. Cost is that of the attack events alone.
    """
    attacks = events.filter(pc.is_valid(events["attack"]))
    if not attacks.num_rows:
        return ALERT.empty_table()
    texts = {n: distinct(attacks, n) for n in ("client_ip", "site", "attack", "rules", "outcome", "source")}
    names = {name: [*values.to_pylist(), None] for name, (values, _) in texts.items()}  # code -1 is the last
    codes = {name: of_row for name, (_, of_row) in texts.items()}
    times = attacks["time"].cast(pa.int64()).to_numpy()
    group, firsts = _grouped(codes, times)
    order = np.argsort(group, kind="stable")
    begins = np.flatnonzero(np.diff(group[order], prepend=-1))
    sizes = np.diff(np.append(begins, order.size))
    worst = np.array([story.WORST.index(OUTCOMES[o]) if o else 2 for o in names["outcome"]])[codes["outcome"]]
    told = {name: [names[name][code] for code in codes[name][firsts].tolist()] for name in names}
    actors = [
        f"site:{site or '-'}" if client is None else f"ip:{client}"
        for client, site in zip(told["client_ip"], told["site"], strict=True)
    ]
    done = {
        "detector": ["classifier" if rules is None else "signature" for rules in told["rules"]],
        "rule": [rules or "classifier" for rules in told["rules"]],
        "attack": told["attack"],
        "severity": [story.GRADE[ATTACKS[attack]].value for attack in told["attack"]],
        "score": np.maximum.reduceat(attacks["score"].to_numpy()[order], begins),
        "actor": actors,
        "site": told["site"],
        "outcome": [
            story.WORST[number].value for number in np.maximum.reduceat(worst[order], begins).tolist()
        ],
        "first_seen": np.minimum.reduceat(times[order], begins),
        "last_seen": np.maximum.reduceat(times[order], begins),
        "events": sizes,
        "evidence": _evidence_of(attacks, order, begins, sizes),
        "explanation": [
            f"{story.NAMES[ATTACKS[a]][:1].upper()}{story.NAMES[ATTACKS[a]][1:]}:"
            f" {count} {'request' if count == 1 else 'requests'}."
            for a, count in zip(told["attack"], sizes.tolist(), strict=True)
        ],
    }
    return pa.table([_as(done[field.name], field.type) for field in ALERT], schema=ALERT)


def _grouped(codes: Mapping[str, npt.NDArray[np.int32]], times: Ints) -> tuple[Ints, Ints]:
    """A number for each row's alert, in order of arrival, and the first row of each."""
    clients, sites = codes["client_ip"].astype(np.int64), codes["site"].astype(np.int64)
    actor = np.where(clients >= 0, clients, int(clients.max()) + 2 + sites)
    actor -= actor.min()
    order = np.argsort(actor, kind="stable")
    quiet = np.abs(np.diff(times[order], prepend=times[order[0]])) > GAP // timedelta(microseconds=1)
    quiet &= np.diff(actor[order], prepend=actor[order[0]]) == 0
    stretch = np.empty(order.size, np.int64)
    stretch[order] = np.cumsum(quiet)
    group = actor
    for part in (sites, codes["attack"], codes["rules"], stretch):
        low, width = int(part.min()), int(part.max()) - int(part.min()) + 1
        group = group * width + (part - low)
        _, group = np.unique(group, return_inverse=True)
    _, firsts = np.unique(group, return_index=True)
    arrival = np.argsort(firsts)
    number = np.empty(arrival.size, np.int64)
    number[arrival] = np.arange(arrival.size)
    return number[group], firsts[arrival]


def _evidence_of(attacks: pa.Table, order: Ints, begins: Ints, sizes: Ints) -> pa.ListArray:
    """The first rows of each group, and the newest."""
    half = EVIDENCE_KEPT // 2
    place = np.arange(order.size) - np.repeat(begins, sizes)
    kept = (place < half) | (place >= np.repeat(sizes, sizes) - half)
    rows = attacks.select(["source", "position"]).take(pa.array(order[kept]))
    offsets = np.append(0, np.cumsum(np.minimum(sizes, 2 * half)))
    places = pa.StructArray.from_arrays(
        [rows["source"].cast(pa.string()).combine_chunks(), rows["position"].combine_chunks()],
        fields=list(ALERT.field("evidence").type.value_type),
    )
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), places, type=ALERT.field("evidence").type)


def _as(values: Any, kind: pa.DataType) -> pa.Array:
    """Values as a column of this type; microseconds may stand for times."""
    if isinstance(values, pa.Array):
        return values
    return pa.array(values, pa.string()).dictionary_encode() if kind == TEXT else pa.array(values, kind)


class Correlator:
    """Follows actors over batches; used by one thread. Deterministic in event time and order."""

    def __init__(self) -> None:
        # By actor, and campaigns by what they share; the one longest quiet first.
        self._tracks: OrderedDict[str, Track] = OrderedDict()
        # Addresses lately seen attacking, per network and agent.
        self._crowds: OrderedDict[str, tuple[datetime, list[str]]] = OrderedDict()
        self._ended: list[Track] = []  # guessers' tracks that ended in this step, whose events may be at hand
        # When which address did the same, by what it did; the latest FAR.
        self._far: OrderedDict[str, dict[str, datetime]] = OrderedDict()
        self._guessing: set[str] = set()  # actors of tracks with a class of SIGNING_IN; some may be gone

    def step(self, alerts: pa.Table, events: pa.Table) -> list[Incident]:
        """Incidents that these alerts changed. `events` are those that the alerts are about."""
        if not alerts.num_rows and not self._tracks:
            return []
        changed: OrderedDict[str, Track] = OrderedDict()
        self._ended.clear()
        for finding in _findings(alerts, events):
            for track in self._place(finding, events):
                changed[track.id] = track
                if track.actor not in self._guessing and not SIGNING_IN.isdisjoint(track.counts):
                    self._guessing.add(track.actor)
        for track in self._signed_in(events):
            changed[track.id] = track
        return [track.incident() for track in changed.values() if track.worthy]

    def _place(self, finding: Finding, events: pa.Table) -> list[Track]:
        """Add one finding where it belongs, and give every track that it changed."""
        kind, _, name = finding.actor.partition(":")
        agent = f"agent:{finding.agents[0] if finding.agents else '-'}"
        spread = self._alive(agent, finding)
        if spread is not None and (
            (finding.attack in spread.counts and finding.score >= SURE)
            or not set(spread.members).isdisjoint(finding.clients)
        ):
            network = f"net:{network_of(name)}" if kind == "ip" else finding.actor
            return self._join(spread, finding, [finding.actor, network])
        if kind != "ip":
            return self._campaign(finding.actor, finding, _clients(finding, events))
        network = f"net:{network_of(name)}"
        home = self._alive(network, finding)
        if home is None and finding.attack in SIGNING_IN:
            shared = self._alive(f"site:{finding.site or '-'}", finding)
            home = shared if shared is not None and name in shared.members else None
        if home is not None and self._alike(home, finding):
            changed = self._join(home, finding, [finding.actor])
        else:
            own = self._alive(finding.actor, finding) or self._begin(finding, finding.actor)
            own.add(finding)
            crowd = self._crowd(network, finding, name)
            changed = [own] if crowd is None else self._gather(network, finding, crowd)
        many = self._everywhere(agent, finding, name)
        return changed if many is None else [*changed, *self._gather(agent, finding, many)]

    def _join(self, home: Track, finding: Finding, parts: Sequence[str]) -> list[Track]:
        """Add a finding to the campaign that it belongs to, with what these actors of it did before."""
        kind, _, name = finding.actor.partition(":")
        for client in [name] if kind == "ip" else finding.clients:
            home.join(client)
        home.add(finding)
        before = [one for actor in dict.fromkeys(parts) if (one := self._alive(actor, finding)) is not None]
        return [home, *(self._swallow(home, one) for one in before if one is not home)]

    def _campaign(self, actor: str, finding: Finding, clients: Sequence[str]) -> list[Track]:
        """A finding about several addresses at once, which become members."""
        networks = {f"net:{network_of(client)}" for client in clients}
        if actor.startswith("site:") and len(networks) == 1:
            near = self._alive(next(iter(networks)), finding)
            if near is not None and self._alike(near, finding):  # it is that network's doing
                return self._join(near, finding, [actor])
        track = self._alive(actor, finding) or self._begin(finding, actor)
        track.add(finding)
        changed = [track, *self._same_campaign(track, finding, networks)]
        for client in clients:
            track.join(client)
            single = self._alive(f"ip:{client}", finding)
            if single is not None and self._alike(track, finding) and set(single.counts) & set(track.counts):
                changed.append(self._swallow(track, single))
        return changed

    def _same_campaign(self, track: Track, finding: Finding, networks: Collection[str]) -> list[Track]:
        """What stands under another name and is about the same addresses: a site's campaign that comes of one
        network is that network's, and networks that take part in a site's are parts of it."""
        if track.actor.startswith("net:"):
            site = self._alive(f"site:{finding.site or '-'}", finding)
            inside = site is not None and {f"net:{network_of(one)}" for one in site.members} == {track.actor}
            return [self._swallow(track, site)] if site is not None and inside else []
        parts = [part for one in sorted(networks) if (part := self._alive(one, finding)) is not None]
        return [self._swallow(track, part) for part in parts if not SIGNING_IN.isdisjoint(part.counts)]

    def _gather(self, actor: str, finding: Finding, crowd: Sequence[str]) -> list[Track]:
        """Make one campaign of the tracks of these addresses."""
        actors, near = dict.fromkeys(f"ip:{name}" for name in crowd), actor.startswith("net:")
        if not near:
            actors |= dict.fromkeys(f"net:{network_of(name)}" for name in crowd)
        parts = [t for one in actors if (t := self._alive(one, finding)) is not None]
        track = self._alive(actor, finding) or self._begin(finding, actor)
        for name in crowd:
            track.join(name)
        return [track, *(self._swallow(track, part) for part in parts if near or self._alike(part, finding))]

    def _swallow(self, campaign: Track, part: Track) -> Track:
        campaign.absorb(part)
        for member in part.members:
            campaign.join(member)
        self._tracks.pop(part.actor, None)
        return part

    def _crowd(self, network: str, finding: Finding, name: str) -> list[str] | None:
        """The addresses of this network that attack with the same agent, when they are enough."""
        key = f"{network} {finding.agents[0] if finding.agents else '-'}"
        at, names = self._crowds.pop(key, (finding.last_seen, []))
        if abs(finding.first_seen - at) > GAP:
            at, names = finding.last_seen, []
        known(names, [name], CROWD)
        self._crowds[key] = (max(at, finding.last_seen), names)
        if len(self._crowds) > TRACKS_KEPT:
            self._crowds.popitem(last=False)
        return names if len(names) >= CROWD else None

    def _everywhere(self, agent: str, finding: Finding, name: str) -> list[str] | None:
        """The addresses that lately did the same with the same agent, when they are enough and far apart."""
        if finding.behaviour or finding.score < SURE or not finding.evidence:
            return None
        key = f"{agent} {finding.site or '-'} {finding.attack} {finding.evidence[0].method}"
        seen = self._far.pop(key, {})
        seen.pop(name, None)
        seen[name] = finding.last_seen
        while abs(finding.last_seen - seen[next(iter(seen))]) > FAR_SPAN or len(seen) > FAR:
            del seen[next(iter(seen))]
        self._far[key] = seen
        if len(self._far) > TRACKS_KEPT:
            self._far.popitem(last=False)
        if len(seen) < FAR or len({network_of(each) for each in seen}) < FAR_NETWORKS:
            return None
        del self._far[key]
        return list(seen)

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
        gap = SITE_GAP if actor.startswith("site:") else SLOW_GAP if track.worthy else GAP
        # Both ways: logs are also read with their days in any order.
        if max(finding.first_seen - track.last_seen, track.first_seen - finding.last_seen) > gap:
            del self._tracks[actor]
            if not SIGNING_IN.isdisjoint(track.counts):
                self._ended.append(track)
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
        self._guessing &= self._tracks.keys()
        if not (self._guessing or self._ended) or not events.num_rows:
            return []
        rows = _answered_well(events)
        if not rows.size:
            return []
        guessers: dict[str, list[Track]] = {}
        for track in (*self._ended, *(self._tracks[actor] for actor in self._guessing)):
            for client in track.members if track.members else [track.actor.partition(":")[2]]:
                guessers.setdefault(client, []).append(track)
        clients, codes = distinct(events, "client_ip")
        guess = np.append(pc.is_in(clients, pa.array(guessers, pa.string())).to_numpy(False), False)
        changed = []
        for row in _rows(events, rows[guess[codes[rows]]]):
            for track in guessers[str(row.client_ip)]:
                gap = SITE_GAP if track.actor.startswith("site:") else GAP
                if not track.first_seen <= row.time <= track.last_seen + gap:
                    continue
                failed = {
                    e.status for e in track.evidence if e.method == "POST" and e.outcome is not Outcome.WORKED
                }
                if row.route in track.routes and failed and row.status not in failed:
                    attack = next(a for a in track.counts if a in SIGNING_IN)
                    track.worked(attack, [row.evidence(attack, Outcome.WORKED)])
                    changed.append(track)
        return changed

    def snapshot(self) -> bytes:
        """Everything that a restart needs."""
        return orjson.dumps(
            {
                "tracks": list(self._tracks.values()),
                "crowds": [[key, at, names] for key, (at, names) in self._crowds.items()],
                "far": [[key, list(seen.items())] for key, seen in self._far.items()],
            },
            option=orjson.OPT_NON_STR_KEYS,
        )

    def restore(self, state: bytes) -> None:
        """Go on from a snapshot."""
        given = orjson.loads(state)
        tracks = [Track.from_dict(one) for one in given["tracks"]]
        self._tracks = OrderedDict((track.actor, track) for track in tracks)
        self._guessing = {track.actor for track in tracks if not SIGNING_IN.isdisjoint(track.counts)}
        self._crowds = OrderedDict(
            (key, (datetime.fromisoformat(at).astimezone(UTC), names)) for key, at, names in given["crowds"]
        )
        self._far = OrderedDict(
            (key, {name: datetime.fromisoformat(at).astimezone(UTC) for name, at in seen})
            for key, seen in given.get("far", ())  # older snapshots have none
        )


def _answered_well(events: pa.Table) -> Ints:
    """Rows of POST requests with a status that a sign-in that worked may have."""
    methods, codes = distinct(events, "method")
    post = np.append(pc.equal(methods, "POST").to_numpy(False), False)
    status = pc.fill_null(events["status"], 0).to_numpy()
    return np.flatnonzero(post[codes] & np.isin(status, (200, 201, 204, 302, 303)))


def _findings(alerts: pa.Table, events: pa.Table) -> list[Finding]:
    """Alerts with the details of their evidence, in the order in which their first evidence arrived."""
    if not alerts.num_rows:
        return []
    details = _details(alerts, events)
    told = (
        *("detector", "actor", "site", "rule", "attack", "severity", "score", "outcome"),
        *("first_seen", "last_seen", "events"),
    )
    found = []
    for number, alert in enumerate(zip(*(plain(alerts[name]) for name in told), strict=True)):
        detector, actor, site, rule, attack, severity, score, outcome, first_seen, last_seen, count = alert
        rows = details.get(number, ())
        behaviour = detector == "behaviour"
        attack, outcome = ATTACKS[attack], OUTCOMES[outcome]
        found.append(
            (
                rows[0].number if rows else events.num_rows,
                Finding(
                    actor=actor,
                    site=site,
                    rule=rule,
                    attack=attack,
                    severity=Severity(severity),
                    score=score,
                    outcome=outcome,
                    first_seen=first_seen,
                    last_seen=last_seen,
                    events=count,
                    behaviour=behaviour,
                    digest=f"{rule} {first_seen.isoformat() if behaviour else attack.value}",
                    evidence=tuple(row.evidence(attack, _fared(attack, outcome, row.status)) for row in rows),
                    clients=_distinct(row.client_ip for row in rows),
                    routes=_distinct(row.route for row in rows),
                    agents=_distinct(_cut(row.user_agent, AGENT_KEPT) for row in rows),
                    countries=_distinct(row.country for row in rows),
                ),
            )
        )
    return [finding for _, finding in sorted(found, key=lambda pair: pair[0])]


def _fared(attack: Attack, outcome: Outcome, status: int | None) -> Outcome:
    """How an event of an alert fared that does not say so itself; the alert says how the best of them did."""
    if attack is Attack.FLOOD and status is not None and status >= 500:
        return Outcome.WORKED
    if attack is Attack.FLOOD:
        return Outcome.BLOCKED if status in (403, 429) else Outcome.MISSED
    gone = status in (404, 410) and outcome in (Outcome.WORKED, Outcome.UNKNOWN)
    return Outcome.MISSED if gone else outcome


def _details(alerts: pa.Table, events: pa.Table) -> dict[int, list[_Row]]:
    """Per alert, its events that are at hand, in the order of arrival."""
    alert, row = _at_hand(alerts["evidence"].combine_chunks(), events)
    used, which = np.unique(row, return_inverse=True)
    rows = _rows(events, used)
    of_alert: dict[int, list[_Row]] = {}
    for number, place in zip(alert.tolist(), which.tolist(), strict=True):
        of_alert.setdefault(number, []).append(rows[place])
    return of_alert


def _at_hand(evidence: pa.ListArray, events: pa.Table) -> tuple[Ints, Ints]:
    """Which alert and which row of `events` belong together, in order of both."""
    alert = pc.list_parent_indices(evidence).to_numpy()
    places = pc.list_flatten(evidence)
    wanted = places.field("position").to_numpy()
    names, codes = distinct(events, "source")
    source = pc.fill_null(pc.index_in(places.field("source"), names), -1).to_numpy()
    positions = events["position"].to_numpy()
    row = np.full(alert.size, -1, np.int64)
    for code in np.unique(source).tolist():
        mine, rows = np.flatnonzero(source == code), np.flatnonzero(codes == code)
        if code < 0 or not rows.size:
            continue
        rows = rows[np.argsort(positions[rows], kind="stable")]
        at = np.minimum(np.searchsorted(positions[rows], wanted[mine]), rows.size - 1)
        row[mine] = np.where(positions[rows][at] == wanted[mine], rows[at], -1)
    known = np.flatnonzero(row >= 0)
    order = known[np.lexsort((row[known], alert[known]))]
    return alert[order], row[order]


def _clients(finding: Finding, events: pa.Table) -> list[str]:
    """Addresses that did in this batch what the evidence of a campaign shows: same route, same answer."""
    kind, _, name = finding.actor.partition(":")
    if kind not in ("net", "site"):
        return list(finding.clients)
    times = events["time"].cast(pa.int64()).to_numpy()
    status = pc.fill_null(events["status"], 0).to_numpy()
    first, last = (round(at.timestamp() * 1e6) for at in (finding.first_seen, finding.last_seen))
    alike = (times >= first) & (times <= last)
    alike &= np.isin(status, [e.status for e in finding.evidence if e.status is not None])
    alike &= _among(events, "method", {e.method for e in finding.evidence})
    alike &= _among(events, "route", finding.routes)
    names, codes = distinct(events, "client_ip")
    _, begins = np.unique(codes[alike], return_index=True)
    found = codes[alike][np.sort(begins)]  # in order of arrival
    more: list[str] = names.take(pa.array(found[found >= 0])).to_pylist()
    if kind == "net":
        more = [client for client in more if network_of(client) == name]
    return list(dict.fromkeys([*finding.clients, *more]))


def _among(events: pa.Table, name: str, wanted: Iterable[str | None]) -> npt.NDArray[np.bool_]:
    """Which rows have one of these values; null is none."""
    values, codes = distinct(events, name)
    texts = pa.array([text for text in wanted if text is not None], pa.string())
    return np.asarray(np.append(pc.is_in(values, texts).to_numpy(False), False)[codes])


class _Row(NamedTuple):
    """What of an event an incident tells."""

    number: int  # which row of its batch
    source: str
    position: int
    time: datetime
    client_ip: str | None
    method: str | None
    target: str | None
    status: int | None
    bytes: int | None
    score: float
    attack: str | None
    rules: str | None
    outcome: str | None
    user_agent: str | None
    referer: str | None
    route: str | None
    country: str | None

    def evidence(self, attack: Attack, outcome: Outcome) -> Evidence:
        """As evidence; what the event itself does not say is that of the alert."""
        return Evidence(
            source=self.source,
            position=self.position,
            time=self.time,
            method=self.method,
            target=_cut(self.target, TARGET_KEPT),
            status=self.status,
            bytes=self.bytes,
            score=self.score,
            attack=ATTACKS[self.attack] if self.attack else attack,
            rules=tuple(self.rules.split()) if self.rules else (),
            outcome=OUTCOMES[self.outcome] if self.outcome else outcome,
            user_agent=_cut(self.user_agent, AGENT_KEPT),
            referer=_cut(self.referer, AGENT_KEPT),
        )


def _cut(text: str | None, length: int) -> str | None:
    return text if text is None or len(text) <= length else text[:length]


def _rows(events: pa.Table, rows: Ints) -> list[_Row]:
    some = events.select(_Row._fields[1:]).take(pa.array(rows))
    return [
        _Row(*row)
        for row in zip(rows.tolist(), *(plain(some[name]) for name in some.column_names), strict=True)
    ]


def _distinct(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(value for value in dict.fromkeys(values) if value is not None)
