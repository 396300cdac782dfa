"""The units of a batch in the core (detect/units.py): joined, searched for marks, scored by n-grams."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from logvision.native.arrays import Bytes, Flags, Places, arrow, at, bytes_of, whole
from logvision.native.library import CORE


def joined(values: pa.BinaryArray) -> tuple[Bytes, Places]:
    """All values in one text, each ended by a line feed, and where those are; inside one it is a `\\v`."""
    data, offsets = arrow(values)
    out, ends = np.empty(bytes_of(values) + len(values), np.uint8), np.empty(len(values), np.int64)
    CORE.lv_joined(data, offsets, len(values), at(out), at(ends))
    return out, ends


def marked(text: Bytes, ends: Places, table: Flags) -> Flags:
    """Which of the first joined texts hold a byte of the table; `ends` may be shorter than the text."""
    out, ends = np.empty(len(ends), np.bool_), whole(ends)
    CORE.lv_marked(at(text), at(ends), len(ends), at(table), at(out))
    return out


def margins(
    text: Bytes,
    starts: Places,
    ends: Places,
    fold: Bytes,
    weights: npt.NDArray[np.float32],
    root: npt.NDArray[np.float64],
) -> npt.NDArray[np.float32]:
    """The classifier's sum for every text; `root`: square roots up to the longest text that is read."""
    starts, ends = whole(starts), whole(ends)
    out = np.empty(len(starts), np.float32)
    weights = np.ascontiguousarray(weights, np.float32)
    bits, longest = len(weights).bit_length() - 1, len(root) - 3
    sizes = (len(starts), longest)
    CORE.lv_margins(at(text), at(starts), at(ends), *sizes, at(fold), at(weights), bits, at(root), at(out))
    return out
