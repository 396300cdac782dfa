"""Which stretches of time rollups can answer, with which windows, and what is left to the events.

Partials lie in files, one or more rows per (grain, start, site, dimension, value) and file. A file
that was rolled up has day rows beside its hour rows, so files are asked by what grains they have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from logvision.lake.catalogue import File
from logvision.lake.queries.database import Reading, joined, united
from logvision.lake.queries.filter import Clause, Test
from logvision.lake.queries.question import Question
from logvision.lake.queries.selection import matching
from logvision.lake.queries.settled import parted, settled
from logvision.windows.dimensions import ALL, DAY, HOUR, MINUTE, SERIES

ROLLED: Final = {
    "status",
    "kind",
    "attack",
    "method",
    "protocol",
    "country",
    "agent",
    "os",
    "device",
    "bot",
} | {
    *("source", "outcome", "rules", "path", "route", "client_ip", "network", "referer", "user_agent"),
    ALL,
}
"""Dimensions that partials have."""

EVENTS_AT_ONCE: Final = 400_000
"""A range of no more events than this is counted from events: exact, and as quick."""

STATUS_CLASS: Final = "coalesce(left(value, 1) || 'xx', '-')"
"""In SQL: the class of a status that stands as text."""

_BEGINNING: Final = datetime(1, 1, 2, tzinfo=UTC)
_END: Final = datetime(9999, 12, 30, tzinfo=UTC)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Cover:
    """A question cut in two: what rollups answer (None: nothing) and what is left to stored events."""

    rolled: Span | None
    edges: tuple[Span, ...]


def cover(question: Question, grain: int) -> Cover:
    """Whole windows of `grain` seconds within the question's range, and the edges beside them."""
    start, end = question.start or _BEGINNING, question.end or _END
    first, last = _up(start, grain), _down(end, grain)
    if first >= last:
        return Cover(None, ((start, end),))
    edges = [(a, b) for a, b in ((start, first), (last, end)) if a < b]
    return Cover((first, last), tuple(edges))


def usable(reading: Reading, question: Question) -> bool:
    """Whether partials tell of every event, and asking them is worth it."""
    files = reading.view.catalogue
    if not files.partials or not all(file.metadata.get("rolled", True) for file in files.events):
        return False
    # Where old events are gone and their rollups are not, only the rollups know.
    ends = [-1, *(file.last for file in files.events if file.last is not None)]
    starts = [file.first for file in files.events if file.first is not None]
    retired = any(start != end + 1 for start, end in zip(starts, ends, strict=False))
    return retired or sum(file.rows for file in reading.files(question.start, question.end)) > EVENTS_AT_ONCE


def measures(
    reading: Reading,
    question: Question,
    dimension: str,
    *,
    column: str | None = None,
    condition: Clause | None = None,
    grain: int | None = None,
) -> tuple[Clause, bool]:
    """Rows (start, value, requests, success, errors, attacks, bytes, error) whose sums answer, and
    whether rollups have a part in them.

    `dimension` is that of the rollups; `column` (default: the same) the expression over EVENT that
    gives the value (`"site"` stands in the rollups of ALL). `condition` narrows rollups by value and
    stands for the filter, of which rollups know nothing. `grain` None: from events alone; else no window
    wider than it is used.
    """
    column = column or ("null::varchar" if dimension == ALL else f'"{dimension}"')
    needed = {"time", "status", "attack", "bytes"} | ({dimension} if dimension != ALL else set())
    columns = sorted(needed | ({"site"} if column == '"site"' else set()) | _columns_in(column))
    if grain is None:
        counted = of_events(matching(reading, question, columns)[0], dimension, column)
        return joined(["(", counted, ")"]), False
    finest = min(grain, MINUTE if dimension in SERIES else HOUR)
    found = cover(question, finest)
    parts = []
    if found.rolled is not None:
        value = "site" if column == '"site"' else "value"
        parts += _of_partials(reading, question, dimension, value, found.rolled, grain, condition)
    parts += [
        of_events(
            reading.committed.events(replace(question, start=start, end=end), columns), dimension, column
        )
        for start, end in found.edges
        if reading.files(start, end)
    ]
    if reading.view.hot or not parts:
        parts.append(of_events(reading.events(question, columns, stored=False), dimension, column))
    return united(parts), found.rolled is not None


def single(question: Question) -> tuple[str, Clause] | None:
    """The dimension and condition of a filter that rollups can answer: one value of one dimension."""
    terms = question.filter.terms
    if len(terms) != 1 or terms[0].negated:
        return None
    term = terms[0]
    if term.column == "status" and term.test is Test.CLASS:
        return "status", Clause("starts_with(value, ?)", (str(term.value),))
    if term.column == "attack" and term.test is Test.PRESENT:
        return "attack", Clause("value is not null")
    if term.column in ROLLED - {"rules"} and term.test is Test.EQUAL:
        return term.column, Clause("value = ?", (str(term.value),))
    return None


def sketches(reading: Reading, question: Question) -> tuple[list[bytes], list[Clause]]:
    """Sketches of the visitors of whole hours and days, and the events (`client_ip`) beside them."""
    found = cover(question, HOUR)
    kept: list[bytes] = []
    for files, grain, start, end in scans(reading, ALL, found.rolled, DAY, HOUR) if found.rolled else ():
        inside, across = parted(question, files, start, end)
        kept += [one.visitors for one in settled(reading, inside, grain) if one.visitors is not None]
        if not across:
            continue
        sql = (
            "select visitors from read_parquet(?) where dimension = 'all' and grain = ?"
            " and start >= ? and start < ? and visitors is not null"
        )
        given: list[Any] = [paths(across), grain, start, end]
        if question.site is not None:
            sql += " and site = ?"
            given.append(question.site)
        kept += [sketch for (sketch,) in reading.rows(Clause(sql, tuple(given)))]
    edges = [replace(question, start=start, end=end) for start, end in found.edges]
    beside = [
        reading.committed.events(edge, ["client_ip"]) for edge in edges if reading.files(edge.start, edge.end)
    ]
    return kept, [*beside, reading.events(question, ["client_ip"], stored=False)]


def scans(
    reading: Reading, dimension: str, span: Span, widest: int, finest: int = MINUTE
) -> Iterator[tuple[list[File], int, datetime, datetime]]:
    """What to read to have every window of a span once: files, grain, and the bounds of the windows' starts.

    One stretch after the other: a footer's bounds can be held against "and" only, not against "or".
    """
    by_grains: dict[tuple[int, ...], list[File]] = {}
    for file in reading.view.catalogue.partials:
        has = _grains(file, dimension)
        those = tuple(g for g in (DAY, HOUR, MINUTE) if finest <= g <= widest and g in has)
        if those:
            by_grains.setdefault(those, []).append(file)
    for grains, files in by_grains.items():
        for grain, start, end in _by_grain(span, grains):
            having = [file for file in files if _has_windows(file, start, end)]
            if having:
                yield having, grain, start, end


def paths(files: Iterable[File]) -> list[str]:
    """Where files lie, as statements name them."""
    return [str(file.path) for file in files]


def _of_partials(
    reading: Reading,
    question: Question,
    dimension: str,
    value: str,
    span: Span,
    grain: int,
    condition: Clause | None,
) -> list[Clause]:
    parts = []
    for files, width, start, end in scans(reading, dimension, span, grain):
        sql = (
            f"select start, {value} as value, requests, success, errors, attacks, bytes, error"
            " from read_parquet(?) where dimension = ? and grain = ? and start >= ? and start < ?"
        )
        given: list[Any] = [paths(files), dimension, width, start, end]
        if question.site is not None:
            sql += " and site = ?"
            given.append(question.site)
        if condition is not None:
            sql += f" and {condition.sql}"
            given += condition.parameters
        parts.append(Clause(sql, tuple(given)))
    return parts


def _by_grain(span: Span, grains: tuple[int, ...]) -> list[tuple[int, datetime, datetime]]:
    """The span cut into stretches, each of the widest grain whose windows lie whole within it."""
    low, high = span
    wide: list[tuple[int, datetime, datetime]] = []
    inner: Span | None = None
    for grain in grains:
        first, last = _up(low, grain), _down(high, grain)
        if inner is None:
            if first < last:
                wide.append((grain, first, last))
                inner = (first, last)
            continue
        wide += [(grain, a, b) for a, b in ((first, inner[0]), (inner[1], last)) if a < b]
        inner = (min(first, inner[0]), max(last, inner[1]))
    return wide


def _has_windows(file: File, start: datetime, end: datetime) -> bool:
    """Whether a partials file may have windows that begin within start <= time < end."""
    first, last = file.time_first, file.time_last
    return first is None or last is None or (first < end and last >= start)


def of_events(source: Clause, dimension: str, column: str) -> Clause:
    """Events as rows of `measures`, one each; `column`: the expression that gives the value."""
    value = f"unnest(string_split({column}, ' '))" if dimension == "rules" else f"({column})::varchar"
    return joined(
        [
            f'select "time" as start, {value} as value, 1::bigint as requests,'
            ' coalesce("status" between 200 and 399, false)::bigint as success,'
            ' coalesce("status" between 500 and 599, false)::bigint as errors,'
            ' ("attack" is not null)::bigint as attacks, coalesce("bytes", 0) as bytes,'
            " 0::bigint as error from",
            source,
        ]
    )


def _columns_in(column: str) -> set[str]:
    """Columns of EVENT that stand quoted in an expression of ours."""
    return set(column.split('"')[1::2])


def _grains(file: File, dimension: str) -> frozenset[int]:
    """Grains that a partials file has of a dimension."""
    said = file.metadata.get("dimensions")
    if said is None:  # written by another engine, by the windows' own rule
        return frozenset({MINUTE, HOUR} if dimension in SERIES else {HOUR})
    return frozenset(int(grain) for grain, dimensions in said.items() if dimension in dimensions)


def _down(time: datetime, grain: int) -> datetime:
    return time - (time - _EPOCH) % timedelta(seconds=grain)


def _up(time: datetime, grain: int) -> datetime:
    down = _down(time, grain)
    return down if down == time else down + timedelta(seconds=grain)
