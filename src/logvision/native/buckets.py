"""Leaky buckets and values met lately, in the core: event by event, as `detect/buckets.py` says."""

from __future__ import annotations

import numpy as np

from logvision.native.arrays import Bytes, Codes, Places, Words, at
from logvision.native.keyed import Keyed
from logvision.native.library import CORE


def poured(
    shapes: Places, effects: Bytes, whose: Codes, times: Places, names: Words,
    values: Codes | None, hashes: Words | None, size: Places, buckets: Keyed, seen: Keyed,
) -> tuple[Codes, Places]:  # fmt: skip
    """`detect.buckets._poured`; 2 ns a row, and some 20 for each that fills or relieves."""
    rows, count = len(shapes), len(names)
    actors, stays, alerts = (
        np.empty((count, 3), np.int32),
        np.empty(rows, np.int32),
        np.empty((rows, 5), np.int64),
    )
    found = CORE.lv_poured(
        at(shapes), at(effects), at(whose), at(times), rows, at(names), count,
        None if values is None else at(values), None if hashes is None else at(hashes),
        0 if hashes is None else len(hashes), at(size), buckets.core, seen.core,
        at(actors), at(stays), at(alerts),
    )  # fmt: skip
    if found < 0:
        raise MemoryError
    return stays, alerts[:found]
