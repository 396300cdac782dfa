"""Filters over EVENT columns as data: Sigma's selections and conditions. `shapes` asks events for them.

    detection:
      failed: {method: POST, status: [401, 403]}
      form: {path|endswith: [/login, /signin]}
      condition: failed and not form

Fields are columns of EVENT. Modifiers: contains, startswith, endswith, re (RE2, linear time), gt, gte,
lt, lte. A list means any of its values, null means "the log does not say". Text is compared without
regard to case, as Sigma does. Nothing of a filter is ever run as code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from logvision.errors import Problem
from logvision.schema import EVENT, TEXT

Mask = npt.NDArray[np.bool_]
_OF_TEXT: Final = ("contains", "startswith", "endswith", "re")
_SEARCHED: Final = ("contains", "re")
_OF_NUMBER: Final = ("gt", "gte", "lt", "lte")
_WORD: Final = re.compile(r"\s*(\(|\)|[A-Za-z_][\w*]*|1)")

CLAIM: Final = "claim"
"""A column beside those of EVENT: verified, fake or unknown, where `bot` names a crawler."""

TEXT_FIELDS: Final = frozenset({CLAIM, *(field.name for field in EVENT if field.type == TEXT)})
NUMBER_FIELDS: Final = frozenset({"status", "bytes", "duration_us", "asn", "score"})


@dataclass(frozen=True, slots=True)
class Test:
    """A column compared with values: true where any of them fits."""

    field: str
    how: str  # "is" or a modifier
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class All:
    """Fits where all parts do."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Fits where any part does."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Fits where its part does not."""

    part: Filter


Filter = Test | All | AnyOf | Not


def read(detection: object, where: str, problems: list[Problem]) -> dict[str, Filter]:
    """The selections of a `detection` block by name, and its condition under "condition".

    Mistakes are added to `problems`; what has mistakes is left out.
    """
    if not isinstance(detection, Mapping) or "condition" not in detection:
        problems.append(Problem(where, "no condition", "selections and a condition over their names"))
        return {}
    selections: dict[str, Filter] = {}
    for name, given in detection.items():
        if name != "condition":
            found = _selection(given, f"{where}.{name}", problems)
            if found is not None:
                selections[str(name)] = found
    condition = _Condition(str(detection["condition"]), selections, f"{where}.condition", problems).read()
    return selections | ({"condition": condition} if condition is not None else {})


def reads(condition: Filter, field: str) -> bool:
    """Whether a filter looks at this column."""
    match condition:
        case Test():
            return condition.field == field
        case Not(part):
            return reads(part, field)
        case All(parts=parts) | AnyOf(parts=parts):
            return any(reads(part, field) for part in parts)


def _selection(given: object, where: str, problems: list[Problem]) -> Filter | None:
    """A map (all fields must fit) or a list of maps (any of them)."""
    if isinstance(given, list) and given:
        parts = [_selection(one, f"{where}[{i}]", problems) for i, one in enumerate(given)]
        return AnyOf(tuple(p for p in parts if p is not None))
    if not isinstance(given, Mapping) or not given:
        problems.append(Problem(where, repr(given), "a map of fields to values, or a list of such maps"))
        return None
    tests = [_field(str(key), value, f"{where}.{key}", problems) for key, value in given.items()]
    return All(tuple(t for t in tests if t is not None))


def _field(key: str, given: object, where: str, problems: list[Problem]) -> Test | None:
    field, _, how = key.partition("|")
    values = tuple(given) if isinstance(given, list) else (given,)
    if field not in TEXT_FIELDS | NUMBER_FIELDS:
        problems.append(Problem(where, field, f"a column: {', '.join(sorted(TEXT_FIELDS | NUMBER_FIELDS))}"))
        return None
    allowed = ("", *(_OF_TEXT if field in TEXT_FIELDS else _OF_NUMBER))
    if how not in allowed:
        problems.append(Problem(where, how, f"a modifier of {field}: {', '.join(allowed[1:])}"))
        return None
    kind = str if field in TEXT_FIELDS else int | float
    for value in values:
        if not (isinstance(value, kind) and not isinstance(value, bool)) and not (value is None and not how):
            expected = "text (quote it)" if field in TEXT_FIELDS else "a number"
            problems.append(Problem(where, repr(value), expected))
            return None
    if how == "re":
        try:
            pc.match_substring_regex(pa.array([""]), "|".join(f"(?:{v})" for v in values))
        except pa.ArrowInvalid as error:
            problems.append(Problem(where, str(error), "an RE2 expression"))
            return None
    return Test(field, how or "is", values)


def expression(test: Test) -> str | None:
    """What is searched for in a text, without regard to case (RE2); None: it is compared otherwise."""
    wanted = [v if test.how == "re" else re.escape(v) for v in test.values if v is not None]
    return "|".join(f"(?:{w})" for w in wanted) if test.how in _SEARCHED else None


def fits(values: pa.StringArray, test: Test) -> Mask:
    """Which texts (no null) fit a test of text."""
    wanted = [v.lower() for v in test.values if v is not None]
    searched = expression(test)
    if not wanted:
        return np.zeros(len(values), np.bool_)
    if searched is not None:
        found = pc.match_substring_regex(values, searched, ignore_case=True)
    elif test.how == "is":
        found = pc.is_in(pc.utf8_lower(values), pa.array(wanted, pa.string()))
    else:
        compare = pc.starts_with if test.how == "startswith" else pc.ends_with
        lower = pc.utf8_lower(values)
        found = compare(lower, wanted[0])
        for each in wanted[1:]:
            found = pc.or_(found, compare(lower, each))
    return np.asarray(found.to_numpy(zero_copy_only=False))


def holds(given: npt.NDArray[np.float64], test: Test) -> Mask:
    """Which numbers (infinity: null) fit a test of numbers."""
    compare = {"is": np.equal, "gt": np.greater, "gte": np.greater_equal, "lt": np.less, "lte": np.less_equal}
    mask = np.zeros(given.size, np.bool_)
    known = np.isfinite(given)
    for value in test.values:
        mask |= ~known if value is None else compare[test.how](given, value) & known
    return mask


class _Condition:
    """Reads `a and not (b or c)`, `1 of them`, `all of them`, `1 of a*`; `or` binds weakest."""

    def __init__(
        self, text: str, selections: Mapping[str, Filter], where: str, problems: list[Problem]
    ) -> None:
        self._text, self._selections, self._where, self._problems = text, selections, where, problems
        self._words = _WORD.findall(text)
        self._at = 0

    def read(self) -> Filter | None:
        try:
            if "".join(self._words) != "".join(self._text.split()):
                raise ValueError(self._text)
            found = self._or()
            if self._at != len(self._words):
                raise ValueError(self._words[self._at])
        except (ValueError, IndexError) as error:
            expected = f"names of selections joined by and, or, not: {', '.join(self._selections)}"
            self._problems.append(Problem(self._where, str(error) or self._text, expected))
            return None
        return found

    def _next(self, *words: str) -> bool:
        if self._at < len(self._words) and self._words[self._at] in words:
            self._at += 1
            return True
        return False

    def _or(self) -> Filter:
        parts = [self._and()]
        while self._next("or"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _and(self) -> Filter:
        parts = [self._not()]
        while self._next("and"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _not(self) -> Filter:
        if self._next("not"):
            return Not(self._not())
        if self._next("("):
            inner = self._or()
            if not self._next(")"):
                raise ValueError("a bracket that is not closed")
            return inner
        every = self._words[self._at] == "all"
        if self._next("all", "1"):
            if not self._next("of"):
                raise ValueError(self._words[self._at])
            parts = self._matching(self._word())
            return All(parts) if every else AnyOf(parts)
        return self._matching(self._word())[0]

    def _word(self) -> str:
        self._at += 1
        return str(self._words[self._at - 1])

    def _matching(self, name: str) -> tuple[Filter, ...]:
        stem = "" if name == "them" else name.removesuffix("*")
        many = name == "them" or name.endswith("*")
        found = [f for n, f in self._selections.items() if (n.startswith(stem) if many else n == name)]
        if not found:
            raise ValueError(name)
        return tuple(found)
