"""The routes that tell how the process is: for its page, for probes, for Prometheus."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from starlette.responses import PlainTextResponse

from logvision.casebook.base import Question as CaseQuestion
from logvision.errors import StoreError
from logvision.lake import queries
from logvision.lake.queries.answers import Rejects
from logvision.web.measures import measure
from logvision.web.models import FAULTS, Check, Done, Fault, Health, SourceRow, Sources
from logvision.web.services import Ask, Services

api = APIRouter(prefix="/api", responses=FAULTS)
plain = APIRouter()


@api.get("/rejects", operation_id="rejects")
def rejects(services: Ask, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> Rejects:
    """Lines that are no events, by reason and newest first."""
    return queries.rejects(services.database, limit=limit)


@api.get("/sources", operation_id="sources")
def sources(services: Ask) -> Sources:
    """State of every source."""
    return Sources(rows=[SourceRow.model_validate(row) for row in services.hooks.sources()])


@api.get("/health", operation_id="health")
def health(services: Ask) -> Health:
    """How the process is."""
    checks = _checks(services)
    view = services.database.lake.view()
    return Health(
        ok=all(check.ok for check in checks),
        checks=checks,
        segments=len(view.catalogue.events),
        lake_bytes=view.catalogue.size,
        memory_bytes=_memory(),
        uptime_s=round(services.clock.monotonic() - services.started, 3),
    )


@plain.get("/healthz", operation_id="is_live")
def is_live() -> Done:
    """The process answers."""
    return Done()


@plain.get("/readyz", operation_id="is_ready", responses={503: {"model": Fault}})
def is_ready(services: Ask) -> Done:
    """Nothing is missing; 503 says what is. The page works without it, and says so too."""
    failed = [check for check in _checks(services) if not check.ok]
    if failed:  # by name alone: who asks here has no session, and details hold addresses
        raise HTTPException(503, "missing: " + ", ".join(check.name for check in failed))
    return Done()


@plain.get("/metrics", operation_id="metrics", response_class=PlainTextResponse)
def metrics(services: Ask) -> PlainTextResponse:
    """Counters of this process, sources and checks for Prometheus."""
    rows = [SourceRow.model_validate(row) for row in services.hooks.sources()]
    measure(services.metrics, rows, _checks(services))
    return PlainTextResponse(services.metrics.render(), media_type="text/plain; version=0.0.4")


def _memory() -> int:
    """Resident memory of this process, B; where the system does not tell, its peak."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _checks(services: Services) -> list[Check]:
    checks = [Check.model_validate(check) for check in services.hooks.checks()]
    for name, ask in (
        ("lake", services.database.lake.view),
        ("casebook", lambda: services.casebook.count(CaseQuestion())),
    ):
        try:
            ask()
        except StoreError as error:
            checks.append(Check(name=name, ok=False, detail=str(error)))
        else:
            checks.append(Check(name=name, ok=True, detail=""))
    problem = services.live.problem
    return [*checks, Check(name="live", ok=problem is None, detail=problem or "")]
