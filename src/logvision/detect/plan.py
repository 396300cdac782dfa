"""The plan of a search: which patterns every unit is searched for, and which only where those have matched.

Most rules name something and then what excuses it: a copy of a database, but not among documentation. What
excuses holds for ordinary requests by the thousand, so it is asked of the few units that the first part of a
rule has named; and so is the second of two parts that must both be there. Hints only choose what verification
reads, so they are not looked for where it reads anyway: in a flood of attacks they would be half of what is
found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from logvision.detect.rules import (
    All,
    AnyOf,
    Atom,
    Condition,
    Not,
    Rule,
    Same,
    atoms_of,
    of_one_unit,
    positive,
)
from logvision.detect.units import Kind

_COMMON: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_OF_TARGET: Final = Kind.TARGET | Kind.RAW_TARGET


@dataclass(frozen=True)
class Plan:
    """What follows from the rules alone."""

    kinds: dict[int, Kind]  # what each pattern reads
    late: frozenset[int]  # patterns that few units are searched for
    hints: frozenset[int]  # patterns that only choose what verification reads
    rules: dict[
        int, list[int]
    ]  # pattern to the rules that cannot hold where none of their patterns here does
    in_unit: frozenset[int]  # patterns that have the same unit searched for the late ones
    in_owner: frozenset[int]  # patterns that have all units of its owners searched for them
    halves: tuple[Atom, ...]  # what rules over rows ask of units: see `_halves`
    odd: frozenset[str | int | None]  # methods by which alone a rule may speak of a request


def planned(rules: Sequence[Rule]) -> Plan:
    """The plan for these rules. A pattern that any rule needs first is no late one."""
    kinds: dict[int, Kind] = defaultdict(lambda: Kind(0))
    asking: dict[int, list[int]] = defaultdict(list)
    halves: list[Atom] = []
    odd: set[str | int | None] = set()
    early: set[int] = set()
    for index, rule in enumerate(rules):
        for atom in patterns_of(rule.condition):
            kinds[atom.id] |= atom.kinds
        first = _first(rule.condition)
        for number in {atom.id for atom in first}:
            asking[number].append(index)
        methods = _odd_methods(rule.condition) if rule.scope == "row" else None
        if methods is not None:
            odd |= methods
            continue
        early |= {atom.id for atom in first}
        if rule.scope == "row":
            halves += _halves(rule.condition, first)
    early |= {atom.id for atom in halves}
    late = frozenset(kinds.keys() - early)
    hints = early - {a.id for rule in rules if not rule.hint for a in patterns_of(rule.condition)}
    in_unit, in_owner = set[int](), set[int]()
    for rule in rules:
        if any(atom.id in late for atom in patterns_of(rule.condition)):
            if rule.scope == "row" and _of_targets(rule.condition):
                in_owner |= {atom.id for atom in _first(rule.condition)} - late
            else:
                in_unit |= {atom.id for atom in _of_groups(rule.condition)} - late
    return Plan(
        kinds,
        late,
        frozenset(hints),
        asking,
        frozenset(in_unit),
        frozenset(in_owner),
        tuple(halves),
        frozenset(odd),
    )


def patterns_of(condition: Condition) -> Iterable[Atom]:
    """All patterns that stand in a condition."""
    return (each for each in atoms_of(condition) if isinstance(each, Atom))


def _first(condition: Condition) -> list[Atom]:
    """Patterns of which one matches wherever the condition holds; of several parts that must all be there,
    those of the part that is written first."""
    match condition:
        case Atom():
            return [condition]
        case All(parts):
            return _first(next(part for part in parts if positive(part)))
        case AnyOf(parts):
            return [atom for part in parts for atom in _first(part)]
    raise TypeError(condition)


def _halves(condition: Condition, first: list[Atom]) -> list[Atom]:
    """The patterns of a rule over rows without which it cannot be ruled out for a unit.

    Where all it reads are whole targets, the rest of them is found beside the first; so is the rest of a
    group that is asked of each unit by itself.
    """
    return first if _of_targets(condition) else _of_groups(condition)


def _of_targets(condition: Condition) -> bool:
    """Whether all it reads are whole targets."""
    return not any(atom.kinds & ~_OF_TARGET for atom in patterns_of(condition))


def _of_groups(condition: Condition) -> list[Atom]:
    """The first patterns of every group that is asked of each unit by itself."""
    if of_one_unit(condition):
        return _first(condition)
    match condition:
        case All(parts) | AnyOf(parts):
            return [atom for part in parts for atom in _of_groups(part)]
        case Not(part):
            return _of_groups(part)
    return []


def _odd_methods(condition: Condition) -> frozenset[str | int | None] | None:
    """The methods that the condition asks for, if no ordinary request has one of them; else None."""
    match condition:
        case Same(column, values) if column == "cs-method" and _COMMON.isdisjoint(values):
            return frozenset(values)
        case All(parts):
            return next((odd for part in parts if (odd := _odd_methods(part)) is not None), None)
        case AnyOf(parts):
            found = [odd for part in parts if (odd := _odd_methods(part)) is not None]
            return frozenset[str | int | None]().union(*found) if len(found) == len(parts) else None
    return None
