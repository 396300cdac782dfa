"""Databases: the patterns of all rules compiled for Hyperscan, one database for each kind of unit.

Most patterns read one kind only; a path is not searched for the names of agents. Hints stand apart, and so do
late patterns, which are run only over the units in question (`plan`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import reduce
from operator import or_
from typing import Any, Final

import hyperscan
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from logvision import search
from logvision.detect import pattern
from logvision.detect.plan import Plan
from logvision.detect.rules import Pattern
from logvision.detect.scopes import NONE
from logvision.detect.texts import joined
from logvision.detect.units import Ints, Kind, Units

TOGETHER: Final = (
    Kind.PATH,
    Kind.NAME | Kind.VALUE | Kind.URL,
    Kind.AGENT | Kind.REFERER,
    Kind.TARGET,
    Kind.RAW_TARGET,
    Kind.RAW_AGENT,
    Kind.RAW_REFERER,
)
"""Kinds that share a database; so do those that the same is looked for in."""


class Turn(IntEnum):
    """When patterns are looked for (`plan`)."""

    FIRST = 0
    HINT = 1
    LATE = 2


@dataclass(frozen=True)
class Database:
    """Some patterns, compiled, and the kinds of units that they are run over."""

    kinds: Kind
    turn: Turn
    compiled: Any  # hyperscan.Database, where an expression is named by its place among all
    numbers: Ints  # `numbered`
    runs: tuple[tuple[int, int], ...]  # of kinds that follow each other, as places in `Units.borders`

    @staticmethod
    def load(kinds: int, turn: int, dumped: bytes, numbers: Ints) -> Database:
        """Raises hyperscan.error for bytes of another version or machine."""
        return Database(Kind(kinds), Turn(turn), search.loaded(dumped), numbers, _runs(Kind(kinds)))

    def dump(self) -> tuple[int, int, bytes]:
        """What `load` takes before the numbers."""
        return int(self.kinds), int(self.turn), hyperscan.dumpb(self.compiled)

    def scan(self, units: Units, low: int, high: int) -> Ints:
        """Pattern ids << 32 | unit of all matches in these units; unordered, some repeated."""
        if low == high:
            return NONE
        first = int(units.ends[low - 1]) + 1 if low else 0
        text = units.buffer[first : int(units.ends[high - 1]) + 1]
        found: Ints = self._scan(text, units.ends[low:high] - first) + low
        return found

    def scan_unread(self, units: Units, low: int, high: int, read: npt.NDArray[np.bool_]) -> Ints:
        """The same, where most units are read anyway only of the others."""
        unread = np.flatnonzero(~read[low:high]) + low
        return self.scan(units, low, high) if 2 * len(unread) > high - low else self.scan_some(units, unread)

    def scan_some(self, units: Units, some: Ints) -> Ints:
        """The same, of some units whatever their kind."""
        if not len(some):
            return NONE
        found: Ints = self._scan(*joined(units.texts.take(pa.array(some))))
        found[:] = found & ~_UNIT | some[found & _UNIT]
        return found

    def _scan(self, text: npt.NDArray[np.uint8], ends: Ints) -> Ints:
        places: list[int] = []
        found_at: list[int] = []
        place_found, end_found = places.append, found_at.append

        def found(place: int, _from: int, to: int, _flags: int, _context: object) -> None:
            place_found(place)
            end_found(to)

        self.compiled.scan(text.data.cast("B"), found)
        if not places:
            return NONE
        # The line feed that ends a unit may be the last byte of what was found there.
        unit = np.searchsorted(ends, np.array(found_at, np.int64) - 1, "left")
        keys: Ints = self.numbers[places] << 32 | unit
        return keys


_UNIT: Final = (1 << 32) - 1


def numbered(patterns: Sequence[Pattern]) -> Ints:
    """Of every expression of all patterns, in their order, which pattern it is of."""
    return np.repeat(np.arange(len(patterns)), [len(each.expressions) for each in patterns])


def compiled(patterns: Sequence[Pattern], plan: Plan) -> list[Database]:
    """Databases of all patterns; seconds. Raises hyperscan.error."""
    numbers = numbered(patterns)
    turns: dict[Turn, list[int]] = {turn: [] for turn in Turn}
    for place in range(len(patterns)):
        turn = Turn.LATE if place in plan.late else Turn.HINT if place in plan.hints else Turn.FIRST
        turns[turn].append(place)
    reads = [plan.kinds.get(place, Kind(0)) for place in range(len(patterns))]
    wanted: dict[tuple[Turn, tuple[int, ...]], Kind] = defaultdict(lambda: Kind(0))
    for turn in (Turn.FIRST, Turn.HINT):
        for group in TOGETHER:
            wanted[turn, tuple(place for place in turns[turn] if reads[place] & group)] |= group
    late = turns[Turn.LATE]
    wanted[Turn.LATE, tuple(late)] = reduce(or_, (reads[place] for place in late), Kind(0))
    asked = {key: kinds for key, kinds in wanted.items() if key[1]}
    made = search.compiled([_wanted(patterns, places, numbers) for _, places in asked])
    return [
        Database(kinds, turn, database, numbers, _runs(kinds))
        for ((turn, _), kinds), database in zip(asked.items(), made, strict=True)
    ]


def _wanted(patterns: Sequence[Pattern], places: Sequence[int], numbers: Ints) -> search.Wanted:
    """Expressions of one number would be searched for what they find twice, which takes long to compile."""
    chosen = [(text, patterns[place].caseless) for place in places for text in patterns[place].expressions]
    return search.Wanted(
        [text.encode() for text, _ in chosen],
        [pattern.flags(caseless) for _, caseless in chosen],
        np.flatnonzero(np.isin(numbers, places)).tolist(),
    )


def _runs(kinds: Kind) -> tuple[tuple[int, int], ...]:
    runs: list[tuple[int, int]] = []
    for place in (kind.bit_length() - 1 for kind in kinds):
        first = runs.pop()[0] if runs and runs[-1][1] == place else place
        runs.append((first, place + 1))
    return tuple(runs)
