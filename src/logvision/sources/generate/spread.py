"""So many lines over so much time, to the last microsecond: what is drawn at random, laid onto a span."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from logvision.sources.generate.traffic import BIN_US, factor

Ints = npt.NDArray[np.int64]


class Spread:
    """Times of `lines` rows from `start` to `end` (Unix time, µs), as busy at each hour as the model is.

    How long the model takes for so many rows is known only when they are drawn. So each piece of them is
    stretched, by some per cent, to the time at which so large a share of all should have come.
    """

    def __init__(self, start: int, end: int, lines: int) -> None:
        self._edges = np.append(np.arange(start, end, BIN_US), end)
        busy = np.diff(self._edges) / 1_000_000 * [factor(int(edge)) for edge in self._edges[:-1]]
        self._shares = np.append(0.0, np.cumsum(busy)) / busy.sum()
        self.per_second = lines / float(busy.sum())
        """What the model must give in a second of its mean so that it takes about as long."""
        self.lines, self._given = lines, 0
        self._drawn = start  # the model's time of the last row

    def times(self, drawn: Ints) -> Ints:
        """Event time of the next rows by their time in the model, both ascending."""
        begin, end = np.interp(
            np.array([self._given, self._given + drawn.size]) / self.lines, self._shares, self._edges
        )
        share = (drawn - self._drawn) / max(1, int(drawn[-1]) - self._drawn)
        self._given += drawn.size
        self._drawn = int(drawn[-1])
        return np.asarray(begin + share * (end - begin), np.int64)
