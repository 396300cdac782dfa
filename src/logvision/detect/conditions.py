"""The conditions of Sigma rules as conditions over a request's units."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.types import (
    SigmaCasedString,
    SigmaExists,
    SigmaExpansion,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaRegularExpressionFlag,
    SigmaString,
    SpecialChars,
)

from logvision.detect import foreign, pattern
from logvision.detect.rules import GIVEN, All, AnyOf, Atom, Condition, Like, Not, Pattern, Same
from logvision.detect.units import UNITS, Kind

_ANYWHERE: Final = Kind.TARGET | Kind.RAW_TARGET

FIELDS: Final = {
    "cs-uri-query": _ANYWHERE,  # in SigmaHQ's rules often the whole URI is meant
    "c-uri-query": _ANYWHERE,
    "cs-uri": _ANYWHERE,
    "c-uri": _ANYWHERE,
    "cs-uri-stem": Kind.PATH,
    "c-uri-stem": Kind.PATH,
    "cs-user-agent": Kind.AGENT | Kind.RAW_AGENT,
    "c-useragent": Kind.AGENT | Kind.RAW_AGENT,
    "cs-referer": Kind.REFERER | Kind.RAW_REFERER,
    "cs-referrer": Kind.REFERER | Kind.RAW_REFERER,
    "c-referer": Kind.REFERER | Kind.RAW_REFERER,
    "cs-useragent": Kind.AGENT | Kind.RAW_AGENT,
    "c-user-agent": Kind.AGENT | Kind.RAW_AGENT,
    "cs(user-agent)": Kind.AGENT | Kind.RAW_AGENT,
    "cs(referer)": Kind.REFERER | Kind.RAW_REFERER,
}
"""Sigma's field names and the units that they read."""

_KEYWORDS: Final = _ANYWHERE | Kind.AGENT | Kind.RAW_AGENT | Kind.REFERER | Kind.RAW_REFERER


class NeedError(Exception):
    """The rule needs something that a log line does not say."""


@dataclass
class Patterns:
    """The patterns of all rules, numbered by their places; equal expressions are one."""

    found: list[Pattern] = field(default_factory=list)
    _numbers: dict[tuple[str, bool], int] = field(default_factory=dict)

    def one(self, expression: str, *, caseless: bool, rule: str) -> int:
        """The number of an expression."""
        key = (expression, caseless)
        if key not in self._numbers:
            self._numbers[key] = len(self.found)
            self.found.append(Pattern((expression,), caseless, rule))
        return self._numbers[key]

    def any_of(self, expressions: Iterable[str], *, rule: str) -> int:
        """The number of a list's pattern."""
        self.found.append(Pattern(tuple(expressions), True, rule))
        return len(self.found) - 1


@dataclass(frozen=True)
class Conditions:
    """Reads the parsed conditions of one rule."""

    rule: str
    units: Kind  # that the rule's own field `unit` means
    patterns: Patterns

    def condition(self, node: Any) -> Condition:
        """What this node of pySigma's tree means. Raises NeedError, PatternError."""
        match node:
            case ConditionAND() | ConditionOR():
                parts = [self.condition(each) for each in node.args]
                return All(tuple(parts)) if isinstance(node, ConditionAND) else AnyOf(tuple(parts))
            case ConditionNOT():
                return Not(self.condition(node.args[0]))
            case ConditionValueExpression():
                return self._atom(_contained(node.value), _KEYWORDS)
            case ConditionFieldEqualsValueExpression():
                return self._field(node.field, node.value)
        raise NeedError(f"the condition {type(node).__name__}")

    def _field(self, name: str, value: Any) -> Condition:
        if name in ("sc-status", "cs-method"):
            if isinstance(value, SigmaNumber):
                return Same(name, (int(value.number),))
            if isinstance(value, SigmaString) and not value.contains_special():
                text = str(value)
                return Same(name, (int(text) if name == "sc-status" and text.isdigit() else text.upper(),))
            raise NeedError(f"{name} compared with {type(value).__name__}")
        if name in ("cs-host", "c-host", "cs(host)", "r-dns"):
            return self._host(value)
        name = name.lower()
        kinds = self.units if name == "unit" else UNITS.get(name.removeprefix("unit."), FIELDS.get(name))
        column = foreign.HEADERS.get(kinds or Kind(0))
        if column is not None and (isinstance(value, SigmaNull) or str(value) == ""):
            return Same(column, (None,))
        if column is not None and isinstance(value, SigmaExists):
            return Same(column, (GIVEN,) if value.exists else (None,))
        if name.endswith("-uri-extension"):
            if not isinstance(value, SigmaString):
                raise NeedError(f"{name} compared with {type(value).__name__}")
            value = SigmaString("*." + str(value))
            kinds = Kind.PATH
        if kinds is None or (name in UNITS and name != "unit"):
            raise NeedError(f"the field {name}")
        return self._atom(value, kinds, query=name.endswith("-uri-query"))

    def _host(self, value: Any) -> Condition:
        """The site that a log names, or the host of a whole address that a proxy is asked for."""
        if isinstance(value, SigmaExpansion):
            return AnyOf(tuple(self._host(each) for each in value.values))
        if not isinstance(value, SigmaString):
            raise NeedError(f"cs-host compared with {type(value).__name__}")
        body = _wildcards(value)
        return AnyOf((Like("cs-host", body, True), self._search(foreign.asked(body), True, Kind.RAW_TARGET)))

    def _atom(self, value: Any, kinds: Kind, *, query: bool = False) -> Condition:
        match value:
            case SigmaExpansion():
                return AnyOf(tuple(self._atom(each, kinds, query=query) for each in value.values))
            case SigmaRegularExpression():
                expression = pattern.bounded(str(value.regexp))
                caseless = SigmaRegularExpressionFlag.IGNORECASE in value.flags
                expression, inline = pattern.inline_caseless(expression)
                caseless |= inline
            case SigmaString() | SigmaNumber():
                expression = _wildcards(
                    value if isinstance(value, SigmaString) else SigmaString(str(value.number))
                )
                caseless = not isinstance(value, SigmaCasedString)
            case _:
                raise NeedError(f"a value of type {type(value).__name__}")
        if query and expression.startswith("^"):
            expression = (
                "(?:^|\\?)" + expression[1:]
            )  # the whole address is read, where a query has one before it
        return self._search(expression, caseless, kinds)

    def _search(self, expression: str, caseless: bool, kinds: Kind) -> Atom:
        return Atom(self.patterns.one(expression, caseless=caseless, rule=self.rule), kinds)


def _wildcards(value: SigmaString) -> str:
    parts = list(value.s)
    start = parts and parts[0] == SpecialChars.WILDCARD_MULTI
    end = parts and parts[-1] == SpecialChars.WILDCARD_MULTI
    body = "".join(
        pattern.literal(part)
        if isinstance(part, str)
        else ".*"
        if part == SpecialChars.WILDCARD_MULTI
        else "."
        for part in (parts[1 if start else 0 : -1 if end else None])
    )
    return ("" if start else "^") + body + ("" if end else "$")


def _contained(value: Any) -> Any:
    """A keyword matches anywhere in the text."""
    if not isinstance(value, SigmaString):
        return value
    text = SigmaString("")
    text.s = [SpecialChars.WILDCARD_MULTI, *value.s, SpecialChars.WILDCARD_MULTI]
    return text
