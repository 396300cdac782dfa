"""Compaction: small adjacent files become one, sorted for size and for questions.

Rows lie by time from row group to row group, so that a range of time skips the others, and by client
address within one, so that everything that follows from the address lies in runs. A merged file
stands under the range of its members from the rename on, which is when they cease to count; they are
taken away a grace later, for questions that are still reading them.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from logvision.clock import Clock
from logvision.lake import catalogue, storage
from logvision.lake.catalogue import METADATA, File
from logvision.lake.segments import PARTIAL_GROUP, Lake, by_dimension, said_of_partials
from logvision.schema import PARTIAL, REJECT
from logvision.windows import partials, visitors
from logvision.windows.dimensions import DAY, HOUR

FANOUT: Final = 8
"""Files that become one. Each row is written about log8(rows of the lake / rows of a commit) times."""

ROWS_LIMIT: Final = 4_000_000
"""No merged file has more rows: retention takes whole files away."""

GRACE_S: Final = 120.0
"""How long a replaced file stays: twice the longest question."""


class Compaction:
    """Keeps the files of one lake few. Used by one thread of the lake's writer, beside its commits."""

    def __init__(self, lake: Lake, clock: Clock) -> None:
        self._lake = lake
        self._clock = clock
        self._since: dict[str, float] = {}  # replaced file to when it was first seen to be

    def step(self, upto: int | None = None) -> bool:
        """Do one merge if one is due, of commits up to sequence `upto` (None: all); whether it did.

        The caller gives `upto` where something still has to read newer commits one by one. Memory is
        that of about two commits' rows. Raises StoreError when the disk is full: nothing is changed.
        """
        self.sweep()
        for family in ("events", "rejects", "partials"):
            members = due(getattr(self._lake.catalogue, family), upto)
            if members:
                self._merge(family, members)
                return True
        return False

    def sweep(self, grace_s: float = GRACE_S) -> None:
        """Take away files that were replaced longer than `grace_s` ago."""
        now = self._clock.monotonic()
        with self._lake.writing:
            replaced = [
                p for p in catalogue.covered(self._lake.folder, self._lake.catalogue) if p.suffix != ".tmp"
            ]
            for path in replaced:
                if now - self._since.setdefault(str(path), now) >= grace_s:
                    self._lake.remove(path)
        self._since = {path: at for path, at in self._since.items() if path in {str(p) for p in replaced}}

    def _merge(self, family: str, members: Sequence[File]) -> None:
        first, last = members[0].first, members[-1].last
        assert first is not None  # `due` takes no other
        assert last is not None
        final = self._lake.folder / family / catalogue.name(first, last)
        temporary = final.with_name(final.name + ".tmp")
        said: dict[str, Any]
        match family:
            case "events":
                said = said_of_events(members)
                tables = sorted_groups(read(members, storage.STORED_SCHEMA))
            case "rejects":
                said, tables = {}, read(members, REJECT)
            case _:
                merged = by_dimension(rolled(read(members, PARTIAL)))
                said = said_of_partials(merged)
                tables = (merged.slice(at, PARTIAL_GROUP) for at in range(0, merged.num_rows, PARTIAL_GROUP))
        storage.write_groups(
            tables, temporary, level=storage.COMPACT_LEVEL, metadata={METADATA: orjson.dumps(said).decode()}
        )
        with self._lake.writing:
            storage.rename(temporary, final)
            self._lake.refresh()


def due(files: Sequence[File], upto: int | None) -> list[File]:
    """The oldest FANOUT adjacent files that are worth merging; empty: none are.

    Worth it is what is of like size: the largest holds at most half of the rows, so a row is not
    written again and again beside a trickle of small commits.
    """
    ranged = [f for f in files if f.last is not None and (upto is None or f.last <= upto)]
    for at in range(len(ranged) - FANOUT + 1):
        members = ranged[at : at + FANOUT]
        rows = [file.rows for file in members]
        if sum(rows) <= ROWS_LIMIT and 2 * max(rows) <= max(sum(rows), 2):
            return members
    return []


def read(members: Iterable[File], schema: pa.Schema) -> Iterator[pa.Table]:
    """The members' tables, one by one."""
    for member in members:
        yield storage.read(member.path, schema)


def sorted_groups(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Stored rows as row groups: by time from one to the next, by client address within one."""
    waiting: list[pa.Table] = []
    rows = 0
    for table in tables:
        waiting.append(table)
        rows += table.num_rows
        while rows >= 2 * storage.ROW_GROUP:
            ready = _by_time(waiting)
            yield _by_client(ready.slice(0, storage.ROW_GROUP))
            waiting = [ready.slice(storage.ROW_GROUP)]
            rows -= storage.ROW_GROUP
    ready = _by_time(waiting)
    for at in range(0, max(ready.num_rows, 1), storage.ROW_GROUP):
        yield _by_client(ready.slice(at, storage.ROW_GROUP))


def rolled(tables: Iterable[pa.Table]) -> pa.Table:
    """Partials of several commits as those of one, with windows of a day made from those of an hour."""
    parts = [table.filter(pc.less(table.column("grain"), DAY)).cast(PARTIAL) for table in tables]
    merged = partials.merge(*parts)
    hours = merged.filter(pc.equal(merged.column("grain"), HOUR))
    return pa.concat_tables([merged, partials.roll(hours, DAY)]) if hours.num_rows else merged


def said_of_events(members: Sequence[File]) -> dict[str, Any]:
    """Metadata of a merged events file: positions and counts of its newest member."""
    sketches = [base64.b64decode(m.metadata["paths"]) for m in members if m.metadata.get("paths")]
    whole = visitors.union(sketches) if len(sketches) == len(members) else None
    return {
        **members[-1].metadata,
        "rolled": all(member.metadata.get("rolled", True) for member in members),
        "paths": base64.b64encode(whole).decode() if whole else None,
    }


def _by_time(tables: Sequence[pa.Table]) -> pa.Table:
    whole = storage.tidy(pa.concat_tables(tables))
    return whole.take(pc.sort_indices(whole, [("time", "ascending")]))


def _by_client(group: pa.Table) -> pa.Table:
    group = storage.tidy(group)
    keys = pa.table(
        [group.column("client_ip").cast(pa.string()), group.column("time"), group.column("position")],
        names=["client_ip", "time", "position"],
    )
    return group.take(pc.sort_indices(keys, [(name, "ascending") for name in keys.column_names]))
