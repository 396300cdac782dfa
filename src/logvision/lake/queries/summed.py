"""Totals of a question."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Final

from logvision.lake.queries import distinct, rollups
from logvision.lake.queries.answers import AnsweredFrom, Totals
from logvision.lake.queries.database import Database, Reading, joined, time_of
from logvision.lake.queries.gathered import gathered
from logvision.lake.queries.question import Question, sited
from logvision.lake.queries.selection import matching
from logvision.lake.queries.settled import SUMS
from logvision.lake.queries.stretches import extent
from logvision.lake.segments import Counts
from logvision.windows.dimensions import DAY

EXACT_ROWS: Final = 2_000_000
"""Distinct values of up to this many events are counted exactly, of more within a few per cent."""

PREPARED: Final = (1, 7, None)
"""Lengths of ranges that are asked for ahead, days; None: everything."""


def totals(database: Database, question: Question) -> Totals:
    """Counts of a question; of the lake's lines see `Totals`."""
    question = sited(question)
    long = bool(question.filter)
    return database.ask(lambda reading: _totals(reading, question), ("totals", question), long=long)


def prepare(database: Database) -> None:
    """Ask what pages ask first, so that what ranges have in common is known when somebody looks.

    That is a library, footers, and what files as a whole say: a third of a second of CPU for 10 million
    events. Raises StoreError.
    """
    lasts = [file.time_last for file in database.lake.view().catalogue.events if file.time_last]
    for days in PREPARED if lasts else ():
        totals(database, Question(start=None if days is None else max(lasts) - timedelta(days=days)))


def _totals(reading: Reading, question: Question) -> Totals:
    rolled = not question.filter and rollups.usable(reading, question)
    counted = _rolled_totals(reading, question) if rolled else _event_totals(reading, question)
    lines = _lines(reading)
    return Totals(
        **counted,
        other=counted["requests"] - counted["success"],
        normal=counted["requests"] - counted["attacks"],
        read=lines.read,
        events=lines.events,
        rejects=lines.rejects,
        filtered=lines.filtered,
        log_bytes=lines.bytes,
        answered_from=AnsweredFrom.ROLLUPS if rolled else AnsweredFrom.EVENTS,
    )


def _event_totals(reading: Reading, question: Question) -> dict[str, Any]:
    """The counts of `Totals` in one pass over the events."""
    columns = ["time", "status", "attack", "bytes", "client_ip", "path"]
    events, rows = matching(reading, question, columns)
    if rows is None:
        rows = sum(file.rows for file in reading.files(question.start, question.end))
    approximate = rows > EXACT_ROWS
    distinct = "approx_count_distinct({})" if approximate else "count(distinct {})"
    names = ("requests", "success", "client_errors", "server_errors", "attacks", "bytes")
    found = reading.rows(
        joined(
            [
                "select count(*), count(*) filter (status between 200 and 399),"
                " count(*) filter (status between 400 and 499), count(*) filter (status between 500 and 599),"
                " count(attack), coalesce(sum(bytes), 0)::bigint, epoch_us(min(time)), epoch_us(max(time)),",
                f"{distinct.format('client_ip')}, {distinct.format('path')} from",
                events,
            ]
        )
    )[0]
    return dict(zip(names, found, strict=False)) | {
        "first": time_of(found[6]),
        "last": time_of(found[7]),
        "visitors": found[8],
        "resources": found[9],
        "approximate": approximate,
    }


def _rolled_totals(reading: Reading, question: Question) -> dict[str, Any]:
    """The counts of `Totals` from rollups and from the events beside their windows."""
    by_class: dict[str, list[int]] = {}
    for status, *counts, _ in _by_status(reading, question):
        of = by_class.setdefault(f"{status[0]}xx" if status else "-", [0] * len(counts))
        of[:] = [before + more for before, more in zip(of, counts, strict=True)]
    requests, success, errors, attacks, size = (sum(c[i] for c in by_class.values()) for i in range(5))
    first, last = extent(reading, question)
    resources, approximate = distinct.paths(reading, question)
    return {
        "requests": requests,
        "success": success,
        "client_errors": by_class.get("4xx", [0])[0],
        "server_errors": errors,
        "attacks": attacks,
        "bytes": size,
        "first": first,
        "last": last,
        "visitors": distinct.visitors(reading, question),
        "resources": resources,
        "approximate": approximate,
    }


def _by_status(reading: Reading, question: Question) -> Iterable[Sequence[Any]]:
    """(status, requests, success, errors, attacks, bytes, error); a status may come more than once."""
    together = gathered(reading, question)
    if together is not None:
        return together.of("status")
    source = rollups.measures(reading, question, "status", grain=DAY)[0]
    return reading.rows(joined([f"select value, {SUMS}, 0 from", source, "as m group by 1"]))


def _lines(reading: Reading) -> Counts:
    """What became of all lines that were ever committed, and the events that are still hot."""
    files = [file for file in reading.view.catalogue.events if file.last is not None]
    said = files[-1].metadata.get("counts", {}) if files else {}
    whole = sum((Counts(**counts) for counts in said.values()), Counts())
    hot = sum(table.num_rows for table in reading.view.hot)
    return whole + Counts(read=hot, events=hot)
