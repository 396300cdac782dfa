"""Heavy hitters: a bounded set of values per window that merges (the Misra-Gries summary, in columns).

Agarwal, Cormode, Huang, Phillips, Wei, Yi, "Mergeable Summaries", PODS 2012, section 2: add the
counts; if more than k values remain, take the (k+1)-th largest count from every count and drop
what is not positive. A count is never too high, and too low by at most the window's `error`, which
is at most requests / (k + 1) after any tree of merges.

The paper has one count. The other measures (success, errors, attacks, bytes) shrink in the
proportion in which `requests` shrinks, rounded down: they stay no higher than the truth, and parts
never exceed their whole.
"""

from __future__ import annotations

import numpy as np

from logvision.columns import Codes
from logvision.windows.counting import Ints


def bounded(window: Ints, code: Codes, measures: Ints, limits: Ints | int) -> tuple[Ints, Codes, Ints, Ints]:
    """At most so many values a window, and what was taken from every count of each row's window.

    Rows of a window lie together, the largest first; `measures` are MEASURES of each row, `limits` those of
    its window, or one for all. Code -1 is null. A window of which every value was dropped keeps one row of
    zero requests and null value, so that what it lost is not forgotten.
    """
    begins = np.flatnonzero(np.concatenate([[True], window[1:] != window[:-1]]))
    sizes = np.diff(np.append(begins, window.size))
    limit = np.broadcast_to(limits, window.shape)[begins]
    over = sizes > limit
    if not over.any():
        return window, code, measures, np.zeros(window.size, np.int64)
    requests = measures[:, 0]
    taken = np.zeros(begins.size, np.int64)
    taken[over] = requests[(begins + limit)[over]]
    lost = np.repeat(taken, sizes)
    left = (requests > lost) | (lost == 0)
    emptied = begins[~np.logical_or.reduceat(left, begins)]
    left[emptied] = True
    measures, lost = measures[left], lost[left]
    # A row of zero requests is one that only tells of what was dropped.
    requests, off = np.maximum(measures[:, :1], 1), lost[:, None]
    # part - ceil(part * off / requests) without the product, which may not fit 64 bits.
    measures -= measures // requests * off + (measures % requests * off + requests - 1) // requests
    nothing = measures[:, 0] == 0
    return window[left], np.where(nothing, np.int32(-1), code[left]), measures, lost
