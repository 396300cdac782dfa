"""Distinct visitors: HyperLogLog sketches of client addresses (Apache DataSketches).

Spark's `hll_sketch_agg` reads and writes the same bytes. Nearly exact up to a few hundred
addresses, then within about 1.6 % (one standard deviation).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final

import datasketches
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from logvision import native

LG_K: Final = 12
"""4,096 registers: 4 kB a sketch once it holds more than 384 addresses, a few bytes each before."""

FEW: Final = 1024
"""Texts from which on the core makes a sketch: fewer are listed in it, which takes fewer bytes."""

_HEAD: Final = struct.Struct("<8B3d2i")
"""The head of a stored sketch of 8-bit registers (HllArray of DataSketches)."""


def of(values: pa.StringArray) -> bytes:
    """The stored form of a sketch of these texts (no null), about 20 ns each; 0.2 µs without the native core,
    so give each once."""
    if native.HERE and len(values) >= FEW:
        return _stored(*native.sketches.registers(values, LG_K))
    sketch = datasketches.hll_sketch(LG_K, datasketches.HLL_8)
    for value in values.to_pylist():
        sketch.update(value)
    return bytes(sketch.serialize_updatable())


def _stored(registers: npt.NDArray[np.uint8], told: float) -> bytes:
    """Registers as DataSketches stores them; `told`: how many texts they tell of."""
    counts = np.bincount(registers, minlength=64)
    shares = counts * 0.5 ** np.arange(64)
    ints_of_head, version, family, mode_and_kind = 10, 1, 7, 10
    head = _HEAD.pack(
        *(ints_of_head, version, family, LG_K, 0, 0, 0, mode_and_kind),
        *(told, shares[:32].sum(), shares[32:].sum()),
        *(counts[0], 0),
    )
    return head + registers.tobytes()


def union(sketches: Iterable[bytes]) -> bytes:
    """One sketch of everybody in these."""
    whole = datasketches.hll_union(LG_K)
    for sketch in sketches:
        whole.update(datasketches.hll_sketch.deserialize(sketch))
    return bytes(whole.get_result(datasketches.HLL_8).serialize_updatable())


def estimate(sketches: Iterable[bytes]) -> int:
    """How many different addresses these sketches saw together."""
    whole = datasketches.hll_union(LG_K)
    for sketch in sketches:
        whole.update(datasketches.hll_sketch.deserialize(sketch))
    return round(float(whole.get_estimate()))
