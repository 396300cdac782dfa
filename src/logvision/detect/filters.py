"""Filters over EVENT columns as data: Sigma's selections and conditions, evaluated once per distinct value.

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
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from logvision import columns
from logvision.errors import Problem
from logvision.schema import EVENT, TEXT
from logvision.windows.counting import present

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Some = Ints | None  # numbers of some rows; None: all
_OF_TEXT: Final = ("contains", "startswith", "endswith", "re")
_OF_NUMBER: Final = ("gt", "gte", "lt", "lte")
_WORD: Final = re.compile(r"\s*(\(|\)|[A-Za-z_][\w*]*|1)")

CLAIM: Final = "claim"
"""A column beside those of EVENT: verified, fake or unknown, where `bot` names a crawler."""

COARSE: Final = ("status", "method", "kind", "bot", CLAIM)
"""Columns of which few combinations occur: filters that read no others are asked of those alone."""

FEW: Final = 512
"""Of a column with no more values than this, all are asked at once."""

TEXT_FIELDS: Final = frozenset({CLAIM, *(field.name for field in EVENT if field.type == TEXT)})
NUMBER_FIELDS: Final = frozenset({"status", "bytes", "duration_us", "asn", "score"})


@dataclass(frozen=True, slots=True)
class Test:
    """A column compared with values: true where any of them fits."""

    field: str
    how: str  # "is" or a modifier
    values: tuple[Any, ...]

    @property
    def coarse(self) -> bool:
        """Whether only columns of COARSE are read."""
        return self.field in COARSE


@dataclass(frozen=True, slots=True)
class _Parts:
    parts: tuple[Filter, ...]  # in the order in which they are asked
    coarse: bool

    @classmethod
    def of(cls, parts: Iterable[Filter]) -> Self:
        """Of parts in any order: the cheap ones are asked first, those of COARSE as one."""
        cheap = sorted(parts, key=_cost)
        coarse = tuple(part for part in cheap if part.coarse)
        if len(coarse) == len(cheap):
            return cls(coarse, True)
        first = (cls(coarse, True),) if len(coarse) > 1 else coarse
        return cls((*first, *(part for part in cheap if not part.coarse)), False)


class All(_Parts):
    """Fits where all parts do."""


class AnyOf(_Parts):
    """Fits where any part does."""


@dataclass(frozen=True, slots=True)
class Not:
    part: Filter

    @property
    def coarse(self) -> bool:
        return self.part.coarse


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


class Rows:
    """Events that filters are asked of; answers about a column's values are shared between filters."""

    def __init__(self, events: pa.Table, *, whole: bool = True) -> None:
        """`whole`: filters of COARSE are asked of the combinations that occur; otherwise of every row."""
        self._events = events
        self._columns: dict[str, tuple[pa.StringArray, columns.Codes]] = {}
        self._numbers: dict[Test, Mask] = {}
        self._floats: dict[str, npt.NDArray[np.float64]] = {}  # infinity: null
        self._answers: dict[Test, npt.NDArray[np.int8]] = {}  # per value: 1 fits, 0 does not, -1 not asked
        self._masks: dict[Test, Mask] = {}  # per row, of columns with few values
        self._combined = _combined(events) if whole else None

    def fit(self, condition: Filter) -> Mask:
        """Which rows fit."""
        return self._fit(condition, None)

    def _fit(self, condition: Filter, rows: Some) -> Mask:
        """Which of these rows fit; cheap parts first, dear ones only of what is left."""
        if condition.coarse and self._combined is not None:
            combinations, which = self._combined
            mask = combinations.fit(condition)
            return mask[which if rows is None else which[rows]]
        match condition:
            case Test():
                number = condition.field in NUMBER_FIELDS
                return self._number(condition, rows) if number else self._text(condition, rows)
            case Not(part):
                return ~self._fit(part, rows)
            case All(parts=parts):
                found = self._fit(parts[0], rows)
                for part in parts[1:]:
                    left = np.flatnonzero(found)
                    if not left.size:
                        break
                    found[left] = self._fit(part, left if rows is None else rows[left])
                return found
            case AnyOf(parts=parts):
                found = self._fit(parts[0], rows)
                for part in parts[1:]:
                    left = np.flatnonzero(~found)
                    if not left.size:
                        break
                    found[left] = self._fit(part, left if rows is None else rows[left])
                return found

    def _text(self, test: Test, rows: Some) -> Mask:
        if test in self._masks:
            return _some(self._masks[test], rows)
        if test.field not in self._columns:
            self._columns[test.field] = columns.distinct(self._events, test.field)
        values, codes = self._columns[test.field]
        answers = self._answers.get(test)
        if answers is None:
            answers = np.full(len(values) + 1, -1, np.int8)
            answers[-1] = None in test.values  # code -1: null
            self._answers[test] = answers
        if len(values) > FEW:
            codes = codes if rows is None else codes[rows]
            wanted = np.zeros(len(values) + 1, np.bool_)
            wanted[codes] = True
            asked = np.flatnonzero(wanted & (answers < 0))
        else:
            asked = np.flatnonzero(answers < 0)
        if asked.size:
            answers[asked] = _fits(values.take(pa.array(asked)), test)
        if len(values) > FEW:
            return np.asarray((answers == 1)[codes])
        self._masks[test] = (answers == 1)[codes]
        return _some(self._masks[test], rows)

    def _number(self, test: Test, rows: Some) -> Mask:
        if test not in self._numbers:
            if test.field not in self._floats:
                column = pc.cast(self._events[test.field], pa.float64()).fill_null(np.inf)
                self._floats[test.field] = column.to_numpy()
            self._numbers[test] = _number(test, self._floats[test.field])
        return _some(self._numbers[test], rows)


def _combined(events: pa.Table) -> tuple[Rows, Ints]:
    """The combinations of COARSE that occur, and which one each row has."""
    which: Ints = np.zeros(events.num_rows, np.int64)
    count = 1
    for name in set(COARSE).intersection(events.column_names):
        if name == "status":
            codes = pc.fill_null(events[name], -1).to_numpy().astype(np.int64)
            low = int(codes.min())
            codes, width = codes - low, int(codes.max()) - low + 1
        else:
            values, of_row = columns.distinct(events, name)
            codes, width = of_row + 1, len(values) + 1
        found, which = present(which * width + codes, count * width)
        count = found.size
    row = np.empty(count, np.int64)
    row[which] = np.arange(events.num_rows)
    some = events.select([name for name in COARSE if name in events.column_names]).take(pa.array(row))
    return Rows(some, whole=False), which


def _some(mask: Mask, rows: Some) -> Mask:
    """Of these rows, always an array of its own."""
    return mask.copy() if rows is None else mask[rows]


def _cost(condition: Filter) -> int:
    match condition:
        case Test(field, how, _):
            return (
                0
                if field in NUMBER_FIELDS
                else 1
                if field in ("method", "kind", "bot")
                else 2 + (how == "re")
            )
        case Not(part):
            return _cost(part)
        case All(parts=parts) | AnyOf(parts=parts):
            return max(map(_cost, parts))


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
        return AnyOf.of(p for p in parts if p is not None)
    if not isinstance(given, Mapping) or not given:
        problems.append(Problem(where, repr(given), "a map of fields to values, or a list of such maps"))
        return None
    tests = [_field(str(key), value, f"{where}.{key}", problems) for key, value in given.items()]
    return All.of(t for t in tests if t is not None)


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


def _fits(values: pa.StringArray, test: Test) -> npt.NDArray[np.bool_]:
    wanted = [v for v in test.values if v is not None]
    if not wanted:
        return np.zeros(len(values), np.bool_)
    if test.how == "re":
        found = pc.match_substring_regex(values, "|".join(f"(?:{w})" for w in wanted), ignore_case=True)
    else:
        lower, wanted = pc.utf8_lower(values), [w.lower() for w in wanted]
        if test.how == "is":
            found = pc.is_in(lower, pa.array(wanted, pa.string()))
        else:
            compare = {"contains": pc.match_substring, "startswith": pc.starts_with, "endswith": pc.ends_with}
            found = compare[test.how](lower, wanted[0])
            for each in wanted[1:]:
                found = pc.or_(found, compare[test.how](lower, each))
    return np.asarray(found.to_numpy(zero_copy_only=False))


def _number(test: Test, given: npt.NDArray[np.float64]) -> Mask:
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
        return parts[0] if len(parts) == 1 else AnyOf.of(parts)

    def _and(self) -> Filter:
        parts = [self._not()]
        while self._next("and"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else All.of(parts)

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
            return All.of(parts) if every else AnyOf.of(parts)
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
