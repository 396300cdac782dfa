"""Databases: the patterns of all rules compiled for Hyperscan, one database for each kind of unit.

Most patterns read one kind only; a path is not searched for the names of agents. Late patterns (`plan`) stand
apart and are run only over the units in question.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import hyperscan
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from logvision.detect import pattern
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


@dataclass(frozen=True)
class Database:
    """Some patterns, compiled, and the kinds of units that they are run over."""

    kinds: Kind
    late: bool  # only for units in question
    compiled: Any  # hyperscan.Database

    @staticmethod
    def load(kinds: int, late: bool, dumped: bytes) -> Database:
        """Raises hyperscan.error for bytes of another version or machine."""
        return _ready(Kind(kinds), late, hyperscan.loadb(dumped, mode=hyperscan.HS_MODE_BLOCK))

    def dump(self) -> tuple[int, bool, bytes]:
        """What `load` takes."""
        return int(self.kinds), self.late, hyperscan.dumpb(self.compiled)

    def scan(self, units: Units, kind: Kind) -> Ints:
        """Pattern ids << 32 | unit of all matches in units of one kind; unordered, some repeated."""
        low, high = np.searchsorted(units.kind, [int(kind), int(kind) + 1]).tolist()
        if low == high:
            return NONE
        first = int(units.ends[low - 1]) + 1 if low else 0
        text = units.buffer[first : int(units.ends[high - 1]) + 1]
        found: Ints = self._scan(text, units.ends[low:high] - first) + low
        return found

    def scan_some(self, units: Units, some: Ints) -> Ints:
        """The same, of some units whatever their kind."""
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


def compiled(patterns: Iterable[Pattern], kinds: Mapping[int, Kind], late: frozenset[int]) -> list[Database]:
    """Databases of all patterns; seconds. `kinds`: what each id reads; `late`: ids that stand apart."""
    databases: list[Database] = []
    early = [each for each in patterns if each.id not in late]
    for group in TOGETHER:
        databases += _compiled(group, False, [each for each in early if kinds.get(each.id, 0) & group])
    apart = [each for each in patterns if each.id in late]
    every = Kind(0)
    for each in apart:
        every |= kinds[each.id]
    return databases + _compiled(every, True, apart)


def _compiled(kinds: Kind, late: bool, patterns: list[Pattern]) -> list[Database]:
    if not patterns:
        return []
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[each.expression.encode() for each in patterns],
        ids=[each.id for each in patterns],
        flags=[pattern.flags(each.caseless) for each in patterns],
    )
    return [_ready(kinds, late, database)]


def _ready(kinds: Kind, late: bool, database: Any) -> Database:
    database.scratch = hyperscan.Scratch(database)
    return Database(kinds, late, database)
