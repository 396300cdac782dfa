"""The hot buffer: events that are judged and not yet committed, so that queries see them at once."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import pyarrow as pa


class Hot:
    """EVENT tables in order of arrival. Shares the lake's lock: see `Lake.view`."""

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock
        self._tables: list[pa.Table] = []

    def append(self, events: pa.Table) -> None:
        """Show `events` to queries from now on, until the commit that holds this same table."""
        if events.num_rows:
            with self._lock:
                self._tables.append(events)

    def remove(self, events: Iterable[pa.Table]) -> None:
        """Take tables away, known by identity; called by the commit, under the lock."""
        gone = {id(table) for table in events}
        with self._lock:
            self._tables = [table for table in self._tables if id(table) not in gone]

    def tables(self) -> tuple[pa.Table, ...]:
        with self._lock:
            return tuple(self._tables)

    @property
    def rows(self) -> int:
        with self._lock:
            return sum(table.num_rows for table in self._tables)

    @property
    def nbytes(self) -> int:
        """B held in memory."""
        with self._lock:
            return sum(table.nbytes for table in self._tables)
