"""What was read of each partition and of each source: from messages to batches, and where both go on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
import pyarrow as pa

from logvision import columns, schema
from logvision.sources.base import Batch, Position, Positions
from logvision.sources.kafka.origin import Headers, Pace, Seen, of_message, whole

NOTE_LIMIT: Final = 4_000
"""Bytes of text that a group keeps beside an offset; a broker allows 4,096."""

Message = tuple[int, int, bytes | None, Headers]
"""Partition, offset, value (None: the message has none), headers."""


@dataclass(slots=True)
class _Rows:
    """Lines of one source from one turn."""

    raw: list[bytes] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    bytes: int = 0


@dataclass(slots=True)
class Ledger:
    """Of one topic. Memory: a few numbers per source, i.e. per log file and per partition."""

    topic: str
    seen: Seen = field(default_factory=Seen)
    next: dict[int, int] = field(default_factory=dict)  # partition to the offset after what was taken of it
    given: dict[int, int] = field(default_factory=dict)  # the same, after the last line that became a row
    home: dict[str, int] = field(default_factory=dict)  # source to the partition it was last seen in
    read_bytes: dict[str, int] = field(default_factory=dict)  # of each source, since the start
    repeats: int = 0  # lines that were sent again, and dropped
    mean: float = 200.0  # bytes of a line, lately
    _began: dict[int, int] = field(default_factory=dict)  # partition to how often it began anew
    _offsets: dict[str, dict[str, int]] = field(default_factory=dict)  # source to partition to next offset

    def take_up(self, resume: Positions) -> None:
        """Go on from what was committed; positions of other topics and kinds are left alone."""
        for source, position in resume.items():
            if position.get("topic") != self.topic:
                continue
            self.seen.merge({source: position["pace"]})
            self._offsets[source] = dict(position["offsets"])
            for number, offset in position["offsets"].items():
                partition = self.home[source] = int(number)
                self.given[partition] = max(self.given.get(partition, 0), offset)
            for number, began in position.get("began", {}).items():
                self._began[int(number)] = max(self._began.get(int(number), 0), began)

    def start(self, partition: int, shared: int, note: str | None) -> int | None:
        """Where a partition goes on: after what this reader or its group has read, whichever is further.

        `shared`: the group's offset, negative when it has none; `note`: what stands beside it. None: nobody
        has read anything.
        """
        if note:
            self._learn(note)
        start = max(self.given.get(partition, -1), shared)
        if start < 0:
            return None
        self.next[partition] = start
        return start

    def batches(self, messages: Iterable[Message]) -> list[Batch]:
        """A batch per source. Lines that were seen before are dropped and counted in `repeats`."""
        rows: dict[str, _Rows] = {}
        for partition, offset, value, headers in messages:
            if offset < self.next.get(partition, 0):
                self._began[partition] = self._began.get(partition, 0) + 1  # the topic was made anew
            self.next[partition] = offset + 1
            origin = of_message(headers, self.topic, partition, offset, self._began.get(partition, 0))
            position = self.seen.fresh(origin)
            if position is None:
                self.repeats += 1
                continue
            source = origin.source
            found = rows.get(source)
            if found is None:
                found = rows[source] = _Rows()
            raw = whole(value, origin.size)
            found.raw.append(raw)
            found.positions.append(position)
            found.bytes += len(raw)
            self.home[source] = partition
            self.given[partition] = offset + 1
            self._offsets.setdefault(source, {})[str(partition)] = offset + 1
        return [self._batch(source, found) for source, found in rows.items()]

    def _batch(self, source: str, rows: _Rows) -> Batch:
        records = pa.table(
            [
                pa.array(rows.raw, pa.binary()),
                columns.constant(source, len(rows.raw)),
                pa.array(rows.positions, pa.int64()),
            ],
            schema=schema.RECORD,
        )
        self.mean += (rows.bytes / len(rows.raw) - self.mean) * 0.2
        self.read_bytes[source] = self.read_bytes.get(source, 0) + rows.bytes
        offsets = self._offsets[source]
        began = {number: self._began[int(number)] for number in offsets if int(number) in self._began}
        resume: Position = {
            "topic": self.topic,
            "offsets": dict(offsets),
            "pace": list(self.seen.paces[source]),
            **({"began": began} if began else {}),
        }
        return Batch(source, records, resume, rows.bytes)

    def _learn(self, note: str) -> None:
        """What the reader that had a partition before has seen of its sources."""
        try:
            self.seen.merge(orjson.loads(note))
        except (ValueError, TypeError, AttributeError):
            return  # another program's note


def durable(topic: str, positions: Positions) -> dict[int, tuple[int, str]]:
    """Partition to the offset that these positions cover and a note of what was seen of its sources."""
    offsets: dict[int, int] = {}
    paces: dict[int, dict[str, Any]] = {}
    for source, position in positions.items():
        if position.get("topic") != topic:
            continue
        for number, offset in position["offsets"].items():
            offsets[int(number)] = max(offsets.get(int(number), 0), offset)
            paces.setdefault(int(number), {})[source] = position["pace"]
    return {partition: (offset, _note(paces[partition])) for partition, offset in offsets.items()}


def _note(paces: Mapping[str, Any]) -> str:
    """As much of what was seen as fits, the sources that were read furthest first."""
    kept: dict[str, Any] = {}
    size = 2
    for source, pace in sorted(paces.items(), key=lambda item: -Pace(*item[1]).highest):
        size += len(orjson.dumps({source: pace}))
        if size > NOTE_LIMIT:
            break
        kept[source] = pace
    return orjson.dumps(kept).decode()
