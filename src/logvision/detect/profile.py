"""One profile: how many networks have shown each trait of the values that one parameter of a route takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

MANY: Final = 30
"""Networks that must have been seen before a profile or one of its traits counts for normal."""

WORDS: Final = 2  # of 64 bits: the bitmap of a trait
BITS: Final = 64 * WORDS

Key = tuple[str, str, str]
"""Site ("": the log has none), route, name of the parameter."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of one parameter. Counts are of networks, exact while few, never above `most()`."""

    networks: int
    requests: int  # that were looked at
    counts: tuple[int, ...]  # per trait

    def usual(self, least: int) -> int:
        """The traits that at least so many networks have shown."""
        return sum(1 << bit for bit, count in enumerate(self.counts) if count >= least)


def most() -> int:
    """The largest number of networks that a profile can tell: above it, it says this."""
    return int(_COUNTS[BITS])


def networks(bitmaps: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """How many networks set the bits of each bitmap; the last axis is its WORDS."""
    counts: npt.NDArray[np.int64] = _COUNTS[np.bitwise_count(bitmaps).sum(axis=-1)]
    return counts


_COUNTS: Final = np.array(
    [round(-BITS * float(np.log(max(BITS - ones, 0.5) / BITS))) for ones in range(BITS + 1)], np.int64
)
"""Networks by the number of bits that are set."""
