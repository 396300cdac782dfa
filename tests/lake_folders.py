"""Lakes for tests: commits of rows made by `event_tables`, with the partials that belong to them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from event_tables import NOON, events
from logvision.lake.segments import Counts, Lake, Segment
from logvision.schema import REJECT, Reason
from logvision.windows.partials import partial


def commit(
    lake: Lake, rows: Iterable[Mapping[str, Any]], rejects: pa.Table | None = None, **state: Any
) -> Segment:
    """One commit of these events (rows of `event_tables.event`) from one source, "access.log"."""
    table = events(rows)
    refused = REJECT.empty_table() if rejects is None else rejects
    before = lake.resume().counts.get("access.log", Counts())
    more = Counts(
        table.num_rows + refused.num_rows, table.num_rows, refused.num_rows, 0, 100 * table.num_rows
    )
    counts = {"access.log": before + more}
    return lake.commit(
        [table],
        refused,
        partial(table),
        {"access.log": {"offset": counts["access.log"].bytes}},
        counts,
        state,
    )


def reject(raw: bytes, reason: Reason = Reason.NO_FORMAT, position: int = 0, at: datetime = NOON) -> pa.Table:
    """A REJECT table of one row."""
    row = {"reason": reason.value, "raw": raw, "size": len(raw), "source": "access.log", "position": position}
    plain = pa.schema([f.with_type(pa.string()) if pa.types.is_dictionary(f.type) else f for f in REJECT])
    return pa.Table.from_pylist([{**row, "read_at": at}], schema=plain).cast(REJECT)


def stored_rows(lake: Lake) -> list[dict[str, Any]]:
    """All committed events as rows, by source and position."""
    tables = [lake.events(file) for file in lake.catalogue.events]
    rows = [row for table in tables for row in table.to_pylist()]
    return sorted(rows, key=lambda row: (row["source"], row["position"]))


def files(folder: Path) -> list[str]:
    """Names of all files of a lake but the lock."""
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and p.name != "lock")


def kill(lake: Lake) -> None:
    """What is left of a lake whose process died: its files as they are, its lock given back."""
    held, lake._lock_file = lake._lock_file, None
    assert held is not None
    os.close(held)
