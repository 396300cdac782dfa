"""Sketches of distinct texts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from logvision.native.arrays import Bytes, arrow, at
from logvision.native.library import CORE


def registers(values: pa.Array, bits: int) -> tuple[Bytes, float]:
    """The registers of a HyperLogLog of these texts (no null), and how many different ones it tells of; some
    20 ns each."""
    data, offsets = arrow(values)
    out = np.zeros(1 << bits, np.uint8)
    told: float = CORE.lv_registers(data, offsets, len(values), bits, at(out))
    return out, told
