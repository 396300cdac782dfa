"""The routes of labels: what people say events really were, and whom to ask about what next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field

from logvision.casebook.base import LEARNED
from logvision.errors import SetupError
from logvision.label import Label, labels
from logvision.lake import queries
from logvision.lake.queries import Doubt
from logvision.schema import Attack
from logvision.web.asking import Asked
from logvision.web.events import event_of
from logvision.web.models import FAULTS
from logvision.web.services import Ask, Services

api = APIRouter(prefix="/api", responses=FAULTS)


class NewLabel(BaseModel):
    """What an event, or all evidence of an incident, really was: one of `event` and `incident`."""

    model_config = ConfigDict(extra="forbid")

    event: str | None = None  # "<source>@<position>"
    incident: str | None = None
    attack: Attack | None  # null: benign
    note: Annotated[str, Field(max_length=10_000)] = ""
    author: Annotated[str, Field(min_length=1, max_length=1_000)] = "operator"


class LabelDocument(BaseModel):
    """A label with its request. Text is as logged: hostile."""

    event: str
    attack: Attack | None
    author: str
    at: datetime
    note: str
    incident: str | None
    site: str | None
    method: str | None
    target: str
    status: int | None
    user_agent: str | None
    referer: str | None
    score: float  # what it was judged when it was labelled


class Labels(BaseModel):
    """Labels, the newest first."""

    rows: list[LabelDocument]
    total: int


class ModelFigures(BaseModel):
    """What a model does to labels that it did not learn from, and to the reference requests."""

    loss: float  # of the classifier on held-out labels
    wrong: int  # held-out labels that the whole detector judges wrongly
    error: float  # of the classifier on held-out requests of the reference
    missed: int  # reference attacks that the whole detector does not find
    alarms: int  # ordinary reference requests that it takes for attacks


class Learning(BaseModel):
    """What came of the newest learning from labels."""

    made: datetime
    promoted: bool
    labels: int
    attacks: int
    before: ModelFigures | None  # null: too few labels
    after: ModelFigures | None
    refused: list[str]  # why it was not promoted


class Model(BaseModel):
    """The classifier in use and the newest learning."""

    card: dict[str, Any] | None  # null: this process does not know
    learning: Learning | None  # null: nothing was learned yet


class Doubts(BaseModel):
    """Events about which rules and classifier disagree."""

    rows: list[Doubt]


@api.get("/labels", operation_id="labels")
def kept(services: Ask, limit: Annotated[int, Query(ge=1, le=1000)] = 200) -> Labels:
    """What people have labelled."""
    every = services.casebook.labels()
    return _document(every[:limit], len(every))


@api.post("/labels", operation_id="add_label")
def add(services: Ask, body: NewLabel) -> Labels:
    """Label an event, or all evidence of an incident; a later label of an event replaces an earlier one."""
    made = _labels(services, body)
    services.casebook.label(made)
    return _document(made, len(made))


@api.get("/queue", operation_id="queue")
def queue(services: Ask, question: Asked, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> Doubts:
    """The events that a label would teach most: rules say one thing, the classifier another."""
    labelled = {each.event for each in services.casebook.labels()}
    return Doubts(rows=queries.doubts(services.database, question, limit=limit, labelled=labelled))


@api.get("/model", operation_id="model")
def model(services: Ask) -> Model:
    """The classifier in use, and what came of the newest learning from labels."""
    kept = services.casebook.load_state(LEARNED)
    return Model(
        card=None if services.hooks.card is None else dict(services.hooks.card()),
        learning=None if kept is None else Learning.model_validate(orjson.loads(kept)),
    )


@api.post("/model/learn", operation_id="learn")
def learn(services: Ask) -> Model:
    """Correct the classifier by the labels, and use the correction if it is measurably better; seconds."""
    if services.hooks.learn is None:
        raise HTTPException(404, "this process judges nothing")
    try:
        services.hooks.learn()
    except SetupError as error:
        raise HTTPException(503, str(error)) from error
    return model(services)


def _labels(services: Services, body: NewLabel) -> list[Label]:
    at = datetime.fromtimestamp(services.clock.now(), UTC)
    if (body.event is None) is (body.incident is None):
        raise HTTPException(400, "a label is of one event or of one incident")
    if body.incident is not None:
        case = services.casebook.case(body.incident)
        if case is None:
            raise HTTPException(404, "there is no such incident")
        return labels(
            case.incident.evidence,
            attack=body.attack,
            author=body.author,
            at=at,
            note=body.note,
            site=case.incident.site,
            incident=case.incident.id,
        )
    event = event_of(services, body.event or "")
    return labels([event], attack=body.attack, author=body.author, at=at, note=body.note, site=event.site)


def _document(rows: list[Label], total: int) -> Labels:
    return Labels(rows=[LabelDocument.model_validate(each.to_dict()) for each in rows], total=total)
