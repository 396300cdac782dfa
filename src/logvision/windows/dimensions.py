"""What is counted by what: the dimensions of PARTIAL, their grains and how many values each may keep."""

from __future__ import annotations

from typing import Final

MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86400
GRAINS: Final = (MINUTE, HOUR, DAY)  # s; each divides the next

DENSE_PER_HOUR: Final = 30_000
"""Requests an hour from which windows are fine. Below it, an hour of all dimensions has more rows than
it has requests, and its events are soon read themselves."""

ALL: Final = "all"
VISITORS: Final = "visitors"
"""The dimensions that are no column of EVENT, with null as their only value. Sketches of client
addresses stand on the rows of VISITORS."""

SERIES: Final = (ALL, "status", "kind", "attack")
"""What charts over time show: counted by the minute where traffic is dense, by the hour where sparse.
All others: by the hour where dense, by the day where sparse."""

SMALL: Final = (
    *("method", "protocol", "country", "agent", "os", "device", "bot", "source"),
    *("outcome", "rules"),
)
LARGE: Final = ("path", "route", "client_ip", "network", "referer", "user_agent")

DIMENSIONS: Final = (*SERIES, VISITORS, *SMALL, *LARGE)

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
