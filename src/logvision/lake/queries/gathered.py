"""Counts of all small dimensions of a range in one reading: a page asks a dozen of them at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from logvision.lake.queries import rollups
from logvision.lake.queries.database import Reading, joined
from logvision.lake.queries.filter import Clause
from logvision.lake.queries.question import Question
from logvision.lake.queries.settled import DIMENSIONS, SITE, SUMS, Counted, Settled, merged, parted, settled
from logvision.windows.dimensions import ALL, DAY, HOUR

_COUNTS: Final = (
    "count(*), count(*) filter (code between 200 and 399), count(*) filter (code between 500 and 599),"
    " count(hit), coalesce(sum(bytes), 0)"
)
_NOTHING: Final = Clause(
    "select null::varchar as dimension, null::varchar as value, 0::bigint as requests, 0::bigint as success,"
    " 0::bigint as errors, 0::bigint as attacks, 0::bigint as bytes, 0::bigint as error where false"
)


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
    parts = [_NOTHING]
    whole_files: list[Settled] = []
    names = ", ".join(f"'{name}'" for name in DIMENSIONS)
    site = () if question.site is None else (question.site,)
    for files, grain, start, end in rollups.scans(reading, ALL, whole, DAY, HOUR):
        inside, across = parted(question, files, start, end)
        whole_files += settled(reading, inside, grain)
        if not across:
            continue
        sql = (
            f"union all select dimension, case when dimension = '{ALL}' then site else value end,"
            " requests, success, errors, attacks, bytes, error from read_parquet(?)"
            f" where dimension in ({names}) and grain = ? and start >= ? and start < ?"
        )
        parts.append(
            Clause(sql + " and site = ?" * len(site), (rollups.paths(across), grain, start, end, *site))
        )
    for start, end in rollups.cover(question, HOUR).edges:
        if reading.files(start, end):
            parts += [Clause("union all"), _edge(reading.committed, replace(question, start=start, end=end))]
    asked = joined([f"select dimension, value, {SUMS}, max(error) from (", *parts, ") group by 1, 2"])
    counted: Counted = {name: {} for name in DIMENSIONS}
    for dimension, value, *counts in reading.rows(asked):
        counted[dimension][value] = counts
    for name in DIMENSIONS:
        rows = ((value, *counts) for one in whole_files for value, counts in one.counted[name].items())
        counted[name] = merged(counted[name], rows)
    return counted


def _edge(stored: Reading, question: Question) -> Clause:
    """The same rows from committed events, which are read once for all dimensions."""
    of = {(SITE if name == ALL else name): name for name in DIMENSIONS}
    names = " ".join(f"when grouping(\"{column}\") = 0 then '{name}'" for column, name in of.items())
    values = " ".join(f'when grouping("{column}") = 0 then "{column}"::varchar' for column in of)
    sets = ", ".join(f'("{column}")' for column in of)
    return joined(
        [
            f"select case {names} end, case {values} end, {_COUNTS}, 0",
            'from (select *, "status" as code, "attack" as hit from',
            stored.events(question, ["time", "bytes", *of]),
            f") group by grouping sets ({sets})",
        ]
    )
