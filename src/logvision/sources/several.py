"""Several readers as one: each keeps its own order, none waits for another.

Which of them comes first follows from their pace, even where files are read whole beside standard input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from logvision.sources.base import Batch, Positions, Reader, Source, SourceStatus


class SeveralReader:
    """Reads from every reader in turn."""

    def __init__(self, readers: Sequence[Reader]) -> None:
        self._readers = readers

    def read(self, limit: int) -> list[Batch]:
        share = max(1, limit // max(1, len(self._readers)))
        return [batch for reader in self._readers for batch in reader.read(share)]

    def committed(self, positions: Positions) -> None:
        for reader in self._readers:
            reader.committed(positions)

    @property
    def finished(self) -> bool:
        return all(reader.finished for reader in self._readers)

    def status(self) -> list[SourceStatus]:
        return [status for reader in self._readers for status in reader.status()]

    def close(self) -> None:
        for reader in self._readers:
            reader.close()


@dataclass(frozen=True)
class Several:
    """Sources that run side by side, e.g. files and a syslog listener."""

    sources: tuple[Source, ...]

    def open(self, resume: Positions) -> Reader:
        readers: list[Reader] = []
        try:
            readers.extend(source.open(resume) for source in self.sources)
        except BaseException:
            for reader in readers:
                reader.close()
            raise
        return readers[0] if len(readers) == 1 else SeveralReader(readers)
