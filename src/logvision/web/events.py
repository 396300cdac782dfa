"""The routes of events: the list, one of them, one client, why one was judged as it was."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query

from logvision.casebook.base import Question as CaseQuestion
from logvision.incident import Status
from logvision.lake import queries
from logvision.lake.queries.answers import Event, EventPage
from logvision.web.asking import Asked
from logvision.web.models import FAULTS, ActorDocument, ExplainLine, IncidentDocument
from logvision.web.services import Ask, Services

api = APIRouter(prefix="/api", responses=FAULTS)


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


def event_of(services: Services, event_id: str) -> Event:
    source, at, position = event_id.rpartition("@")
    number = int(position) if position.isascii() and position.isdigit() and len(position) < 19 else None
    found = queries.event(services.database, source, number) if at and number is not None else None
    if found is None:
        raise HTTPException(404, "there is no such event")
    return found


def line_of(found: Event) -> str:
    """The event as a line of the combined format, texts as they were logged."""
    request = " ".join(part for part in (found.method, found.target, found.protocol) if part)
    time = found.time.strftime("%d/%b/%Y:%H:%M:%S +0000")
    status, size = found.status or "-", "-" if found.bytes is None else found.bytes
    return (
        f'{found.client_ip or "-"} - {found.user or "-"} [{time}] "{request}" {status} {size}'
        f' "{found.referer or "-"}" "{found.user_agent or "-"}"'
    )


def _explained(services: Services, line: str) -> dict[str, Any]:
    if services.hooks.explain is None:
        raise HTTPException(404, "this process has no detector that could explain")
    return dict(services.hooks.explain(line))
