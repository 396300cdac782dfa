"""Numbers remembered for texts over all batches, in the core."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from logvision.native.arrays import Codes, Places, arrow, at, whole
from logvision.native.library import CORE, KEY


class Memo:
    """Numbers remembered for texts over all batches: at most `limit` texts of `size` bytes on average.

    Exact: the texts are kept and compared. A flood of new texts pushes out old ones and never grows it.
    For one thread at a time.
    """

    def __init__(self, limit: int, size: int = 64) -> None:
        self._memo = CORE.lv_memo_new(limit, limit * size, KEY)
        if not self._memo:
            raise MemoryError
        self._free = CORE.lv_memo_free

    def __del__(self) -> None:
        if getattr(self, "_memo", None):
            self._free(self._memo)

    def __len__(self) -> int:
        return int(CORE.lv_memo_size(self._memo))

    def find(self, values: pa.Array) -> Codes:
        """The number of every text of a string or binary array without nulls, -1 where it is not known."""
        data, offsets = arrow(values)
        codes = np.empty(len(values), np.int32)
        if CORE.lv_memo_find(self._memo, data, offsets, len(values), at(codes)) < 0:
            raise MemoryError
        return codes

    def keep(self, values: pa.Array, which: Places, numbers: Codes) -> None:
        """Remember numbers (not negative) for some of the texts."""
        data, offsets = arrow(values)
        which, numbers = whole(which), np.ascontiguousarray(numbers, np.int32)
        if CORE.lv_memo_keep(self._memo, data, offsets, at(which), len(which), at(numbers)) < 0:
            raise MemoryError
