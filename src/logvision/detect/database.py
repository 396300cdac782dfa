"""Databases: the patterns of all rules compiled for Hyperscan, one database for each kind of unit.

Most patterns read one kind only; a path is not searched for the names of agents. Hints stand apart, and so do
late patterns, which are run only over the units in question (`plan`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import hyperscan
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from logvision.detect import pattern, search
from logvision.detect.plan import Plan
from logvision.detect.rules import Pattern
from logvision.detect.scopes import NONE
from logvision.detect.texts import joined
from logvision.detect.units import Ints, Kind, Units

TOGETHER: Final = (
    Kind.PATH,
    Kind.NAME | Kind.VALUE | Kind.URL,
    Kind.AGENT,
    Kind.REFERER,
    Kind.TARGET,
    Kind.RAW_TARGET,
    Kind.RAW_AGENT,
    Kind.RAW_REFERER,
)
"""Kinds that share a database."""


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
    compiled: Any  # hyperscan.Database
    runs: tuple[tuple[int, int], ...]  # of kinds that follow each other, as places in `Units.borders`

    @staticmethod
    def load(kinds: int, turn: int, dumped: bytes) -> Database:
        """Raises hyperscan.error for bytes of another version or machine."""
        return Database(Kind(kinds), Turn(turn), search.loaded(dumped), _runs(Kind(kinds)))

    def dump(self) -> tuple[int, int, bytes]:
        """What `load` takes."""
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
        numbers: list[int] = []
        found_at: list[int] = []
        number_found, end_found = numbers.append, found_at.append

        def found(number: int, _from: int, to: int, _flags: int, _context: object) -> None:
            number_found(number)
            end_found(to)

        self.compiled.scan(text.data.cast("B"), found)
        if not numbers:
            return NONE
        keys: Ints = np.array(numbers, np.int64) << 32 | np.searchsorted(
            ends, np.array(found_at, np.int64), "left"
        )
        return keys


_UNIT: Final = (1 << 32) - 1


def compiled(patterns: Iterable[Pattern], plan: Plan) -> list[Database]:
    """Databases of all patterns; seconds."""
    turns: dict[Turn, list[Pattern]] = {turn: [] for turn in Turn}
    for each in patterns:
        turn = Turn.LATE if each.id in plan.late else Turn.HINT if each.id in plan.hints else Turn.FIRST
        turns[turn].append(each)
    every = Kind(0)
    for each in turns[Turn.LATE]:
        every |= plan.kinds[each.id]
    wanted = [
        (group, turn, [each for each in turns[turn] if plan.kinds.get(each.id, 0) & group])
        for turn in (Turn.FIRST, Turn.HINT)
        for group in TOGETHER
    ]
    wanted.append((every, Turn.LATE, turns[Turn.LATE]))
    return [_compiled(*each) for each in wanted if each[-1]]


def _compiled(kinds: Kind, turn: Turn, patterns: list[Pattern]) -> Database:
    compiled = search.compiled(
        [each.expression.encode() for each in patterns],
        [pattern.flags(each.caseless) for each in patterns],
        [each.id for each in patterns],
    )
    return Database(kinds, turn, compiled, _runs(kinds))


def _runs(kinds: Kind) -> tuple[tuple[int, int], ...]:
    runs: list[tuple[int, int]] = []
    for place in (kind.bit_length() - 1 for kind in kinds):
        first = runs.pop()[0] if runs and runs[-1][1] == place else place
        runs.append((first, place + 1))
    return tuple(runs)
