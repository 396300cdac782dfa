"""The first look at raw lines: where each begins and ends, and which can be no log line at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from logvision import native
from logvision.formats.vectors import Bytes, Places, Slices
from logvision.schema import Reason

LINE_LIMIT: Final = 1 << 20
"""A line of so many bytes without a line end was cut by its source (the same number as in `sources`)."""

BOM: Final = (0xEF, 0xBB, 0xBF)


@dataclass(slots=True)
class Screened:
    """The lines without line ends and byte order marks; `rows` are those worth parsing."""

    lines: Slices
    rows: Places
    reasons: dict[int, str] = field(default_factory=dict)
    headers: list[int] = field(default_factory=list)  # rows that begin with "#", in order

    def line(self, row: int) -> bytes:
        return self.lines.buffer[self.lines.starts[row] : self.lines.ends[row]].tobytes()


def screen(lines: Slices) -> Screened:
    """Trim every line and set apart the empty, the cut, and those with NUL bytes."""
    buffer, starts, ends = lines
    if not len(buffer):
        return Screened(lines, np.zeros(0, np.int64), dict.fromkeys(range(len(starts)), Reason.EMPTY))
    trim = native.lines.trimmed if native.HERE else trimmed
    starts, ends, odd = trim(buffer, starts, ends, LINE_LIMIT)
    screened = Screened(Slices(buffer, starts, ends), np.arange(len(starts)))
    if odd.size:
        _look(screened, odd, lines)
    return screened


def trimmed(buffer: Bytes, starts: Places, ends: Places, limit: int) -> tuple[Places, Places, Places]:
    """Starts and ends of lines without byte order marks and line ends; and those to be looked at, rising.

    Looked at is what may be blank, has a `#` in front, a NUL byte inside, or `limit` bytes and no line end.
    """
    odd = ends - starts >= limit
    for byte in (10, 13):
        ended = (ends > starts) & (buffer[np.maximum(ends - 1, 0)] == byte)
        if byte == 10:
            odd &= ~ended
        ends = ends - ended
    marked = np.ones(len(starts), bool)
    for index, byte in enumerate(BOM):
        marked &= buffer[np.minimum(starts + index, len(buffer) - 1)] == byte
    starts = starts + 3 * (marked & (ends - starts >= 3))
    first = buffer[np.minimum(starts, len(buffer) - 1)]
    odd |= (ends == starts) | (first <= 32) | (first == 35)
    if buffer.min() == 0:
        holes = np.flatnonzero(buffer == 0)
        odd |= np.searchsorted(holes, ends) > np.searchsorted(holes, starts)
    return starts, ends, np.flatnonzero(odd)


def _look(screened: Screened, odd: Places, given: Slices) -> None:
    """Say what is wrong with odd lines, if anything is."""
    whole = given.ends - given.starts >= LINE_LIMIT
    for row in odd.tolist():
        line = screened.line(row)
        if line.startswith(b"#"):
            screened.headers.append(row)
        if whole[row] and given.buffer[given.ends[row] - 1] != 10:
            screened.reasons[row] = Reason.TOO_LONG
        elif not line.strip():
            screened.reasons[row] = Reason.EMPTY
        elif line.startswith(b"#"):
            screened.reasons[row] = Reason.DIRECTIVE
        elif b"\0" in line:
            screened.reasons[row] = Reason.BINARY
    good = np.ones(len(screened.rows), bool)
    good[list(screened.reasons)] = False
    screened.rows = np.flatnonzero(good)
