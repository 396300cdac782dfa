from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from logvision.detect import Detector
from logvision.detect.rules import RuleError, RuleSet
from logvision.detect.selftest import failures
from logvision.detect.signature import Signatures


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.open()


def test_every_shipped_rule_holds_its_own_tests(detector: Detector) -> None:
    assert [str(failure) for failure in failures(detector.signatures)] == []


def test_every_shipped_rule_brings_tests_and_a_tag(detector: Detector) -> None:
    bare = [
        rule.id for rule in detector.rules.rules if not (rule.tests.match and rule.tests.passes and rule.tags)
    ]
    assert bare == []


def test_shipped_rules_need_nothing_that_a_log_lacks(detector: Detector) -> None:
    assert detector.rules.unusable == ()


def rule(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.yml"
    path.write_text("logsource: {category: webserver}\n" + text)
    return path


def test_all_mistakes_of_all_files_are_told_at_once_with_file_and_line(tmp_path: Path) -> None:
    rule(
        tmp_path,
        "a",
        "title: a\nlogvision:\n  attack: sqlii\n  confidence: 2\ndetection: {s: {unit: x}, condition: s}\n",
    )
    rule(
        tmp_path,
        "b",
        "title: b\ndetection:\n  s:\n    unit|re: '(a)\\1'\n  condition: s\nlogvision: {units: [value]}\n",
    )
    rule(tmp_path, "c", "title: c\ndetection:\n  s: {unit: x}\n  condition: not s\n")
    with pytest.raises(RuleError) as caught:
        RuleSet.load([tmp_path])
    told = [str(problem).removeprefix(str(tmp_path)) for problem in caught.value.problems]
    assert [text.split(": got")[0] for text in told] == ["/a.yml:4", "/a.yml:5", "/b.yml:5", "/c.yml:5"]


def test_a_rule_over_a_field_no_log_has_is_listed_and_not_skipped_in_silence(tmp_path: Path) -> None:
    path = rule(tmp_path, "cookie", "title: c\ndetection:\n  s: {cs-cookie: x}\n  condition: s\n")
    loaded = RuleSet.load([tmp_path])
    assert loaded.rules == ()
    assert [(each.id, each.path, each.needs) for each in loaded.unusable] == [
        ("cookie", path, "the field cs-cookie")
    ]


def test_a_sigma_rule_over_method_query_and_status_is_judged_over_the_row(tmp_path: Path) -> None:
    rule(
        tmp_path,
        "webserver_example",
        "title: Exploit\nlevel: critical\ndetection:\n"
        "  selection: {cs-method: POST, cs-uri-query|contains|all: ['/a.php', 'x=%24']}\n"
        "  filter: {sc-status: 404}\n"
        "  condition: selection and not filter\n",
    )
    detector = Detector.open([tmp_path], builtin=False)
    judged = detector.judge(
        ["/a.php?x=%24", "/a.php?x=%24", "/b.php?x=%24"], [None] * 3, [None] * 3, ["POST", "GET", "POST"]
    )
    assert judged.column("rules").to_pylist() == ["webserver_example", None, None]


def test_a_match_never_reaches_from_one_unit_into_the_next(tmp_path: Path) -> None:
    rule(
        tmp_path,
        "across",
        "title: x\nlevel: high\ndetection:\n  s: {unit|re: 'start[^x]*\\s*\\W*\\D*end'}\n  condition: s\n",
    )
    detector = Detector.open([tmp_path], builtin=False)
    judged = detector.judge(["/?a=start&b=end", "/?a=start%0aend"], [None] * 2, [None] * 2, ["GET"] * 2)
    assert judged.column("rules").to_pylist() == [None, "across"]


def test_reloading_refuses_a_bad_rule_and_the_running_set_stays(tmp_path: Path) -> None:
    good = rule(
        tmp_path, "good", "title: g\nlevel: high\ndetection:\n  s: {unit|contains: evil}\n  condition: s\n"
    )
    running = Detector.open([tmp_path], builtin=False)
    good.write_text("title: [")
    with pytest.raises(RuleError):
        running.reloaded([tmp_path], builtin=False)
    assert running.judge(["/evil"], [None], [None], ["GET"]).column("rules").to_pylist() == ["good"]


def test_signatures_survive_a_pickle(detector: Detector) -> None:
    copy: Signatures = pickle.loads(pickle.dumps(detector.signatures))  # noqa: S301
    assert copy.rules.version == detector.signatures.rules.version
    assert failures(copy) == []
