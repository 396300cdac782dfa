"""Rows of integers by 64-bit key, in the core."""

from __future__ import annotations

import numpy as np

from logvision.native.arrays import Places, Words, at, whole
from logvision.native.library import CORE, KEY


class Keyed:
    """`detect.keyed.Keyed`; some 10 ns a look."""

    def __init__(self, fresh: Places) -> None:
        """`fresh`: a new row, of at most six integers."""
        self._width = len(fresh)
        self.core = CORE.lv_keyed_new(KEY | 1, at(fresh), len(fresh))
        if not self.core:
            raise MemoryError
        self._free = CORE.lv_keyed_free

    def __del__(self) -> None:
        if getattr(self, "core", None):
            self._free(self.core)

    def __len__(self) -> int:
        return int(CORE.lv_keyed_count(self.core))

    def saved(self) -> tuple[Words, Places]:
        """All keys and their rows, copied."""
        count = len(self)
        keys, rows = np.empty(count, np.uint64), np.empty((count, self._width), np.int64)
        CORE.lv_keyed_save(self.core, at(keys), at(rows))
        return keys, rows

    def load(self, keys: Words, rows: Places) -> None:
        """Have these, with distinct keys, instead of all that is there."""
        keys, rows = np.ascontiguousarray(keys, np.uint64), whole(rows)
        if CORE.lv_keyed_load(self.core, at(keys), at(rows), len(keys)) < 0:
            raise MemoryError
