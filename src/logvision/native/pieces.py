"""Pieces of requests and what profiles learn of them, in the core (detect/pieces.py, detect/profiles.py)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from logvision.native.arrays import Codes, Places, Words, arrow, at, bytes_of, whole
from logvision.native.library import CORE


def of_requests(
    requests: tuple[pa.Array, pa.Array],
    routes: pa.Array,
    of_row: Codes,
    limits: tuple[int, int, int],
    kinds: Words,
) -> tuple[Places, Places, Places, Words, Places]:
    """Of every path and query (`requests`) its pieces (detect/pieces.py): the row, where the name begins and
    ends among the bytes of the queries, kinds of the value's bytes and its size.

    A name at -n, and ending there, is that of the n-th variable of the route; one from 0 to 0 is none.
    `limits`: pairs of a query, characters of a name, bytes of a value that are read. `kinds`: of every byte.
    """
    texts = [arrow(values) for values in (*requests, routes)]
    rows = len(of_row)
    room = 2 * rows + sum(map(bytes_of, requests))
    owner, start, end, size = (np.empty(room, np.int64) for _ in range(4))
    found, of_row = np.empty(room, np.uint64), np.ascontiguousarray(of_row, np.int32)
    count = CORE.lv_pieces(
        *texts[0], *texts[1], *texts[2], at(of_row), rows, *limits, at(kinds),
        at(owner), at(start), at(end), at(found), at(size),
    )  # fmt: skip
    return owner[:count], start[:count], end[:count], found[:count], size[:count]


def teach(seen: Words, profiles: Places, bits: Words, networks: Places) -> None:
    """Set the bit of every row's network in its profile (of `seen`: profiles, traits, words), in each trait
    that is among its bits."""
    profiles, networks = whole(profiles), whole(networks)
    bits = np.ascontiguousarray(bits, np.uint64)
    CORE.lv_teach(at(seen), *seen.shape[1:], at(profiles), at(bits), at(networks), len(bits))
