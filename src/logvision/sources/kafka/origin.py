"""Where a message's line came from: what the shipper writes into its headers, and what was seen before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from logvision.sources.base import LINE_LIMIT

SOURCE: Final = "logvision-source"  # UTF-8
PLACE: Final = "logvision-place"  # EPOCH:POSITION or EPOCH:POSITION:SIZE, decimal

NAME_LIMIT: Final = 4096
"""Longest name of a source, in bytes: that of a path on any system."""

NUMBERS: Final = (1 << 53) - 1
"""Largest number in PLACE: what JSON carries everywhere."""

Headers = Sequence[tuple[str, bytes | None]] | None
"""As Kafka's clients give them; None: the message has none."""


class Origin(NamedTuple):
    """Where one line was read."""

    source: str
    epoch: int  # of the shipper's position file, or how often the topic began anew
    position: int
    size: int | None = None  # of a line that was cut short to be sent; None: it is whole


class Pace(NamedTuple):
    """How far a source was read; JSON as a list."""

    epoch: int
    base: int  # what is added to this epoch's positions
    highest: int  # position of the last line, base included


def to_headers(origin: Origin) -> list[tuple[str, bytes]]:
    """Headers that say where a line was read."""
    place = b"%d:%d" % (origin.epoch, origin.position)
    if origin.size is not None:
        place += b":%d" % origin.size
    return [(SOURCE, origin.source.encode()), (PLACE, place)]


def of_message(headers: Headers, topic: str, partition: int, offset: int, began: int = 0) -> Origin:
    """Where the line of a message was read.

    `began`: how often this partition was found to have begun anew. Headers that make no sense are those of
    another program.
    """
    found = _told(headers) if headers else None
    return found or Origin(name_of(topic, partition), began, offset)


def name_of(topic: str, partition: int) -> str:
    """Source of what other programs wrote into a partition."""
    return f"kafka:{topic}/{partition}"


def _told(headers: Sequence[tuple[str, bytes | None]]) -> Origin | None:
    told = dict(headers)
    source, place = told.get(SOURCE), told.get(PLACE)
    if not source or not place or len(source) > NAME_LIMIT or len(place) > 64:
        return None
    numbers = place.split(b":")
    if len(numbers) not in (2, 3) or not all(number.isdigit() for number in numbers):
        return None
    epoch, position, *size = map(int, numbers)
    if max(epoch, position, *size) > NUMBERS:
        return None
    try:
        return Origin(source.decode(), epoch, position, *size)
    except UnicodeDecodeError:
        return None


def whole(value: bytes | None, size: int | None) -> bytes:
    """The line as a record holds it: nothing for a message without value, LINE_LIMIT bytes of a longer one.

    A message of several lines is none: with NUL in place of what would end its first one, parsing takes it
    for binary, and nothing of it is passed over. A line that was too long to be sent came as its beginning;
    it is filled up, so that parsing takes it for what it was.
    """
    line = value or b""
    if line.find(b"\n", 0, -1) >= 0:
        line = line.replace(b"\n", b"\0")
    return line[:LINE_LIMIT] if size is None else line[:LINE_LIMIT].ljust(LINE_LIMIT)


@dataclass(slots=True)
class Seen:
    """How far every source was read. Memory: one entry per source, i.e. per log file and partition."""

    paces: dict[str, Pace] = field(default_factory=dict)

    def fresh(self, origin: Origin) -> int | None:
        """The position under which this line is kept, and takes note of it; None: it was seen before."""
        pace = self.paces.get(origin.source)
        if pace is None:
            pace = Pace(origin.epoch, 0, -1)
        elif pace.epoch != origin.epoch:
            # Whoever counts anew goes on where the last one stopped: no position is given twice.
            pace = Pace(origin.epoch, max(0, pace.highest + 1 - origin.position), pace.highest)
        position = pace.base + origin.position
        if position <= pace.highest:
            return None
        self.paces[origin.source] = Pace(pace.epoch, pace.base, position)
        return position

    def merge(self, paces: Mapping[str, Sequence[Any]]) -> None:
        """Take up what another reader of these sources has seen, where it is further."""
        for source, found in paces.items():
            pace, known = Pace(*map(int, found)), self.paces.get(source)
            if known is None or pace.highest > known.highest:
                self.paces[source] = pace
