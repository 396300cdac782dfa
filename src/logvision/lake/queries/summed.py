"""Totals of a question."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any, Final

from logvision.lake.catalogue import File
from logvision.lake.queries import rollups
from logvision.lake.queries.answers import AnsweredFrom, Totals
from logvision.lake.queries.database import Database, Reading, joined, time_of
from logvision.lake.queries.filter import Clause
from logvision.lake.queries.gathered import gathered
from logvision.lake.queries.question import Question, sited
from logvision.lake.queries.selection import matching
from logvision.lake.queries.stretches import extent, within
from logvision.lake.segments import Counts
from logvision.windows import visitors
from logvision.windows.dimensions import DAY

EXACT_ROWS: Final = 2_000_000
"""Distinct values of up to this many events are counted exactly, of more within a few per cent."""

DISTINCT_ROWS: Final = 4_000_000
"""At most this many events are read to estimate the distinct paths that rollups dropped."""


def totals(database: Database, question: Question) -> Totals:
    """Counts of a question; of the lake's lines see `Totals`."""
    question = sited(question)
    return database.ask(lambda reading: _totals(reading, question), ("totals", question))


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
    together = gathered(reading, question)
    source = (
        rollups.measures(reading, question, "status", grain=DAY)[0]
        if together is None
        else together.of("status")
    )
    sums = ", ".join(f"sum({name})::bigint" for name in ("requests", "success", "errors", "attacks", "bytes"))
    found = reading.rows(joined([f"select {rollups.STATUS_CLASS}, {sums} from", source, "as m group by 1"]))
    by_class = {key: counts for key, *counts in found}
    requests, success, errors, attacks, size = (sum(c[i] for c in by_class.values()) for i in range(5))
    first, last = extent(reading, question)
    paths, approximate = _paths(reading, question)
    return {
        "requests": requests,
        "success": success,
        "client_errors": by_class.get("4xx", [0])[0],
        "server_errors": errors,
        "attacks": attacks,
        "bytes": size,
        "first": first,
        "last": last,
        "visitors": _visitors(reading, question),
        "resources": paths,
        "approximate": approximate,
    }


def _visitors(reading: Reading, question: Question) -> int:
    """Distinct client addresses by rollups: an estimate within about 2 %."""
    sketches, edges = rollups.sketches(reading, question)
    return visitors.estimate([*sketches, *(_sketch(reading, "client_ip", source) for source in edges)])


def _paths(reading: Reading, question: Question) -> tuple[int, bool]:
    """Distinct paths, and whether the number is an estimate.

    Rollups keep the largest of an hour. Where they dropped some, whole files tell by their sketch
    and only files that lie across the range's ends, or hold other sites too, are read.
    """
    source, _ = rollups.measures(reading, question, "path", grain=DAY)
    asked = joined(["select count(distinct value), coalesce(max(error), 0) from", source, "as m"])
    found, error = reading.rows(asked)[0]
    if not error:
        return int(found), False
    whole, beside = [], []
    for file in reading.files(question.start, question.end):
        sketch = file.metadata.get("paths")
        inside = _inside(file, question)
        if sketch and inside and question.site is None:
            whole.append(base64.b64decode(sketch))
        else:
            beside.append(file)
    if sum(file.rows for file in beside) > DISTINCT_ROWS:
        return int(found), True
    files = replace(reading.view.catalogue, events=tuple(beside))
    rest = replace(reading, view=replace(reading.view, catalogue=files)).events(question, ["path"])
    return max(int(found), visitors.estimate([*whole, _sketch(reading, "path", rest)])), True


def _inside(file: File, question: Question) -> bool:
    """Whether every event of a file lies in the question's range."""
    return all(time is None or within(time, question) for time in (file.time_first, file.time_last))


def _sketch(reading: Reading, column: str, source: Clause) -> bytes:
    """A sketch of the distinct values of a text column."""
    asked = joined([f"select distinct {column} from", source, f"where {column} is not null"])
    sketch = visitors.empty()
    visitors.add(sketch, (value for (value,) in reading.rows(asked)))
    return visitors.to_bytes(sketch)


def _lines(reading: Reading) -> Counts:
    """What became of all lines that were ever committed, and the events that are still hot."""
    files = [file for file in reading.view.catalogue.events if file.last is not None]
    said = files[-1].metadata.get("counts", {}) if files else {}
    whole = sum((Counts(**counts) for counts in said.values()), Counts())
    hot = sum(table.num_rows for table in reading.view.hot)
    return whole + Counts(read=hot, events=hot)
