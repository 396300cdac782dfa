"""The routes of incidents: the list, one of them, decisions."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query

from logvision.casebook.base import Conflict, worst_first
from logvision.incident import SETTLED, UNSETTLED, Status
from logvision.live.base import INCIDENT
from logvision.web.asking import Asked, cases, now
from logvision.web.models import FAULTS, Decide, IncidentDocument, IncidentPage
from logvision.web.services import Ask

api = APIRouter(prefix="/api", responses=FAULTS)


@api.get("/incidents", operation_id="incidents")
def incidents(
    services: Ask,
    question: Asked,
    status: Literal["open", "closed", "all"] = "open",
    order: Annotated[
        Literal["newest", "worst"],
        Query(description="by last_seen; or by severity, in each what likely worked, then the newest"),
    ] = "newest",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: str | None = None,
) -> IncidentPage:
    """Incidents of the range, the site and the client that a filter names, page by page."""
    statuses = {"open": UNSETTLED, "closed": SETTLED, "all": frozenset(Status)}[status]
    asked = cases(question, statuses)
    book = services.casebook
    try:
        if order == "worst":
            page = worst_first(book, asked, limit, cursor)
        else:
            page = book.cases(asked, limit, cursor)
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
            at=now(services),
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
