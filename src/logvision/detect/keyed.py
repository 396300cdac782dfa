"""Rows of integers by 64-bit key, found at one look however many there are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from logvision import native

Ints = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]


class Plain:
    """`native.keyed.Keyed` in Python: rows in the order in which their keys came."""

    def __init__(self, fresh: Ints) -> None:
        """`fresh`: a new row."""
        self._fresh: list[int] = fresh.tolist()
        self.rows: dict[int, list[int]] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def put(self, key: int) -> list[int]:
        """The row of a key, a new one where it had none."""
        return self.rows.setdefault(key, self._fresh.copy())

    def saved(self) -> tuple[Keys, Ints]:
        """All keys and their rows, copied."""
        rows = np.array(list(self.rows.values()), np.int64).reshape(len(self), len(self._fresh))
        return np.array(list(self.rows), np.uint64), rows

    def load(self, keys: Keys, rows: Ints) -> None:
        """Have these, with distinct keys, instead of all that is there."""
        self.rows = dict(zip(keys.tolist(), rows.tolist(), strict=True))


Keyed = native.keyed.Keyed | Plain


def keyed(fresh: Ints) -> Keyed:
    """An empty one whose new rows are `fresh`."""
    return native.keyed.Keyed(fresh) if native.HERE else Plain(fresh)
