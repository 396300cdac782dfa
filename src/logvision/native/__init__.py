"""The native core: the innermost loops in C, loaded by ctypes, which lets go of the GIL during every call.

`HERE` says whether it is there. Whoever calls it has a pure path that gives the same answers
(property-tested) and takes it where the core is absent: an installation with LOGVISION_BUILD=none, a platform
without a compiler, sources changed since it was built, or LOGVISION_NATIVE=none. This package is the door:
callers import it and name the module, `native.lines.trimmed`.
"""

from __future__ import annotations

from typing import Final

from logvision.native import (
    addresses,
    buckets,
    decoding,
    keyed,
    keys,
    lines,
    memo,
    paths,
    pieces,
    sketches,
    sql,
    texts,
    units,
)
from logvision.native.library import CORE, STATE

HERE: Final = CORE is not None
"""Whether the core is in use; `STATE` says why or why not."""

__all__ = [
    "HERE",
    "STATE",
    "addresses",
    "buckets",
    "decoding",
    "keyed",
    "keys",
    "lines",
    "memo",
    "paths",
    "pieces",
    "sketches",
    "sql",
    "texts",
    "units",
]
