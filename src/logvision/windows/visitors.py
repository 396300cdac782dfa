"""Distinct visitors: HyperLogLog sketches of client addresses (Apache DataSketches).

Spark's `hll_sketch_agg` reads and writes the same bytes. Nearly exact up to a few hundred
addresses, then within about 1.6 % (one standard deviation).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import datasketches

LG_K: Final = 12
"""4,096 registers: 4 kB a sketch once it holds more than 384 addresses, a few bytes each before."""

Sketch = Any


def empty() -> Sketch:
    """A sketch of nobody."""
    return datasketches.hll_sketch(LG_K, datasketches.HLL_8)


def add(sketch: Sketch, addresses: Iterable[str]) -> None:
    """Count these addresses; about 0.2 µs each, so give each once."""
    for address in addresses:
        sketch.update(address)


def union(sketches: Iterable[bytes]) -> bytes:
    """One sketch of everybody in these."""
    whole = datasketches.hll_union(LG_K)
    for sketch in sketches:
        whole.update(datasketches.hll_sketch.deserialize(sketch))
    return bytes(whole.get_result(datasketches.HLL_8).serialize_updatable())


def to_bytes(sketch: Sketch) -> bytes:
    """The stored form."""
    return bytes(sketch.serialize_updatable())


def estimate(sketches: Iterable[bytes]) -> int:
    """How many different addresses these sketches saw together."""
    whole = datasketches.hll_union(LG_K)
    for sketch in sketches:
        whole.update(datasketches.hll_sketch.deserialize(sketch))
    return round(float(whole.get_estimate()))
