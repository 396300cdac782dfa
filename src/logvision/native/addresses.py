"""Addresses of clients in the core."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from logvision.native.arrays import Flags, arrow, at
from logvision.native.library import CORE

Numbers = npt.NDArray[np.uint32]


def v4(values: pa.Array) -> tuple[Numbers, Flags]:
    """The numbers of texts that are IPv4 addresses as inet_pton takes them, and which are."""
    data, offsets = arrow(values)
    numbers, good = np.empty(len(values), np.uint32), np.empty(len(values), np.bool_)
    CORE.lv_v4(data, offsets, len(values), at(numbers), at(good))
    return numbers, good


def networks(values: pa.Array) -> tuple[Numbers, Numbers]:
    """The numbers of the narrow and of the wide networks of addresses (detect/network.py)."""
    data, offsets = arrow(values)
    narrow, wide = np.empty(len(values), np.uint32), np.empty(len(values), np.uint32)
    CORE.lv_networks(data, offsets, len(values), at(narrow), at(wide))
    return narrow, wide
