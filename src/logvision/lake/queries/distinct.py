"""How many different visitors and paths a question has, from what rollups and files keep of them."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from logvision.errors import StoreError
from logvision.lake.catalogue import File, Group
from logvision.lake.queries import rollups
from logvision.lake.queries.database import Reading, joined
from logvision.lake.queries.filter import Clause
from logvision.lake.queries.question import Question
from logvision.lake.queries.settled import parted, settled
from logvision.lake.queries.stretches import within
from logvision.windows import visitors as sketches
from logvision.windows.dimensions import DAY, HOUR

EXACT_ROWS: Final = 600_000
"""At most so many events, by their row groups, are counted exactly where rollups do not tell."""

BATCH_ROWS: Final = 65_536

DISTINCT_ROWS: Final = 4_000_000
"""At most this many events are read to estimate the distinct paths that rollups dropped."""


def visitors(reading: Reading, question: Question) -> int:
    """Distinct client addresses by rollups: an estimate within about 2 %."""
    kept, edges = rollups.sketches(reading, question)
    return sketches.estimate([*kept, *(_sketch(reading, "client_ip", source) for source in edges)])


def paths(reading: Reading, question: Question) -> tuple[int, bool]:
    """Distinct paths, and whether the number is an estimate.

    Rollups keep the largest of an hour. Where they dropped some, or many events lie beside whole hours, whole
    files tell by their sketch, and only row groups of files that lie across the range's ends, or hold other
    sites too, are read. What those that lie within it have is kept: a range that ends now moves on and asks
    for them again.
    """
    whole, beside = [], []
    for file in reading.files(question.start, question.end):
        said = file.metadata.get("paths")
        inside = all(time is None or within(time, question) for time in (file.time_first, file.time_last))
        if said and inside and question.site is None:
            whole.append(base64.b64decode(said))
        else:
            beside.append(file)
    exact = _beside(reading, question) <= EXACT_ROWS and not _dropped(reading, question)
    if exact or sum(file.rows for file in beside) > DISTINCT_ROWS:
        source, _ = rollups.measures(reading, question, "path", grain=DAY)
        ((found,),) = reading.rows(joined(["select count(distinct value) from", source, "as m"]))
        return int(found), not exact
    parts = [sketch for file in beside for sketch in _of_file(reading, file, question)]
    hot = _sketch(reading, "path", reading.events(question, ["path"], stored=False))
    return sketches.estimate([*whole, *parts, hot]), True


def _beside(reading: Reading, question: Question) -> int:
    """How many events, about, lie beside the whole hours of a range."""
    edges = [replace(question, start=a, end=b) for a, b in rollups.cover(question, HOUR).edges]
    groups = (
        (edge, group) for edge in edges for f in reading.files(edge.start, edge.end) for group in f.groups
    )
    return sum(group.rows for edge, group in groups if _overlaps(group, edge))


def _dropped(reading: Reading, question: Question) -> bool:
    """Whether a window of the range had to drop paths, which whole files mostly tell."""
    span = rollups.cover(question, HOUR).rolled
    for files, grain, start, end in rollups.scans(reading, "path", span, DAY, HOUR) if span else ():
        inside, across = parted(question, files, start, end)
        if any(one.paths_dropped for one in settled(reading, inside, grain)):
            return True
        site = () if question.site is None else (question.site,)
        lost = Clause(
            "select 1 from read_parquet(?) where dimension = 'path' and error > 0 and grain = ?"
            " and start >= ? and start < ?" + " and site = ?" * len(site) + " limit 1",
            (rollups.paths(across), grain, start, end, *site),
        )
        if across and reading.rows(lost):
            return True
    return False


def _of_file(reading: Reading, file: File, question: Question) -> Iterator[bytes]:
    """Sketches of the paths that a file has within a question, one for each row group that has some."""
    for number, group in enumerate(file.groups):
        if not _overlaps(group, question):
            continue
        inside = question.site is None and _lies_within(group, question)
        clip = None if inside else (question.start, question.end, question.site)
        part = partial(_of_group, file, number, None if inside else question)
        yield reading.shared.get(("paths", file.path, number, clip), part)


def _lies_within(group: Group, question: Question) -> bool:
    return all(time is not None and within(time, question) for time in (group.first, group.last))


def _overlaps(group: Group, question: Question) -> bool:
    return (
        group.first is not None
        and group.last is not None
        and (question.start is None or group.last >= question.start)
        and (question.end is None or group.first < question.end)
    )


def _of_group(file: File, number: int, question: Question | None) -> bytes:
    """A sketch of the paths of a row group, of all or of those within a question."""
    names = ["path"]
    if question is not None:
        names += ["time"] if question.site is None else ["time", "site"]
    try:
        with pq.ParquetFile(file.path, read_dictionary=["path", "site"]) as opened:
            table = opened.read_row_group(number, columns=names, use_threads=False).combine_chunks()
    except OSError as error:
        raise StoreError(f"the lake cannot read {file.path.name}: {error.strerror or error}") from error
    column = table.column("path").chunk(0)
    if question is None:
        return sketches.of(column.dictionary)
    codes = column.indices.filter(pa.array(_within(table, question))).drop_null()
    return sketches.of(column.dictionary.take(codes.unique()))


def _within(table: pa.Table, question: Question) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    chosen = np.ones(table.num_rows, bool)
    for bound, holds in ((question.start, pc.greater_equal), (question.end, pc.less)):
        if bound is not None:
            chosen &= holds(table.column("time"), _time(bound)).to_numpy()
    if question.site is not None:
        chosen &= pc.fill_null(pc.equal(table.column("site"), question.site), False).to_numpy()
    return chosen


def _time(time: datetime) -> pa.Scalar:
    return pa.scalar(time, pa.timestamp("us", tz="UTC"))


def _sketch(reading: Reading, column: str, source: Clause) -> bytes:
    """A sketch of the distinct values of a text column, never all of them at once."""
    asked = joined([f"select {column} from", source, f"where {column} is not null"])
    batches = reading.batches(asked, BATCH_ROWS)
    return sketches.union(sketches.of(pc.unique(batch.column(0).cast(pa.string()))) for batch in batches)
