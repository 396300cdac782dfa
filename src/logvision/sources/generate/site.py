"""What a virtual site is made of: what can be asked, where visitors go next, how it answers.

A pool is a set of targets that are answered alike; a page is a pool that people walk to; a part is
a pool that a page draws with it (assets, images, background calls). The sites themselves are
in `sites/`; `catalogue.py` turns them into arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum


class Fresh(IntEnum):
    """What is put behind a target so that nearly every request of it is new."""

    NONE = 0
    TOKEN = 1  # cursor, 22 hex digits
    CLICK = 2  # advertising click and campaign parameters
    SIGNED = 3  # expiry and signature
    JWT = 4  # a token of three base64url parts
    BEACON = 5  # analytics: page address, title and screen, encoded
    NUMBER = 6  # a row id in the path


@dataclass(frozen=True, slots=True)
class Pool:
    """Targets that are answered alike. `size` is the middle of their sizes in B, `ms` of their durations."""

    name: str
    targets: Sequence[str]
    size: int
    ms: float
    method: str = "GET"
    status: int = 200
    cached: bool = False  # a browser that has it asks with a validator and gets 304, or asks not at all
    steady: bool = False  # the answer has the same size every time
    fresh: Fresh = Fresh.NONE
    fresh_share: float = 1.0
    skew: float = 2.4  # 1: every target equally popular; larger: few targets take most


@dataclass(frozen=True, slots=True)
class Part:
    """What a page view draws: `count` requests on average, `again` of them on later pages of a session.

    `bound`: the targets are those that belong to this page's own instance, not any of the pool.
    """

    pool: str
    count: float
    again: float = 1.0
    bound: bool = False
    within_ms: float = 900.0


@dataclass(frozen=True, slots=True)
class Page:
    """A pool that people walk to, by `enter` weight or from a page before."""

    pool: str
    enter: float
    then: dict[str, float]
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Missing:
    """How a site answers what it does not have; the size varies by up to `swing` B."""

    status: int
    size: int
    swing: int
    ms: float


@dataclass(frozen=True, slots=True)
class Site:
    name: str
    host: str
    share: float  # of human sessions
    missing: Missing
    pools: tuple[Pool, ...]
    pages: tuple[Page, ...]

    def pool(self, name: str) -> Pool:
        """The pool of that name; KeyError when the site has none."""
        for pool in self.pools:
            if pool.name == name:
                return pool
        raise KeyError(name)
