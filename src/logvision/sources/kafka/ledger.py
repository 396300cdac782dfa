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

TOPIC_ID: Final = ""
"""Key of the topic's id in that text, beside those of sources; none is called so."""

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
    id: str | None = None  # of the topic that the name stands for; None: not known
    _began: dict[int, int] = field(default_factory=dict)  # partition to how often it began anew
    _offsets: dict[str, dict[str, int]] = field(default_factory=dict)  # source to partition to next offset
    _ids: dict[str, str] = field(default_factory=dict)  # source to the topic of its offsets, where known

    def take_up(self, resume: Positions) -> None:
        """Go on from what was committed; positions of other topics and kinds are left alone."""
        for source, position in resume.items():
            if position.get("topic") != self.topic:
                continue
            self.seen.merge({source: position["pace"]})
            self._offsets[source] = dict(position["offsets"])
            if "id" in position:
                self._ids[source] = position["id"]
            for number, offset in position["offsets"].items():
                partition = self.home[source] = int(number)
                self.given[partition] = max(self.given.get(partition, 0), offset)
            for number, began in position.get("began", {}).items():
                self._began[int(number)] = max(self._began.get(int(number), 0), began)

    def belongs(self, id_: str) -> bool:
        """Take note of which topic the name stands for now; True: of another one than before, or than what
        was taken up.

        Offsets of another one mean nothing: its partitions are read from the beginning.
        """
        changed = self.id not in (None, id_)
        self.id = id_
        stale = [source for source, known in self._ids.items() if known != id_]
        gone: set[int] = set()
        for source in stale:
            gone |= {int(number) for number in self._offsets.pop(source)}
            del self._ids[source]
        if not changed and not stale:
            return False
        self.given = {}
        for offsets in self._offsets.values():
            for text, offset in offsets.items():
                self.given[int(text)] = max(self.given.get(int(text), 0), offset)
        if changed:
            gone |= self.next.keys()
        for number in gone - self.given.keys():
            self._began[number] = self._began.get(number, 0) + 1
        self.next.clear()
        return True

    def start(self, partition: int, shared: int, note: str | None) -> int | None:
        """Where a partition goes on: after what this reader or its group has read, whichever is further.

        `shared`: the group's offset, negative when it has none; `note`: what stands beside it. None: nobody
        has read anything.
        """
        told = self._learn(note) if note else None
        if None not in (told, self.id) and told != self.id:
            shared = -1  # told by a reader that had not heard yet that the topic was made anew
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
            if self.id is not None:
                self._ids[source] = self.id
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
            **({"id": self._ids[source]} if source in self._ids else {}),
        }
        return Batch(source, records, resume, rows.bytes)

    def _learn(self, note: str) -> str | None:
        """What the reader that had a partition before has seen of its sources; gives the topic's id in it."""
        try:
            told = orjson.loads(note)
            id_ = told.pop(TOPIC_ID, None)
            self.seen.merge(told)
        except (ValueError, TypeError, AttributeError):
            return None  # another program's note
        return str(id_) if id_ is not None else None


def durable(topic: str, positions: Positions, id_: str | None = None) -> dict[int, tuple[int, str]]:
    """Partition to the offset that these positions cover and a note of what was seen of its sources.

    `id_`: of the topic that the name stands for; positions in another one are left out.
    """
    offsets: dict[int, int] = {}
    paces: dict[int, dict[str, Any]] = {}
    for source, position in positions.items():
        if position.get("topic") != topic or position.get("id", id_) != id_:
            continue
        for number, offset in position["offsets"].items():
            offsets[int(number)] = max(offsets.get(int(number), 0), offset)
            paces.setdefault(int(number), {})[source] = position["pace"]
    return {partition: (offset, _note(paces[partition], id_)) for partition, offset in offsets.items()}


def _note(paces: Mapping[str, Any], id_: str | None) -> str:
    """As much of what was seen as fits, the sources that were read furthest first, and the topic's id."""
    kept: dict[str, Any] = {}
    last = {} if id_ is None else {TOPIC_ID: id_}
    size = 2 + len(orjson.dumps(last))
    for source, pace in sorted(paces.items(), key=lambda item: -Pace(*item[1]).highest):
        size += len(orjson.dumps({source: pace}))
        if size > NOTE_LIMIT:
            break
        kept[source] = pace
    return orjson.dumps(kept | last).decode()
