"""Checking a set-up without starting it: configuration, rules, scenarios and the tests these carry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from logvision.app import parts
from logvision.config import examined
from logvision.detect import scenario_tests, scenarios, selftest
from logvision.errors import Problem, SetupError


@dataclass(frozen=True, slots=True)
class Checked:
    """A sound set-up, in numbers."""

    rules: int
    scenarios: int
    tests: int  # that were run
    unusable: tuple[str, ...]  # valid rules that need what no access log says, each with what it needs


def check(config: Path | None, *, tests: bool = True) -> Checked:
    """Read everything that `watch` reads before it starts. Raises SetupError with every mistake of it all."""
    settings, problems = examined(config, {})
    known = found = None
    try:
        known = parts.knowledge(settings)
    except SetupError as error:
        problems += error.problems
    try:
        found = scenarios.load([scenarios.shipped(), *settings.detect.scenarios])
    except SetupError as error:
        problems += error.problems
    run = 0
    if tests and known is not None:
        run += sum(len(r.tests.match) + len(r.tests.passes) for r in known.detector.rules.rules)
        problems += [
            Problem(
                str(failure.rule.path),
                f"{failure.text!r}, which the rule {'matches' if failure.matched else 'does not match'}",
                "the test to hold",
            )
            for failure in selftest.failures(known.detector.signatures)
        ]
    if tests and found is not None:
        run += sum(len(s.tests.match) + len(s.tests.passes) for s in found)
        problems += [
            Problem("scenarios", sentence, "the test to hold") for sentence in scenario_tests.failures(found)
        ]
    if problems or known is None or found is None:
        raise SetupError(problems)
    rules = known.detector.rules
    unusable = tuple(f"{rule.id}: needs {rule.needs}" for rule in rules.unusable)
    return Checked(len(rules.rules), len(found), run, unusable)
