"""What is counted by what: the dimensions of PARTIAL, their grains and how many values each may keep."""

from __future__ import annotations

from typing import Final

MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86400
GRAINS: Final = (MINUTE, HOUR, DAY)  # s; each divides the next

ALL: Final = "all"
"""The dimension that is no column of EVENT, with null as its only value."""

SERIES: Final = (ALL, "status", "kind", "attack")
"""Counted by the minute and by the hour: what charts over time show.

The others are counted by the hour only: on a quiet site a minute of twelve dimensions has more rows
than it has requests. Visitors stand on hourly rows of ALL only, for the same reason. Days are rolled
from closed hours. So a question about less than an hour, or about the ragged ends of a longer range,
reads minutes of these and events for all else.
"""

SMALL: Final = (
    *("method", "protocol", "country", "agent", "os", "device", "bot", "source"),
    *("outcome", "rules"),
)
LARGE: Final = ("path", "route", "client_ip", "network", "referer", "user_agent")

DIMENSIONS: Final = (*SERIES, *SMALL, *LARGE)

OF_ATTACKS: Final = frozenset({"outcome", "rules"})
"""Counted over attack events alone: there is no row for the null that every ordinary event has.
A value of `rules` is one rule id; an event with three rules counts under each."""

SMALL_KEPT: Final = 256
LARGE_KEPT: Final = 1000
"""Values kept per window, site and dimension. A count is short by at most requests / (kept + 1)."""

SITES_KEPT: Final = 256
"""Sites that one batch, or one window of merged partials, may name. The Host header names the site on
many servers, so anyone may invent sites; the smallest ones beyond this are counted as OTHER_SITES."""

OTHER_SITES: Final = "(other)"


def kept(dimension: str) -> int:
    """How many values a window keeps of this dimension."""
    return LARGE_KEPT if dimension in LARGE else SMALL_KEPT
