"""Where rules and the classifier disagree: what a person's word would teach most."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from logvision.lake.queries.answers import Event
from logvision.lake.queries.database import Database
from logvision.lake.queries.filter import Filter, Term, Test
from logvision.lake.queries.question import Question
from logvision.lake.queries.walk import events
from logvision.schema import PAYLOADS

MODEL: Final = "model"
"""The classifier's name among an event's rules."""

ALONE: Final = 0.4
"""The share of a score that the classifier has where nothing else speaks (see `detect.fusion`)."""

LEAST: Final = 0.75
"""How far the two must be apart, 0 to 1, to be worth somebody's time."""

PAGES: Final = 10
PAGE: Final = 200
"""Events of each kind that are looked at: the newest."""


class Side(StrEnum):
    """Who takes an event for an attack."""

    MODEL = "model"  # the classifier alone
    RULES = "rules"  # rules and readings alone


@dataclass(frozen=True, slots=True)
class Doubt:
    """An event about which rules and classifier disagree."""

    side: Side
    apart: float  # how sure that side is, 0 to 1
    event: Event


def doubts(
    database: Database, question: Question, *, limit: int = 50, labelled: Collection[str] = ()
) -> list[Doubt]:
    """The events that are furthest apart, in steps of a tenth, the newest of each step first.

    A target comes once. `labelled`: ids of events that people have spoken about already.
    """
    found: dict[str, Doubt] = {}
    for side in Side:
        for event in _newest(database, question, side):
            apart = min(event.score / ALONE, 1.0) if side is Side.MODEL else event.score
            key = event.target or ""
            if apart >= LEAST and event.id not in labelled and key not in found:
                found[key] = Doubt(side, round(apart, 4), event)
    return sorted(found.values(), key=lambda each: (-int(each.apart * 10), -each.event.time.timestamp()))[
        :limit
    ]


def _newest(database: Database, question: Question, side: Side) -> Iterator[Event]:
    model = Term("rules", Test.EQUAL, MODEL)
    terms: tuple[Term, ...]
    if side is Side.MODEL:
        terms = (model, Term("attack", Test.ABSENT), Term("score", Test.AT_LEAST, ALONE * LEAST))
    else:
        classes = tuple(Term("attack", Test.EQUAL, attack.value) for attack in sorted(PAYLOADS))
        terms = (replace(model, negated=True), *classes)
    asked = replace(question, filter=Filter((*question.filter.terms, *terms)))
    cursor: str | None = None
    for _ in range(PAGES):
        page = events(database, asked, limit=PAGE, cursor=cursor)
        yield from page.rows
        cursor = page.next
        if cursor is None:
            return
