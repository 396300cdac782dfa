"""The query state of a request: time range, site, filter; and what it asks of the casebook."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Query

from logvision.casebook.base import Question as CaseQuestion
from logvision.incident import Status
from logvision.lake import queries
from logvision.lake.queries import Question
from logvision.lake.queries.filter import Test
from logvision.web.services import Ask, Services


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
    return queries.question(from_, to, site, q, now=now(services))


Asked = Annotated[Question, Depends(asked)]
"""How a route asks for the query state."""


def now(services: Services) -> datetime:
    """The time of the clock, UTC."""
    return datetime.fromtimestamp(services.clock.now(), UTC)


def cases(question: Question, statuses: frozenset[Status]) -> CaseQuestion:
    """The incidents of a question: of its range and site, and of its client where the filter names just one.

    All else in a filter is of single events and says nothing of an incident.
    """
    clients = [term for term in question.filter.terms if term.column == "client_ip"]
    one = len(clients) == 1 and clients[0].test is Test.EQUAL and not clients[0].negated
    actor = f"ip:{clients[0].value}" if one else None
    return CaseQuestion(statuses, question.start, question.end, question.site, actor)
