"""All events of a question, for an export or to be judged anew: however many, a few are held at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Final

import pyarrow as pa

from logvision.lake.queries.database import Database, MemoryShort, Reading, joined, time_of
from logvision.lake.queries.question import Question
from logvision.lake.queries.stretches import pieces
from logvision.schema import EVENT

ROWS_AT_ONCE: Final = 65_536
"""Most rows of one table: of lines of 1 kB some 150 MB while they are put in order."""

PLAIN: Final = pa.schema(
    [pa.field(f.name, pa.string() if pa.types.is_dictionary(f.type) else f.type) for f in EVENT]
)
"""EVENT with plain text columns."""


def tables(
    database: Database, question: Question, *, oldest_first: bool = False, rows: int | None = None
) -> Iterator[pa.Table]:
    """All events of a question as tables of EVENT's columns with plain text, newest first unless told.

    `rows`: most rows of one table (None: ROWS_AT_ONCE), exceeded only by events of one and the same
    microsecond and by what is not committed yet. Costs a reading of the row groups that a table lies in.
    Raises StoreError.
    """
    yield from _tables(database, question, ROWS_AT_ONCE if rows is None else rows, oldest_first=oldest_first)


def _tables(database: Database, question: Question, rows: int, *, oldest_first: bool) -> Iterator[pa.Table]:
    stretches = database.ask(lambda reading: list(pieces(reading, question, rows)))
    for stretch in reversed(stretches) if oldest_first else stretches:
        try:
            table = database.ask(partial(_table, stretch=stretch, oldest_first=oldest_first))
        except MemoryShort:  # of very long lines a few are much
            if rows == 1:
                raise
            yield from _tables(database, stretch, max(1, rows // 8), oldest_first=oldest_first)
            continue
        if table.num_rows:
            yield table


def newest(database: Database, question: Question, most: int) -> Question:
    """The question narrowed to about its `most` newest events: what happened at one moment is not cut."""

    def find(reading: Reading) -> Question:
        times = joined(
            [
                'select epoch_us(min("time")), count(*) from (select "time" from',
                reading.events(question, ["time"]),
                f'order by "time" desc limit {most})',
            ]
        )
        ((first, found),) = reading.rows(times)
        return question if found < most else replace(question, start=time_of(first))

    return database.ask(find)


def _table(reading: Reading, stretch: Question, *, oldest_first: bool) -> pa.Table:
    """All events of one stretch of time in order."""
    order = 'order by "time" desc, "source", "position" desc'
    if oldest_first:
        order = 'order by "time", "source", "position"'
    found = reading.table(joined(["select * from", reading.events(stretch), order]))
    return found.select(EVENT.names).cast(PLAIN)
