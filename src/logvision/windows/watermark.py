"""The watermark: the event time before which no more events are expected. Late rows are counted and kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from logvision import columns

LATENESS_S: Final = 60
"""How far behind the newest event of its source a row may be and still be on time, s: servers log a
request when it ends, so a slow answer is logged after quick ones that began later."""

FUTURE_S: Final = 3600
"""An event further ahead of the reader's clock than this does not move the watermark, s: one line with
a wrong date must not make all that follow late."""

NEVER: Final = -(1 << 62)
"""Before any event time, µs, and far enough from the end of int64 to subtract from."""


@dataclass(slots=True)
class Watermark:
    """Watermarks per source, since each source has its own order. Used by one thread."""

    lateness_s: int = LATENESS_S
    late: dict[str, int] = field(default_factory=dict)  # rows that came late, per source
    _newest: dict[str, int] = field(default_factory=dict)  # newest event time per source, µs

    def advance(self, events: pa.Table, now: float) -> npt.NDArray[np.bool_]:
        """Take note of a batch (rows with `time` and `source`) and give which of its rows are late.

        A row is late when it is older than the newest row of its source before it in the batch, or in
        any earlier batch, by more than the lateness. `now` is the reader's clock, Unix seconds.
        """
        times = events["time"].cast(pa.int64()).to_numpy()
        limit = int((now + FUTURE_S) * 1e6)
        names, codes = columns.distinct(events, "source")
        late = np.zeros(times.size, np.bool_)
        # A batch has few sources.
        for code in np.unique(codes).tolist():
            source = str(names[code])
            rows = np.flatnonzero(codes == code)
            own = times[rows]
            start = self._newest.get(source, NEVER)
            newest = np.maximum.accumulate(np.where(own <= limit, np.maximum(own, start), start))
            late[rows] = own < newest - np.int64(self.lateness_s * 1_000_000)
            self._newest[source] = int(newest[-1])
            self.late[source] = self.late.get(source, 0) + int(late[rows].sum())
        return late

    def at(self, source: str) -> int | None:
        """The watermark of a source, µs since the epoch; None: nothing read yet."""
        newest = self._newest.get(source)
        return None if newest is None else newest - self.lateness_s * 1_000_000

    def snapshot(self) -> dict[str, dict[str, int]]:
        """JSON-ready state."""
        return {"late": dict(self.late), "newest": dict(self._newest)}

    def restore(self, state: Mapping[str, Mapping[str, int]]) -> None:
        """Go on from a snapshot."""
        self.late, self._newest = dict(state["late"]), dict(state["newest"])
