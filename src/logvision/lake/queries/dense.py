"""Counts by small dimensions of a filter that lets too much through to be kept.

Each dimension by itself costs 0.2 s of CPU over 10 million events, most of it for what all have in common:
status, attack and bytes. Dimensions that follow from each other, as a system from an agent, are counted
together: their combinations are few more than the values of the largest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from logvision.lake.queries.database import Reading, joined
from logvision.lake.queries.filter import Clause
from logvision.lake.queries.question import Question
from logvision.lake.queries.selection import is_dense

TOGETHER: Final = (
    ("method", "status", "protocol", "site", "kind", "attack"),
    ("agent", "os", "device", "bot"),
    ("network", "country"),
)

_OF: Final = {name: names for names in TOGETHER for name in names}

DIMENSIONS: Final = frozenset(_OF)

NEEDED: Final = ("status", "attack", "bytes")
"""Columns of EVENT that every count needs."""

_ROW_BYTES: Final = 300
"""What a row of Python objects takes in memory, about."""

Counted = tuple[str | None, bool, int, int, int, int]
"""Value, whether these events are attacks, requests, success, errors, bytes."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted of committed events, by dimension."""

    rows: dict[str, list[Counted]]

    @property
    def nbytes(self) -> int:
        return _ROW_BYTES * sum(map(len, self.rows.values()))


def values(
    reading: Reading, question: Question, dimension: str, abnormal: bool | None
) -> list[tuple[Any, ...]] | None:
    """(value, requests, bytes, attacks, errors, 0) of every value, of attacks alone or of the rest if asked.

    None: the dimension or the question is not one for this.
    """
    names = _OF.get(dimension)
    if names is None or not is_dense(reading, question):
        return None
    files = tuple(reading.files(question.start, question.end))
    columns = list(dict.fromkeys((*NEEDED, *names)))
    kept: Counts = reading.selections.tables.get(
        ("dense", question, files, names),
        lambda: counts(reading, reading.committed.events(question, columns), names),
    )
    rows = kept.rows[dimension]
    if reading.view.hot:
        hot = reading.events(question, columns, stored=False)
        rows = rows + counts(reading, hot, names).rows[dimension]
    found: dict[str | None, list[int]] = {}
    for value, attack, requests, _, errors, size in rows:
        if abnormal is None or attack is abnormal:
            sums = found.setdefault(value, [0, 0, 0, 0])
            for i, more in enumerate((requests, size, requests if attack else 0, errors)):
                sums[i] += more
    return [(value, *sums, 0) for value, sums in found.items()]


def counts(reading: Reading, source: Clause, names: Sequence[str]) -> Counts:
    """Events (NEEDED and `names`) by dimensions counted together, then by each from their combinations."""
    together = ", ".join(f'"{name}"::varchar as of_{name}' for name in names)
    numbers = ", ".join(f"of_{name}" for name in names)
    each = ", ".join(f"(of_{name}, hit)" for name in names)
    which = " ".join(f"when grouping(of_{name}) = 0 then '{name}'" for name in names)
    value = " ".join(f"when grouping(of_{name}) = 0 then of_{name}" for name in names)
    asked = joined(
        [
            f"select case {which} end, case {value} end, hit, sum(n)::bigint, sum(success)::bigint,",
            "sum(errors)::bigint, sum(size)::bigint",
            f'from (select {together}, "attack" is not null as hit, count(*) as n,',
            'count(*) filter ("status" between 200 and 399) as success,',
            'count(*) filter ("status" between 500 and 599) as errors,',
            'coalesce(sum("bytes"), 0) as size from',
            source,
            f"group by {numbers}, hit) group by grouping sets ({each})",
        ]
    )
    rows: dict[str, list[Counted]] = {name: [] for name in names}
    for name, *counted in reading.rows(asked):
        rows[name].append(tuple(counted))
    return Counts(rows)
