"""What the web application stands on, handed to it whole; nothing here is global."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Depends, Request

from logvision.casebook.base import Casebook
from logvision.clock import Clock, SystemClock
from logvision.incident import Incident
from logvision.lake.queries import Asker, Database, Event
from logvision.live.base import Live
from logvision.metrics import Metrics

STATIC = Path(__file__).parent / "static"
"""The built page; absent in a checkout whose front end was not built."""


@dataclass(frozen=True, slots=True)
class WebOptions:
    """How the web application is set up."""

    host: str = "127.0.0.1"  # where it listens: anything but loopback asks for a password
    password_hash: str | None = None  # as `auth.hash_password` makes it; null: no password
    allowed_hosts: tuple[str, ...] = ()  # further names it may be called by, e.g. behind a proxy
    metrics_token: str | None = None  # opens /metrics to who has no session; null: nobody
    mode: Literal["embedded", "distributed", "report"] = "embedded"
    attributions: tuple[tuple[str, str], ...] = ()  # text and URL
    static: Path = STATIC


def _no_sources() -> Sequence[Mapping[str, Any]]:
    return ()


def _no_checks() -> Sequence[Mapping[str, Any]]:
    return ()


@dataclass(frozen=True, slots=True)
class Hooks:
    """What only the process around it can tell the web application. Called from worker threads."""

    # Rows for GET /api/sources: keys of `models.SourceRow`, absent ones count as unknown.
    sources: Callable[[], Sequence[Mapping[str, Any]]] = _no_sources
    # The explanation object of `logvision explain --json` for a raw line.
    explain: Callable[[str], Mapping[str, Any]] | None = None
    # The same for an event of the lake; None: its line is put together again and explained.
    explain_event: Callable[[Event], Mapping[str, Any]] | None = None
    # The incidents that there would be without an exception, worst first.
    silenced: Callable[[str], Sequence[Incident]] | None = None
    # Starts a backtest of a change: threshold, rule (id and YAML text), exceptions; at once back.
    backtest: Callable[[Mapping[str, Any]], None] | None = None
    # Whether a backtest runs or waits, and why the last one came to nothing.
    backtesting: Callable[[], tuple[bool, str | None]] | None = None
    # The card of the classifier in use.
    card: Callable[[], Mapping[str, Any]] | None = None
    # Learns from all labels and promotes what is better; seconds. Raises SetupError.
    learn: Callable[[], object] | None = None
    # More rows for GET /api/health: name, ok, detail.
    checks: Callable[[], Sequence[Mapping[str, Any]]] = _no_checks


@dataclass(frozen=True, slots=True)
class Services:
    """Stores, options and hooks of one web application."""

    database: Database
    casebook: Casebook
    live: Live
    options: WebOptions = field(default_factory=WebOptions)
    hooks: Hooks = field(default_factory=Hooks)
    clock: Clock = field(default_factory=SystemClock)
    metrics: Metrics = field(default_factory=Metrics)
    started: float = 0.0  # monotonic seconds


async def services(request: Request) -> AsyncIterator[Services]:
    """The services, for one browser: when it goes away, what is asked of the lake for it alone ends."""
    found = request.app.state.services
    assert isinstance(found, Services)
    asker = Asker()
    watching = asyncio.create_task(_leaving(request, asker))
    try:
        yield replace(found, database=found.database.asked_by(asker))
    finally:
        watching.cancel()


async def _leaving(request: Request, asker: Asker) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    asker.leave()


Ask = Annotated[Services, Depends(services, scope="function")]
"""How a route asks for the services. They are those of a browser until its answer begins: what streams
after that ends by itself."""
