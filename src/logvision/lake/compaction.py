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

from logvision.lake import catalogue, storage
from logvision.lake.catalogue import METADATA, File
from logvision.lake.segments import Lake, by_dimension, said_of_partials, sparse
from logvision.schema import PARTIAL, REJECT
from logvision.windows import partials, visitors
from logvision.windows.dimensions import DAY, HOUR

FANOUT: Final = 8
"""Files that become one. Each row is written about log8(rows of the lake / rows of a commit) times."""

ROWS_LIMIT: Final = {"events": 1_000_000, "rejects": 1_000_000, "partials": 400_000}
"""No merged file has more rows: retention takes whole files away, and partials are merged in memory."""

GRACE_S: Final = 120.0
"""How long a replaced file stays: twice the longest question."""


def compact(lake: Lake, *, now: float, upto: int | None = None, grace_s: float = GRACE_S) -> int:
    """Do every merge that is due; gives how many. `now` in seconds since the epoch.

    `upto`: the last commit that nobody will read by itself again, e.g. the casebook's cursor; None: all.

    For one thread of the lake's writer, beside its commits. The newest commit is left alone: others
    may still have to read it by itself. Raises StoreError when the disk is full: nothing is changed.
    """
    merges = 0
    for family in ROWS_LIMIT:
        while members := due(getattr(lake.catalogue, family), _last(lake, upto), ROWS_LIMIT[family]):
            _merge(lake, family, members)
            merges += 1
    sweep(lake, now=now, grace_s=grace_s)
    if merges:
        pa.default_memory_pool().release_unused()
    return merges


def _last(lake: Lake, upto: int | None) -> int:
    newest = lake.catalogue.newest - 1
    return newest if upto is None else min(newest, upto)


def sweep(lake: Lake, *, now: float, grace_s: float = GRACE_S) -> None:
    """Take away files that were replaced longer than `grace_s` ago."""
    with lake.writing:
        replaced = [p for p in catalogue.covered(lake.folder, lake.catalogue) if p.suffix != ".tmp"]
        lake.replaced = {path: lake.replaced.get(path, now) for path in replaced}
        for path, since in lake.replaced.items():
            if now - since >= grace_s:
                lake.remove(path)


def due(files: Sequence[File], upto: int, rows_limit: int) -> list[File]:
    """The oldest adjacent files up to a sequence that are worth merging; empty: none are.

    Worth it are FANOUT files, or as many as make a file of `rows_limit`, that are of like size: the
    largest holds at most half of the rows, so that a row is not written again and again beside a
    trickle of small commits.
    """
    ranged = [f for f in files if f.last is not None and f.last <= upto]
    for at in range(len(ranged)):
        members: list[File] = []
        rows = 0
        for file in ranged[at : at + FANOUT]:
            if rows + file.rows > rows_limit:
                break
            members.append(file)
            rows += file.rows
        full = len(members) == FANOUT or len(members) < len(ranged) - at
        if len(members) > 1 and full and 2 * max(f.rows for f in members) <= max(rows, 2):
            return members
    return []


def _merge(lake: Lake, family: str, members: Sequence[File]) -> None:
    """Write the merged file beside its members, then let it count instead of them."""
    first, last = members[0].first, members[-1].last
    assert first is not None  # `due` takes no other
    assert last is not None
    final = lake.folder / family / catalogue.name(first, last)
    temporary = final.with_name(final.name + ".tmp")
    said: dict[str, Any]
    match family:
        case "events":
            said = said_of_events(members)
            tables = sorted_groups(groups(members, storage.STORED_SCHEMA))
        case "rejects":
            said, tables = {}, read(members, REJECT)
        case _:
            merged = rolled(read(members, PARTIAL))
            said = said_of_partials(merged)
            tables = by_dimension(merged)
    storage.write_groups(
        tables, temporary, level=storage.COMPACT_LEVEL, metadata={METADATA: orjson.dumps(said).decode()}
    )
    with lake.writing:
        storage.rename(temporary, final)
        lake.refresh()


def read(members: Iterable[File], schema: pa.Schema) -> Iterator[pa.Table]:
    """The members' tables, one by one."""
    for member in members:
        yield storage.read(member.path, schema)


def groups(members: Iterable[File], schema: pa.Schema) -> Iterator[pa.Table]:
    """The members' row groups, one by one."""
    for member in members:
        yield from storage.groups(member.path, schema)


def sorted_groups(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Stored rows as row groups: by time from one to the next, by client address within one.

    Rows are put in order among those of one or two tables: commits follow each other in time. There is
    always a group, if an empty one.
    """
    waiting, made = storage.STORED_SCHEMA.empty_table(), 0
    for table in tables:
        waiting = storage.tidy(pa.concat_tables([waiting, table]))
        del table  # half of what stands in memory from here on
        order = pc.sort_indices(waiting, [("time", "ascending")])
        whole = waiting.num_rows // storage.ROW_GROUP * storage.ROW_GROUP
        for at in range(0, whole, storage.ROW_GROUP):
            yield _by_client(waiting, order.slice(at, storage.ROW_GROUP))
            made += 1
        waiting = storage.tidy(waiting.take(order.slice(whole)))
    if waiting.num_rows or not made:
        yield _by_client(waiting, pc.sort_indices(waiting, [("time", "ascending")]))


def rolled(tables: Iterable[pa.Table]) -> pa.Table:
    """Partials of several commits as those of one, with windows of a day made from those of an hour.

    Days of quiet times are left out: their hours have few rows more, and are read as quickly.
    """
    parts = [table.filter(pc.less(table.column("grain"), DAY)).cast(PARTIAL) for table in tables]
    merged = partials.merge(*parts)
    if sparse(merged):
        return merged
    hours = partials.of_grain(merged, HOUR)
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


def _by_client(rows: pa.Table, chosen: pa.Array) -> pa.Table:
    """The chosen rows as a row group of their own."""
    keys = rows.select(["client_ip", "time", "position"]).take(chosen)
    keys = keys.set_column(0, "client_ip", keys.column("client_ip").cast(pa.string()))
    order = pc.sort_indices(keys, [(name, "ascending") for name in keys.column_names])
    order = chosen.take(order)
    # One column after the other: of none but one the texts of other rows stand beside its own.
    taken = (storage.tidy(rows.select([name]).take(order)) for name in rows.column_names)
    return pa.table([column.column(0) for column in taken], schema=rows.schema)
