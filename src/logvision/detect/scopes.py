"""Conditions as algebra of id sets: what holds for which units, and for which rows.

A pattern's matches are a sorted array of unit ids; and, or, not are intersection, union and difference.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import re2

from logvision.detect.rules import All, AnyOf, Atom, Condition, Like, Not, Same, of_one_unit, positive
from logvision.detect.units import Ints, Units

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
    """Evaluates conditions to sorted arrays of ids."""

    @abstractmethod
    def atoms(self, atoms: Sequence[Atom]) -> Ints:
        """Where any of some patterns is found."""

    @abstractmethod
    def same(self, same: Same | Like, within: Ints) -> Ints:
        """Of those in `within` the ones whose column is as asked for."""

    def evaluate(self, condition: Condition, within: Ints | None = None) -> Ints:
        """Ids for which an ordered condition holds, of those in `within` (None: of all)."""
        match condition:
            case Atom():
                return self._patterns([condition], within)
            case AnyOf(parts):
                patterns = [part for part in parts if isinstance(part, Atom)]
                each = [self._patterns(patterns, within)] if patterns else []
                each += [self.evaluate(part, within) for part in parts if not isinstance(part, Atom)]
                return _together(each)
            case All(parts):
                for part in parts:
                    within = self.evaluate(part, within)
                    if not len(within):
                        return NONE
                return within if within is not None else NONE
            case Not(part):
                assert within is not None, "rules are checked to need something present"
                found = self.evaluate(part, within)
                return np.setdiff1d(within, found, assume_unique=True) if len(found) else within
            case Same() | Like():
                assert within is not None, "rules are checked to need something present"
                return self.same(condition, within)

    def _patterns(self, atoms: Sequence[Atom], within: Ints | None) -> Ints:
        return _both(self.atoms(atoms), within)


class UnitScope(_Scope):
    """Over units; `matched`: pattern id to the sorted units that it matches."""

    def __init__(self, matched: dict[int, Ints], units: Units) -> None:
        self._matched, self._units = matched, units

    def atoms(self, atoms: Sequence[Atom]) -> Ints:
        # Most patterns are found nowhere.
        return _together([self._of(atom) for atom in atoms if atom.id in self._matched])

    def uses(self) -> tuple[Ints, Ints]:
        """The uses of all units that any pattern matches: their units and their owners."""
        hit = np.zeros(len(self._units), bool)
        for found in self._matched.values():
            hit[found] = True
        used = np.flatnonzero(hit[self._units.unit])
        return self._units.unit[used], self._units.owner[used]

    def same(self, same: Same | Like, within: Ints) -> Ints:
        raise TypeError(f"units have no columns: a rule that asks for {same.column} speaks of rows")

    def _of(self, atom: Atom) -> Ints:
        found = self._matched[atom.id]
        kept: Ints = found[(self._units.kind[found] & int(atom.kinds)) != 0]
        return kept


class RowScope(_Scope):
    """Over rows, by the units of their owners and by columns of their own.

    Looks at all rows once, and from then on only at those of which any unit is matched: they are few.
    """

    def __init__(self, by_unit: UnitScope, rows: Rows) -> None:
        self._by_unit, self._rows = by_unit, rows
        self._like: dict[Same | Like, npt.NDArray[np.bool_]] = {}
        self._unit, self._owner = by_unit.uses()
        self._owners = 1 + max(int(codes.max(initial=-1)) for codes in (self._owner, *rows.owners))
        self._codes: tuple[Ints, ...] = rows.owners
        self._row = self._places(self._owner)
        self._codes = tuple(codes[self._row] for codes in rows.owners)

    def evaluate(self, condition: Condition, within: Ints | None = None) -> Ints:
        if isinstance(condition, Atom) or not of_one_unit(condition):
            return super().evaluate(condition, within)
        return _both(self._of(self._by_unit.evaluate(condition)), within)

    def atoms(self, atoms: Sequence[Atom]) -> Ints:
        return self._of(self._by_unit.atoms(atoms))

    def _of(self, units: Ints) -> Ints:
        """The rows that any of these units belongs to."""
        if not len(units):
            return NONE
        wanted = np.zeros(int(self._unit.max(initial=-1)) + 1, bool)
        wanted[units] = True
        return self._row[self._places(self._owner[wanted[self._unit]])]

    def _places(self, owners: Ints) -> Ints:
        """Of the rows looked at, those whose target, agent or referer is one of these owners."""
        table = np.zeros(self._owners + 1, bool)
        table[owners] = True
        target, agent, referer = self._codes  # -1 (null) is the last of the table, which is false
        return np.flatnonzero(table[target] | table[agent] | table[referer])

    def same(self, same: Same | Like, within: Ints) -> Ints:
        if same not in self._like:  # of a rule, many branches ask for one method
            self._like[same] = _like(same, self._rows.columns[same.column][0])
        codes = self._rows.columns[same.column][1]
        kept: Ints = within[self._like[same][codes[within]]]
        return kept


def _like(same: Same | Like, values: Sequence[Any]) -> npt.NDArray[np.bool_]:
    """Which of the distinct values of a column are as asked for."""
    if isinstance(same, Like):
        wanted = re2.compile(("(?i)" if same.caseless else "") + same.expression)
        return np.array([value is not None and wanted.search(value) is not None for value in values], bool)
    return np.array([value in same.values for value in values], bool)


def _both(found: Ints, within: Ints | None) -> Ints:
    """What stands in two sorted arrays; None: in everything."""
    if within is None or not len(found):
        return found
    return np.intersect1d(found, within, assume_unique=True)


def _together(each: list[Ints]) -> Ints:
    """What stands in any of some sorted arrays."""
    each = [found for found in each if len(found)]
    if len(each) < 2:
        return each[0] if each else NONE
    every = np.sort(np.concatenate(each))
    found: Ints = every[np.append(True, every[1:] != every[:-1])]
    return found


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
