"""Rule files: Sigma YAML, one rule a file, with LogVision's additions under `logvision:`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml
from sigma.exceptions import SigmaError
from sigma.rule import SigmaRule

from logvision import search
from logvision.detect import foreign, pattern
from logvision.detect.conditions import Conditions, NeedError, Patterns
from logvision.detect.documents import LOADER
from logvision.detect.rules import (
    All,
    AnyOf,
    Atom,
    Condition,
    Pattern,
    Rule,
    RuleError,
    RuleSet,
    Tests,
    Unusable,
    of_one_unit,
    positive,
    rule_files,
)
from logvision.detect.source_lines import Lines
from logvision.detect.units import UNITS, Kind
from logvision.errors import Problem
from logvision.schema import Attack, Severity

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


def read(paths: Sequence[Path], *, trying: bool) -> RuleSet:
    """Read rule files and folders; raises RuleError with every mistake of every file.

    `trying`: also where there is no other, look for patterns that Hyperscan cannot run; seconds.
    """
    return _Reader().read(paths, trying=trying)


@dataclass
class _Reader:
    problems: list[Problem] = field(default_factory=list)
    patterns: Patterns = field(default_factory=Patterns)
    unusable: list[Unusable] = field(default_factory=list)
    list_files: list[Path] = field(default_factory=list)
    written: list[tuple[Pattern, Path, Lines]] = field(default_factory=list)  # where a pattern stands first

    def read(self, paths: Sequence[Path], *, trying: bool) -> RuleSet:
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
        if trying or self.problems:
            self._try_patterns()
        if self.problems:
            raise RuleError(self.problems)
        return RuleSet(
            tuple(rules.values()),
            tuple(self.patterns.found),
            tuple(self.unusable),
            digest.hexdigest()[:16],
            tuple(dict.fromkeys(self.list_files)),
        )

    def _problem(self, path: Path, line: int, got: str, expected: str) -> None:
        self.problems.append(Problem(f"{path}:{line}", got, expected))

    def _content(self, path: Path, text: bytes) -> dict[str, Any] | None:
        """The rule of a file that is one and that an access log can answer; what is not is told."""
        try:
            documents = list(yaml.load_all(text, LOADER))
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
        entries = [row.split("\t")[0].strip() for row in text.splitlines()]
        entries = [entry for entry in entries if entry and not entry.startswith("# ")]
        if not entries:
            self._problem(path, where, f"no entries in {source}", "one entry a line")
        forms = pattern.LISTS[spec["match"]]
        number = self.patterns.any_of((form for entry in entries for form in forms(entry)), rule=path.stem)
        return Atom(number, own.units)

    def _conditions(self, path: Path, lines: Lines, sigma: SigmaRule, own: _Own) -> Condition | None:
        conditions = Conditions(path.stem, own.units, self.patterns)
        trees: list[Condition] = []
        before = len(self.patterns.found)
        try:
            parsed = [each.parsed for each in sigma.detection.parsed_condition]
        except SigmaError as error:
            self._problem(path, lines.of("detection", "condition"), str(error), "a valid Sigma condition")
            return None
        for tree in parsed:
            try:
                trees.append(conditions.condition(tree))
            except NeedError as need:
                self.unusable.append(Unusable(path.stem, path, str(need)))
                return None
            except pattern.PatternError as error:
                self._bad_pattern(path, lines, error)
                return None
            finally:
                self.written += [(each, path, lines) for each in self.patterns.found[before:]]
                before = len(self.patterns.found)
        return trees[0] if len(trees) == 1 else AnyOf(tuple(trees))

    def _try_patterns(self) -> None:
        """Tell of those that Hyperscan cannot run; all at once, which is quicker than rule by rule."""
        every = [
            (expression, each.caseless, path, lines)
            for each, path, lines in self.written
            for expression in each.expressions
        ]
        wanted = search.Wanted(
            [expression.encode() for expression, *_ in every],
            [pattern.flags(caseless) for _, caseless, *_ in every],
            range(len(every)),
        )
        for place, why in search.refused(wanted).items():
            expression, _, path, lines = every[place]
            self._bad_pattern(path, lines, pattern.PatternError(expression, why))

    def _bad_pattern(self, path: Path, lines: Lines, error: pattern.PatternError) -> None:
        got = f"{error.expression!r}: {error}"
        self._problem(path, lines.holding(error.expression), got, "a pattern in linear time")


@dataclass(frozen=True, slots=True)
class _Own:
    attack: Attack
    severity: Severity
    confidence: float
    units: Kind
    tests: Tests
    list: Any


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
    return "unit" if of_one_unit(condition) else "row"
