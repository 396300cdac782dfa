"""Verdicts recalled: what was held of a request's text in an earlier batch is held of it again.

Tools send the same list to every site, and send it again; what is recalled is neither split nor searched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from logvision.detect.fusion import Verdict
from logvision.detect.units import Ints

PLACES: Final = 1 << 16
"""Texts that may be recalled; 768 kB. Of two texts of a place the newer one is."""

DISTINCT: Final = 1 << 14
"""Distinct verdicts among them, some 300 bytes each; when there are more, everything is forgotten."""


class Recalled:
    """Verdicts by the keyed 64-bit hash of the text they are on (`Quiet.hashes`).

    They are those of one set of rules and one model: another bundle has a memory of its own.
    """

    def __init__(self) -> None:
        self._hashes = np.zeros(PLACES, np.uint64)
        self._numbers = np.full(PLACES, -1, np.int32)  # -1: nothing here
        self._known: dict[Verdict, int] = {}
        self._verdicts: list[Verdict] = []

    def of(self, hashes: npt.NDArray[np.uint64]) -> dict[int, Verdict]:
        """The verdicts on those of the texts that are known, by their place among the hashes."""
        if not self._verdicts:
            return {}
        places = _places(hashes)
        known = np.flatnonzero(self._hashes[places] == hashes)
        numbers = self._numbers[places[known]]
        there = numbers >= 0
        verdicts = self._verdicts
        return {
            at: verdicts[number]
            for at, number in zip(known[there].tolist(), numbers[there].tolist(), strict=True)
        }

    def keep(self, hashes: npt.NDArray[np.uint64], verdicts: Sequence[Verdict]) -> None:
        """From now on the verdicts on these texts are known; equal ones come back as one object."""
        if len(self._verdicts) > DISTINCT:
            self._numbers[:] = -1
            self._known, self._verdicts = {}, []
        numbers = np.array([self._number(verdict) for verdict in verdicts], np.int32)
        places, at = np.unique(_places(hashes), return_index=True)
        self._hashes[places] = hashes[at]
        self._numbers[places] = numbers[at]

    def _number(self, verdict: Verdict) -> int:
        number = self._known.setdefault(verdict, len(self._verdicts))
        if number == len(self._verdicts):
            self._verdicts.append(verdict)
        return number


def _places(hashes: npt.NDArray[np.uint64]) -> Ints:
    return (hashes & np.uint64(PLACES - 1)).astype(np.int64)
