"""Leaky buckets and values met lately, in the core: event by event, as `detect/buckets.py` says."""

from __future__ import annotations

import numpy as np

from logvision.native.arrays import Bytes, Codes, Flags, Places, at
from logvision.native.library import CORE


def met(codes: Codes, times: Places, memory: int, last: Places) -> Flags:
    """Which rows bring a value not met within `memory` of its time in `last`, which is kept up to date."""
    fresh = np.empty(len(codes), np.bool_)
    CORE.lv_met(at(codes), at(times), len(codes), memory, at(last), at(fresh))
    return fresh


def poured(
    places: Places, times: Places, kinds: Bytes, size: Places, buckets: Places
) -> tuple[Places, Places]:
    """`detect.buckets.poured`; some 10 ns a row."""
    rows, count = len(places), len(buckets)
    stay, opened, stays = np.empty(count, np.int64), np.empty(count, np.int64), np.empty(rows, np.int64)
    alerts = np.empty((rows, 5), np.int64)
    found = CORE.lv_poured(
        at(places), at(times), at(kinds), rows, at(size),
        at(buckets), count, at(stay), at(opened), at(stays), at(alerts),
    )  # fmt: skip
    return stays, alerts[:found]
