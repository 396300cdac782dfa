"""The first look at raw lines: where each begins and ends, and which can be no log line at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from logvision.formats.vectors import Flags, Places, Slices
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
    cut = ends - starts >= LINE_LIMIT
    for byte in (10, 13):
        ended = (ends > starts) & (buffer[np.maximum(ends - 1, 0)] == byte)
        if byte == 10:
            cut &= ~ended
        ends = ends - ended
    marked = np.ones(len(starts), bool)
    for index, byte in enumerate(BOM):
        marked &= buffer[np.minimum(starts + index, len(buffer) - 1)] == byte
    starts = starts + 3 * (marked & (ends - starts >= 3))
    trimmed = Screened(Slices(buffer, starts, ends), np.arange(len(starts)))
    _reject(trimmed, cut)
    return trimmed


def _reject(screened: Screened, cut: Flags) -> None:
    buffer, starts, ends = screened.lines
    reasons = screened.reasons
    for row in np.flatnonzero(cut).tolist():
        reasons[row] = Reason.TOO_LONG
    first = buffer[np.minimum(starts, len(buffer) - 1)]
    for row in np.flatnonzero((ends == starts) | (first <= 32)).tolist():
        if not screened.line(row).strip():
            reasons.setdefault(row, Reason.EMPTY)
    for row in np.flatnonzero((first == 35) & (ends > starts)).tolist():
        reasons.setdefault(row, Reason.DIRECTIVE)
        screened.headers.append(row)
    if buffer.min() == 0:
        holes = np.flatnonzero(buffer == 0)
        for row in np.flatnonzero(np.searchsorted(holes, ends) > np.searchsorted(holes, starts)).tolist():
            reasons.setdefault(row, Reason.BINARY)
    if reasons:
        good = np.ones(len(starts), bool)
        good[list(reasons)] = False
        screened.rows = np.flatnonzero(good)
