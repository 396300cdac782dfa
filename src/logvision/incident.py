"""Incidents: alerts of one actor, or of several actors that are one, joined over event time.

`Incident` is what detection says; `Case` is an incident together with what people decided about it.
Both are plain data with a JSON form, the document of the web API.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self

import orjson

from logvision.schema import Attack, Outcome, Severity, Stage


class Status(StrEnum):
    """What people decided about an incident."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"  # somebody is on it
    CLOSED = "closed"  # dealt with; new events open it again
    FALSE_ALARM = "false_alarm"  # new events do not open it again


UNSETTLED = frozenset({Status.OPEN, Status.ACKNOWLEDGED})
"""Statuses that still want somebody's attention: the "open" list."""

SETTLED = frozenset({Status.CLOSED, Status.FALSE_ALARM})


@dataclass(slots=True)
class Evidence:
    """One event that proves an incident; (source, position) finds the whole event in the lake.

    Nothing changes it. Frozen it would take eight times as long to make, and a scan makes one per attack.
    """

    source: str
    position: int
    time: datetime  # event time, UTC
    method: str | None = None
    target: str | None = None  # as logged: hostile text
    status: int | None = None
    bytes: int | None = None
    score: float = 0.0
    attack: Attack | None = None
    rules: tuple[str, ...] = ()
    outcome: Outcome | None = None
    user_agent: str | None = None
    referer: str | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": f"{self.source}@{self.position}",
            "source": self.source,
            "position": self.position,
            "time": iso(self.time),
            "method": self.method,
            "target": self.target,
            "status": self.status,
            "bytes": self.bytes,
            "score": round(self.score, 4),
            "attack": self.attack,
            "rules": list(self.rules),
            "outcome": self.outcome,
            "user_agent": self.user_agent,
            "referer": self.referer,
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        attack, outcome = document["attack"], document["outcome"]
        return cls(
            source=document["source"],
            position=document["position"],
            time=from_iso(document["time"]),
            method=document["method"],
            target=document["target"],
            status=document["status"],
            bytes=document["bytes"],
            score=document["score"],
            attack=None if attack is None else Attack(attack),
            rules=tuple(document["rules"]),
            outcome=None if outcome is None else Outcome(outcome),
            user_agent=document["user_agent"],
            referer=document["referer"],
        )


@dataclass(frozen=True, slots=True)
class Incident:
    """What detection says of one actor over one stretch of activity. Replaced whole when it changes.

    `summary_key` with `summary_args`, and each advice key, let a page say the sentence in another
    language; `summary` and `advice` say it in English.
    """

    id: str  # 32 hex digits, the same however the events were cut into batches
    actor: str  # "ip:203.0.113.7", "net:203.0.113.0/24", ... as in ALERT
    actor_kind: str  # the part of `actor` before the colon
    site: str | None  # null: more than one site, or the format has none
    stage: Stage
    attacks: Mapping[Attack, int]  # events of each class
    outcome: Outcome
    severity: Severity
    score: float
    first_seen: datetime
    last_seen: datetime
    events: int  # how many events stand behind it
    alerts: int  # findings of detectors, repeats of one finding counted once
    rules: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    members: tuple[str, ...] = ()  # actors of a campaign, capped; empty: one actor alone
    member_count: int = 1
    evidence: tuple[Evidence, ...] = ()
    summary: str = ""
    summary_key: str = ""
    summary_args: Mapping[str, Any] = field(default_factory=dict)
    advice: tuple[str, ...] = ()
    advice_keys: tuple[str, ...] = ()
    part_of: str | None = None  # id of the campaign that swallowed it; null: stands by itself
    active: bool = True  # false: a campaign swallowed it, nothing will be added

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: times as ISO 8601 with Z, enums as their text."""
        return self.with_evidence([e.to_dict() for e in self.evidence])

    def with_evidence(self, evidence: Sequence[Any]) -> dict[str, Any]:
        """What `to_dict` gives, with the evidence in a form of the caller's."""
        return {
            "id": self.id,
            "actor": self.actor,
            "actor_kind": self.actor_kind,
            "site": self.site,
            "stage": self.stage.value,
            "attacks": {str(a): n for a, n in self.attacks.items()},
            "outcome": self.outcome.value,
            "severity": self.severity.value,
            "score": round(self.score, 4),
            "first_seen": iso(self.first_seen),
            "last_seen": iso(self.last_seen),
            "events": self.events,
            "alerts": self.alerts,
            "rules": list(self.rules),
            "routes": list(self.routes),
            "agents": list(self.agents),
            "countries": list(self.countries),
            "members": list(self.members),
            "member_count": self.member_count,
            "evidence": evidence,
            "summary": self.summary,
            "summary_key": self.summary_key,
            "summary_args": dict(self.summary_args),
            "advice": list(self.advice),
            "advice_keys": list(self.advice_keys),
            "part_of": self.part_of,
            "active": self.active,
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        return cls(
            id=document["id"],
            actor=document["actor"],
            actor_kind=document["actor_kind"],
            site=document["site"],
            stage=Stage(document["stage"]),
            attacks={Attack(a): n for a, n in document["attacks"].items()},
            outcome=Outcome(document["outcome"]),
            severity=Severity(document["severity"]),
            score=document["score"],
            first_seen=from_iso(document["first_seen"]),
            last_seen=from_iso(document["last_seen"]),
            events=document["events"],
            alerts=document["alerts"],
            rules=tuple(document["rules"]),
            routes=tuple(document["routes"]),
            agents=tuple(document["agents"]),
            countries=tuple(document["countries"]),
            members=tuple(document["members"]),
            member_count=document["member_count"],
            evidence=tuple(Evidence.from_dict(e) for e in document["evidence"]),
            summary=document["summary"],
            summary_key=document["summary_key"],
            summary_args=dict(document["summary_args"]),
            advice=tuple(document["advice"]),
            advice_keys=tuple(document["advice_keys"]),
            part_of=document["part_of"],
            active=document["active"],
        )


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a case's history."""

    at: datetime
    author: str
    status: Status
    note: str

    def to_dict(self) -> dict[str, Any]:
        return {"at": iso(self.at), "author": self.author, "status": self.status.value, "note": self.note}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        return cls(
            at=from_iso(document["at"]),
            author=document["author"],
            status=Status(document["status"]),
            note=document["note"],
        )


@dataclass(frozen=True, slots=True)
class Case:
    """An incident and what people decided about it."""

    incident: Incident
    status: Status = Status.OPEN
    note: str = ""
    revision: int = 1  # grows by one with every change, of either half
    history: tuple[Change, ...] = ()  # oldest first

    def to_dict(self) -> dict[str, Any]:
        """The incident document of the web API."""
        return self._decided(self.incident.to_dict())

    def to_json(self) -> bytes:
        """What `from_dict` reads, as JSON to be kept: in a quarter of the time of `to_dict`."""
        return orjson.dumps(
            self._decided(self.incident.with_evidence(self.incident.evidence)), option=orjson.OPT_UTC_Z
        )

    def _decided(self, incident: dict[str, Any]) -> dict[str, Any]:
        return {
            **incident,
            "status": self.status.value,
            "note": self.note,
            "revision": self.revision,
            "history": [c.to_dict() for c in self.history],
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        return cls(
            incident=Incident.from_dict(document),
            status=Status(document["status"]),
            note=document["note"],
            revision=document["revision"],
            history=tuple(Change.from_dict(c) for c in document["history"]),
        )


def iso(time: datetime) -> str:
    """ISO 8601 in UTC with microseconds and `Z`, so that text order is time order."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def from_iso(text: str) -> datetime:
    """The reverse of `iso`; also takes any other ISO 8601 form that carries an offset."""
    return datetime.fromisoformat(text).astimezone(UTC)
