"""The events of a filter in memory: a page asks a dozen questions of one filter, and the lake is read once.

Rollups know nothing of most filters, so their panels count events. Instead of once for each panel, the lake
is read once for all: group of files by group, the narrow columns of what the filter lets through are kept,
as long as they are few. A group of files never changes, so that a page that asks again after a commit
reads only what is new. A filter that lets too much through is counted from the files: see `dense`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from logvision.lake.catalogue import File
from logvision.lake.queries.database import Reading, Selections, conditions, joined, united
from logvision.lake.queries.filter import NO_FILTER, Clause, Filter, Test
from logvision.lake.queries.question import Question
from logvision.lake.storage import tidy

NARROW: Final = (
    *("time", "source", "position", "site", "user", "method", "path", "protocol", "status", "bytes"),
    *("referer", "user_agent", "client_ip", "country", "asn", "network", "agent", "os", "device", "bot"),
    *("route", "kind", "attack", "rules", "outcome"),
)
"""Columns of EVENT that are kept: all that panels count by. Some 60 B a row with `file` and `row`."""

MOST: Final = 48_000_000
"""Largest selection, B: about 800,000 events."""

ROW_BYTES: Final = 60
"""What a row takes, about."""

GROUP_ROWS: Final = 400_000
"""Rows of the files that are read together, at least."""

SOME_GROUPS: Final = 3
"""Where there are more groups than this, the newest tells first about how much a filter lets through."""

BATCH_ROWS: Final = 16_384
TABLE_ROWS: Final = 131_072
"""Rows that are read, and held, as one table: reading takes three times the memory that they need then.
Small tables are put together: each costs every panel 0.8 ms, and DuckDB some buffers of 256 kB."""


@dataclass(frozen=True)
class Part:
    """The matching rows of a group of files: NARROW, `file` and `row`, text as dictionaries."""

    tables: tuple[pa.Table, ...]

    @cached_property
    def nbytes(self) -> int:
        return sum(table.nbytes for table in self.tables)


def matching(
    reading: Reading, question: Question, columns: Sequence[str], *, placed: bool = False
) -> tuple[Clause, int | None]:
    """Events of a question as `Reading.events` gives them, and how many committed ones were chosen from.

    They come from the selection of its filter where there is one (None: there is none, files are read).
    The first who asks of a filter waits until it is made: 0.1 to 0.2 s of CPU for each million events.
    """
    split = _split(question)
    tables = None
    if split is not None:
        basis, asked = split
        if {*columns, *(term.column for term in asked.also.terms)}.issubset(NARROW):
            tables = _selected(reading, question, basis)
    if split is None or tables is None:
        return reading.events(question, columns, placed=placed), None
    names = ", ".join(f'"{name}"' for name in (*columns, *(("file", "row") if placed else ())))
    where, parameters = conditions(asked)
    parts = [
        Clause(f"select {names} from {reading.relation(table)} where {where}", tuple(parameters))
        for table in tables
    ]
    hot = reading.events(question, columns, stored=False, placed=placed)
    parts.append(Clause(f"select {names} from {hot.sql}", hot.parameters))
    return united(parts), sum(table.num_rows for table in tables)


def is_dense(reading: Reading, question: Question) -> bool:
    """Whether too many events match to be kept, or to be counted once for each panel."""
    split = _split(question)
    if split is not None:
        return _selected(reading, question, split[0]) is None
    return sum(file.rows for file in reading.files(question.start, question.end)) > GROUP_ROWS


def _selected(reading: Reading, question: Question, basis: Question) -> list[pa.Table] | None:
    """What a filter lets through of committed events in the range of a question; None: too much."""
    files = reading.files(question.start, question.end)
    kept: Selections = reading.selections
    among = sum(file.rows for file in files)
    if kept.is_dense(basis, among):
        return None
    groups = list(_groups(files))
    whole = (replace(basis, start=question.start, end=question.end), tuple(groups))
    held = kept.tables.held(whole)  # first: the parts may be gone for it
    if held is not None:
        return [*held.tables]
    tables: list[pa.Table] = []
    size = 0
    if len(groups) > SOME_GROUPS and among * _share(reading, basis, groups[-1]) * ROW_BYTES > 2 * MOST:
        kept.note_dense(basis, among)
        return None
    for group in reversed(groups):
        inside = all(_inside(file, question) for file in group)
        part = basis if inside else replace(basis, start=question.start, end=question.end)
        found = kept.tables.get((part, group), partial(_read, reading, part, group, MOST - size))
        if found is None or size + found.nbytes > MOST:
            kept.note_dense(basis, among)
            return None
        size += found.nbytes
        tables += found.tables
    together: Part = kept.tables.get(whole, partial(_together, tables))
    return [*together.tables]


def _share(reading: Reading, basis: Question, group: tuple[File, ...]) -> float:
    """Of the events of a group of files, how many a filter lets through, 0 to 1."""

    def count() -> float:
        ((found,),) = reading.rows(
            joined(["select count(*) from", _only(reading, group).events(basis, ["time"])])
        )
        return float(found / sum(file.rows for file in group))

    return reading.shared.get(("share", basis, group), count)


def _only(reading: Reading, files: Sequence[File]) -> Reading:
    """The committed events of these files alone."""
    committed = reading.committed
    catalogue = replace(committed.view.catalogue, events=tuple(files))
    return replace(committed, view=replace(committed.view, catalogue=catalogue))


def _split(question: Question) -> tuple[Question, Question] | None:
    """What chooses, without its range, and what is asked of that; None: there is no filter.

    A page asks of every filter for attacks and for all else: both come from what the filter alone chooses.
    """
    terms = question.filter.terms
    of_attacks = [term for term in terms if term.column == "attack"]
    if len(of_attacks) == 1 and len(terms) > 1 and of_attacks[0].test in {Test.PRESENT, Test.ABSENT}:
        kept = tuple(term for term in terms if term is not of_attacks[0])
        asked = replace(question, site=None, filter=Filter(tuple(of_attacks)))
        return Question(site=question.site, filter=Filter(kept)), asked
    if terms:
        asked = replace(question, site=None, filter=NO_FILTER)
        return Question(site=question.site, filter=question.filter), asked
    return None


def _groups(files: Sequence[File]) -> Iterator[tuple[File, ...]]:
    """Neighbouring files, the oldest first: those of a group stay the same when new ones come."""
    group: list[File] = []
    for file in files:
        group.append(file)
        if sum(member.rows for member in group) >= GROUP_ROWS:
            yield tuple(group)
            group = []
    if group:
        yield tuple(group)


def _inside(file: File, question: Question) -> bool:
    first, last = file.time_first, file.time_last
    return (question.start is None or (first is not None and first >= question.start)) and (
        question.end is None or (last is not None and last < question.end)
    )


def _read(reading: Reading, part: Question, group: Sequence[File], most: int) -> Part | None:
    """The matching rows of a group of files; None: more than `most` B."""
    events = _only(reading, group).events(part, NARROW, placed=True)
    found: list[pa.Table] = []
    waiting: list[pa.Table] = []
    for batch in reading.batches(joined(["select * from", events]), BATCH_ROWS):
        waiting.append(_coded(pa.Table.from_batches([batch])))
        if sum(table.num_rows for table in waiting) >= TABLE_ROWS:
            found.append(_shrunk(tidy(pa.concat_tables(waiting))))
            waiting = []
            if sum(table.nbytes for table in found) > most:
                return None
    if waiting:
        found.append(_shrunk(tidy(pa.concat_tables(waiting))))
    return Part(tuple(found))


def _together(tables: Sequence[pa.Table]) -> Part:
    """Neighbours as one table, of TABLE_ROWS at most."""
    made: list[pa.Table] = []
    run: list[pa.Table] = []
    for table in tables:
        if run and sum(one.num_rows for one in (*run, table)) > TABLE_ROWS:
            made.append(_joined(run))
            run = []
        run.append(table)
    return Part((*made, _joined(run)) if run else ())


def _joined(tables: Sequence[pa.Table]) -> pa.Table:
    if len(tables) == 1:
        return tables[0]
    kind = pa.dictionary(pa.int32(), pa.string())
    alike = [
        pa.table([c.cast(kind) if pa.types.is_dictionary(c.type) else c for c in t.columns], t.column_names)
        for t in tables
    ]
    return _shrunk(tidy(pa.concat_tables(alike)))


def _coded(table: pa.Table) -> pa.Table:
    """Text columns as dictionaries."""
    return pa.table(
        [
            pc.dictionary_encode(column.cast(pa.string())) if _is_text(column.type) else column
            for column in table.columns
        ],
        table.column_names,
    )


def _shrunk(table: pa.Table) -> pa.Table:
    """Dictionary codes in as few bytes as will do: a row has twenty of them."""
    return pa.table(
        [
            column.cast(pa.dictionary(_width(len(column.chunk(0).dictionary)), pa.string()))
            if pa.types.is_dictionary(column.type)
            else column
            for column in table.columns
        ],
        table.column_names,
    )


def _width(values: int) -> pa.DataType:
    return pa.int8() if values < 1 << 7 else pa.int16() if values < 1 << 15 else pa.int32()


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
