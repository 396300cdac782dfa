"""Addresses of clients in the core."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from logvision.native.arrays import Bytes, arrow, at
from logvision.native.library import CORE

Numbers = npt.NDArray[np.uint32]


class Read(NamedTuple):
    """What texts are that are written as addresses always are; the others may be addresses all the same."""

    kind: Bytes  # 4, 6 or 0: it is none of these
    v4: Numbers
    v6: npt.NDArray[np.bytes_]  # 16 bytes, big-endian


def read(values: pa.Array) -> Read:
    """Addresses in canonical text; of IPv6 but those that begin with 80 bits of zeros. 20 ns each."""
    data, offsets = arrow(values)
    rows = len(values)
    kind, v4, v6 = np.empty(rows, np.uint8), np.empty(rows, np.uint32), np.empty(rows, "S16")
    CORE.lv_addresses(data, offsets, rows, at(kind), at(v4), at(v6))
    return Read(kind, v4, v6)


def networks(values: pa.Array) -> tuple[Numbers, Numbers]:
    """The numbers of the narrow and of the wide networks of addresses (detect/network.py)."""
    data, offsets = arrow(values)
    narrow, wide = np.empty(len(values), np.uint32), np.empty(len(values), np.uint32)
    CORE.lv_networks(data, offsets, len(values), at(narrow), at(wide))
    return narrow, wide
