"""Rule files: Sigma YAML, one rule a file, with LogVision's additions under `logvision:`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml
from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.exceptions import SigmaError
from sigma.rule import SigmaRule
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
from logvision.detect.rules import (
    GIVEN,
    All,
    AnyOf,
    Atom,
    Condition,
    Like,
    Not,
    Pattern,
    Rule,
    RuleError,
    RuleSet,
    Same,
    Tests,
    Unusable,
    atoms_of,
    positive,
    rule_files,
)
from logvision.detect.source_lines import Lines
from logvision.detect.units import UNITS, Kind
from logvision.errors import Problem
from logvision.schema import Attack, Severity

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

DEFAULT_UNITS: Final = Kind.PATH | Kind.NAME | Kind.VALUE | Kind.AGENT | Kind.REFERER

_OWN_KEYS: Final = {"attack", "confidence", "units", "view", "tests", "list"}

_LEVELS: Final = {
    "informational": Severity.INFO,
    "low": Severity.LOW,
    "medium": Severity.MEDIUM,
    "high": Severity.HIGH,
    "critical": Severity.CRITICAL,
}

_LEVEL_CONFIDENCE: Final = {
    Severity.INFO: 0.05, Severity.LOW: 0.1, Severity.MEDIUM: 0.3, Severity.HIGH: 0.6, Severity.CRITICAL: 0.8
}  # fmt: skip
"""Confidence of a rule that states none (SigmaHQ's)."""


def read(paths: Sequence[Path]) -> RuleSet:
    """Read rule files and folders; raises RuleError with every mistake of every file."""
    return _Reader().read(paths)


@dataclass
class _Reader:
    problems: list[Problem] = field(default_factory=list)
    patterns: list[Pattern] = field(default_factory=list)
    unusable: list[Unusable] = field(default_factory=list)
    atoms: dict[tuple[str, bool], int] = field(default_factory=dict)
    lists: int = 0
    list_files: list[Path] = field(default_factory=list)

    def read(self, paths: Sequence[Path]) -> RuleSet:
        digest = hashlib.sha256()
        rules: dict[str, Rule] = {}
        for path in rule_files(paths, self.problems):
            try:
                text = path.read_bytes()
            except OSError as error:
                self._problem(path, 1, (error.strerror or str(error)).lower(), "a rule file that can be read")
                continue
            digest.update(path.stem.encode() + b"\0" + text)
            rule = self._rule(path, text, digest)
            if rule is None:
                continue
            if rule.id in rules:
                self._problem(
                    path, 1, f"a second rule named {rule.id}", f"one; the other is {rules[rule.id].path}"
                )
            rules[rule.id] = rule
        if self.problems:
            raise RuleError(self.problems)
        return RuleSet(
            tuple(rules.values()),
            tuple(self.patterns),
            tuple(self.unusable),
            digest.hexdigest()[:16],
            tuple(dict.fromkeys(self.list_files)),
        )

    def _problem(self, path: Path, line: int, got: str, expected: str) -> None:
        self.problems.append(Problem(f"{path}:{line}", got, expected))

    def _content(self, path: Path, text: bytes) -> dict[str, Any] | None:
        """The rule of a file that is one and that an access log can answer; what is not is told."""
        try:
            documents = list(yaml.safe_load_all(text))
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            self._problem(path, mark.line + 1 if mark else 1, str(getattr(error, "problem", error)), "YAML")
            return None
        content = foreign.rule_of(documents)
        if not isinstance(content, dict):
            self._problem(path, 1, type(content).__name__, "one rule as a YAML mapping")
            return None
        for number, other in enumerate(documents, 1):
            if other is not content and isinstance(other, dict):
                why = foreign.need(other) or "a file of its own"
                self.unusable.append(Unusable(f"{path.stem}#{number}", path, why))
        need = foreign.need(content)
        if need is not None:
            self.unusable.append(Unusable(path.stem, path, need))
        return content if need is None else None

    def _rule(self, path: Path, text: bytes, digest: Any) -> Rule | None:
        content = self._content(path, text)
        if content is None:
            return None
        lines = Lines(text)
        before = len(self.problems)
        own = content.get("logvision", {})
        own = self._own(path, lines, own, content)
        listed = self._list(path, lines, own, digest) if own.list is not None else None
        condition = listed
        if own.list is None or "detection" in content:
            sigma = SigmaRule.from_dict(
                {key: value for key, value in content.items() if key != "logvision"}, collect_errors=True
            )
            for mistake in sigma.errors:
                self._problem(path, lines.named_in(str(mistake)), str(mistake), "a valid Sigma rule")
            if len(self.problems) > before:
                return None
            condition = self._conditions(path, lines, sigma, own)
            if listed is not None and condition is not None:
                condition = All((listed, condition))
        if len(self.problems) > before or condition is None:
            return None
        if not positive(condition) and foreign.beside(condition):
            self.unusable.append(Unusable(path.stem, path, "something of a request's text to look for"))
            return None
        if not positive(condition):
            where = lines.of("detection", "condition")
            self._problem(
                path, where, "a condition of absences alone", "at least one thing that must be present"
            )
            return None
        return Rule(
            id=path.stem,
            title=str(content.get("title", path.stem)),
            attack=own.attack,
            severity=own.severity,
            confidence=own.confidence,
            condition=condition,
            scope=_scope(condition),
            tags=tuple(str(tag) for tag in content.get("tags") or ()),
            tests=own.tests,
            path=path,
        )

    def _own(self, path: Path, lines: Lines, own: Any, content: dict[str, Any]) -> _Own:
        def wrong(key: str, got: object, expected: str) -> None:
            self._problem(path, lines.of("logvision", key), f"{key}: {got!r}", expected)

        if not isinstance(own, dict):
            self._problem(path, lines.of("logvision"), type(own).__name__, "a mapping")
            own = {}
        for key in own.keys() - _OWN_KEYS:
            wrong(str(key), own[key], f"one of {', '.join(sorted(_OWN_KEYS))}")
        level = content.get("level", "medium")
        if level not in _LEVELS:
            self._problem(path, lines.of("level"), f"level: {level!r}", f"one of {', '.join(_LEVELS)}")
        severity = _LEVELS.get(level, Severity.MEDIUM)
        attack = own.get("attack", foreign.guess(content))
        if attack not in set(Attack):
            wrong("attack", attack, f"one of {', '.join(Attack)}")
            attack = Attack.PROBE
        confidence = own.get("confidence", _LEVEL_CONFIDENCE[severity])
        if (
            not isinstance(confidence, int | float)
            or isinstance(confidence, bool)
            or not 0 <= confidence <= 1
        ):
            wrong("confidence", confidence, "a probability, 0 to 1")
            confidence = 0.0
        units = Kind(0)
        for name in own.get("units", []):
            if name not in UNITS:
                wrong("units", name, f"some of {', '.join(UNITS)}")
            units |= UNITS.get(name, Kind(0))
        view = own.get("view", "canonical")
        if view not in ("canonical", "raw"):
            wrong("view", view, "canonical or raw")
        if view == "raw":
            units = _raw(units or DEFAULT_UNITS)
        tests = own.get("tests", {})
        if (
            not isinstance(tests, dict)
            or tests.keys() - {"match", "pass"}
            or not all(isinstance(v, list) and all(isinstance(x, str) for x in v) for v in tests.values())
        ):
            wrong("tests", tests, "match: [...] and pass: [...], each a list of texts")
            tests = {}
        return _Own(
            Attack(attack), severity, float(confidence), units or DEFAULT_UNITS,
            Tests(tuple(tests.get("match", ())), tuple(tests.get("pass", ()))), own.get("list"),
        )  # fmt: skip

    def _list(self, path: Path, lines: Lines, own: _Own, digest: Any) -> Condition | None:
        where = lines.of("logvision", "list")
        spec = own.list
        if (
            not isinstance(spec, dict)
            or spec.keys() != {"file", "match"}
            or spec["match"] not in pattern.LISTS
        ):
            self._problem(
                path, where, f"list: {spec!r}", f"file: a path, match: one of {', '.join(pattern.LISTS)}"
            )
            return None
        source = path.parent / str(spec["file"])
        if not source.is_file():
            self._problem(path, where, f"file: {spec['file']}", f"a file beside the rule ({source})")
            return None
        text = source.read_text("utf-8")
        digest.update(text.encode())
        self.list_files.append(source)
        number = self._number()
        entries = 0
        for entry in (row.split("\t")[0].strip() for row in text.splitlines()):
            if entry and not entry.startswith("# "):
                entries += 1
                self.patterns.append(Pattern(number, pattern.LISTS[spec["match"]](entry), True, path.stem))
        if not entries:
            self._problem(path, where, f"no entries in {source}", "one entry a line")
        return Atom(number, own.units)

    def _number(self) -> int:
        self.lists += 1
        return len(self.atoms) + self.lists

    def _conditions(self, path: Path, lines: Lines, sigma: SigmaRule, own: _Own) -> Condition | None:
        trees: list[Condition] = []
        try:
            parsed = [each.parsed for each in sigma.detection.parsed_condition]
        except SigmaError as error:
            self._problem(path, lines.of("detection", "condition"), str(error), "a valid Sigma condition")
            return None
        for tree in parsed:
            try:
                trees.append(self._tree(path, tree, own))
            except _NeedError as need:
                self.unusable.append(Unusable(path.stem, path, str(need)))
                return None
            except pattern.PatternError as error:
                self._problem(
                    path,
                    lines.holding(error.expression),
                    f"{error.expression!r}: {error}",
                    "a pattern in linear time",
                )
                return None
        return trees[0] if len(trees) == 1 else AnyOf(tuple(trees))

    def _tree(self, path: Path, node: Any, own: _Own) -> Condition:
        match node:
            case ConditionAND() | ConditionOR():
                parts = [self._tree(path, each, own) for each in node.args]
                return All(tuple(parts)) if isinstance(node, ConditionAND) else AnyOf(tuple(parts))
            case ConditionNOT():
                return Not(self._tree(path, node.args[0], own))
            case ConditionValueExpression():
                return self._atom(path, _contained(node.value), _KEYWORDS)
            case ConditionFieldEqualsValueExpression():
                return self._field(path, node.field, node.value, own)
        raise _NeedError(f"the condition {type(node).__name__}")

    def _field(self, path: Path, name: str, value: Any, own: _Own) -> Condition:
        if name in ("sc-status", "cs-method"):
            if isinstance(value, SigmaNumber):
                return Same(name, (int(value.number),))
            if isinstance(value, SigmaString) and not value.contains_special():
                text = str(value)
                return Same(name, (int(text) if name == "sc-status" and text.isdigit() else text.upper(),))
            raise _NeedError(f"{name} compared with {type(value).__name__}")
        if name in ("cs-host", "c-host", "cs(host)", "r-dns"):
            return self._host(path, value)
        name = name.lower()
        kinds = own.units if name == "unit" else UNITS.get(name.removeprefix("unit."), FIELDS.get(name))
        column = foreign.HEADERS.get(kinds or Kind(0))
        if column is not None and (isinstance(value, SigmaNull) or str(value) == ""):
            return Same(column, (None,))
        if column is not None and isinstance(value, SigmaExists):
            return Same(column, (GIVEN,) if value.exists else (None,))
        if name.endswith("-uri-extension"):
            if not isinstance(value, SigmaString):
                raise _NeedError(f"{name} compared with {type(value).__name__}")
            value = SigmaString("*." + str(value))
            kinds = Kind.PATH
        if kinds is None or (name in UNITS and name != "unit"):
            raise _NeedError(f"the field {name}")
        return self._atom(path, value, kinds, query=name.endswith("-uri-query"))

    def _host(self, path: Path, value: Any) -> Condition:
        """The site that a log names, or the host of a whole address that a proxy is asked for."""
        if isinstance(value, SigmaExpansion):
            return AnyOf(tuple(self._host(path, each) for each in value.values))
        if not isinstance(value, SigmaString):
            raise _NeedError(f"cs-host compared with {type(value).__name__}")
        body = _wildcards(value)
        pattern.check(body, True)
        return AnyOf(
            (Like("cs-host", body, True), self._pattern(path, foreign.asked(body), True, Kind.RAW_TARGET))
        )

    def _atom(self, path: Path, value: Any, kinds: Kind, *, query: bool = False) -> Condition:
        match value:
            case SigmaExpansion():
                return AnyOf(tuple(self._atom(path, each, kinds, query=query) for each in value.values))
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
                raise _NeedError(f"a value of type {type(value).__name__}")
        if query and expression.startswith("^"):
            expression = (
                "(?:^|\\?)" + expression[1:]
            )  # the whole address is read, where a query has one before it
        return self._pattern(path, expression, caseless, kinds)

    def _pattern(self, path: Path, expression: str, caseless: bool, kinds: Kind) -> Atom:
        pattern.check(expression, caseless)
        key = (expression, caseless)
        if key not in self.atoms:
            self.atoms[key] = len(self.atoms) + self.lists + 1
            self.patterns.append(Pattern(self.atoms[key], expression, caseless, path.stem))
        return Atom(self.atoms[key], kinds)


@dataclass(frozen=True, slots=True)
class _Own:
    attack: Attack
    severity: Severity
    confidence: float
    units: Kind
    tests: Tests
    list: Any


class _NeedError(Exception):
    """The rule needs something that a log line does not say."""


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


def _raw(kinds: Kind) -> Kind:
    raw = Kind(0)
    if kinds & (Kind.PATH | Kind.NAME | Kind.VALUE | Kind.URL | Kind.TARGET):
        raw |= Kind.RAW_TARGET
    if kinds & Kind.AGENT:
        raw |= Kind.RAW_AGENT
    if kinds & Kind.REFERER:
        raw |= Kind.RAW_REFERER
    return raw


def _scope(condition: Condition) -> str:
    """A rule whose atoms all read the same units is judged unit by unit, any other over the row."""
    kinds = {each.kinds if isinstance(each, Atom) else None for each in atoms_of(condition)}
    single = len(kinds) == 1 and None not in kinds
    spanning = isinstance(condition, Atom) or not any(
        isinstance(each, Atom) and each.kinds & (Kind.RAW_TARGET | Kind.RAW_AGENT | Kind.RAW_REFERER)
        and each.kinds & (Kind.TARGET | Kind.AGENT | Kind.REFERER)
        for each in atoms_of(condition)
    )  # fmt: skip
    return "unit" if single and spanning else "row"
