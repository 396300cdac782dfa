"""Counts of all small dimensions of a range in one reading: a page asks a dozen of them at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from logvision.lake.queries import rollups
from logvision.lake.queries.database import Reading, joined, united
from logvision.lake.queries.dense import NEEDED, counts
from logvision.lake.queries.filter import Clause
from logvision.lake.queries.question import Question
from logvision.lake.queries.settled import DIMENSIONS, SITE, SUMS, Counted, merged, parted, settled
from logvision.windows.dimensions import ALL, DAY, HOUR, SERIES

TOGETHER: Final = (
    ("source", *(SITE if name == ALL else name for name in SERIES), "method", "protocol"),
    ("agent", "os", "device", "bot"),
    ("country",),
)
"""DIMENSIONS as events are counted by them, see `dense`: each by itself took 60 MB for its tables."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """Counts of one question: of what is committed as a whole, of hot rows when they are asked for."""

    reading: Reading
    question: Question
    committed: Counted

    def of(self, dimension: str) -> list[tuple[Any, ...]]:
        """(value, requests, success, errors, attacks, bytes, error), each value once.

        `dimension`: one of DIMENSIONS, or SITE.
        """
        stored = ALL if dimension == SITE else dimension
        found = self.committed[stored]
        if self.reading.view.hot:
            found = merged(found, self._hot(stored))
        if dimension == ALL:
            found = merged({}, [(None, *counts) for counts in found.values()])
        return [(value, *counts) for value, counts in found.items()]

    def _hot(self, dimension: str) -> list[tuple[Any, ...]]:
        """The same rows of events that are not committed yet, of ALL by site."""
        column = "site" if dimension == ALL else dimension
        needed = dict.fromkeys(["time", "site", "status", "attack", "bytes", column])
        hot = self.reading.events(self.question, list(needed), stored=False)
        rows = rollups.of_events(hot, dimension, f'"{column}"')
        return self.reading.rows(joined([f"select value, {SUMS}, 0 from (", rows, ") group by 1"]))


def gathered(reading: Reading, question: Question) -> Gathered | None:
    """What rollups and the stored events beside them tell of a question without a filter.

    None: the range holds no whole hour.
    """
    whole = rollups.cover(question, HOUR).rolled
    if whole is None:
        return None
    files = (*reading.view.catalogue.partials, *reading.files(question.start, question.end))
    committed = reading.shared.get(("gathered", question, files), lambda: _read(reading, question, whole))
    return Gathered(reading, question, committed)


def _read(reading: Reading, question: Question, whole: rollups.Span) -> Counted:
    """The counts of `Gathered`: `whole` from rollups, what is beside it from events.

    Costs about 30 ms of CPU, and 4 ms for each file of rollups that is new.
    """
    found: dict[str, list[tuple[Any, ...]]] = {name: [] for name in DIMENSIONS}
    across: list[Clause] = []
    names = ", ".join(f"'{name}'" for name in DIMENSIONS)
    site = () if question.site is None else (question.site,)
    for files, grain, start, end in rollups.scans(reading, ALL, whole, DAY, HOUR):
        inside, cut = parted(question, files, start, end)
        for one in settled(reading, inside, grain):
            for name, values in one.counted.items():
                found[name] += ((value, *sums) for value, sums in values.items())
        if cut:
            sql = (
                f"select dimension, case when dimension = '{ALL}' then site else value end as value,"
                " requests, success, errors, attacks, bytes, error from read_parquet(?)"
                f" where dimension in ({names}) and grain = ? and start >= ? and start < ?"
            )
            given = (rollups.paths(cut), grain, start, end, *site)
            across.append(Clause(sql + " and site = ?" * len(site), given))
    if across:
        summed = f"select dimension, value, {SUMS}, max(error) from"
        for dimension, *row in reading.rows(joined([summed, united(across), "group by 1, 2"])):
            found[dimension].append(tuple(row))
    edges = [replace(question, start=start, end=end) for start, end in rollups.cover(question, HOUR).edges]
    edges = [edge for edge in edges if reading.files(edge.start, edge.end)]
    for together in TOGETHER if edges else ():
        columns = list(dict.fromkeys((*NEEDED, *together)))
        source = united([reading.committed.events(edge, columns) for edge in edges])
        for name, rows in counts(reading, source, together).rows.items():
            found[ALL if name == SITE else name] += (
                (value, n, success, errors, n if attack else 0, size, 0)
                for value, attack, n, success, errors, size in rows
            )
    return {name: merged({}, rows) for name, rows in found.items()}
