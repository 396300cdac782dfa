"""Documents of the web API that are not answers of the lake: see `lake.queries.answers` for those."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from logvision.incident import Incident, Status
from logvision.lake.queries.answers import Actor, Totals
from logvision.schema import Attack, Outcome, Severity, Stage


class Fault(BaseModel):
    """Why a request was not answered: one sentence."""

    detail: str


FAULTS: dict[int | str, dict[str, Any]] = {code: {"model": Fault} for code in (400, 401, 403, 404, 409, 503)}
"""What any route may answer instead."""


class Attribution(BaseModel):
    """Credit that a data licence asks for."""

    text: str
    url: str


class Meta(BaseModel):
    """What the page needs to know before anything else."""

    version: str
    mode: Literal["embedded", "distributed", "report"]
    sites: list[str]
    first: datetime | None
    last: datetime | None
    attributions: list[Attribution]
    auth_required: bool
    now: datetime
    languages: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalsNow(Totals):
    """Totals of the lake with what other stores know."""

    # In the time range and site; the filter does not reach incidents. Null: the casebook does not answer.
    incidents_open: int | None
    rate_now: float  # events/s over the last second


class EvidenceRow(BaseModel):
    """One event that proves an incident. Text is as logged: hostile."""

    id: str
    source: str
    position: int
    time: datetime
    method: str | None
    target: str | None
    status: int | None
    bytes: int | None
    score: float
    attack: Attack | None
    rules: list[str]
    outcome: Outcome | None
    user_agent: str | None
    referer: str | None


class Decision(BaseModel):
    """One entry of an incident's history."""

    at: datetime
    author: str
    status: Status
    note: str


class IncidentDocument(BaseModel):
    """An incident and what people decided about it."""

    id: str
    actor: str
    actor_kind: str
    site: str | None
    stage: Stage
    attacks: dict[str, int]
    outcome: Outcome
    severity: Severity
    score: float
    first_seen: datetime
    last_seen: datetime
    events: int
    alerts: int
    rules: list[str]
    routes: list[str]
    agents: list[str]
    countries: list[str]
    members: list[str]
    member_count: int
    evidence: list[EvidenceRow]
    summary: str
    summary_key: str
    summary_args: dict[str, Any]
    advice: list[str]
    advice_keys: list[str]
    part_of: str | None
    active: bool
    status: Status
    note: str
    revision: int
    history: list[Decision]


class IncidentSummary(BaseModel):
    """An incident in a list of those that there would or would not be. Text is as logged: hostile."""

    id: str
    actor: str
    site: str | None
    stage: Stage
    severity: Severity
    outcome: Outcome
    first_seen: datetime
    last_seen: datetime
    events: int
    summary: str

    @classmethod
    def of(cls, incident: Incident) -> Self:
        return cls(**{name: getattr(incident, name) for name in cls.model_fields})


class IncidentPage(BaseModel):
    """Incidents, newest `last_seen` first, and where the next page starts; null: the end."""

    rows: list[IncidentDocument]
    next: str | None


class Decide(BaseModel):
    """What to set on an incident; `revision` is the one that the decision was made on."""

    model_config = ConfigDict(extra="forbid")

    revision: int
    status: Status | None = None
    note: Annotated[str, Field(max_length=10_000)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorDocument(Actor):
    """What is known of one client address, with its incidents."""

    incidents: list[IncidentDocument]


class ExplainLine(BaseModel):
    """A raw log line to explain."""

    model_config = ConfigDict(extra="forbid")

    line: Annotated[str, Field(max_length=1 << 20)]


class SourceRow(BaseModel):
    """State of one source. Sizes in B; null: not known or without meaning for this kind.

    `late`: how many of the events came more than a minute behind the newest of their source.
    """

    source: str
    kind: str
    state: str
    detail: str = ""
    read_bytes: int = 0
    size_bytes: int | None = None
    lag_bytes: int | None = None
    last_read: datetime | None = None
    events: int = 0
    rejects: int = 0
    filtered: int = 0
    late: int = 0
    format: str | None = None
    confidence: float | None = None
    lines_per_second: float | None = None


class Sources(BaseModel):
    """All sources."""

    rows: list[SourceRow]


class Check(BaseModel):
    """One thing that must be well."""

    name: str
    ok: bool
    detail: str


class Health(BaseModel):
    """How the process is."""

    ok: bool
    checks: list[Check]
    segments: int
    lake_bytes: int
    memory_bytes: int
    uptime_s: float


class Login(BaseModel):
    """A password."""

    model_config = ConfigDict(extra="forbid")

    password: Annotated[str, Field(max_length=1024)]


class Done(BaseModel):
    """It is done."""

    ok: Literal[True] = True
