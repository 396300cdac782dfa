"""A track: what one actor has done since it was last quiet. It becomes an incident when it is worth one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final, NamedTuple, Self

from logvision.detect import carrier, story
from logvision.incident import Evidence, Incident, from_iso, iso
from logvision.schema import EVIDENCE_KEPT, Attack, Outcome, Severity

SURE: Final = 0.85
"""Score from which a single request of an exploiting class is an incident."""

CONFIDENT: Final = 0.6
"""Confidence from which a scenario of at least medium severity is an incident."""

PROBES: Final = 3
"""Different requests of a milder class that make an incident."""

DOUBTED: Final = 4
"""Different requests that make an incident of which none is sure to be an exploit."""

SOUGHT: Final = 3
SOUGHT_WITHIN_S: Final = 3600
"""So many different searches for what looks like an attack, within so many seconds, count as one request.
People and their programs look for code, in pieces and while they type; who attacks a search sends what leaves
it, or much."""

WORD: Final = 64
"""Bytes of what was looked for that are kept."""

PROTOCOL_TOLD: Final = 8
"""Characters, two bytes as logged, by which other protocols' first bytes are told apart: every greeting of
TLS is another, since it holds random bytes."""

NAMES_KEPT: Final = 50
"""Rules, routes, agents, countries and members that an incident names, each."""

DIGESTS_KEPT: Final = 128
"""Alerts that a track tells apart; beyond it no more are counted."""


class Finding(NamedTuple):
    """One alert with what is known of its events; `digest` is the same for repeats of one alert."""

    actor: str
    site: str | None
    rule: str
    attack: Attack
    severity: Severity
    score: float
    outcome: Outcome
    first_seen: datetime
    last_seen: datetime
    events: int
    behaviour: bool
    digest: str
    evidence: tuple[Evidence, ...] = ()  # in the order of arrival
    clients: tuple[str, ...] = ()  # of the evidence, where known
    routes: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()


@dataclass(slots=True)
class Track:
    """Everything added up; bounded whatever is added."""

    id: str
    actor: str
    first_seen: datetime
    last_seen: datetime
    sites: list[str | None] = field(default_factory=list)
    # Events per class and scenario, those of single requests under "". Two scenarios often see the same
    # events, so a class has as many as the one that saw most.
    counts: dict[Attack, dict[str, int]] = field(default_factory=dict)
    outcomes: dict[Attack, Outcome] = field(default_factory=dict)
    score: float = 0.0
    rules: list[str] = field(default_factory=list)
    routes: list[str] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)
    countries: list[str] = field(default_factory=list)
    members: list[str] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    alerts: list[str] = field(default_factory=list)  # digests
    exploits: list[str] = field(default_factory=list)  # digests of targets of exploiting classes
    probes: list[str] = field(default_factory=list)  # and of the milder ones
    # When, in seconds since the epoch, and what was looked for: those of the last SOUGHT_WITHIN_S.
    sought: list[tuple[float, str]] = field(default_factory=list)
    worthy: bool = False
    part_of: str | None = None
    active: bool = True

    @classmethod
    def begin(cls, finding: Finding, actor: str) -> Self:
        """A track named by its actor and by the event that began it, which no cut into batches changes."""
        # A scenario shows the newest events of a batch; when its bucket began to fill, batches do not change.
        trigger = finding.evidence[0] if finding.evidence and not finding.behaviour else None
        mark = f"{trigger.source}@{trigger.position}" if trigger else iso(finding.first_seen)
        id = blake2b(f"{actor}\0{mark}".encode(), digest_size=16).hexdigest()
        return cls(id, actor, finding.first_seen, finding.last_seen)

    def add(self, finding: Finding) -> None:
        self.first_seen = min(self.first_seen, finding.first_seen)
        self.last_seen = max(self.last_seen, finding.last_seen)
        self._count(finding.attack, finding.rule if finding.behaviour else "", finding.events)
        self._fare(finding.attack, finding.outcome)
        self.score = max(self.score, finding.score)
        known(self.alerts, [finding.digest], DIGESTS_KEPT)
        known(self.sites, [finding.site], NAMES_KEPT)
        known(self.rules, finding.rule.split(), NAMES_KEPT)
        known(self.routes, finding.routes, NAMES_KEPT)
        known(self.agents, finding.agents, NAMES_KEPT)
        known(self.countries, finding.countries, NAMES_KEPT)
        self._prove(finding.evidence)
        self._weigh(finding)

    @property
    def attacks(self) -> dict[Attack, int]:
        """Events of each class."""
        return {attack: max(counts.values()) for attack, counts in self.counts.items()}

    def _count(self, attack: Attack, rule: str, events: int) -> None:
        counts = self.counts.setdefault(attack, {})
        counts[rule] = counts.get(rule, 0) + events

    def worked(self, attack: Attack, evidence: Iterable[Evidence]) -> None:
        """Take note that an attempt of this class worked."""
        self._fare(attack, Outcome.WORKED)
        self._prove(evidence)
        self.worthy = True

    def join(self, member: str) -> None:
        known(self.members, [member], story.MEMBERS_KEPT)

    def absorb(self, other: Track) -> None:
        """Make another track a part of this campaign."""
        self.first_seen = min(self.first_seen, other.first_seen)
        self.last_seen = max(self.last_seen, other.last_seen)
        for attack, counts in other.counts.items():
            for rule, count in counts.items():
                self._count(attack, rule, count)
        for attack, outcome in other.outcomes.items():
            self._fare(attack, outcome)
        self.score = max(self.score, other.score)
        known(self.alerts, other.alerts, DIGESTS_KEPT)
        for mine, theirs in (
            (self.sites, other.sites),
            (self.rules, other.rules),
            (self.routes, other.routes),
            (self.agents, other.agents),
            (self.countries, other.countries),
        ):
            known(mine, theirs, NAMES_KEPT)
        self._prove(other.evidence)
        self.worthy = self.worthy or other.worthy
        other.part_of, other.active = self.id, False

    def _fare(self, attack: Attack, outcome: Outcome) -> None:
        before = self.outcomes.get(attack)
        if before is None or story.WORST.index(outcome) > story.WORST.index(before):
            self.outcomes[attack] = outcome

    def _prove(self, more: Iterable[Evidence]) -> None:
        """Keep the first that came, what worked, and the newest."""
        positions = [e.position for e in self.evidence]
        every = self.evidence + [e for e in more if e.position not in positions or not self._shows(e)]
        newest = len(every) - 5
        if len(every) == EVIDENCE_KEPT + 1:
            # Nearly always one is too many: what has the lowest score, of equal ones the latest.
            least = min(range(newest - 1, 0, -1), key=lambda number: every[number].score)
            if every[least].outcome is not Outcome.WORKED:
                del every[least]
        if len(every) > EVIDENCE_KEPT:
            # Scores are below 1: a smaller number goes before by what is worth more.
            rank = [
                4 * (e.outcome is not Outcome.WORKED) + 2 * (number != 0) + (number < newest) - e.score / 2
                for number, e in enumerate(every)
            ]
            kept = sorted(range(len(every)), key=rank.__getitem__)[:EVIDENCE_KEPT]
            every = [every[number] for number in sorted(kept)]
        self.evidence = every

    def _shows(self, evidence: Evidence) -> bool:
        event = evidence.source, evidence.position
        return any((e.source, e.position) == event for e in self.evidence)

    def _weigh(self, finding: Finding) -> None:
        if self.worthy:
            return
        exploit = finding.attack in story.EXPLOITS
        if finding.outcome is Outcome.WORKED and (not exploit or finding.score >= SURE):
            self.worthy = True
            return
        if finding.behaviour:
            grave = story.SEVERITIES.index(finding.severity) >= story.SEVERITIES.index(Severity.MEDIUM)
            self.worthy = grave and finding.score >= CONFIDENT
            return
        marks = [_mark(e) for e in finding.evidence if not (exploit and self._only_sought(e))]
        known(self.exploits if exploit else self.probes, marks, DOUBTED)  # more makes no difference
        self.worthy = (
            (exploit and finding.score >= SURE)
            or len(self.probes) >= PROBES
            or len(self.probes) + len(self.exploits) + len(self.sought) // SOUGHT >= DOUBTED
        )

    def _only_sought(self, evidence: Evidence) -> bool:
        """Whether a request only looks for what looks like an attack; it is noted then."""
        text = None
        if evidence.target is not None and evidence.score < SURE:
            text = carrier.sought(evidence.target)
        if text is None:
            return False
        at, word = evidence.time.timestamp(), text[:WORD].decode("latin-1").lower()
        self.sought = [one for one in self.sought if abs(at - one[0]) <= SOUGHT_WITHIN_S]
        # What is typed letter by letter is one search.
        if len(self.sought) < SOUGHT * DOUBTED and not any(
            word.startswith(other) or other.startswith(word) for _, other in self.sought
        ):
            self.sought.append((at, word))
        return True

    def incident(self) -> Incident:
        """The incident as it stands."""
        attacks = self.attacks
        events = sum(attacks.values())
        ordered = sorted(attacks, key=lambda a: (-attacks[a], a))
        span = self.last_seen - self.first_seen
        outcome = max(self.outcomes.values(), key=story.WORST.index)
        members = max(len(self.members), 1)
        site = self.sites[0] if len(self.sites) == 1 else None
        country = self.countries[0] if len(self.countries) == 1 else None
        sentence, key, args = story.summary(
            self.actor, members, site, country, ordered, events, span, outcome
        )
        kind = self.actor.partition(":")[0]
        told, advice_keys = story.advice(self.outcomes, kind)
        return Incident(
            id=self.id,
            actor=self.actor,
            actor_kind=kind,
            site=site,
            stage=max((story.stage_of(a, o) for a, o in self.outcomes.items()), key=story.STAGES.index),
            attacks={a: attacks[a] for a in ordered},
            outcome=outcome,
            severity=story.severity_of(self.outcomes, self.score, events, span.total_seconds() / 3600),
            score=self.score,
            first_seen=self.first_seen,
            last_seen=self.last_seen,
            events=events,
            alerts=len(self.alerts),
            rules=tuple(self.rules),
            routes=tuple(self.routes),
            agents=tuple(self.agents),
            countries=tuple(self.countries),
            members=tuple(self.members[:NAMES_KEPT]),
            member_count=members,
            evidence=tuple(self.evidence),
            summary=sentence,
            summary_key=key,
            summary_args=args,
            advice=told,
            advice_keys=advice_keys,
            part_of=self.part_of,
            active=self.active,
        )

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Self:
        """The reverse of its JSON form, which is that of its fields."""
        return cls(
            **{name: state[name] for name in _PLAIN},
            first_seen=from_iso(state["first_seen"]),
            last_seen=from_iso(state["last_seen"]),
            counts={Attack(a): dict(counts) for a, counts in state["counts"].items()},
            outcomes={Attack(a): Outcome(o) for a, o in state["outcomes"].items()},
            evidence=[Evidence.from_dict(e) for e in state["evidence"]],
            sought=[(at, word) for at, word in state.get("sought", ())],  # older snapshots have none
        )


_PLAIN: Final = (
    *("id", "actor", "sites", "score", "rules", "routes", "agents", "countries", "members"),
    *("alerts", "exploits", "probes", "worthy", "part_of", "active"),
)


def known(names: list[Any], more: Iterable[Any], limit: int) -> None:
    """Add what is not there yet, in order, up to a limit."""
    for name in more:
        if len(names) >= limit:
            return
        if name not in names:
            names.append(name)


def _mark(evidence: Evidence) -> str:
    """What makes a request another one; of bytes that are none the first say which protocol they are of."""
    if evidence.method is None and evidence.attack is Attack.PROTOCOL:
        return blake2b(
            (evidence.target or "")[:PROTOCOL_TOLD].encode("utf-8", "replace"), digest_size=6
        ).hexdigest()
    text = f"{evidence.method} {evidence.target} {evidence.user_agent if evidence.target == '/' else ''}"
    return blake2b(text.encode("utf-8", "replace"), digest_size=6).hexdigest()
