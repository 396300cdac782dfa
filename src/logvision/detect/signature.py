"""Stage A: every pattern of every rule in one pass over the units, conditions as algebra of id sets.

No row is looked at: a pattern's hits are a sorted array of unit ids, and/or/not are intersection,
union and difference. Cost: about 5 ns a byte of distinct text and 0.2 µs a hit.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import hyperscan
import numpy as np
import re2

from logvision.detect import pattern
from logvision.detect.database import NONE, Database, compiled
from logvision.detect.rules import (
    All,
    AnyOf,
    Atom,
    Condition,
    Like,
    Not,
    Rule,
    RuleSet,
    Same,
    atoms_of,
    positive,
)
from logvision.detect.units import Ints, Kind, Units


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

    def __init__(self, rules: RuleSet, databases: Sequence[tuple[int, bool, bytes]] | None = None) -> None:
        """`databases`: what `dump` gave for the same rules; else they are compiled, which takes seconds."""
        self.rules = rules
        self._lock = threading.Lock()
        self._of_pattern: dict[int, list[int]] = defaultdict(list)
        self._methods: list[Condition] = []
        self._halves: list[Atom] = []
        kinds: dict[int, Kind] = defaultdict(lambda: Kind(0))
        ordinary: set[int] = set()
        for index, rule in enumerate(rules.rules):
            atoms = [each for each in atoms_of(rule.condition) if isinstance(each, Atom)]
            method = _odd_method(rule.condition) if rule.scope == "row" else None
            if method is not None:
                self._methods.append(method)
            else:
                ordinary |= {atom.id for atom in atoms}
                self._halves += _halves(rule.condition) if rule.scope == "row" else []
            for atom in atoms:
                kinds[atom.id] |= atom.kinds
            for number in {atom.id for atom in atoms}:
                self._of_pattern[number].append(index)
        self._databases = (
            compiled(rules.patterns, kinds, frozenset(kinds.keys() - ordinary))
            if databases is None
            else [Database.load(*each) for each in databases]
        )
        self.kinds = Kind(0)  # what any rule reads
        for database in self._databases:
            self.kinds |= database.kinds

    def __reduce__(self) -> tuple[Any, ...]:
        return Signatures, (self.rules, self.dump())

    def dump(self) -> list[tuple[int, bool, bytes]]:
        """The compiled databases, for this version of Hyperscan and this kind of processor."""
        return [database.dump() for database in self._databases]

    def find(self, units: Units, rows: Rows) -> Found:
        """All rules that hold, in one pass."""
        matched = self._scan(units, odd=bool(self._odd(rows).any()))
        candidates = sorted({rule for number in matched for rule in self._of_pattern[number]})
        of_unit: list[tuple[int, Ints]] = []
        of_row: list[tuple[int, Ints]] = []
        by_unit, by_row = _UnitScope(matched, units), None
        for index in candidates:
            rule = self.rules.rules[index]
            if rule.scope == "unit":
                found = by_unit.evaluate(rule.condition)
                if len(found):
                    of_unit.append((index, found))
            else:
                by_row = by_row or _RowScope(by_unit, units, rows)
                found = by_row.evaluate(rule.condition)
                if len(found):
                    of_row.append((index, found))
        halves = [by_unit.atom(atom) for atom in self._halves]
        return Found(*_flat(of_unit), *_flat(of_row), np.concatenate([NONE, *halves]))

    def apart(self, rows: Rows) -> Ints:
        """Owners that a rule may speak of only because of their rows' method: of the few odd requests."""
        odd = self._odd(rows)
        owners = np.unique(np.concatenate([codes[odd] for codes in rows.owners]))
        return owners[owners >= 0]

    def _odd(self, rows: Rows) -> np.ndarray[Any, np.dtype[np.bool_]]:
        values, codes = rows.columns["cs-method"]
        odd = [any(_holds(method, value) for method in self._methods) for value in values]
        held: np.ndarray[Any, np.dtype[np.bool_]] = np.array(odd, bool)[codes]
        return held

    def spans(self, rule: Rule, text: bytes) -> list[tuple[int, int]]:
        """Where the patterns of a rule match this text, leftmost start of each end; for explanations.

        A pattern for which Hyperscan keeps no starts is left out. Compiles: milliseconds.
        """
        wanted = {each.id for each in atoms_of(rule.condition) if isinstance(each, Atom)}
        found: dict[int, int] = {}
        for each in (p for p in self.rules.patterns if p.id in wanted):
            one = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
            flags = pattern.flags(each.caseless) | hyperscan.HS_FLAG_SOM_LEFTMOST
            try:
                one.compile(expressions=[each.expression.encode()], ids=[1], flags=flags)
            except hyperscan.error:
                continue

            def at(_number: int, start: int, end: int, _flags: int, _context: object) -> None:
                found[start] = max(found.get(start, 0), end)

            one.scan(text.replace(b"\n", b"\x0b") + b"\n", at)
        return sorted(found.items())

    def _scan(self, units: Units, *, odd: bool) -> dict[int, Ints]:
        """Pattern id to the sorted units that it matches."""
        with self._lock:
            keys = [
                database.scan(units, kind)
                for database in self._databases
                if odd or not database.odd
                for kind in database.kinds
            ]
        every = np.unique(np.concatenate([NONE, *keys]))
        if not len(every):
            return {}
        bounds = np.flatnonzero(np.diff(every >> 32)) + 1
        return {int(part[0] >> 32): part & 0xFFFFFFFF for part in np.split(every, bounds)}


class _Scope:
    """Evaluates conditions to sorted arrays of ids."""

    def atom(self, atom: Atom) -> Ints:
        raise NotImplementedError

    def same(self, same: Same | Like, within: Ints) -> Ints:
        raise NotImplementedError

    def evaluate(self, condition: Condition, within: Ints | None = None) -> Ints:
        """Ids for which the condition holds, of those in `within` (None: of all)."""
        match condition:
            case Atom():
                found = self.atom(condition)
                if within is not None and len(found):
                    found = np.intersect1d(found, within, assume_unique=True)
                return found
            case AnyOf(parts):
                # Most parts hold nowhere, and sorting what is sorted costs more than asking.
                each = [found for part in parts if len(found := self.evaluate(part, within))]
                return each[0] if len(each) == 1 else np.unique(np.concatenate([NONE, *each]))
            case All(parts):
                # Patterns first: they narrow what the rest is asked about.
                for part in sorted(parts, key=lambda part: (not positive(part), _cost(part))):
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


class _UnitScope(_Scope):
    def __init__(self, matched: dict[int, Ints], units: Units) -> None:
        self._matched, self._units = matched, units

    def atom(self, atom: Atom) -> Ints:
        found = self._matched.get(atom.id, NONE)
        kept: Ints = found[(self._units.kind[found] & int(atom.kinds)) != 0]
        return kept


class _RowScope(_Scope):
    def __init__(self, units: _UnitScope, all_units: Units, rows: Rows) -> None:
        self._by_unit, self._units, self._rows = units, all_units, rows
        self._known: dict[Atom, Ints] = {}

    def atom(self, atom: Atom) -> Ints:
        found = self._known.get(atom)
        if found is None:
            found = self._known[atom] = self._of(self._by_unit.atom(atom))
        return found

    def _of(self, units: Ints) -> Ints:
        """Rows that have one of these units."""
        if not len(units):
            return NONE
        wanted = np.zeros(len(self._units), bool)
        wanted[units] = True
        owners = np.unique(self._units.owner[wanted[self._units.unit]])
        return rows_of(owners, self._rows)

    def same(self, same: Same | Like, within: Ints) -> Ints:
        values, codes = self._rows.columns[same.column]
        if isinstance(same, Like):
            wanted = re2.compile(("(?i)" if same.caseless else "") + same.expression)
            table = np.array(
                [value is not None and wanted.search(value) is not None for value in values], bool
            )
        else:
            table = np.array([value in same.values for value in values], bool)
        kept: Ints = within[table[codes[within]]]
        return kept


def rows_of(owners: Ints, rows: Rows) -> Ints:
    """Rows whose target, agent or referer is one of these owners."""
    hit = np.zeros(rows.size, bool)
    if len(owners):
        last = max(int(codes.max(initial=-1)) for codes in (owners, *rows.owners))
        table = np.zeros(last + 2, bool)
        table[owners] = True
        for codes in rows.owners:
            hit |= table[codes]  # -1 (null) is the last entry, which is false
    return np.flatnonzero(hit)


_COMMON: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


_OF_TARGET: Final = Kind.TARGET | Kind.RAW_TARGET


def _halves(condition: Condition) -> list[Atom]:
    """The patterns of a rule over rows without which it cannot be ruled out for a unit.

    Where all it reads are whole targets, what must be absent is found beside what must be there.
    """
    atoms = [each for each in atoms_of(condition) if isinstance(each, Atom)]
    return atoms if any(atom.kinds & ~_OF_TARGET for atom in atoms) else _present(condition)


def _present(condition: Condition) -> list[Atom]:
    match condition:
        case Atom():
            return [condition]
        case All(parts) | AnyOf(parts):
            return [atom for part in parts for atom in _present(part)]
    return []


def _odd_method(condition: Condition) -> Condition | None:
    """What the condition asks of the method, if that alone rules out ordinary requests."""
    match condition:
        case Same(column, values) if column == "cs-method" and _COMMON.isdisjoint(values):
            return condition
        case All(parts):
            return next((odd for part in parts if (odd := _odd_method(part)) is not None), None)
        case AnyOf(parts):
            found = [_odd_method(part) for part in parts]
            return AnyOf(tuple(odd for odd in found if odd is not None)) if None not in found else None
    return None


def _holds(condition: Condition, method: str | None) -> bool:
    """Whether a condition holds that is made of methods and nothing else."""
    match condition:
        case Same(_, wanted):
            return method in wanted
        case AnyOf(parts):
            return any(_holds(part, method) for part in parts)
    raise TypeError(condition)


def _cost(condition: Condition) -> int:
    match condition:
        case Not():
            return 3
        case Same() | Like():
            return 2
        case AnyOf(parts) | All(parts):
            return 1 if all(_cost(part) <= 1 for part in parts) else 2
    return 0


def _flat(found: list[tuple[int, Ints]]) -> tuple[Ints, Ints]:
    if not found:
        return NONE, NONE
    return (
        np.concatenate([np.full(len(ids), index, np.int64) for index, ids in found]),
        np.concatenate([ids for _, ids in found]),
    )
