"""The largest values of a dimension."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from logvision.lake.queries import dense, rollups
from logvision.lake.queries.answers import AnsweredFrom, Dimension, Order, Row, Top
from logvision.lake.queries.database import Database, Places, Reading, joined
from logvision.lake.queries.filter import NO_FILTER, Clause, Filter, Term, Test
from logvision.lake.queries.gathered import Gathered, gathered
from logvision.lake.queries.question import Question, sited
from logvision.lake.queries.selection import matching
from logvision.lake.queries.settled import DIMENSIONS, SITE
from logvision.lake.queries.stretches import windows
from logvision.windows.dimensions import ALL, DAY, OF_ATTACKS, OTHER_SITES

PLACES_ROWS: Final = 300_000
"""Newest events that are searched for the country of the addresses of a top list."""

PLACES_KEPT: Final = 10_000
"""Addresses whose country is remembered, about."""

NOWHERE: Final = (None, None)

_REQUESTS: Final = {None: "requests", True: "attacks", False: "requests - attacks"}


def top(
    database: Database,
    question: Question,
    dimension: Dimension,
    *,
    limit: int = 20,
    order: Order = Order.REQUESTS,
    abnormal: bool | None = None,
) -> Top:
    """The largest values of a dimension; `abnormal` True: of attacks alone, False: of the rest."""
    question = sited(question)
    key = ("top", question, dimension, limit, order, abnormal)
    long = bool(question.filter) and dimension.value not in dense.DIMENSIONS
    return database.ask(
        lambda reading: _top(reading, question, dimension, limit, order, abnormal), key, long=long
    )


def _top(
    reading: Reading,
    question: Question,
    dimension: Dimension,
    limit: int,
    order: Order,
    abnormal: bool | None,
) -> Top:
    name = dimension.value
    rolled_as = ALL if dimension is Dimension.SITE else name if name in rollups.ROLLED else None
    grain = DAY if rolled_as and not question.filter and rollups.usable(reading, question) else None
    if grain is not None and abnormal is not None and order is Order.BYTES:
        grain = None
    if grain is not None and abnormal and _short(reading, question, name):
        grain = None  # what is dropped for its few requests may have many attacks
    if name in OF_ATTACKS and abnormal is None:
        abnormal = True
    asked = question
    if grain is None and abnormal is not None:
        term = Term("attack", Test.PRESENT if abnormal else Test.ABSENT)
        asked = replace(question, also=Filter((term,)))
    # Of attacks alone rollups know how many there were, not their bytes and statuses.
    together = gathered(reading, question) if grain is not None else None
    counted = dense.values(reading, question, name, abnormal) if grain is None else None
    if together is not None and (name == SITE or name in DIMENSIONS):
        found, total, rolled = _gathered(together, name, abnormal), _total(together, abnormal), True
        found = _largest(found, order)[: limit + 1]
    elif counted is not None:
        found, total, rolled = _largest(counted, order)[: limit + 1], sum(row[1] for row in counted), False
    else:
        column = f'"{name}"'
        source, rolled = rollups.measures(reading, asked, rolled_as or ALL, column=column, grain=grain)
        requests = _REQUESTS[abnormal if rolled else None]
        by = {Order.REQUESTS: 2, Order.BYTES: 3, Order.ATTACKS: 4}[order]
        listed = reading.rows(
            joined(
                [
                    f"select value, sum({requests})::bigint as r, sum(bytes)::bigint, sum(attacks)::bigint,",
                    f"sum(errors)::bigint, max(error), (sum(sum({requests})) over ())::bigint from",
                    source,
                    f"as m group by 1 having r > 0 order by {by} desc, 1 limit {int(limit) + 1}",
                ]
            )
        )
        found = [row[:6] for row in listed]
        if together is not None:
            total = _total(together, abnormal)
        elif rolled or name == "rules":  # values were dropped, or an event has several
            whole = rollups.measures(reading, asked, ALL, grain=grain)[0]
            sums = joined([f"select coalesce(sum({requests}), 0)::bigint from", whole, "as m"])
            total = reading.rows(sums)[0][0]
        else:
            total = listed[0][6] if listed else 0
    split = rolled and abnormal is not None and name not in OF_ATTACKS
    approximate = any(r[5] or (name == SITE and r[0] == OTHER_SITES) for r in found)
    found = [r for r in found if name != SITE or r[0] != OTHER_SITES][:limit]
    places = _places(reading, question, [r[0] for r in found if r[0]]) if name == "client_ip" else {}
    rows = [
        Row(
            value=value,
            requests=count,
            bytes=None if split else size,
            attacks=attacks if abnormal is not False else 0,
            errors=None if split else errors,
            share=count / total if total else 0.0,
            country=places.get(value, NOWHERE)[0],
            label=places.get(value, NOWHERE)[1],
        )
        for value, count, size, attacks, errors, _ in found
    ]
    return Top(
        rows=rows,
        total=total,
        other=max(0, total - sum(row.requests for row in rows)),
        answered_from=AnsweredFrom.ROLLUPS if rolled else AnsweredFrom.EVENTS,
        approximate=approximate,
    )


def _gathered(together: Gathered, dimension: str, abnormal: bool | None) -> list[tuple[Any, ...]]:
    """(value, requests, bytes, attacks, errors, error) of every value."""
    return [
        (value, _asked(requests, attacks, abnormal), size, attacks, errors, error)
        for value, requests, _, errors, attacks, size, error in together.of(dimension)
    ]


def _largest(rows: list[tuple[Any, ...]], order: Order) -> list[tuple[Any, ...]]:
    """Such rows in the order of a list."""
    by = {Order.REQUESTS: 1, Order.BYTES: 2, Order.ATTACKS: 3}[order]
    kept = [row for row in rows if row[1] > 0]
    return sorted(kept, key=lambda row: (-row[by], row[0] is None, row[0] or ""))


def _total(together: Gathered, abnormal: bool | None) -> int:
    return sum(_asked(row[1], row[4], abnormal) for row in together.of(ALL))


def _asked(requests: int, attacks: int, abnormal: bool | None) -> int:
    """The requests, or those of attacks alone, or the rest."""
    return requests if abnormal is None else attacks if abnormal else requests - attacks


def _short(reading: Reading, question: Question, dimension: str) -> bool:
    """Whether a window of this dimension had to drop values."""
    source, _ = rollups.measures(reading, question, dimension, grain=DAY)
    return bool(reading.rows(joined(["select coalesce(max(error), 0) > 0 from", source, "as m"]))[0][0])


def _places(reading: Reading, question: Question, addresses: list[str]) -> Places:
    """Country and network of addresses, as the newest events say that have them.

    A filter's own events tell of all of them; without one the newest of the range tell of most, and only for
    the others the whole range is asked: about 0.1 s of CPU over 10 million events.
    """
    columns = ["time", "client_ip", "country", "network"]
    events, held = matching(reading, question, columns)
    sources = [events]
    if held is None:
        plain = replace(question, filter=NO_FILTER)
        newest = next(iter(windows(reading, plain, PLACES_ROWS)))
        sources = [reading.events(newest, columns), reading.events(plain, columns)]
    for source in sources:
        unknown = [address for address in addresses if address not in reading.places]
        if not unknown:
            break
        found = reading.rows(
            joined(
                [
                    "select client_ip, arg_max(country, time), arg_max(network, time) from",
                    source,
                    Clause("where client_ip in ? group by 1", (unknown,)),
                ]
            )
        )
        if len(reading.places) > PLACES_KEPT:
            reading.places.clear()
        reading.places.update({address: (country, network) for address, country, network in found})
    return {address: reading.places[address] for address in addresses if address in reading.places}
