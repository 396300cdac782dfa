"""Reports: gathered from the stores of a data folder, written as one file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from logvision.app.concerning import concerned
from logvision.app.stores import Stores
from logvision.casebook.base import Question as CaseQuestion
from logvision.errors import Problem, SetupError
from logvision.incident import Status
from logvision.lake import queries
from logvision.lake.queries import By, Database, Dimension, Order, Question
from logvision.respond.report import Asked, Report, html
from logvision.respond.words import Language
from logvision.schema import Severity

ROWS: Final = 10
CASES: Final = 40

_SEVERITIES: Final = list(Severity)

_TOPS: Final[Mapping[str, tuple[Dimension, bool | None]]] = {
    "status": (Dimension.STATUS, None),
    "methods": (Dimension.METHOD, None),
    "routes": (Dimension.ROUTE, None),
    "paths": (Dimension.PATH, None),
    "clients": (Dimension.CLIENT_IP, None),
    "agents": (Dimension.AGENT, None),
    "bots": (Dimension.BOT, None),
    "countries": (Dimension.COUNTRY, None),
    "sites": (Dimension.SITE, None),
    "referers": (Dimension.REFERER, None),
    "classes": (Dimension.ATTACK, True),
    "outcomes": (Dimension.OUTCOME, True),
    "attackers": (Dimension.CLIENT_IP, True),
    "targets": (Dimension.PATH, True),
}
"""Sections of the report: what they count by, and whether attacks alone."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a report is to be of, and how it was asked for."""

    question: Question
    asked: Asked
    language: Language = Language.EN


def gather(
    stores: Stores, wanted: Wanted, made: datetime, attributions: Sequence[tuple[str, str]] = ()
) -> Report:
    """Everything that stands in the report. Incidents follow the range and site of the question and what its
    filter says of clients."""
    question = wanted.question
    database = Database(stores.lake)
    try:
        tops = {
            key: queries.top(
                database,
                question,
                dimension,
                limit=len(_SEVERITIES) + 30 if key in {"classes", "status"} else ROWS,
                order=Order.ATTACKS if abnormal else Order.REQUESTS,
                abnormal=abnormal,
            )
            for key, (dimension, abnormal) in _TOPS.items()
        }
        cases = _gravest(stores, question)
        return Report(
            made=made,
            totals=queries.totals(database, question),
            series=queries.series(database, question, points=160, by=By.ATTACK),
            tops=tops,
            cases=cases[:CASES],
            cases_total=len(cases),
            rejects=queries.rejects(database, limit=20),
            asked=wanted.asked,
            attributions=attributions,
        )
    finally:
        database.close()


def write(report: Report, file: Path, language: Language) -> None:
    """Write the report, whole or not at all. Raises SetupError."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(html(report, language), "utf-8")
        temporary.replace(file)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise SetupError(
            Problem(str(file), error.strerror or str(error), "a file that can be written")
        ) from None


def _gravest(stores: Stores, question: Question) -> list[dict[str, Any]]:
    """Incidents of the question, false alarms left out, the gravest first."""
    statuses = frozenset(Status) - {Status.FALSE_ALARM}
    wanted = CaseQuestion(statuses, question.start, question.end, question.site)
    return sorted(
        concerned(stores.casebook, wanted, question.filter),
        key=lambda case: (
            _SEVERITIES.index(Severity(case["severity"])),
            case["outcome"] == "worked",
            case["score"],
            case["events"],
            case["id"],
        ),
        reverse=True,
    )
