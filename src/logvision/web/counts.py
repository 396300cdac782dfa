"""The routes that count: what there is, totals, series, top lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import orjson
from fastapi import APIRouter, Query

import logvision
from logvision.errors import StoreError
from logvision.incident import UNSETTLED
from logvision.lake import queries
from logvision.lake.queries import By, Dimension, Order
from logvision.lake.queries.answers import Series, Top
from logvision.live.base import NOW
from logvision.web.asking import Asked, cases, now
from logvision.web.models import FAULTS, Attribution, Meta, TotalsNow
from logvision.web.services import Ask, Services

LANGUAGES = ["en", "zh"]

api = APIRouter(prefix="/api", responses=FAULTS)


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
        now=now(services),
        languages=LANGUAGES,
    )


@api.get("/totals", operation_id="totals")
def totals(services: Ask, question: Asked) -> TotalsNow:
    """Counts of the question."""
    found = queries.totals(services.database, question)
    return TotalsNow(
        **{name: getattr(found, name) for name in found.__dataclass_fields__},
        incidents_open=_or_none(lambda: services.casebook.count(cases(question, UNSETTLED))),
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


def _or_none(ask: Callable[[], int]) -> int | None:
    """A store's answer; None while it is lost, for an answer that other stores give besides."""
    try:
        return ask()
    except StoreError:
        return None


def _rate(services: Services) -> float:
    """Events per second as last told on the live bus; 0: nobody tells."""
    message = services.live.snapshot().get(NOW)
    return float(orjson.loads(message.data).get("rate", 0.0)) if message else 0.0
