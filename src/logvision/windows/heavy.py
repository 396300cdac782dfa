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

from collections.abc import Sequence
from typing import Final

import polars as pl

from logvision.windows.counting import MEASURES

PARTS: Final = [m for m in MEASURES if m != "requests"]


def errors(frame: pl.DataFrame, window: Sequence[str]) -> pl.DataFrame:
    """What each window already dropped: columns of `window` and `error`, only where it is not 0."""
    return frame.filter(pl.col("error") > 0).group_by(window).agg(pl.col("error").max())


def merge(
    frames: Sequence[pl.DataFrame], dropped: Sequence[pl.DataFrame], window: Sequence[str], kept: int
) -> pl.DataFrame:
    """Counts of one dimension in several frames to one row per window and value.

    `frames` have the columns of `window`, `value` and MEASURES (others are ignored); `dropped` is
    `errors` of each. A window of which every value was dropped keeps one row of zero requests and
    null value, so that its error is not forgotten. Order of rows is undefined.
    """
    columns = [*window, "value", *MEASURES]
    whole = (
        pl.concat([f.select(columns) for f in frames])
        .group_by([*window, "value"])
        .agg(pl.col(MEASURES).sum())
        .filter(pl.col("requests") > 0)
    )
    lost = [e for e in dropped if e.height]
    if whole.height > kept:
        whole, cut = _bound(whole, window, kept)
        lost = [*lost, cut]
    if not lost:
        return whole.with_columns(error=pl.lit(0, pl.Int64))
    error = pl.concat(lost).group_by(window).agg(pl.col("error").sum())
    done = whole.join(error, on=window, how="left", nulls_equal=True).with_columns(
        pl.col("error").fill_null(0)
    )
    emptied = error.join(whole, on=window, how="anti", nulls_equal=True)
    zeros = emptied.with_columns(
        pl.lit(None, whole.schema["value"]).alias("value"), *(pl.lit(0, pl.Int64).alias(m) for m in MEASURES)
    )
    return pl.concat([done, zeros.select(done.columns)])


def _bound(frame: pl.DataFrame, window: Sequence[str], kept: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """At most `kept` values per window, and what was taken from every count of the others."""
    cut = (
        frame.group_by(window)
        .agg(pl.len().alias("values"), pl.col("requests").top_k(kept + 1).min().alias("error"))
        .filter(pl.col("values") > kept)
        .drop("values")
    )
    if not cut.height:
        return frame, cut
    requests, taken = pl.col("requests"), pl.col("error")
    left = (
        frame.join(cut, on=window, how="left", nulls_equal=True)
        .with_columns(taken.fill_null(0))
        .filter((requests > taken) | (taken == 0))
        .with_columns(
            # m - ceil(m * taken / requests) without the product, which may not fit 64 bits.
            pl.when(taken > 0)
            .then(
                pl.col(m)
                - pl.col(m) // requests * taken
                - (pl.col(m) % requests * taken + requests - 1) // requests
            )
            .otherwise(pl.col(m))
            .alias(m)
            for m in PARTS
        )
        .with_columns(requests - taken)
        .drop("error")
    )
    return left, cut
