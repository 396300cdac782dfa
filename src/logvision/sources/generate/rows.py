"""The table of requests that the model draws and the writers print."""

from __future__ import annotations

import numpy as np
import polars as pl

from logvision.sources.generate.catalogue import Catalogue, Flags, Floats, Ints
from logvision.sources.generate.fresh import suffixes
from logvision.sources.generate.site import Fresh

SCHEMA = pl.Schema(
    {
        "time": pl.Int64(),  # microseconds since the Unix epoch, or of the run's own time
        "host": pl.String(),
        "client": pl.String(),
        "user": pl.String(),  # "-": none
        "method": pl.String(),  # "": not HTTP, `target` is the whole request line
        "target": pl.String(),
        "protocol": pl.String(),
        "status": pl.Int64(),
        "bytes": pl.Int64(),
        "referer": pl.String(),  # "-": none
        "user_agent": pl.String(),
        "duration_us": pl.Int64(),
        "attack": pl.String(),  # an `Attack` value; null: an ordinary request
        "campaign": pl.String(),  # also of ordinary requests that an attacker makes on the way
        "outcome": pl.String(),
        "stage": pl.String(),
        "actor": pl.String(),
    }
)
"""Texts are as the client sent them; escaping is the business of the output format."""

PROTOCOLS = pl.Series(["HTTP/2.0", "HTTP/1.1", "HTTP/3.0", "HTTP/1.0"])


def ordinary(columns: dict[str, pl.Series | Ints]) -> pl.DataFrame:
    """ROWS of nobody's campaign from the request's own columns; `user` may be left out."""
    frame = pl.DataFrame(columns)
    if "user" not in columns:
        frame = frame.with_columns(pl.lit("-").alias("user"))
    labels = [
        pl.lit(None, pl.String).alias(name) for name in ("attack", "campaign", "outcome", "stage", "actor")
    ]
    return frame.with_columns(labels).select(SCHEMA.names())


def empty() -> pl.DataFrame:
    """ROWS without a row."""
    return pl.DataFrame(schema=SCHEMA)


def texts(
    rng: np.random.Generator,
    catalogue: Catalogue,
    pools: Ints,
    codes: Ints,
    times: Ints,
    page_urls: pl.Series,
) -> pl.Series:
    """The target of each row, some made new as their pool says."""
    targets = catalogue.targets.gather(codes)
    fresh = np.flatnonzero(
        (catalogue.fresh[pools] != Fresh.NONE) & (rng.random(pools.size) < catalogue.fresh_share[pools])
    )
    if not fresh.size:
        return targets
    of, code = pools[fresh], codes[fresh]
    more = suffixes(
        rng, catalogue.fresh[of], catalogue.has_query[code], times[fresh] // 1000, page_urls.gather(fresh)
    )
    place = np.arange(pools.size)
    place[fresh] = pools.size + np.arange(fresh.size)
    return pl.concat([targets, targets.gather(fresh) + more]).gather(place)


def answers(
    rng: np.random.Generator, catalogue: Catalogue, pools: Ints, codes: Ints, warm: Flags
) -> tuple[Ints, Ints, Ints]:
    """Status, bytes and duration in µs of each row; `warm`: the client holds a copy of it."""
    rows = pools.size
    status = catalogue.status[pools].copy()
    luck: Floats = rng.random(rows)
    moving = ~catalogue.steady[pools]
    status[moving & (luck < 0.0005) & (status < 400)] = 500
    status[moving & (luck > 0.9992) & (status < 400)] = 499
    status[warm & catalogue.cached[pools]] = 304
    size = catalogue.size[codes].astype(np.float64)
    size[moving] *= rng.normal(1.0, 0.006, int(moving.sum()))
    size = np.where(size < 1, 0, size + np.where(moving, rng.integers(0, 9, rows), 0))
    size = np.select([np.isin(status, (204, 304, 499)), status == 500], [0.0, 1_187.0], size)
    took = catalogue.us[pools] * np.exp(rng.normal(0.0, 0.4, rows))
    took = np.where(status == 304, 400.0 + 300 * luck, took)
    return status, size.astype(np.int64), took.astype(np.int64)
