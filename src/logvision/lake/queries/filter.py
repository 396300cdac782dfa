"""The filter language: `status:404 path:/admin* -bot:search* attack:sqli "plain words"`.

`field:value` is equality, `*` at either end of a value a wildcard, `-` before a term negates it,
quotes keep blanks together (`\\"` and `\\\\` inside). `status:4xx` is a class, `>`, `>=`, `<`, `<=` compare
numbers, `field:*` is "the log says something" and `field:-` "the log says nothing". A bare word is a
substring of the target. Several values of one field mean any of them; all else must hold together.

Text of the filter never becomes SQL text: it is always a parameter.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from logvision.errors import LogVisionError

TEXT_LIMIT: Final = 2_000  # characters of a whole filter
TERM_LIMIT: Final = 50

TEXT_FIELDS: Final = {
    "path": "path",
    "target": "target",
    "query": "query",
    "route": "route",
    "client": "client_ip",
    "client_ip": "client_ip",
    "ip": "client_ip",
    "peer": "peer_ip",
    "user": "user",
    "method": "method",
    "protocol": "protocol",
    "site": "site",
    "source": "source",
    "country": "country",
    "network": "network",
    "agent": "agent",
    "os": "os",
    "device": "device",
    "bot": "bot",
    "kind": "kind",
    "referer": "referer",
    "user_agent": "user_agent",
    "ua": "user_agent",
    "attack": "attack",
    "rule": "rules",
    "rules": "rules",
    "outcome": "outcome",
}
"""What may stand before the colon, and the column of EVENT that it means."""

NUMBER_FIELDS: Final = {
    "status": "status",
    "bytes": "bytes",
    "duration": "duration_us",
    "score": "score",
    "asn": "asn",
}

_UPPER: Final = frozenset({"method", "country"})
_LOWER: Final = frozenset({"attack", "outcome", "kind", "device"})


class FilterError(LogVisionError):
    """A filter that cannot be read. The message is one sentence for the person who typed it."""


class Test(Enum):
    """How a term looks at its column."""

    __test__ = False  # not a test class for pytest

    EQUAL = "="
    STARTS = "starts"
    ENDS = "ends"
    CONTAINS = "contains"
    PRESENT = "present"
    ABSENT = "absent"
    ABOVE = ">"
    AT_LEAST = ">="
    BELOW = "<"
    AT_MOST = "<="
    CLASS = "class"  # of a status: 4 for 4xx


@dataclass(frozen=True, slots=True)
class Term:
    """One condition on one column of EVENT."""

    column: str
    test: Test
    value: str | float | None = None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """Terms that hold together; those of one column that are not negated hold alternatively."""

    terms: tuple[Term, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.terms)


NO_FILTER: Final = Filter()


@dataclass(frozen=True, slots=True)
class Clause:
    """A condition in SQL and its parameters, in order."""

    sql: str
    parameters: tuple[Any, ...] = ()


def parse_filter(text: str) -> Filter:
    """The filter of a text; empty text is no filter. Raises FilterError, and nothing else."""
    if len(text) > TEXT_LIMIT:
        raise FilterError(f"the filter is longer than {TEXT_LIMIT} characters")
    if "\0" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise FilterError("the filter holds a character that no log line can hold")
    terms = tuple(_term(*token) for token in _tokens(text))
    if len(terms) > TERM_LIMIT:
        raise FilterError(f"the filter has more than {TERM_LIMIT} terms")
    return Filter(terms)


def clause(filter_: Filter) -> Clause:
    """The filter as a condition over the columns of EVENT; "true" where there is none."""
    groups: dict[tuple[str, int], list[Term]] = {}
    for number, term in enumerate(filter_.terms):
        # Substrings of the target must all be there; so must both ends of a number range.
        alone = term.negated or (term.column == "target" and term.test is Test.CONTAINS) or _is_bound(term)
        groups.setdefault((term.column, number if alone else -1), []).append(term)
    sql: list[str] = []
    parameters: list[Any] = []
    for terms in groups.values():
        made = [_condition(term) for term in terms]
        either = " or ".join(c.sql for c in made)
        sql.append(f"({either}) is not true" if terms[0].negated else f"({either})")
        parameters.extend(p for c in made for p in c.parameters)
    return Clause(" and ".join(sql) or "true", tuple(parameters))


def _is_bound(term: Term) -> bool:
    return term.test in {Test.ABOVE, Test.AT_LEAST, Test.BELOW, Test.AT_MOST}


def _condition(term: Term) -> Clause:  # noqa: PLR0911 - a table of tests
    column = f'"{term.column}"'  # from the tables above, never from the filter's text
    match term.test:
        case Test.PRESENT:
            return Clause(f"{column} is not null")
        case Test.ABSENT:
            return Clause(f"{column} is null")
        case Test.CLASS:
            return Clause(f"{column} // 100 = ?", (term.value,))
        case Test.ABOVE | Test.AT_LEAST | Test.BELOW | Test.AT_MOST:
            return Clause(f"{column} {term.test.value} ?", (term.value,))
    if term.column == "rules":
        return _rule(term)
    if term.column == "target" and term.test is Test.CONTAINS and "?" not in str(term.value):
        # Without a "?" it lies in the path or in the query, and no target need be put together.
        return Clause('(contains("path", ?) or contains("query", ?))', (term.value, term.value))
    match term.test:
        case Test.EQUAL:
            return Clause(f"{column} = ?", (term.value,))
        case Test.STARTS:
            return Clause(f"starts_with({column}, ?)", (term.value,))
        case Test.ENDS:
            return Clause(f"ends_with({column}, ?)", (term.value,))
        case _:
            return Clause(f"contains({column}, ?)", (term.value,))


def _rule(term: Term) -> Clause:
    """A rule id among several that are joined by one space."""
    before = "" if term.test in {Test.ENDS, Test.CONTAINS} else " "
    after = "" if term.test in {Test.STARTS, Test.CONTAINS} else " "
    return Clause("contains(' ' || \"rules\" || ' ', ?)", (f"{before}{term.value}{after}",))


def _term(negated: bool, field: str | None, value: str, quoted: bool) -> Term:  # noqa: PLR0911
    if field is None:
        return Term("target", Test.CONTAINS, value, negated)
    name = field.lower()
    if name in NUMBER_FIELDS:
        return _number(negated, name, NUMBER_FIELDS[name], value)
    if name not in TEXT_FIELDS:
        known = ", ".join(sorted({*TEXT_FIELDS, *NUMBER_FIELDS}))
        raise FilterError(f"unknown field {field[:40]!r}; put it in quotes to search for it, or use {known}")
    column = TEXT_FIELDS[name]
    if quoted:
        return Term(column, Test.EQUAL, value, negated)
    if value in {"*", "**"}:
        return Term(column, Test.PRESENT, None, negated)
    if value == "-":
        return Term(column, Test.ABSENT, None, negated)
    if column in {"client_ip", "peer_ip"} and "/" in value:
        return Term(column, Test.STARTS, _network(value), negated)
    test = {
        (False, False): Test.EQUAL,
        (False, True): Test.STARTS,
        (True, False): Test.ENDS,
        (True, True): Test.CONTAINS,
    }[value.startswith("*"), value.endswith("*")]
    core = value.removeprefix("*").removesuffix("*")
    if column in _UPPER:
        core = core.upper()
    elif column in _LOWER:
        core = core.lower()
    return Term(column, test, core, negated)


def _number(negated: bool, field: str, column: str, value: str) -> Term:
    if value == "*":
        return Term(column, Test.PRESENT, None, negated)
    if value == "-":
        return Term(column, Test.ABSENT, None, negated)
    if column == "status" and len(value) == 3 and value[0] in "12345" and value[1:].lower() in {"xx", "**"}:
        return Term(column, Test.CLASS, int(value[0]), negated)
    if column == "status" and len(value) == 2 and value[0] in "12345" and value[1] == "*":
        return Term(column, Test.CLASS, int(value[0]), negated)
    for test in (Test.AT_LEAST, Test.AT_MOST, Test.ABOVE, Test.BELOW, Test.EQUAL):
        sign = "" if test is Test.EQUAL else test.value
        if value.startswith(sign):
            digits = value.removeprefix(sign)
            break
    if not digits.isascii() or len(digits) > 15 or not digits.replace(".", "", 1).isdigit():
        raise FilterError(
            f"{field} needs a number such as 404, >=500 or (for a status) 4xx, not {value[:40]!r}"
        )
    return Term(column, test, float(digits) if column == "score" else int(float(digits)), negated)


def _network(value: str) -> str:
    """The leading text that all addresses of a network share."""
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise FilterError(f"{value[:60]!r} is not a network such as 203.0.113.0/24") from None
    if network.version != 4 or network.prefixlen not in {8, 16, 24}:
        raise FilterError(
            "a network must be an IPv4 one of /8, /16 or /24; for others use a wildcard at the end"
        )
    octets = str(network.network_address).split(".")
    return ".".join(octets[: network.prefixlen // 8]) + "."


def _tokens(text: str) -> Iterator[tuple[bool, str | None, str, bool]]:
    """(negated, field, value, value was quoted) of each term."""
    at, end = 0, len(text)
    while at < end:
        if text[at].isspace():
            at += 1
            continue
        negated = text[at] == "-" and at + 1 < end and not text[at + 1].isspace()
        at += negated
        word, at, quoted = _word(text, at, stop_at_colon=True)
        field: str | None = None
        if not quoted and at < end and text[at] == ":":
            field = word
            word, at, quoted = _word(text, at + 1, stop_at_colon=False)
            if not word and not quoted:
                raise FilterError(f"nothing stands after {field[:40]!r} and its colon")
        elif not word:
            continue
        yield negated, field, word, quoted


def _word(text: str, at: int, *, stop_at_colon: bool) -> tuple[str, int, bool]:
    """A word or a quoted text from `at` on: what it says, where it ends, whether it was quoted."""
    if at < len(text) and text[at] == '"':
        said, at = [], at + 1
        while at < len(text) and text[at] != '"':
            at += text[at] == "\\" and at + 1 < len(text)
            said.append(text[at])
            at += 1
        if at >= len(text):
            raise FilterError("a quotation mark is not closed")
        return "".join(said), at + 1, True
    start = at
    while at < len(text) and not text[at].isspace() and not (stop_at_colon and text[at] == ":"):
        at += 1
    return text[start:at], at, False
