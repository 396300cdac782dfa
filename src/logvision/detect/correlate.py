"""Correlation: alerts of one actor, or of actors that are one, joined over event time into incidents.

Not every alert is an incident. It becomes worth somebody's attention (`tracks.Track`) when
- an attempt likely worked, or
- a request of an exploiting class has a score of at least SURE, or two different ones are below it, or
- a scenario of at least medium severity and a confidence of at least CONFIDENT overflowed, or
- PROBES different requests of a milder class (admin paths, secret files, scanners) were made.
What stays below waits, and counts as soon as more comes of the same actor.

Alerts of an actor that come within SLOW_GAP of each other are one incident (`followed`). A scenario about a
network or a site, CROWD addresses of one network that attack with the same agent, POSING that pretend to be
one crawler, and FAR addresses anywhere that do the same at one time, make a campaign: one incident whose
members are the addresses; what they did before becomes part of it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from logvision.columns import arrivals, distinct
from logvision.detect.alerts import GAP
from logvision.detect.behaviour import network_of
from logvision.detect.findings import findings_of, rows_of
from logvision.detect.followed import POSING_GAP, SITE_GAP, TRACKS_KEPT, Followed
from logvision.detect.tracks import SURE, Finding, Track, known
from logvision.incident import Incident
from logvision.schema import Attack, Outcome

Ints = npt.NDArray[np.int64]

CROWD: Final = 4
"""Addresses of one network, attacking with one agent within GAP of each other, that are one actor."""

POSING: Final = 2
"""The same for addresses that pose as one crawler, within POSING_GAP: who does that has many addresses."""

FAR: Final = 20
FAR_NETWORKS: Final = 6
FAR_SPAN: Final = timedelta(hours=1)
"""Addresses of so many networks that do the same within this span, surely an attack, with one agent and
method, are one actor wherever they are: a botnet, or one tool behind many proxies."""

SIGNING_IN: Final = frozenset({Attack.BRUTE_FORCE, Attack.STUFFING})


class Correlator:
    """Follows actors over batches; used by one thread. Deterministic in event time and order."""

    def __init__(self) -> None:
        self._followed = Followed()
        # Addresses lately seen attacking, per network and agent.
        self._crowds: OrderedDict[str, tuple[datetime, list[str]]] = OrderedDict()
        # When which address did the same, by what it did; the latest FAR.
        self._far: OrderedDict[str, dict[str, datetime]] = OrderedDict()
        self._guessing: set[str] = set()  # actors of tracks with a class of SIGNING_IN; some may be gone

    def step(self, alerts: pa.Table, events: pa.Table) -> list[Incident]:
        """Incidents that these alerts changed. `events` are those that the alerts are about."""
        if not alerts.num_rows and not self._followed:
            return []
        changed: OrderedDict[str, Track] = OrderedDict()
        for finding in findings_of(alerts, events):
            for track in (*self._place(finding, events), *self._followed.joined):
                changed[track.id] = track
                if track.actor not in self._guessing and not SIGNING_IN.isdisjoint(track.counts):
                    self._guessing.add(track.actor)
            self._followed.joined.clear()
        for track in self._signed_in(events):
            changed[track.id] = track
        return [track.incident() for track in changed.values() if track.worthy]

    def _place(self, finding: Finding, events: pa.Table) -> list[Track]:
        """Add one finding where it belongs, and give every track that it changed."""
        kind, _, name = finding.actor.partition(":")
        agent = f"agent:{finding.agents[0] if finding.agents else '-'}"
        spread = self._followed.near(agent, finding)
        if spread is not None and (
            (finding.attack in spread.counts and finding.score >= SURE)
            or not set(spread.members).isdisjoint(finding.clients)
        ):
            network = f"net:{network_of(name)}" if kind == "ip" else finding.actor
            return self._join(spread, finding, [finding.actor, network])
        if kind != "ip":
            return self._campaign(finding.actor, finding, _clients(finding, events))
        network = f"net:{network_of(name)}"
        home = self._followed.near(network, finding)
        if home is None and finding.attack in SIGNING_IN:
            shared = self._followed.near(f"site:{finding.site or '-'}", finding)
            home = shared if shared is not None and name in shared.members else None
        if home is not None and self._alike(home, finding):
            changed = self._join(home, finding, [finding.actor])
        else:
            own = self._followed.near(finding.actor, finding) or self._followed.begin(finding, finding.actor)
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
        before = [
            one for actor in dict.fromkeys(parts) if (one := self._followed.near(actor, finding)) is not None
        ]
        return [home, *(self._followed.swallow(home, one) for one in before if one is not home)]

    def _campaign(self, actor: str, finding: Finding, clients: Sequence[str]) -> list[Track]:
        """A finding about several addresses at once, which become members."""
        networks = {f"net:{network_of(client)}" for client in clients}
        if actor.startswith("site:") and len(networks) == 1:
            near = self._followed.near(next(iter(networks)), finding)
            if near is not None and self._alike(near, finding):  # it is that network's doing
                return self._join(near, finding, [actor])
        track = self._followed.near(actor, finding) or self._followed.begin(finding, actor)
        track.add(finding)
        changed = [track, *self._same_campaign(track, finding, networks)]
        for client in clients:
            track.join(client)
            single = self._followed.near(f"ip:{client}", finding)
            if single is not None and self._alike(track, finding) and set(single.counts) & set(track.counts):
                changed.append(self._followed.swallow(track, single))
        return changed

    def _same_campaign(self, track: Track, finding: Finding, networks: Collection[str]) -> list[Track]:
        """What stands under another name and is about the same addresses: a site's campaign that comes of one
        network is that network's, and networks that take part in a site's are parts of it."""
        if track.actor.startswith("net:"):
            site = self._followed.near(f"site:{finding.site or '-'}", finding)
            inside = site is not None and {f"net:{network_of(one)}" for one in site.members} == {track.actor}
            return [self._followed.swallow(track, site)] if site is not None and inside else []
        parts = [part for one in sorted(networks) if (part := self._followed.near(one, finding)) is not None]
        return [
            self._followed.swallow(track, part) for part in parts if not SIGNING_IN.isdisjoint(part.counts)
        ]

    def _gather(self, actor: str, finding: Finding, crowd: Sequence[str]) -> list[Track]:
        """Make one campaign of the tracks of these addresses."""
        actors, near = dict.fromkeys(f"ip:{name}" for name in crowd), actor.startswith("net:")
        if not near:
            actors |= dict.fromkeys(f"net:{network_of(name)}" for name in crowd)
        parts = [t for one in actors if (t := self._followed.near(one, finding)) is not None]
        track = self._followed.near(actor, finding) or self._followed.begin(finding, actor)
        for name in crowd:
            track.join(name)
        return [
            track,
            *(self._followed.swallow(track, part) for part in parts if near or self._alike(part, finding)),
        ]

    def _crowd(self, network: str, finding: Finding, name: str) -> list[str] | None:
        """The addresses of this network that attack with the same agent, when they are enough."""
        poses = finding.attack is Attack.FAKE_BOT
        enough, gap = (POSING, POSING_GAP) if poses else (CROWD, GAP)
        key = f"{network} {finding.agents[0] if finding.agents else '-'}{' poses' if poses else ''}"
        at, names = self._crowds.pop(key, (finding.last_seen, []))
        if abs(finding.first_seen - at) > gap:
            at, names = finding.last_seen, []
        known(names, [name], enough)
        self._crowds[key] = (max(at, finding.last_seen), names)
        if len(self._crowds) > TRACKS_KEPT:
            self._crowds.popitem(last=False)
        return names if len(names) >= enough else None

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

    def _signed_in(self, events: pa.Table) -> list[Track]:
        """Tracks of password guessers whose sign-in was answered otherwise than all before, and well."""
        self._guessing = {actor for actor in self._guessing if self._followed.of(actor)}
        if not self._guessing or not events.num_rows:
            return []
        guessers: dict[str, list[Track]] = {}
        routes: set[str] = set()
        for track in (each for actor in self._guessing for each in self._followed.of(actor)):
            if SIGNING_IN.isdisjoint(track.counts):
                continue
            routes.update(track.routes)
            for client in track.members if track.members else [track.actor.partition(":")[2]]:
                guessers.setdefault(client, []).append(track)
        rows = np.flatnonzero(_among(events, "route", routes))
        rows = rows[_among(events, "client_ip", guessers, rows)]
        rows = _answered_well(events, rows)
        changed = []
        for row in rows_of(events, rows) if rows.size else ():
            for track in guessers[str(row.client_ip)]:
                gap = SITE_GAP if track.actor.startswith("site:") else GAP
                then = track.first_seen <= row.told.time <= track.last_seen + gap
                if row.route not in track.routes or not then:
                    continue
                failed = {
                    e.status for e in track.evidence if e.method == "POST" and e.outcome is not Outcome.WORKED
                }
                if failed and row.told.status not in failed:
                    attack = next(a for a in track.counts if a in SIGNING_IN)
                    track.worked(attack, [row.evidence(attack, Outcome.WORKED)])
                    changed.append(track)
        return changed

    def snapshot(self) -> bytes:
        """Everything that a restart needs."""
        return orjson.dumps(
            {
                "tracks": list(self._followed),
                "crowds": [[key, at, names] for key, (at, names) in self._crowds.items()],
                "far": [[key, list(seen.items())] for key, seen in self._far.items()],
            },
            option=orjson.OPT_NON_STR_KEYS,
        )

    def restore(self, state: bytes) -> None:
        """Go on from a snapshot."""
        given = orjson.loads(state)
        tracks = [Track.from_dict(one) for one in given["tracks"]]
        self._followed = Followed()
        for track in tracks:
            self._followed.put(track)
        self._guessing = {track.actor for track in tracks if not SIGNING_IN.isdisjoint(track.counts)}
        self._crowds = OrderedDict(
            (key, (datetime.fromisoformat(at).astimezone(UTC), names)) for key, at, names in given["crowds"]
        )
        self._far = OrderedDict(
            (key, {name: datetime.fromisoformat(at).astimezone(UTC) for name, at in seen})
            for key, seen in given.get("far", ())  # older snapshots have none
        )


def _answered_well(events: pa.Table, rows: Ints) -> Ints:
    """Those of POST requests with a status that a sign-in that worked may have."""
    rows = rows[_among(events, "method", ["POST"], rows)]
    return rows[_answered(events, (200, 201, 204, 302, 303), rows)]


def _answered(events: pa.Table, wanted: Collection[int], rows: Ints) -> npt.NDArray[np.bool_]:
    """Which of these rows have one of these statuses."""
    given = events["status"].take(pa.array(rows))
    return np.asarray(pc.is_in(given, pa.array(list(wanted), pa.int16())).to_numpy())


def _clients(finding: Finding, events: pa.Table) -> list[str]:
    """Addresses that did in this batch what the evidence of a campaign shows: same route, same answer."""
    kind, _, name = finding.actor.partition(":")
    if kind not in ("net", "site"):
        return list(finding.clients)
    rows = np.flatnonzero(_among(events, "route", finding.routes))
    rows = rows[_among(events, "method", {e.method for e in finding.evidence}, rows)]
    rows = rows[_answered(events, {e.status for e in finding.evidence if e.status is not None}, rows)]
    times = events["time"].cast(pa.int64()).to_numpy()[rows]
    first, last = (round(at.timestamp() * 1e6) for at in (finding.first_seen, finding.last_seen))
    names, codes = distinct(events, "client_ip")
    alike = codes[rows[(times >= first) & (times <= last)]]
    found = arrivals(alike[alike >= 0])
    more: list[str] = names.take(pa.array(found)).to_pylist()
    if kind == "net":
        more = [client for client in more if network_of(client) == name]
    return list(dict.fromkeys([*finding.clients, *more]))


def _among(
    events: pa.Table, name: str, wanted: Iterable[str | None], rows: Ints | None = None
) -> npt.NDArray[np.bool_]:
    """Which rows, of these or of all, have one of these values; null is none."""
    values, codes = distinct(events, name)
    texts = pa.array([text for text in wanted if text is not None], pa.string())
    among = np.append(pc.is_in(values, texts).to_numpy(False), False)
    return np.asarray(among[codes if rows is None else codes[rows]])
