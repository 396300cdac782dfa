"""Rules as data: conditions over atoms; an atom is one pattern over some kinds of units.

How a rule is written stands in docs/rules.md, how it is read in reading.py. Nothing in a rule is ever run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from logvision.detect.fusion import HINT
from logvision.detect.units import Kind
from logvision.errors import Problem, SetupError
from logvision.schema import Attack, Severity

GIVEN: Final = "given"
"""What `Same` compares an agent or referer with that a request has, whatever it says; null: it has none."""


class RuleError(SetupError):
    """Rule files with mistakes; carries all of them."""


@dataclass(frozen=True, slots=True)
class Atom:
    """One pattern over some kinds of units; `id` is its place in `RuleSet.patterns`."""

    id: int
    kinds: Kind


@dataclass(frozen=True, slots=True)
class Same:
    """A column of the row itself equals one of these: method, status, or whether there is an agent."""

    column: str
    values: tuple[str | int | None, ...]


@dataclass(frozen=True, slots=True)
class Like:
    """A column of the row itself matches an expression (the site)."""

    column: str
    expression: str
    caseless: bool


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Condition


Condition = Atom | Same | Like | All | AnyOf | Not


@dataclass(frozen=True, slots=True)
class Pattern:
    """What is found where any of some expressions matches: the one that a rule gives, or those of a list."""

    expressions: tuple[str, ...]
    caseless: bool
    rule: str


@dataclass(frozen=True, slots=True)
class Tests:
    """Targets (or `agent:`/`referer:` texts) that the rule must match, and must pass."""

    match: tuple[str, ...] = ()
    passes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, checked. `scope` is what the condition is evaluated over: `unit` or `row`."""

    id: str
    title: str
    attack: Attack
    severity: Severity
    confidence: float
    condition: Condition
    scope: str
    tags: tuple[str, ...]
    tests: Tests
    path: Path

    @property
    def hint(self) -> bool:
        """Too weak to be evidence: it only chooses what verification reads."""
        return self.confidence < HINT


@dataclass(frozen=True, slots=True)
class Unusable:
    """A valid rule that needs what no access log says."""

    id: str
    path: Path
    needs: str


@dataclass(frozen=True)
class RuleSet:
    """All rules and the patterns they are made of; immutable."""

    rules: tuple[Rule, ...]
    patterns: tuple[Pattern, ...]
    unusable: tuple[Unusable, ...]
    version: str  # digest of every file read
    lists: tuple[Path, ...] = ()  # the list files among them

    @staticmethod
    def load(paths: Sequence[Path], *, trying: bool = True) -> RuleSet:
        """Read rule files and folders (recursively, `*.yml`).

        Raises RuleError with every mistake of every file. `trying` False: a pattern that cannot be run is
        left for whoever compiles them to find, which saves three quarters of the time.
        """
        # Sigma's own parser is only loaded where rules are read anew.
        from logvision.detect.reading import read  # noqa: PLC0415

        return read(paths, trying=trying)

    @property
    def by_id(self) -> dict[str, Rule]:
        return {rule.id: rule for rule in self.rules}


def positive(condition: Condition) -> bool:
    """Whether the condition cannot be true where no pattern matches."""
    match condition:
        case Atom():
            return True
        case All(parts):
            return any(positive(part) for part in parts)
        case AnyOf(parts):
            return all(positive(part) for part in parts)
    return False


def atoms_of(condition: Condition) -> Iterable[Atom | Same | Like]:
    match condition:
        case Atom() | Same() | Like():
            yield condition
        case All(parts) | AnyOf(parts):
            for part in parts:
                yield from atoms_of(part)
        case Not(part):
            yield from atoms_of(part)


_LOGGED: Final = Kind.RAW_TARGET | Kind.RAW_AGENT | Kind.RAW_REFERER
_DECODED: Final = Kind.TARGET | Kind.AGENT | Kind.REFERER


def of_one_unit(condition: Condition) -> bool:
    """Whether the condition is asked of each unit by itself: all its patterns read the same units.

    Not those that read a text both as logged and decoded, where one of several patterns may be found only in
    the one and another only in the other. Groups within a rule over rows are asked so as well, so what
    excuses a page in such a group is the page itself, never the referer of the request for it.
    """
    if isinstance(condition, Atom):
        return True
    kinds = {each.kinds if isinstance(each, Atom) else None for each in atoms_of(condition)}
    if len(kinds) > 1 or not positive(condition):
        return False
    (kind,) = kinds
    return kind is not None and not (kind & _LOGGED and kind & _DECODED)


def rule_files(paths: Sequence[Path], problems: list[Problem]) -> Iterable[Path]:
    """All `*.yml` of these files and folders, without `data` folders; a path to nothing is a problem."""
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*.yml") if "data" not in p.relative_to(path).parts)
        elif path.is_file():
            yield path
        else:
            problems.append(Problem(str(path), "nothing there", "a rule file or a folder of them"))
