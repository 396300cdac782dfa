"""Stage A: the patterns of all rules in one pass over the units, then what decides about the few in question.

No row is looked at but for its method and status. Cost: about 5 ns a byte of distinct text and 1 µs a hit.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import hyperscan
import numpy as np
import numpy.typing as npt

from logvision.detect import pattern
from logvision.detect.database import Database, Turn, compiled, numbered
from logvision.detect.fusion import Evidence
from logvision.detect.plan import patterns_of, planned
from logvision.detect.rules import Rule, RuleSet
from logvision.detect.scopes import NONE, Rows, RowScope, UnitScope, ordered
from logvision.detect.units import Ints, Kind, Units


@dataclass(frozen=True, slots=True)
class Found:
    """Rules that hold: over units (rule index, unit) and over rows (rule index, row)."""

    unit_rule: Ints
    unit: Ints
    row_rule: Ints
    row: Ints
    halves: Ints  # units that a rule over rows asks for, whether it holds or not


class Signatures:
    """The compiled rules; immutable but for the scratch space, which a lock guards. Picklable."""

    def __init__(self, rules: RuleSet, databases: Sequence[tuple[int, int, bytes]] | None = None) -> None:
        """`databases`: what `dump` gave for the same rules; else they are compiled, which takes seconds."""
        self.rules = rules
        self._lock = threading.Lock()
        self._plan = planned(rules.rules)
        if databases is None:
            self._databases = compiled(rules.patterns, self._plan)
        else:
            numbers = numbered(rules.patterns)
            self._databases = [Database.load(*each, numbers) for each in databases]
        self.pieces = [Evidence(rule.id, rule.attack, rule.confidence) for rule in rules.rules]
        self._conditions = [ordered(rule.condition) for rule in rules.rules]
        self.kinds = Kind(0)  # what any rule reads
        for database in self._databases:
            self.kinds |= database.kinds

    def __reduce__(self) -> tuple[Any, ...]:
        return Signatures, (self.rules, self.dump())

    def dump(self) -> list[tuple[int, int, bytes]]:
        """The compiled databases, for this version of Hyperscan and this kind of processor."""
        return [database.dump() for database in self._databases]

    def find(self, units: Units, rows: Rows, read: npt.NDArray[np.bool_] | None = None) -> Found:
        """All rules that hold: one pass over all units, and one over the few that it leaves in question.

        `read`: units that are read in any case; rules that only say so may be left out for them.
        """
        matched = self._matched(units, rows, read)
        asked = sorted({rule for number in matched for rule in self._plan.rules.get(number, ())})
        of_unit: list[tuple[int, Ints]] = []
        of_row: list[tuple[int, Ints]] = []
        by_unit, by_row = UnitScope(matched, units), None
        for index in asked:
            condition = self._conditions[index]
            if self.rules.rules[index].scope == "unit":
                of_unit.append((index, by_unit.holding(condition)))
            else:
                by_row = by_row or RowScope(by_unit, units, rows)
                of_row.append((index, by_row.holding(condition)))
        halves = by_unit.units[by_unit.atoms(self._plan.halves)]
        return Found(*_flat(of_unit), *_flat(of_row), halves)

    def apart(self, rows: Rows) -> Ints:
        """Owners that a rule may speak of only because of their rows' method: of the few odd requests."""
        methods, codes = rows.columns["cs-method"]
        odd = np.array([method in self._plan.odd for method in methods], bool)
        if not odd.any():
            return NONE
        owners = np.unique(np.concatenate([each[odd[codes]] for each in rows.owners]))
        return owners[owners >= 0]

    def spans(self, rule: Rule, text: bytes) -> list[tuple[int, int]]:
        """Where the patterns of a rule match this text, leftmost start of each end; for explanations.

        A pattern for which Hyperscan keeps no starts is left out. Compiles: milliseconds.
        """
        found: dict[int, int] = {}
        for number in {atom.id for atom in patterns_of(rule.condition)}:
            each = self.rules.patterns[number]
            one = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
            flags = pattern.flags(each.caseless) | hyperscan.HS_FLAG_SOM_LEFTMOST
            texts = [expression.encode() for expression in each.expressions]
            try:
                one.compile(expressions=texts, ids=list(range(len(texts))), flags=flags)
            except hyperscan.error:
                continue

            def at(_number: int, start: int, end: int, _flags: int, _context: object) -> None:
                found[start] = max(found.get(start, 0), end)

            one.scan(text.replace(b"\n", b"\x0b") + b"\n", at)
        return sorted((start, min(end, len(text))) for start, end in found.items())

    def _matched(self, units: Units, rows: Rows, read: npt.NDArray[np.bool_] | None) -> dict[int, Ints]:
        """Pattern id to the sorted units that it matches; of late patterns, only of units in question."""
        borders = units.borders()
        with self._lock:
            found = [
                database.scan(units, borders[first], borders[last])
                if read is None or database.turn is Turn.FIRST
                else database.scan_unread(units, borders[first], borders[last], read)
                for database in self._databases
                if database.turn is not Turn.LATE
                for first, last in database.runs
            ]
            matched = _by_pattern(found)
            some = self._in_question(matched, units, rows)
            late = [each for each in self._databases if each.turn is Turn.LATE]
            return matched | _by_pattern([database.scan_some(units, some) for database in late])

    def _in_question(self, matched: dict[int, Ints], units: Units, rows: Rows) -> Ints:
        """Units of which late patterns decide."""
        owning, apart = _found_by(self._plan.in_owner, matched), self.apart(rows)
        wanted = np.zeros(len(units), bool)
        wanted[_found_by(self._plan.in_unit, matched)] = True
        if len(owning) or len(apart):
            owned = np.zeros(len(units), bool)
            owned[owning] = True
            owners = np.zeros(int(units.owner.max(initial=0)) + 1, bool)
            owners[units.owner[owned[units.unit]]] = True
            owners[apart[apart < len(owners)]] = True
            wanted[units.unit[owners[units.owner]]] = True
        return np.flatnonzero(wanted)


def _found_by(patterns: frozenset[int], matched: dict[int, Ints]) -> Ints:
    return np.concatenate([NONE, *(matched[number] for number in patterns & matched.keys())])


def _by_pattern(keys: list[Ints]) -> dict[int, Ints]:
    keys = [each for each in keys if len(each)]
    if not keys:
        return {}
    every = np.unique(np.concatenate(keys))
    patterns = every >> 32
    firsts = np.flatnonzero(np.append(True, patterns[1:] != patterns[:-1]))
    units, bounds = every & 0xFFFFFFFF, [*firsts.tolist(), len(every)]
    return {
        number: units[first:last]
        for number, first, last in zip(patterns[firsts].tolist(), bounds, bounds[1:], strict=False)
    }


def _flat(found: list[tuple[int, Ints]]) -> tuple[Ints, Ints]:
    rules = np.array([index for index, _ in found], np.int64)
    return rules.repeat([len(ids) for _, ids in found]), np.concatenate([NONE, *(ids for _, ids in found)])
