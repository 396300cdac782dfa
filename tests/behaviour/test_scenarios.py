from __future__ import annotations

from pathlib import Path

import pytest

from logvision.detect import scenarios
from logvision.detect.scenario_tests import failures
from logvision.errors import Problem, SetupError

SHIPPED = scenarios.load([scenarios.shipped()])

GOOD = """
title: Too many
level: medium
detection:
  selection: {status: 404}
  condition: selection
logvision: {attack: probe, confidence: 0.5, capacity: 2, leak: 1s}
"""


@pytest.mark.parametrize("rule", SHIPPED, ids=lambda rule: rule.id)
def test_a_shipped_scenario_passes_its_own_tests(rule: scenarios.Scenario) -> None:
    assert failures([rule]) == []
    assert rule.tests.match
    assert rule.tests.passes
    assert rule.title
    assert rule.description
    assert rule.tags


def test_a_failing_test_of_a_scenario_is_told() -> None:
    problems: list[Problem] = []
    text = GOOD.replace("leak: 1s", "leak: 1s, tests: {match: [{times: 2, every: 1s, status: 404}]}")
    rule = scenarios.parse(text, "own.yml", problems)
    assert rule is not None
    assert failures([rule]) == ["own: stays silent on {'times': 2, 'every': '1s', 'status': 404}"]


def test_every_mistake_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("title: [", encoding="utf-8")
    (tmp_path / "b.yml").write_text("- 1", encoding="utf-8")
    (tmp_path / "c.yml").write_text(
        """
level: fatal
detection:
  one: {sttus: 404, status: many, method|gt: 3, path|re: '(', site: 7}
  condition: one and (two
logvision: {attack: none, confidence: 2, capacity: -1, leak: soon, key: [route], distinct: status,
  hold_off: x, relief: two, relief_by: 0, outcome: good, tests: [], more: 1}
""",
        encoding="utf-8",
    )
    with pytest.raises(SetupError) as raised:
        scenarios.load([tmp_path, tmp_path / "none"])
    where = [p.where.replace(str(tmp_path), "") for p in raised.value.problems]
    c = "/c.yml: "
    assert where == [
        "/a.yml",
        "/b.yml",
        *(f"{c}detection.one.{f}" for f in ("sttus", "status", "method|gt", "path|re", "site")),
        f"{c}detection.condition",
        f"{c}logvision.more",
        f"{c}level",
        *(f"{c}logvision.{k}" for k in ("key", "attack", "confidence", "capacity", "distinct", "leak")),
        *(f"{c}logvision.{k}" for k in ("hold_off", "relief", "relief_by", "outcome", "tests")),
        "/none",
    ]


def test_a_file_of_ones_own_replaces_a_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "probing.yml").write_text(GOOD, encoding="utf-8")
    rules = {rule.id: rule for rule in scenarios.load([scenarios.shipped(), tmp_path])}
    assert len(rules) == len(SHIPPED)
    assert rules["probing"].title == "Too many"
    assert rules["probing"].hold_off_us == 300_000_000


def test_what_was_kept_of_the_files_gives_the_same_scenarios(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    assert scenarios.load([scenarios.shipped()], kept) == SHIPPED
    (entry,) = kept.iterdir()
    written = entry.stat().st_ino
    assert scenarios.load([scenarios.shipped()], kept) == SHIPPED
    assert entry.stat().st_ino == written


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    kept, file = tmp_path / "kept", tmp_path / "own.yml"
    for title in ("Too many", "Far too many"):
        file.write_text(GOOD.replace("Too many", title), encoding="utf-8")
        assert [rule.title for rule in scenarios.load([tmp_path], kept)] == [title]


def test_files_with_mistakes_are_refused_every_time(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("title: [", encoding="utf-8")
    (tmp_path / "b.yml").write_text("- 1", encoding="utf-8")
    said = []
    for _ in range(2):
        with pytest.raises(SetupError) as raised:
            scenarios.load([tmp_path], tmp_path / "kept")
        said.append(raised.value.problems)
    assert said[0] == said[1]
    assert len(said[0]) == 2


@pytest.mark.parametrize("title", ["2026-05-01", "{1: a}", ".nan"])
def test_what_json_cannot_say_is_not_kept(tmp_path: Path, title: str) -> None:
    (tmp_path / "own.yml").write_text(GOOD.replace("Too many", title), encoding="utf-8")
    assert scenarios.load([tmp_path], tmp_path / "kept") == scenarios.load([tmp_path])
    assert not (tmp_path / "kept").exists()
