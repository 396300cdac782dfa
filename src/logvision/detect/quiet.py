"""What is known to be ordinary: a small table of hashes, so that a value seen before costs one look.

Sites repeat themselves from batch to batch: a handful of agents, the same pages, the same referers.
"""

from __future__ import annotations

import secrets
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from logvision import columns as texts
from logvision import native
from logvision.detect.recalled import Recalled

PAIRS: Final = 1 << 18
"""Pairs of places; 4 MB. Of two texts of a pair both are known, a third takes the place of the older one."""


class Quiet:
    """Texts that carried no evidence, by 64-bit hash; beside them the verdicts on those that did.

    The hash has a key of its own in every process, so that nobody can find a text that passes for another.
    Forgets by being overwritten; a copy in another process starts empty.
    """

    def __init__(self, key: int | None = None) -> None:
        self._key = secrets.randbits(63) if key is None else key
        self._table = np.zeros((PAIRS, 2), np.uint64)  # the newer of each pair, and the older

        self.verdicts = Recalled()

    def __reduce__(self) -> tuple[Any, ...]:
        return Quiet, ()

    def hashes(self, *columns: pa.Array) -> npt.NDArray[np.uint64]:
        """Of all values of some text columns, one after the other; equal texts of two columns differ."""
        return np.concatenate(
            [
                texts.hashes(column.cast(pa.string()), self._key + number)
                for number, column in enumerate(columns)
            ]
        )

    def knows(self, hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
        if native.HERE:
            return native.keys.known(self._table, hashes)
        pairs = self._table.take(_places(hashes), axis=0)
        known: npt.NDArray[np.bool_] = (pairs[:, 0] == hashes) | (pairs[:, 1] == hashes)
        return known

    def learn(self, hashes: npt.NDArray[np.uint64]) -> None:
        """From now on they are known."""
        newer, places = 2 * _places(hashes), self._table.ravel()
        places[newer + 1] = places[newer]
        places[newer] = hashes


def _places(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    return (hashes & np.uint64(PAIRS - 1)).astype(np.int64)
