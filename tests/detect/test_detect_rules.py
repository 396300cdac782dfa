from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from logvision.detect import Detector
from logvision.detect.rules import RuleError, RuleSet
from logvision.detect.scopes import Rows
from logvision.detect.selftest import failures
from logvision.detect.signature import Signatures
from logvision.detect.split import split
from logvision.detect.units import Owners


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


def test_a_list_and_a_detection_must_both_hold(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "pages.txt").write_text("# pages\nadmin/login.php\n")
    rule(
        tmp_path,
        "gone",
        "title: g\nlevel: medium\ndetection: {missing: {sc-status: [404, 410]}, condition: missing}\n"
        "logvision:\n  attack: probe\n  confidence: 0.6\n  units: [target]\n"
        "  list: {file: data/pages.txt, match: asked}\n"
        "  tests:\n    match: [404 /admin/login.php, '410 /admin/login.php/?a=1']\n"
        "    pass: [/admin/login.php, 200 /admin/login.php, 404 /admin/login.php5, 404 /x/admin/login.php]\n",
    )
    assert failures(Signatures(RuleSet.load([tmp_path]))) == []


def test_a_name_tells_more_where_the_file_is_not(detector: Detector) -> None:
    asked = ["/config.json", "/Tencent.rar", "/phpmyadmin/", "/favicon.ico", "/photo.jpg?s=1"]
    attacks = {
        status: detector.judge(asked, ["Mozilla/5.0"] * 5, [None] * 5, ["GET"] * 5, [status] * 5)
        .column("attack")
        .to_pylist()
        for status in (None, 200, 404)
    }
    assert attacks[404] == ["sensitive", "sensitive", "probe", None, None]
    assert attacks[None] == attacks[200] == [None] * 5


def test_what_a_rule_over_targets_must_not_see_does_not_keep_a_target_from_being_known(
    tmp_path: Path,
) -> None:
    rule(
        tmp_path,
        "gone",
        "title: g\nlevel: medium\n"
        "detection: {name: {unit.target: '*.rar'}, folder: {unit.target: '/pub/*'},\n"
        "  missing: {sc-status: 404},\n"
        "  condition: name and missing and not folder}\n",
    )
    owners = Owners(*(pa.array(each, pa.string()) for each in (["/pub/a.txt", "/b.rar"], [], [])))
    none = np.full(2, -1, np.int64)
    rows = Rows(
        (np.arange(2), none, none), {"cs-method": (["GET"], none + 1), "sc-status": ([200], none + 1)}
    )
    units = split(owners)
    found = Signatures(RuleSet.load([tmp_path])).find(units, rows)
    assert {units.texts[int(unit)].as_py() for unit in found.halves} == {b"/b.rar"}
