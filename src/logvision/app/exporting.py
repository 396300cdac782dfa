"""Exports from a data folder, as bytes that are never held all at once."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from enum import StrEnum
from pathlib import Path

import pyarrow as pa

from logvision.app.concerning import concerned
from logvision.app.stores import SQLITE, open_stores
from logvision.casebook.base import Question as CaseQuestion
from logvision.incident import Status
from logvision.lake import export, queries, storage
from logvision.lake.export import Format
from logvision.lake.queries import Database, Question
from logvision.lake.queries.kept import readable
from logvision.lake.segments import Lake
from logvision.schema import REJECT


class What(StrEnum):
    """What can be exported."""

    EVENTS = "events"
    INCIDENTS = "incidents"
    REJECTS = "rejects"


def exported(
    folder: Path,
    what: What,
    format_: Format,
    question: Question,
    *,
    casebook_url: str = SQLITE,
    ecs: bool = False,
) -> Generator[bytes, None, None]:
    """The bytes of an export. Incidents follow range and site of the question and what its filter says of
    clients; rejects follow nothing.

    Raises SetupError when there is no data folder.
    """
    if what is What.INCIDENTS:
        with open_stores(folder, casebook_url, writer=False) as stores:
            wanted = CaseQuestion(frozenset(Status), question.start, question.end, question.site)
            found = concerned(stores.casebook, wanted, question.filter)
            yield from export.incidents(found, format_, ecs=ecs)
        return
    # The lake alone may be read where nothing can be written: a backup, another user's folder.
    with Lake.open(folder, writer=False) as lake:
        if what is What.EVENTS:
            yield from _events(lake, format_, question, ecs=ecs)
        else:
            yield from export.rejects(_rejects(lake), format_, ecs=ecs)


def _events(lake: Lake, format_: Format, question: Question, *, ecs: bool) -> Iterator[bytes]:
    database = Database(lake)
    try:
        yield from export.events(queries.tables(database, question), format_, ecs=ecs)
    finally:
        database.close()


def _rejects(lake: Lake) -> Iterator[pa.Table]:
    """Every kept reject in reading order, its bytes as text; row by row, for an export is read by people."""
    at = REJECT.get_field_index("raw")
    for table in (
        REJECT.empty_table(),
        *(storage.read(f.path, REJECT) for f in lake.view().catalogue.rejects),
    ):
        lines = [readable(raw) for raw in table.column("raw").to_pylist()]
        yield table.set_column(at, "raw", pa.array(lines, pa.string()))
