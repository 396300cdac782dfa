"""The routes of backtests: what a change would do to the newest events that are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from logvision.casebook.base import BACKTEST
from logvision.schema import Attack
from logvision.web.models import FAULTS, IncidentSummary
from logvision.web.services import Ask

api = APIRouter(prefix="/api/backtest", responses=FAULTS)


class RuleText(BaseModel):
    """A rule that may come: its id and its YAML."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
    text: Annotated[str, Field(max_length=100_000)]


class Trial(BaseModel):
    """A change to try; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    threshold: Annotated[float, Field(ge=0.05, le=0.999)] | None = None
    rule: RuleText | None = None
    exceptions: bool = True  # false: as if there were none


class BacktestSample(BaseModel):
    """One event that differs. Text is as logged: hostile."""

    id: str
    time: datetime
    site: str | None
    client_ip: str | None
    method: str | None
    target: str | None
    status: int | None
    route: str | None
    attack: Attack
    rules: list[str]
    score: float


class BacktestPart(BaseModel):
    """What comes, or what goes."""

    events: int
    requests: int  # distinct
    clients: int
    ordinary_clients: int  # that are no attackers on the other side: collateral
    networks: int
    route_count: int
    routes: dict[str, int]  # events of each, the most first
    rules: dict[str, int]
    classes: dict[str, int]
    samples: list[BacktestSample]
    incident_count: int
    incidents: list[IncidentSummary]


class BacktestReport(BaseModel):
    """What a change would do, or did."""

    made: datetime
    why: str  # what changed
    first: datetime | None  # of the events that were judged
    last: datetime | None
    events: int
    whole: bool  # false: only the newest events
    attacks_before: int
    attacks_after: int
    incidents_before: int
    incidents_after: int
    reclassified: int
    appearing: BacktestPart
    disappearing: BacktestPart


class Backtest(BaseModel):
    """The newest report and what is going on."""

    state: Literal["idle", "running", "failed"]
    problem: str | None  # why the last one came to nothing
    report: BacktestReport | None  # null: none was made yet


@api.get("", operation_id="backtest")
def backtest(services: Ask) -> Backtest:
    """The newest backtest. One runs on its own whenever rules change."""
    kept = services.casebook.load_state(BACKTEST)
    running, problem = services.hooks.backtesting() if services.hooks.backtesting else (False, None)
    return Backtest(
        state="running" if running else "failed" if problem else "idle",
        problem=problem,
        report=None if kept is None else BacktestReport.model_validate(orjson.loads(kept)),
    )


@api.post("", operation_id="start_backtest", status_code=202)
def start(services: Ask, body: Trial) -> Backtest:
    """Try a change over the newest events, in the background; the report comes at the same address."""
    if services.hooks.backtest is None:
        raise HTTPException(404, "this process judges nothing")
    rule = None if body.rule is None else (body.rule.id, body.rule.text)
    services.hooks.backtest({"threshold": body.threshold, "rule": rule, "exceptions": body.exceptions})
    return backtest(services)
