"""Answers: what the questions give. Plain data, and at once the documents of the web API.

Times are UTC. `answered_from` says whether rollups or events were counted; `approximate` that a
count may be short because a window keeps only its largest values (see `windows.dimensions`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from logvision.schema import Attack, Outcome, Reason


class AnsweredFrom(StrEnum):
    """Where the counts come from."""

    ROLLUPS = "rollups"
    EVENTS = "events"


class By(StrEnum):
    """What a series is split by."""

    ALL = "all"
    ATTACK = "attack"  # two lines: normal and abnormal
    STATUS = "status"  # 1xx to 5xx, and "-" for none
    KIND = "kind"


class Order(StrEnum):
    """What the rows of a top list are ordered by, largest first."""

    REQUESTS = "requests"
    BYTES = "bytes"
    ATTACKS = "attacks"


class Dimension(StrEnum):
    """What a top list counts by: columns of EVENT, and `asn` and `rules` by single value."""

    PATH = "path"
    ROUTE = "route"
    CLIENT_IP = "client_ip"
    STATUS = "status"
    METHOD = "method"
    PROTOCOL = "protocol"
    SITE = "site"
    COUNTRY = "country"
    NETWORK = "network"
    ASN = "asn"
    AGENT = "agent"
    OS = "os"
    DEVICE = "device"
    BOT = "bot"
    REFERER = "referer"
    USER_AGENT = "user_agent"
    ATTACK = "attack"
    KIND = "kind"
    SOURCE = "source"
    RULES = "rules"
    OUTCOME = "outcome"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts of a question. `read` to `filtered` and `log_bytes` are of the whole lake: a line that
    is no event has no event time."""

    requests: int
    success: int  # status 2xx and 3xx
    other: int  # requests - success
    client_errors: int  # 4xx
    server_errors: int  # 5xx
    visitors: int  # distinct client addresses; from rollups within about 2 %
    resources: int  # distinct paths
    bytes: int  # sent to clients
    attacks: int
    normal: int
    read: int
    events: int
    rejects: int
    filtered: int
    log_bytes: int
    first: datetime | None  # event time of the first and the last event in the range; null: none
    last: datetime | None
    answered_from: AnsweredFrom
    approximate: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart: parallel lists over the grid, zeros where nothing happened."""

    key: str
    t: list[datetime]  # start of each step
    requests: list[int]
    bytes: list[int]
    attacks: list[int]


@dataclass(frozen=True, slots=True)
class Series:
    """Requests over time."""

    start: datetime | None  # null: no events at all
    step_s: int
    series: list[Line]
    answered_from: AnsweredFrom


@dataclass(frozen=True, slots=True)
class Row:
    """One value of a dimension."""

    value: str | None  # null: the log does not say
    requests: int
    bytes: int | None  # null: rollups do not know it (of attacks alone)
    attacks: int
    errors: int | None  # status 5xx; null as above
    share: float  # of all requests of the question, 0 to 1
    country: str | None = None  # of a client address
    label: str | None = None  # e.g. the name of a network


@dataclass(frozen=True, slots=True)
class Top:
    """The largest values of one dimension."""

    rows: list[Row]
    total: int  # requests of the question
    other: int  # requests that are in no row
    answered_from: AnsweredFrom
    approximate: bool


@dataclass(frozen=True, slots=True)
class Event:
    """One event: the columns of EVENT, with null as there. All text is as logged: hostile."""

    id: str  # "<source>@<position>"
    time: datetime
    source: str
    position: int
    site: str | None
    peer_ip: str | None
    user: str | None
    method: str | None
    target: str | None
    path: str | None
    query: str | None
    protocol: str | None
    status: int | None
    bytes: int | None
    referer: str | None
    user_agent: str | None
    duration_us: int | None
    client_ip: str | None
    country: str | None
    asn: int | None
    network: str | None
    agent: str | None
    os: str | None
    device: str | None
    bot: str | None
    route: str | None
    kind: str | None
    score: float
    attack: Attack | None
    rules: list[str]
    outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events, newest first, and where the next page starts; null: the end."""

    rows: list[Event]
    next: str | None
    answered_from: AnsweredFrom = AnsweredFrom.EVENTS


@dataclass(frozen=True, slots=True)
class Actor:
    """What is known of one client address."""

    client_ip: str
    first: datetime | None
    last: datetime | None
    requests: int
    attacks: int
    bytes: int
    countries: list[str]
    networks: list[str]
    agents: list[Row]
    routes: list[Row]
    statuses: list[Row]
    events: list[Event]  # the newest
    answered_from: AnsweredFrom = AnsweredFrom.EVENTS


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """Rejects of one reason."""

    reason: Reason
    count: int


@dataclass(frozen=True, slots=True)
class Reject:
    """One line that is no event."""

    reason: Reason
    raw: str  # the first bytes of the line; what is not printable ASCII or valid UTF-8 stands as \xHH
    size: int  # of the whole line, B
    source: str
    position: int
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Rejects:
    """Lines that are no events, newest first."""

    by_reason: list[ReasonCount] = field(default_factory=list)
    rows: list[Reject] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What there is to ask about."""

    first: datetime | None
    last: datetime | None
    sites: list[str]
