"""The routes of the API: each asks one question and gives its answer."""

from __future__ import annotations

import math
import resource
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import orjson
from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from starlette.responses import PlainTextResponse, StreamingResponse

import logvision
from logvision.casebook.base import Casebook, Conflict
from logvision.casebook.base import Question as CaseQuestion
from logvision.errors import StoreError
from logvision.incident import SETTLED, UNSETTLED, Status
from logvision.lake import export, queries
from logvision.lake.queries import By, Dimension, Order, Question
from logvision.lake.queries.answers import Event, EventPage, Rejects, Series, Top
from logvision.live.base import INCIDENT, KINDS, NOW
from logvision.web.auth import COOKIE, SESSION_S, Attempts, Sessions, is_password
from logvision.web.measures import measure
from logvision.web.models import (
    FAULTS,
    ActorDocument,
    Attribution,
    Check,
    Decide,
    Done,
    ExplainLine,
    Fault,
    Health,
    IncidentDocument,
    IncidentPage,
    Login,
    Meta,
    SourceRow,
    Sources,
    TotalsNow,
)
from logvision.web.services import Ask, Services
from logvision.web.stream import stream

LANGUAGES = ["en", "zh"]

api = APIRouter(prefix="/api", responses=FAULTS)
plain = APIRouter()


def asked(
    services: Ask,
    from_: Annotated[
        str | None, Query(alias="from", description="ISO 8601, or now-15m; absent: since the beginning")
    ] = None,
    to: Annotated[str | None, Query(description="ISO 8601, or now; absent: to the end")] = None,
    site: Annotated[str | None, Query(description="virtual host; absent: all")] = None,
    q: Annotated[str | None, Query(description="filter, e.g. status:404 path:/admin* -bot:search*")] = None,
) -> Question:
    """The query state of the page."""
    return queries.question(from_, to, site, q, now=_now(services))


Asked = Annotated[Question, Depends(asked)]


@api.get("/meta", operation_id="meta")
def meta(services: Ask) -> Meta:
    """What the page needs to know before anything else."""
    bounds = queries.bounds(services.database)
    return Meta(
        version=logvision.__version__,
        mode=services.options.mode,
        sites=bounds.sites,
        first=bounds.first,
        last=bounds.last,
        attributions=[Attribution(text=text, url=url) for text, url in services.options.attributions],
        auth_required=services.options.password_hash is not None,
        now=_now(services),
        languages=LANGUAGES,
    )


@api.get("/totals", operation_id="totals")
def totals(services: Ask, question: Asked) -> TotalsNow:
    """Counts of the question."""
    found = queries.totals(services.database, question)
    since_until = CaseQuestion(UNSETTLED, question.start, question.end, question.site)
    return TotalsNow(
        **{name: getattr(found, name) for name in found.__dataclass_fields__},
        incidents_open=_or_none(lambda: services.casebook.count(since_until)),
        rate_now=_rate(services),
    )


@api.get("/series", operation_id="series")
def series(
    services: Ask,
    question: Asked,
    points: Annotated[int, Query(ge=2, le=2000)] = 120,
    by: By = By.ALL,
) -> Series:
    """Requests over time on a grid without gaps, of at most `points` steps."""
    return queries.series(services.database, question, points=points, by=by)


@api.get("/top/{dimension}", operation_id="top")
def top(
    services: Ask,
    question: Asked,
    dimension: Dimension,
    limit: Annotated[int, Query(ge=1, le=1000)] = 20,
    order: Order = Order.REQUESTS,
    abnormal: Annotated[bool | None, Query(description="only attacks, or only the rest")] = None,
) -> Top:
    """The largest values of one dimension."""
    return queries.top(services.database, question, dimension, limit=limit, order=order, abnormal=abnormal)


@api.get("/events", operation_id="events")
def events(
    services: Ask,
    question: Asked,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: str | None = None,
) -> EventPage:
    """Events, newest first."""
    return queries.events(services.database, question, limit=limit, cursor=cursor)


@api.get("/events/{event_id:path}", operation_id="event")
def event(services: Ask, event_id: str) -> Event:
    """One event, by "<source>@<position>"."""
    return event_of(services, event_id)


@api.get("/actor/{client_ip:path}", operation_id="actor")
def actor(services: Ask, question: Asked, client_ip: str) -> ActorDocument:
    """What is known of one client address."""
    found = queries.actor(services.database, question, client_ip)
    every = CaseQuestion(frozenset(Status), actor=f"ip:{client_ip}")
    cases = services.casebook.cases(every, limit=50)
    return ActorDocument(
        **{name: getattr(found, name) for name in found.__dataclass_fields__},
        incidents=[IncidentDocument.model_validate(case.to_dict()) for case in cases.rows],
    )


@api.get("/explain", operation_id="explain_event")
def explain_event(services: Ask, event_id: Annotated[str, Query(alias="id")]) -> dict[str, Any]:
    """Why an event was judged as it was."""
    found = event_of(services, event_id)
    if services.hooks.explain_event is not None:
        return dict(services.hooks.explain_event(found))
    return _explained(services, line_of(found))


@api.post("/explain", operation_id="explain_line")
def explain_line(services: Ask, body: ExplainLine) -> dict[str, Any]:
    """How a raw line would be judged."""
    return _explained(services, body.line)


@api.get("/incidents", operation_id="incidents")
def incidents(
    services: Ask,
    question: Asked,
    status: Literal["open", "closed", "all"] = "open",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: str | None = None,
) -> IncidentPage:
    """Incidents of the time range and site, newest `last_seen` first."""
    statuses = {"open": UNSETTLED, "closed": SETTLED, "all": frozenset(Status)}[status]
    wanted = CaseQuestion(statuses, question.start, question.end, question.site)
    try:
        page = services.casebook.cases(wanted, limit, cursor)
    except ValueError as error:
        raise HTTPException(400, "the cursor is not one that an earlier page gave") from error
    return IncidentPage(
        rows=[IncidentDocument.model_validate(case.to_dict()) for case in page.rows], next=page.next
    )


@api.get("/incidents/{incident_id}", operation_id="incident")
def incident(services: Ask, incident_id: str) -> IncidentDocument:
    """One incident with its evidence."""
    case = services.casebook.case(incident_id)
    if case is None:
        raise HTTPException(404, "there is no such incident")
    return IncidentDocument.model_validate(case.to_dict())


@api.post("/incidents/{incident_id}", operation_id="decide")
def decide(services: Ask, incident_id: str, body: Decide) -> IncidentDocument:
    """Set status or note. 409: somebody else decided in between."""
    try:
        case = services.casebook.decide(
            incident_id,
            revision=body.revision,
            author="operator",
            at=_now(services),
            status=body.status,
            note=body.note,
        )
    except Conflict as conflict:
        revision = conflict.case.revision
        raise HTTPException(
            409, f"the incident was changed meanwhile and is at revision {revision}"
        ) from None
    if case is None:
        raise HTTPException(404, "there is no such incident")
    document = case.to_dict()
    services.live.publish(INCIDENT, document)  # other pages, of this process or another, show it at once
    return IncidentDocument.model_validate(document)


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


@api.get("/export/{what}", operation_id="export", response_class=StreamingResponse)
def download(
    services: Ask,
    question: Asked,
    what: Literal["events", "incidents"],
    format: export.Format = export.Format.JSON,
    ecs: Annotated[bool, Query(description="field names of the Elastic Common Schema")] = False,
) -> StreamingResponse:
    """A download of events or incidents: JSON lines, CSV or Parquet."""
    if what == "events":
        chunks = export.events(queries.tables(services.database, question), format, ecs=ecs)
    else:
        wanted = CaseQuestion(frozenset(Status), question.start, question.end, question.site)
        chunks = export.incidents(_documents(services.casebook, wanted), format, ecs=ecs)
    name = f"logvision-{what}.{export.SUFFIX[format]}"
    return StreamingResponse(
        chunks,
        media_type=export.MEDIA_TYPE[format],
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


@api.get("/stream", operation_id="stream", response_class=StreamingResponse)
async def live_stream(
    request: Request,
    services: Ask,
    kinds: Annotated[str | None, Query(description="now,events,incident,health; absent: all")] = None,
) -> StreamingResponse:
    """Server-sent events; resumes by Last-Event-ID."""
    wanted = frozenset(kinds.split(",")) if kinds else KINDS
    if not wanted <= KINDS:
        raise HTTPException(400, f"kinds are {', '.join(sorted(KINDS))}")
    text = stream(services.live, request.headers.get("last-event-id") or None, wanted)
    return StreamingResponse(
        text, media_type="text/event-stream", headers={"cache-control": "no-store", "x-accel-buffering": "no"}
    )


@api.post("/login", operation_id="login")
def login(request: Request, response: Response, services: Ask, body: Login) -> Done:
    """Open a session. 401: wrong password; 429: too many wrong ones."""
    kept = services.options.password_hash
    if kept is None:
        return Done()
    attempts, sessions = (
        cast(Attempts, request.app.state.attempts),
        cast(Sessions, request.app.state.sessions),
    )
    address = request.client.host if request.client else ""
    wait = attempts.wait_s(address)
    if wait > 0:
        seconds = math.ceil(wait)
        raise HTTPException(429, f"too many wrong passwords; wait {seconds} s", {"retry-after": str(seconds)})
    if not is_password(body.password, kept):
        attempts.failed(address)
        raise HTTPException(401, "the password is wrong")
    attempts.succeeded(address)
    response.set_cookie(
        COOKIE,
        sessions.issue(),
        max_age=SESSION_S,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return Done()


@api.post("/logout", operation_id="logout")
def logout(response: Response) -> Done:
    """End the session of this browser."""
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return Done()


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


def _or_none(ask: Callable[[], int]) -> int | None:
    """A store's answer; None while it is lost, for an answer that other stores give besides."""
    try:
        return ask()
    except StoreError:
        return None


def _now(services: Services) -> datetime:
    return datetime.fromtimestamp(services.clock.now(), UTC)


def event_of(services: Services, event_id: str) -> Event:
    source, at, position = event_id.rpartition("@")
    number = int(position) if position.isascii() and position.isdigit() and len(position) < 19 else None
    found = queries.event(services.database, source, number) if at and number is not None else None
    if found is None:
        raise HTTPException(404, "there is no such event")
    return found


def _documents(casebook: Casebook, question: CaseQuestion) -> Iterator[dict[str, Any]]:
    """Every incident of a question, page by page."""
    cursor: str | None = None
    while True:
        page = casebook.cases(question, 200, cursor)
        yield from (case.to_dict() for case in page.rows)
        if page.next is None:
            return
        cursor = page.next


def _explained(services: Services, line: str) -> dict[str, Any]:
    if services.hooks.explain is None:
        raise HTTPException(404, "this process has no detector that could explain")
    return dict(services.hooks.explain(line))


def line_of(found: Event) -> str:
    """The event as a line of the combined format, texts as they were logged."""
    request = " ".join(part for part in (found.method, found.target, found.protocol) if part)
    time = found.time.strftime("%d/%b/%Y:%H:%M:%S +0000")
    status, size = found.status or "-", "-" if found.bytes is None else found.bytes
    return (
        f'{found.client_ip or "-"} - {found.user or "-"} [{time}] "{request}" {status} {size}'
        f' "{found.referer or "-"}" "{found.user_agent or "-"}"'
    )


def _rate(services: Services) -> float:
    """Events per second as last told on the live bus; 0: nobody tells."""
    message = services.live.snapshot().get(NOW)
    return float(orjson.loads(message.data).get("rate", 0.0)) if message else 0.0


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
