"""The routes of exceptions: what people except from rules, and what that silences."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Self

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field

from logvision.errors import SetupError
from logvision.exemption import MARK, TEXT_LIMIT, Exemption
from logvision.lake import queries
from logvision.lake.queries import Filter, Question
from logvision.lake.queries.filter import Term, Test
from logvision.web.models import FAULTS, IncidentSummary
from logvision.web.services import Ask, Services

api = APIRouter(prefix="/api/exceptions", responses=FAULTS)

Text = Annotated[str, Field(max_length=TEXT_LIMIT)]


class NewException(BaseModel):
    """What to except. What is null holds for any; `*` in a text stands for anything."""

    model_config = ConfigDict(extra="forbid")

    reason: Text
    author: Text = "operator"
    expires: datetime | None = None  # null: never
    rule: Text | None = None
    route: Text | None = None
    parameter: Text | None = None  # its name; or {path}, {user_agent}, {referer}
    shape: Text | None = None  # runs of letters as a, of digits as 0, e.g. a'a
    site: Text | None = None
    network: Text | None = None


class ExceptionDocument(NewException):
    """An exception and what it has silenced, as far as the lake still keeps it."""

    id: str
    created: datetime
    ended: datetime | None
    ended_by: str | None
    in_force: bool
    silenced: int  # events
    last_silenced: datetime | None

    @classmethod
    def of(cls, services: Services, exemption: Exemption) -> Self:
        only = Question(filter=Filter((Term("rules", Test.EQUAL, MARK + exemption.id),)))
        totals = queries.totals(services.database, only)
        return cls(
            **exemption.to_dict(),
            in_force=exemption.holds(_now(services)),
            silenced=totals.requests,
            last_silenced=totals.last,
        )


class Exceptions(BaseModel):
    """Exceptions, the newest first."""

    rows: list[ExceptionDocument]


class ExceptionDetail(ExceptionDocument):
    """An exception with the incidents that there would be without it."""

    incidents: list[IncidentSummary] | None  # null: this process has no detector that could say


@api.get("", operation_id="exceptions")
def exceptions(
    services: Ask, every: Annotated[bool, Query(alias="all", description="also ended ones")] = False
) -> Exceptions:
    """Exceptions from rules."""
    kept = reversed(services.casebook.exemptions())
    now = _now(services)
    return Exceptions(
        rows=[ExceptionDocument.of(services, each) for each in kept if every or each.holds(now)]
    )


@api.post("", operation_id="add_exception")
def add(services: Ask, body: NewException) -> ExceptionDocument:
    """Add an exception; a running engine takes it up within a second."""
    given = body.model_dump(exclude={"author", "reason"})
    if body.expires is not None:
        given["expires"] = body.expires.replace(tzinfo=body.expires.tzinfo or UTC)
    try:
        made = Exemption.made(author=body.author, reason=body.reason, created=_now(services), **given)
    except SetupError as error:
        raise HTTPException(400, "; ".join(str(problem) for problem in error.problems)) from None
    services.casebook.exempt(made)
    return ExceptionDocument.of(services, made)


@api.get("/{exception_id}", operation_id="exception")
def exception(services: Ask, exception_id: str) -> ExceptionDetail:
    """One exception, and the incidents that there would be without it."""
    found = next((each for each in services.casebook.exemptions() if each.id == exception_id), None)
    if found is None:
        raise HTTPException(404, "there is no such exception")
    ask = services.hooks.silenced
    incidents = None if ask is None else [IncidentSummary.of(each) for each in ask(found.id)]
    said = ExceptionDocument.of(services, found)
    return ExceptionDetail(**said.model_dump(), incidents=incidents)


@api.delete("/{exception_id}", operation_id="end_exception")
def end(services: Ask, exception_id: str) -> ExceptionDocument:
    """Take an exception back; it is kept with the others that ended."""
    ended = services.casebook.end_exemption(exception_id, author="operator", at=_now(services))
    if ended is None:
        raise HTTPException(404, "there is no such exception")
    return ExceptionDocument.of(services, ended)


def _now(services: Services) -> datetime:
    return datetime.fromtimestamp(services.clock.now(), UTC)
