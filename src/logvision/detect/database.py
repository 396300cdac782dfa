"""Databases: the patterns of all rules compiled for Hyperscan, one database for each kind of unit.

Most patterns read one kind only; a path is not searched for the names of agents. Patterns that only rules
over odd methods ask for stand apart and are run only when a batch has such a method.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import hyperscan
import numpy as np

from logvision.detect import pattern
from logvision.detect.rules import Pattern
from logvision.detect.units import Ints, Kind, Units

NONE: Final[Ints] = np.zeros(0, np.int64)

TOGETHER: Final = (
    Kind.PATH,
    Kind.NAME | Kind.VALUE | Kind.URL,
    Kind.AGENT,
    Kind.REFERER,
    Kind.TARGET,
    Kind.RAW_TARGET | Kind.RAW_AGENT | Kind.RAW_REFERER,
)
"""Kinds that share a database."""


@dataclass(frozen=True)
class Database:
    """Some patterns, compiled, and the kinds of units that they are run over."""

    kinds: Kind
    odd: bool  # only for batches with an odd method
    compiled: Any  # hyperscan.Database

    @staticmethod
    def load(kinds: int, odd: bool, dumped: bytes) -> Database:
        """Raises hyperscan.error for bytes of another version or machine."""
        return _ready(Kind(kinds), odd, hyperscan.loadb(dumped, mode=hyperscan.HS_MODE_BLOCK))

    def dump(self) -> tuple[int, bool, bytes]:
        """What `load` takes."""
        return int(self.kinds), self.odd, hyperscan.dumpb(self.compiled)

    def scan(self, units: Units, kind: Kind) -> Ints:
        """Pattern ids << 32 | unit of all matches in units of one kind; unordered, some repeated."""
        low, high = np.searchsorted(units.kind, [int(kind), int(kind) + 1]).tolist()
        if low == high:
            return NONE
        first = int(units.ends[low - 1]) + 1 if low else 0
        numbers: list[int] = []
        ends: list[int] = []
        number_found, end_found = numbers.append, ends.append

        def found(number: int, _from: int, to: int, _flags: int, _context: object) -> None:
            number_found(number)
            end_found(to)

        text = units.buffer[first : int(units.ends[high - 1]) + 1]
        self.compiled.scan(text.data.cast("B"), found)
        if not numbers:
            return NONE
        unit = np.searchsorted(units.ends, np.array(ends, np.int64) + first, "left")
        keys: Ints = np.array(numbers, np.int64) << 32 | unit
        return keys


def compiled(patterns: Iterable[Pattern], kinds: Mapping[int, Kind], odd: frozenset[int]) -> list[Database]:
    """Databases of all patterns; seconds. `kinds`: what each id reads; `odd`: ids that stand apart."""
    databases: list[Database] = []
    ordinary = [each for each in patterns if each.id not in odd]
    for group in TOGETHER:
        databases += _compiled(group, False, [each for each in ordinary if kinds.get(each.id, 0) & group])
    apart = [each for each in patterns if each.id in odd]
    every = Kind(0)
    for each in apart:
        every |= kinds[each.id]
    return databases + _compiled(every, True, apart)


def _compiled(kinds: Kind, odd: bool, patterns: list[Pattern]) -> list[Database]:
    if not patterns:
        return []
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[each.expression.encode() for each in patterns],
        ids=[each.id for each in patterns],
        flags=[pattern.flags(each.caseless) for each in patterns],
    )
    return [_ready(kinds, odd, database)]


def _ready(kinds: Kind, odd: bool, database: Any) -> Database:
    database.scratch = hyperscan.Scratch(database)
    return Database(kinds, odd, database)
