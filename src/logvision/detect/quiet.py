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

SLOTS: Final = 1 << 18
"""Texts that can be known at once; 2 MB. A newer one takes the place of an older one of the same slot."""


class Quiet:
    """Texts that carried no evidence, by 64-bit hash.

    The hash has a key of its own in every process, so that nobody can find a text that passes for another.
    Forgets by being overwritten; a copy in another process starts empty.
    """

    def __init__(self, key: int | None = None) -> None:
        self._key = secrets.randbits(63) if key is None else key
        self._table = np.zeros(SLOTS, np.uint64)

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
        known: npt.NDArray[np.bool_] = self._table[hashes % SLOTS] == hashes
        return known

    def learn(self, hashes: npt.NDArray[np.uint64]) -> None:
        self._table[hashes % SLOTS] = hashes
