"""The traffic that every learned model is held against: generated, labelled, everywhere the same."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import polars as pl
import pyarrow as pa

from logvision.clock import SystemClock
from logvision.detect.training import LABELLED
from logvision.schema import PAYLOADS
from logvision.sources.generate.stream import Stream

LINES: Final = 12_000
SEED: Final = 2026
START: Final = datetime(2026, 5, 1, tzinfo=UTC)

ORDINARY: Final = "ordinary"
"""Their set; that of an attack is its class."""

PER_SET: Final = 400
"""Requests of one set at most: the first."""


def requests() -> pa.Table:
    """LABELLED: distinct requests of visitors, some of which look like attacks, and attacks by payload.

    Nothing is learned from them. The same in every process. Cost: a second or two.
    """
    stream = Stream(
        seed=SEED, per_second=50, paced=False, clock=SystemClock(), attack_share=0.4, start=START,
        lines=LINES, chunk_lines=LINES,
    )  # fmt: skip
    parts = []
    while not stream.finished:
        rows = stream.take(LINES)
        if rows is not None:
            parts.append(rows)
    kept = (
        pl.concat(parts)
        .filter(pl.col("campaign").is_null() | pl.col("attack").is_in([each.value for each in PAYLOADS]))
        .unique("target", keep="first", maintain_order=True)
        .select(
            pl.col("attack").fill_null(ORDINARY).alias("set"),
            pl.col("attack").is_not_null(),
            "target",
            pl.when(pl.col("user_agent") != "-").then("user_agent"),
            pl.when(pl.col("referer") != "-").then("referer"),
        )
        .group_by("set", maintain_order=True)
        .head(PER_SET)
    )
    return kept.select(LABELLED.names).to_arrow().cast(LABELLED)
