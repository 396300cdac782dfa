"""Paths as units: decoded, and where dots, backslashes or `;` made a difference, resolved as well."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from logvision.detect.canonical import canonicalise
from logvision.detect.pile import Pile
from logvision.detect.texts import flattened, places
from logvision.detect.units import Ints, Kind

_STEPPING: Final = np.isin(np.arange(256), list(b"/.;\\\0 "))


def add_paths(pile: Pile, paths: pa.BinaryArray, owners: Ints) -> None:
    decoded = canonicalise(paths, query=False)
    pile.add(Kind.PATH, owners, decoded)
    flat, offsets = flattened(decoded)
    padded = np.append(flat, np.zeros(2, np.uint8))
    slash = np.flatnonzero(flat == 47)
    then, after = padded[slash + 1], padded[slash + 2]
    last = offsets[np.searchsorted(offsets, slash, "right")] if len(slash) else slash
    # "/.name" is a name; "/./", "/..", "/.;" and "/." at the end are steps.
    step = (then == 46) & (_STEPPING[after] | (slash + 2 >= last)) & (slash + 1 < last)
    step |= (then == 47) & (slash + 1 < last)
    odd = np.flatnonzero((flat == 92) | (flat == 59))
    marked = places(offsets, np.concatenate([slash[step], odd]))
    if len(marked):
        # Few paths hold a mark that resolving could change; each is walked by itself.
        resolved = [resolve(decoded[int(i)].as_py())[0] for i in marked]
        pile.add(Kind.PATH, owners[marked], pa.array(resolved, pa.binary()))


def resolve(path: bytes) -> tuple[bytes, int]:
    """Where a path ends once dots, doubled slashes, backslashes and `;parameters` are resolved.

    The number says how many steps it climbs above its root.
    """
    climbed = 0
    kept: list[bytes] = []
    for segment in path.replace(b"\\", b"/").split(b"/"):
        name = segment.split(b";", 1)[0].rstrip(b"\x00 ")
        if name in (b"", b"."):
            continue
        if name == b"..":
            if kept:
                kept.pop()
            else:
                climbed += 1
        else:
            kept.append(name)
    return b"/" + b"/".join(kept), climbed
