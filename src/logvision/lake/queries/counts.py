"""Questions that count: totals, requests over time, the largest values of a dimension."""

from __future__ import annotations

import base64
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from logvision.lake.catalogue import File
from logvision.lake.queries import rollups
from logvision.lake.queries.answers import (
    AnsweredFrom,
    By,
    Dimension,
    Line,
    Order,
    Row,
    Series,
    Top,
    Totals,
)
from logvision.lake.queries.database import Database, Places, Reading, joined, micros, time_of
from logvision.lake.queries.filter import NO_FILTER, Clause, Filter, Term, Test
from logvision.lake.queries.gathered import DIMENSIONS, SITE, gathered
from logvision.lake.queries.question import Question
from logvision.lake.queries.stretches import windows
from logvision.lake.segments import Counts
from logvision.windows import visitors
from logvision.windows.dimensions import ALL, DAY, HOUR, OF_ATTACKS, OTHER_SITES, SERIES

STEPS_S: Final = (
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200),
    *(DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY, 56 * DAY, 140 * DAY, 364 * DAY, 3640 * DAY, 36400 * DAY),
)
"""Steps of a chart's grid, s; all lie on the Unix epoch's multiples."""

EXACT_ROWS: Final = 2_000_000
"""Distinct values of up to this many events are counted exactly, of more within a few per cent."""

DISTINCT_ROWS: Final = 4_000_000
"""At most this many events are read to estimate the distinct paths that rollups dropped."""

PLACES_ROWS: Final = 300_000
"""Newest events that are searched for the country of the addresses of a top list."""

PLACES_KEPT: Final = 10_000
"""Addresses whose country is remembered, about."""

NOWHERE: Final = (None, None)

_STATUS_CLASS: Final = "coalesce(left(value, 1) || 'xx', '-')"


def totals(database: Database, question: Question) -> Totals:
    """Counts of a question; of the lake's lines see `Totals`."""
    question = _sited(question)
    return database.ask(lambda reading: _totals(reading, question), ("totals", question))


def series(database: Database, question: Question, *, points: int = 120, by: By = By.ALL) -> Series:
    """Requests over time on a grid without gaps of at most `points` steps."""
    question = _sited(question)
    return database.ask(
        lambda reading: _series(reading, question, points, by), ("series", question, points, by)
    )


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
    question = _sited(question)
    key = ("top", question, dimension, limit, order, abnormal)
    return database.ask(lambda reading: _top(reading, question, dimension, limit, order, abnormal), key)


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
                reading.events(question, ["time", "status", "attack", "bytes", "client_ip", "path"]),
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
    found = reading.rows(joined([f"select {_STATUS_CLASS}, {sums} from", source, "as m group by 1"]))
    by_class = {key: counts for key, *counts in found}
    requests, success, errors, attacks, size = (sum(c[i] for c in by_class.values()) for i in range(5))
    first, last = _bounds(reading, question)
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


def _series(reading: Reading, question: Question, points: int, by: By) -> Series:
    first, last = _bounds(reading, replace(question, filter=NO_FILTER))
    low = question.start or first
    high = question.end or (last + timedelta(microseconds=1) if last else None)
    if low is None or high is None or low >= high:
        return Series(None, STEPS_S[0], [], AnsweredFrom.EVENTS)
    step = _step(low, high, points)
    start = micros(low) // 1_000_000 // step
    count = -(-micros(high) // (1_000_000 * step)) - start
    dimension = {By.ALL: ALL, By.ATTACK: "attack", By.STATUS: "status", By.KIND: "kind"}[by]
    condition: Clause | None = None
    grain = None
    if rollups.usable(reading, question) and step % 60 == 0:
        if not question.filter:
            grain = max(g for g in (60, HOUR, DAY) if step % g == 0)
        elif (only := rollups.single(question)) is not None and (by is By.ALL or only[0] == dimension):
            dimension, condition = only
            if dimension in SERIES or step % HOUR == 0:
                grain = max(g for g in (60, HOUR, DAY) if step % g == 0)
    key = {
        By.ALL: "'all'",
        By.ATTACK: "case when attacks > 0 then 'abnormal' else 'normal' end",
        By.STATUS: _STATUS_CLASS,
        By.KIND: "coalesce(value, '-')",
    }[by]
    source, rolled = rollups.measures(reading, question, dimension, condition=condition, grain=grain)
    found = reading.rows(
        joined(
            [
                f"select epoch_us(start) // {1_000_000 * step} as t, {key} as k, sum(requests)::bigint,",
                "sum(bytes)::bigint, sum(attacks)::bigint from",
                source,
                "as m group by 1, 2",
            ]
        )
    )
    grid: dict[str, list[list[int]]] = defaultdict(lambda: [[0] * count for _ in range(3)])
    for name in {By.ALL: ["all"], By.ATTACK: ["normal", "abnormal"]}.get(by, []):
        grid[name] = [[0] * count for _ in range(3)]
    for at, name, *numbers in found:
        if 0 <= at - start < count:
            for line, number in zip(grid[name], numbers, strict=True):
                line[at - start] += number
    times = [datetime.fromtimestamp((start + i) * step, UTC) for i in range(count)]
    names = list(grid) if by in {By.ALL, By.ATTACK} else sorted(grid)
    return Series(
        start=times[0] if times else None,
        step_s=step,
        series=[Line(name, times, *grid[name]) for name in names],
        answered_from=AnsweredFrom.ROLLUPS if rolled else AnsweredFrom.EVENTS,
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
        asked = replace(question, filter=Filter((*question.filter.terms, term)))
    together = gathered(reading, question) if grain is not None else None
    if together is not None and (name == SITE or name in DIMENSIONS):
        source, rolled = together.of(name), True
    else:
        column = f'"{name}"'
        source, rolled = rollups.measures(reading, asked, rolled_as or ALL, column=column, grain=grain)
    # Of attacks alone rollups know how many there were, not their bytes and statuses.
    split = rolled and abnormal is not None and name not in OF_ATTACKS
    of = abnormal if rolled else None
    requests = {None: "requests", True: "attacks", False: "requests - attacks"}[of]
    by = {Order.REQUESTS: 2, Order.BYTES: 3, Order.ATTACKS: 4}[order]
    found = reading.rows(
        joined(
            [
                f"select value, sum({requests})::bigint as r, sum(bytes)::bigint, sum(attacks)::bigint,",
                "sum(errors)::bigint, max(error) from",
                source,
                f"as m group by 1 having r > 0 order by {by} desc, 1 limit {int(limit) + 1}",
            ]
        )
    )
    approximate = any(r[5] or (name == SITE and r[0] == OTHER_SITES) for r in found)
    found = [r for r in found if name != SITE or r[0] != OTHER_SITES][:limit]
    whole = together.of(ALL) if together else rollups.measures(reading, asked, ALL, grain=grain)[0]
    total = reading.rows(joined([f"select coalesce(sum({requests}), 0)::bigint from", whole, "as m"]))[0][0]
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


def _short(reading: Reading, question: Question, dimension: str) -> bool:
    """Whether a window of this dimension had to drop values."""
    source, _ = rollups.measures(reading, question, dimension, grain=DAY)
    return bool(reading.rows(joined(["select coalesce(max(error), 0) > 0 from", source, "as m"]))[0][0])


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
    return all(time is None or _within(time, question) for time in (file.time_first, file.time_last))


def _sketch(reading: Reading, column: str, source: Clause) -> bytes:
    """A sketch of the distinct values of a text column."""
    asked = joined([f"select distinct {column} from", source, f"where {column} is not null"])
    sketch = visitors.empty()
    visitors.add(sketch, (value for (value,) in reading.rows(asked)))
    return visitors.to_bytes(sketch)


def _bounds(reading: Reading, question: Question) -> tuple[datetime | None, datetime | None]:
    """Event time of the first and the last event of a question.

    Footers know the bounds of row groups: events are read only where a group lies across the range's end.
    """
    low: datetime | None = None
    high: datetime | None = None
    if not question.filter and question.site is None:
        groups = [g for file in reading.files(question.start, question.end) for g in file.groups]
        low = min((g.first for g in groups if g.first and _within(g.first, question)), default=None)
        high = max((g.last for g in groups if g.last and _within(g.last, question)), default=None)
    before = question if low is None else replace(question, end=low)
    after = question if high is None else replace(question, start=high + timedelta(microseconds=1))
    asked: list[str | Clause] = [
        'select (select epoch_us(min("time")) from',
        reading.events(before, ["time"]),
        '), (select epoch_us(max("time")) from',
        reading.events(after, ["time"]),
        ")",
    ]
    first, last = (time_of(found) for found in reading.rows(joined(asked))[0])
    return first or low, last or high


def _within(time: datetime, question: Question) -> bool:
    """Whether a moment lies in the question's range."""
    return (question.start is None or question.start <= time) and (
        question.end is None or time < question.end
    )


def _lines(reading: Reading) -> Counts:
    """What became of all lines that were ever committed, and the events that are still hot."""
    files = [file for file in reading.view.catalogue.events if file.last is not None]
    said = files[-1].metadata.get("counts", {}) if files else {}
    whole = sum((Counts(**counts) for counts in said.values()), Counts())
    hot = sum(table.num_rows for table in reading.view.hot)
    return whole + Counts(read=hot, events=hot)


def _places(reading: Reading, question: Question, addresses: list[str]) -> Places:
    """Country and network of addresses, as the newest events of a range say that had them."""
    if unknown := [address for address in addresses if address not in reading.places]:
        window = next(iter(windows(reading, replace(question, filter=NO_FILTER), PLACES_ROWS)))
        found = reading.rows(
            joined(
                [
                    "select client_ip, arg_max(country, time), arg_max(network, time) from",
                    reading.events(window, ["time", "client_ip", "country", "network"]),
                    Clause("where client_ip in ? group by 1", (unknown,)),
                ]
            )
        )
        if len(reading.places) > PLACES_KEPT:
            reading.places.clear()
        reading.places.update({address: (country, network) for address, country, network in found})
    return {address: reading.places[address] for address in addresses if address in reading.places}


def _step(low: datetime, high: datetime, points: int) -> int:
    """The smallest step whose grid over [low, high) has at most `points` steps."""
    for step in STEPS_S:
        width = 1_000_000 * step
        if -(-micros(high) // width) - micros(low) // width <= points:
            return step
    return STEPS_S[-1]


def _sited(question: Question) -> Question:
    """`site:name` as the filter's only word on sites becomes the question's site, which rollups know."""
    its = [t for t in question.filter.terms if t.column == "site"]
    if question.site is None and len(its) == 1 and its[0].test is Test.EQUAL and not its[0].negated:
        rest = Filter(tuple(t for t in question.filter.terms if t is not its[0]))
        return replace(question, site=str(its[0].value), filter=rest)
    return question
