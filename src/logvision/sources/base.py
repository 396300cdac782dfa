"""The contract of a source: an options object that opens into a reader of records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa

Position = dict[str, Any]
"""Where to resume one source: a JSON object that only that kind of source understands."""

Positions = Mapping[str, Position]
"""Source name to position. Stored with the facts that it covers, in the segment's own metadata."""

LINE_LIMIT = 1 << 20
"""Longest line, in bytes. Of a longer one the record holds the first LINE_LIMIT bytes and no line end,
by which `parse` knows it (`too_long`); the rest is skipped and counted in `Batch.bytes`."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines of one source, in order, and where to resume once they are committed."""

    source: str
    records: pa.Table  # RECORD, `source` constant, `position` increasing
    resume: Position
    bytes: int  # log bytes that these lines took (after decompression)


@dataclass(slots=True)
class SourceStatus:
    """What the page shows of one source. Sizes in B; None: not known or has no meaning here."""

    source: str
    kind: str  # file, stdin, syslog, generate, kafka
    state: str  # history, following, waiting (not there yet), lost, finished
    detail: str = ""  # one sentence when the state needs one, e.g. why it is lost
    read_bytes: int = 0
    size_bytes: int | None = None
    lag_bytes: int | None = None
    last_read: float | None = None  # Unix time of the last line read
    extra: dict[str, Any] = field(default_factory=dict)
    # Lines that wait to be read, by topic/partition: of all partitions that the reader of this source has.
    waiting_rows: Mapping[str, int] = field(default_factory=dict)


class Reader(Protocol):
    """An open source (or a whole glob of them). Used by one thread."""

    def read(self, limit: int) -> list[Batch]:
        """Lines ready now, about `limit` bytes at most, at most one batch per source; may be empty.

        Must not block longer than 100 ms when it follows; of logs that are read to their end nothing
        but bytes may say where a batch ends. History comes before what follows it. A source that is not
        there, or went away, is a state and never an exception; `SourceError` only when reading cannot go
        on without being opened again from the last committed position.
        """
        ...

    def committed(self, positions: Positions) -> None:
        """Everything up to these positions is durable now. Called after each commit, from another thread."""
        ...

    @property
    def finished(self) -> bool:
        """True when nothing will ever come again (end of a finite source)."""
        ...

    def status(self) -> list[SourceStatus]:
        """State of every source of this reader; cheap, may be called from another thread."""
        ...

    def close(self) -> None:
        """Give everything back; may be called twice."""
        ...


class Source(Protocol):
    """Options of a source: printable, comparable, picklable."""

    def open(self, resume: Positions) -> Reader:
        """A reader that goes on from `resume` (an absent source starts at its beginning).

        Raises SetupError when the options can never work (folder instead of a file, unreadable).
        """
        ...
