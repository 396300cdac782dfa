"""Questions about single events: the list newest first, one event, one actor."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import orjson

from logvision.lake.queries.answers import Actor, Event, EventPage, Row
from logvision.lake.queries.database import WHOLE, Database, Reading, joined, micros, time_of
from logvision.lake.queries.filter import Clause, Filter, FilterError, Term, Test
from logvision.lake.queries.question import Question
from logvision.lake.queries.selection import NARROW, matching
from logvision.lake.queries.stretches import MOMENT, windows
from logvision.lake.storage import STORED
from logvision.schema import EVENT, Attack, Outcome

FIRST_STEP: Final = 32_768
"""Rows that the first step of a walk looks at, in whole row groups; each further step looks at four times as
many."""


KEY: Final = ("time", "source", "position")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event stands in the order of the list: newest first, ties by source and position."""

    time: datetime
    source: str
    position: int


def events(
    database: Database, question: Question, *, limit: int = 100, cursor: str | None = None
) -> EventPage:
    """A page of events, newest first. Every event comes exactly once over all pages, also while new ones
    arrive. Raises FilterError when `cursor` was not given by an earlier page."""
    after = None if cursor is None else _from_cursor(cursor)
    found = database.ask(lambda reading: _page(reading, question, limit + 1, after))
    page = found[:limit]
    more = len(found) > limit
    return EventPage(page, _to_cursor(page[-1]) if more else None)


def event(database: Database, source: str, position: int) -> Event | None:
    """The event of (source, position); None: no such event, or it is no longer kept."""
    terms = (Term("source", Test.EQUAL, source), Term("position", Test.EQUAL, position))
    found = database.ask(lambda reading: _page(reading, Question(filter=Filter(terms)), 1, None))
    return found[0] if found else None


def actor(database: Database, question: Question, client_ip: str) -> Actor:
    """What one client address did within the question's range, site and filter."""
    its = Filter((*question.filter.terms, Term("client_ip", Test.EQUAL, client_ip)))
    asked = replace(question, filter=its)

    def find(reading: Reading) -> Actor:
        columns = ["time", "bytes", "attack", "status", "country", "network", "agent", "route"]
        source, _ = matching(reading, asked, columns)
        reading.rows(joined(["create temp table its as from", source]))
        count, attacks, size, first, last = reading.rows(
            Clause(
                "select count(*), count(attack), coalesce(sum(bytes), 0)::bigint,"
                " epoch_us(min(time)), epoch_us(max(time)) from its"
            )
        )[0]
        listed = {
            column: [
                r[0]
                for r in reading.rows(
                    Clause(
                        f"select distinct {column} from its where {column} is not null order by 1 limit 50"
                    )
                )
            ]
            for column in ("country", "network")
        }
        return Actor(
            client_ip=client_ip,
            first=time_of(first),
            last=time_of(last),
            requests=count,
            attacks=attacks,
            bytes=size,
            countries=listed["country"],
            networks=listed["network"],
            agents=_its(reading, "agent", count),
            routes=_its(reading, "route", count),
            statuses=_its(reading, "status", count),
            events=_page(reading, asked, 50, None),
        )

    return database.ask(find)


def _its(reading: Reading, column: str, total: int) -> list[Row]:
    found = reading.rows(
        Clause(
            f"select {column}::varchar, count(*), coalesce(sum(bytes), 0)::bigint, count(attack),"
            f" count(*) filter (status between 500 and 599) from its group by 1 order by 2 desc, 1 limit 20"
        )
    )
    return [Row(v, n, b, a, e, n / total if total else 0.0) for v, n, b, a, e in found]


def _page(reading: Reading, question: Question, limit: int, after: Place | None) -> list[Event]:
    """Up to `limit` events after a place: row numbers first, then the wide columns of those rows."""
    found: list[tuple[Any, ...]] = []
    selected: Clause | None = None
    narrowed = question
    if after is not None:
        upto = after.time + MOMENT
        narrowed = replace(question, end=upto if question.end is None else min(upto, question.end))
    for number, window in enumerate(windows(reading, narrowed, FIRST_STEP)):
        selected = _rare(reading, question, window) if number == 1 else None
        keyset: list[str | Clause] = []
        if after is not None:
            keyset = [
                Clause(
                    'where "time" < ? or "time" = ? and ("source" > ? or "source" = ? and "position" < ?)',
                    (after.time, after.time, after.source, after.source, after.position),
                )
            ]
        source = selected or reading.events(window, KEY, placed=True)
        asked = joined(
            [
                'select epoch_us("time"), "source", "position", "file", "row" from',
                source,
                *keyset,
                f'order by "time" desc, "source", "position" desc limit {limit - len(found)}',
            ]
        )
        found += reading.rows(asked)
        if len(found) >= limit or selected is not None:
            break
    if selected is not None:
        selected, _ = matching(reading, question, NARROW, placed=True)
    return _wide(reading, found, selected)


def _rare(reading: Reading, question: Question, newest: Question) -> Clause | None:
    """Everything before the end of a stretch, of a filter of which the stretch after it had too few.

    Other panels ask the same selection of the whole question. None: there is none.
    """
    if not question.filter:
        return None
    selected, held = matching(reading, question, KEY, placed=True)
    if held is None:
        return None
    if newest.end is None:
        return selected
    return joined(["(select * from", selected, Clause('where "time" < ?)', (newest.end,))])


def _wide(reading: Reading, places: list[tuple[Any, ...]], selected: Clause | None) -> list[Event]:
    """The events of (time, source, position, file, row), in that order.

    What a selection of them has is not read again: rare events lie in many row groups, and of each the paths
    alone are half of the work.
    """
    if not places:
        return []
    rows_of: dict[str | None, list[tuple[Any, ...]]] = {}
    for place in places:
        rows_of.setdefault(place[3], []).append(place)
    made: dict[tuple[str, int], Event] = {}
    names = EVENT.names
    columns = ", ".join('epoch_us("time")' if name == "time" else f'"{name}"' for name in names)
    for file, rows in rows_of.items():
        first, last = time_of(min(r[0] for r in rows)), time_of(max(r[0] for r in rows))
        if file is None:
            wanted = Clause(
                f'select {columns} from hot where "time" between ? and ? and "position" in ?',
                (first, last, [r[2] for r in rows]),
            )
        elif selected is not None:
            rest = ", ".join(name for name in STORED if name not in NARROW)
            stored = f'(select file_row_number as "row", {rest} from read_parquet(?, file_row_number = true)'
            wanted = joined(
                [
                    f"select {columns} from (select {WHOLE} from",
                    Clause(f"{stored} where file_row_number in ?) join", (file, [r[4] for r in rows])),
                    selected,
                    Clause('as narrow using ("row") where narrow.file = ?)', (file,)),
                ]
            )
        else:
            wanted = joined(
                [
                    f"select {columns} from",
                    Clause(
                        f"(select {WHOLE} from read_parquet(?, file_row_number = true)"
                        ' where "time" between ? and ? and file_row_number in ?)',
                        (file, first, last, [r[4] for r in rows]),
                    ),
                ]
            )
        for row in reading.rows(wanted):
            event_ = _event(dict(zip(names, row, strict=True)))
            made[event_.source, event_.position] = event_
    return [made[place[1], place[2]] for place in places]


def _event(row: dict[str, Any]) -> Event:
    row["time"] = time_of(row["time"])
    row["rules"] = row["rules"].split(" ") if row["rules"] else []
    row["attack"] = Attack(row["attack"]) if row["attack"] else None
    row["outcome"] = Outcome(row["outcome"]) if row["outcome"] else None
    return Event(id=f"{row['source']}@{row['position']}", **row)


def _to_cursor(last: Event) -> str:
    place = orjson.dumps([micros(last.time), last.source, last.position])
    return base64.urlsafe_b64encode(place).decode().rstrip("=")


def _from_cursor(text: str) -> Place:
    try:
        time, source, position = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        place = time_of(int(time))
        if not isinstance(source, str) or not isinstance(position, int) or place is None:
            raise ValueError
    except (ValueError, TypeError, OverflowError, binascii.Error):
        raise FilterError("the cursor is not one that an earlier page gave") from None
    return Place(place, source, position)
