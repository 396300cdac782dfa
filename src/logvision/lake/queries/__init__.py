"""Every question that the product asks of the lake, one function each. The only door to DuckDB."""

from __future__ import annotations

from logvision.lake.queries.answers import (
    Actor,
    AnsweredFrom,
    Bounds,
    By,
    Dimension,
    Event,
    EventPage,
    Order,
    Rejects,
    Series,
    Top,
    Totals,
)
from logvision.lake.queries.asker import Abandoned, Asker
from logvision.lake.queries.database import Database
from logvision.lake.queries.doubts import Doubt, doubts
from logvision.lake.queries.filter import Filter, FilterError, parse_filter
from logvision.lake.queries.grid import series
from logvision.lake.queries.kept import bounds, rejects
from logvision.lake.queries.question import Question, question
from logvision.lake.queries.ranked import top
from logvision.lake.queries.summed import prepare, totals
from logvision.lake.queries.walk import actor, event, events
from logvision.lake.queries.whole import newest, tables

__all__ = [
    "Abandoned",
    "Actor",
    "AnsweredFrom",
    "Asker",
    "Bounds",
    "By",
    "Database",
    "Dimension",
    "Doubt",
    "Event",
    "EventPage",
    "Filter",
    "FilterError",
    "Order",
    "Question",
    "Rejects",
    "Series",
    "Top",
    "Totals",
    "actor",
    "bounds",
    "doubts",
    "event",
    "events",
    "newest",
    "parse_filter",
    "prepare",
    "question",
    "rejects",
    "series",
    "tables",
    "top",
    "totals",
]
