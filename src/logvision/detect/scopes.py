"""Conditions as algebra of masks: what holds for which units, and for which rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import re2

from logvision.detect.rules import All, AnyOf, Atom, Condition, Like, Not, Same, of_one_unit, positive
from logvision.detect.units import Ints, Kind, Units

Mask = npt.NDArray[np.bool_]
NONE: Final[Ints] = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a batch as codes into its owners; -1: null.

    `columns` holds what `Same` and `Like` compare: the distinct values of a column and, per row, which one
    it has.
    """

    owners: tuple[Ints, Ints, Ints]  # owner id of target, agent and referer, per row
    columns: dict[str, tuple[list[Any], Ints]]

    @property
    def size(self) -> int:
        return len(self.owners[0])


class _Scope(ABC):
    """Evaluates conditions to masks over what the scope looks at."""

    @abstractmethod
    def atoms(self, atoms: Sequence[Atom]) -> Mask:
        """Where any of some patterns is found."""

    @abstractmethod
    def same(self, same: Same | Like) -> Mask:
        """Where a column is as asked for."""

    def evaluate(self, condition: Condition) -> Mask:
        """Where an ordered condition holds."""
        match condition:
            case Atom():
                return self.atoms([condition])
            case AnyOf(parts):
                found = self.atoms([part for part in parts if isinstance(part, Atom)])
                for part in parts:
                    if not isinstance(part, Atom):
                        found = found | self.evaluate(part)
                return found
            case All((part, *others)):
                found = self.evaluate(part)
                for other in others:
                    if not found.any():
                        break
                    found = found & self.evaluate(other)
                return found
            case Not(part):
                return ~self.evaluate(part)
            case Same() | Like():
                return self.same(condition)
        raise TypeError(condition)


class UnitScope(_Scope):
    """Over the units that any pattern matches: they are few, and no rule holds for another."""

    def __init__(self, matched: dict[int, Ints], units: Units) -> None:
        """`matched`: pattern id to the units that it matches."""
        hit = np.zeros(len(units), bool)
        for found in matched.values():
            hit[found] = True
        self._matched = matched
        self.units: Ints = np.flatnonzero(hit)
        self.used: Ints = np.flatnonzero(hit[units.unit])
        """Their uses."""
        self.place = np.cumsum(hit) - 1
        """Per unit, if it is one of them: which."""
        self._kind = units.kind[self.units]
        self._of_kinds: dict[Kind, Mask] = {}

    def holding(self, condition: Condition) -> Ints:
        """The units for which an ordered condition holds."""
        found: Ints = self.units[self.evaluate(condition)]
        return found

    def atoms(self, atoms: Sequence[Atom]) -> Mask:
        every = np.zeros(len(self.units), bool)
        for atom in atoms:
            if atom.id in self._matched:  # most patterns are found nowhere
                places = self.place[self._matched[atom.id]]
                every[places[self._reads(atom.kinds)[places]]] = True
        return every

    def _reads(self, kinds: Kind) -> Mask:
        if kinds not in self._of_kinds:
            self._of_kinds[kinds] = (self._kind & int(kinds)) != 0
        return self._of_kinds[kinds]

    def same(self, same: Same | Like) -> Mask:
        raise TypeError(f"units have no columns: a rule that asks for {same.column} speaks of rows")


class RowScope(_Scope):
    """Over the rows of which any unit is matched, by their units and by columns of their own."""

    def __init__(self, by_unit: UnitScope, units: Units, rows: Rows) -> None:
        self._by_unit, self._columns = by_unit, rows.columns
        self._same: dict[Same | Like, Mask] = {}
        self._unit, self._owner = by_unit.place[units.unit[by_unit.used]], units.owner[by_unit.used]
        self._owners = 1 + max(int(codes.max(initial=-1)) for codes in (self._owner, *rows.owners))
        self.rows: Ints = np.flatnonzero(self._having(self._owner, rows.owners))
        self._codes = tuple(codes[self.rows] for codes in rows.owners)

    def holding(self, condition: Condition) -> Ints:
        """The rows for which an ordered condition holds."""
        found: Ints = self.rows[self.evaluate(condition)]
        return found

    def evaluate(self, condition: Condition) -> Mask:
        if isinstance(condition, Atom) or not of_one_unit(condition):
            return super().evaluate(condition)
        return self._of(self._by_unit.evaluate(condition))

    def atoms(self, atoms: Sequence[Atom]) -> Mask:
        return self._of(self._by_unit.atoms(atoms))

    def _of(self, matched: Mask) -> Mask:
        """The rows that any of these units belongs to."""
        if not matched.any():
            return np.zeros(len(self.rows), bool)
        return self._having(self._owner[matched[self._unit]], self._codes)

    def _having(self, owners: Ints, codes: tuple[Ints, ...]) -> Mask:
        """The rows whose target, agent or referer is one of these owners."""
        table = np.zeros(self._owners + 1, bool)
        table[owners] = True
        target, agent, referer = codes  # -1 (null) is the last of the table, which is false
        found: Mask = table[target] | table[agent] | table[referer]
        return found

    def same(self, same: Same | Like) -> Mask:
        if same not in self._same:  # of a rule, many branches ask for one method
            values, codes = self._columns[same.column]
            self._same[same] = _like(same, values)[codes[self.rows]]
        return self._same[same]


def _like(same: Same | Like, values: Sequence[Any]) -> Mask:
    """Which of the distinct values of a column are as asked for."""
    if isinstance(same, Like):
        wanted = re2.compile(("(?i)" if same.caseless else "") + same.expression)
        return np.array([value is not None and wanted.search(value) is not None for value in values], bool)
    return np.array([value in same.values for value in values], bool)


def ordered(condition: Condition) -> Condition:
    """The same condition, of what must all hold the patterns first: they narrow what the rest is asked of."""
    match condition:
        case All(parts):
            inner = [ordered(part) for part in parts]
            return All(tuple(sorted(inner, key=lambda part: (not positive(part), _cost(part)))))
        case AnyOf(parts):
            return AnyOf(tuple(ordered(part) for part in parts))
        case Not(part):
            return Not(ordered(part))
    return condition


def _cost(condition: Condition) -> int:
    match condition:
        case Not():
            return 3
        case Same() | Like():
            return 2
        case AnyOf(parts) | All(parts):
            return 1 if all(_cost(part) <= 1 for part in parts) else 2
    return 0
