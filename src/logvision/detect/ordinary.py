"""The ordinary answers of one route, and how near two answers must be to be one page."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import Final

import numpy as np

ANSWERS_KEPT: Final = 32  # of a route, the latest

PER_NETWORK: Final = 2
NETWORKS: Final = 3
ENOUGH: Final = 6
"""Ordinary answers that a route must have given, and to how many networks, before they are held against
others."""

NEAR: Final = 48
"""Two answers this near, in B, may be one page: numbers and tokens on it differ."""


def near(size: int, other: int) -> bool:
    """Whether two answers, in B, are as good as the same page."""
    return abs(size - other) <= slack(other)


def slack(size: int) -> int:
    """How far from this size, in B, an answer is still near."""
    return max(NEAR, size // 64)


@dataclass(slots=True)
class Ordinary:
    """The latest answers 200 of one route: network, size in B and duration in µs (-1: not logged) of each."""

    networks: array[int] = field(default_factory=lambda: array("q"))
    sizes: array[int] = field(default_factory=lambda: array("q"))
    durations: array[int] = field(default_factory=lambda: array("q"))
    redirected: array[int] = field(default_factory=lambda: array("q"))  # networks, up to NETWORKS
    at: int = 0
    # Of `known` and `bounds`, until the next answer; null: not asked since.
    _known: bool | None = field(default=None, compare=False)
    _bounds: tuple[int, int] | None = field(default=None, compare=False)

    def note(self, network: int, size: int, duration: int) -> None:
        self._known = self._bounds = None
        if self.networks.count(network) >= PER_NETWORK:
            place = self.networks.index(network)
        elif len(self.sizes) < ANSWERS_KEPT:
            self.networks.append(network)
            self.sizes.append(size)
            self.durations.append(duration)
            return
        else:
            place = self.at = (self.at + 1) % ANSWERS_KEPT
        self.networks[place], self.sizes[place], self.durations[place] = network, size, duration

    @property
    def known(self) -> bool:
        """Whether enough networks were answered."""
        if self._known is None:
            self._known = len(self.sizes) >= ENOUGH and len(set(self.networks)) >= NETWORKS
        return self._known

    @property
    def redirects(self) -> bool:
        """Whether sound requests are sent elsewhere."""
        return len(self.redirected) >= NETWORKS

    def gives(self, size: int) -> bool | None:
        """Whether answers of this size, in B, are ordinary here; None: not known yet."""
        if not self.known:
            return None
        low, high = self.bounds()
        slack = max(64, high // 64, (high - low) // 8)
        return low - slack <= size <= high + slack

    def bounds(self) -> tuple[int, int]:
        """The smallest and the largest answer, B, but for what one network alone was given."""
        if self._bounds is not None:
            return self._bounds
        lowest: dict[int, int] = {}
        highest: dict[int, int] = {}
        for network, size in zip(self.networks, self.sizes, strict=True):
            lowest[network] = min(size, lowest.get(network, size))
            highest[network] = max(size, highest.get(network, size))
        self._bounds = sorted(lowest.values())[1], sorted(highest.values())[-2]
        return self._bounds

    def median_us(self) -> int | None:
        """The middle of the durations, µs; None: none logged."""
        times = [t for t in self.durations if t >= 0]
        return int(np.median(times)) if times else None
