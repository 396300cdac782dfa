"""A capture: log files read whole, to be put through both engines in the same order of arrival."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from logvision.errors import Problem, SetupError
from logvision.sources.base import Batch, Positions, Source, SourceStatus

READ_BYTES: Final = 16 << 20

Ends = Mapping[str, int]
"""The last position of each source that a batch brought."""


@dataclass(frozen=True, slots=True)
class Capture:
    """RECORD rows by source, in order of position; all in memory."""

    records: Mapping[str, pa.Table]

    @classmethod
    def read(cls, source: Source) -> Capture:
        """Read a finite source to its end. Raises SetupError when a part of it cannot be read."""
        found: dict[str, list[pa.Table]] = {}
        reader = source.open({})
        try:
            while not reader.finished:
                for batch in reader.read(READ_BYTES):
                    found.setdefault(batch.source, []).append(batch.records)
            lost = [s for s in reader.status() if s.state == "lost"]
        finally:
            reader.close()
        if lost:
            raise SetupError(Problem(s.source, s.detail, "a log that can be read to its end") for s in lost)
        return cls({name: pa.concat_tables(tables) for name, tables in sorted(found.items())})

    @property
    def lines(self) -> int:
        return sum(table.num_rows for table in self.records.values())

    def slices(self, rows: int) -> Iterator[Mapping[str, pa.Table]]:
        """The capture in pieces of about so many rows, every source in each, as if all had been written at
        once."""
        pieces = max(1, -(-self.lines // rows))
        for piece in range(pieces):
            yield {
                name: table.slice(begin, end - begin)
                for name, table in self.records.items()
                for begin, end in [_bounds(table.num_rows, piece, pieces)]
                if end > begin
            }

    def reader(self, ends: Sequence[Ends]) -> CaptureReader:
        """A reader whose every batch goes to one of these ends."""
        return CaptureReader(self, ends)


class CaptureReader:
    """Implements `Reader` for the embedded engine: one read is one batch of another engine's run."""

    def __init__(self, capture: Capture, ends: Sequence[Ends]) -> None:
        self._capture = capture
        self._ends = list(ends)
        self._at = dict.fromkeys(capture.records, 0)
        self._next = 0

    def read(self, limit: int) -> list[Batch]:
        """The next batch, however large; `limit` is not for it to keep."""
        if self.finished:
            return []
        ends, self._next = self._ends[self._next], self._next + 1
        return [batch for name in sorted(ends) if (batch := self._batch(name, ends[name])) is not None]

    def _batch(self, name: str, last: int) -> Batch | None:
        rows = self._capture.records[name]
        positions = rows.column("position").to_numpy()
        begin, end = self._at[name], int(np.searchsorted(positions, last, side="right"))
        if end <= begin:
            return None
        self._at[name] = end
        records = rows.slice(begin, end - begin)
        sizes = pc.sum(pc.binary_length(records.column("raw"))).as_py() + records.num_rows
        return Batch(name, records, {"position": last}, sizes)

    @property
    def finished(self) -> bool:
        return self._next >= len(self._ends)

    def status(self) -> list[SourceStatus]:
        state = "finished" if self.finished else "history"
        return [SourceStatus(name, "capture", state) for name in self._capture.records]

    def committed(self, positions: Positions) -> None:
        """Nobody else reads a capture."""

    def close(self) -> None:
        """Nothing is open."""


def _bounds(rows: int, piece: int, pieces: int) -> tuple[int, int]:
    return rows * piece // pieces, rows * (piece + 1) // pieces
