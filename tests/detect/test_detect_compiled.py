"""Compiled rules kept on disk give the same detector, and a bad entry is no entry."""

from __future__ import annotations

from pathlib import Path

import hyperscan
import pytest

from logvision.detect.compiled import opened
from logvision.detect.detector import Detector
from logvision.detect.rules import RuleError, RuleSet
from logvision.detect.signature import Signatures

RULE = """
title: {title}
logsource: {{category: webserver}}
detection:
  one:
    unit.target|contains: {word}
    cs-method: [TRACE, TRACK]
  two:
    unit.target|re: '^/odd/[0-9]+$'
  condition: one or (two and not one)
level: high
tags: [attack.t1190]
logvision: {{attack: probe, confidence: 0.9, tests: {{match: ['/odd/1'], pass: ['/']}}}}
"""
LIST = """
title: names
level: high
logvision:
  attack: webshell
  confidence: 0.8
  list: {file: data/names.txt, match: suffix}
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    (folder / "data").mkdir(parents=True)
    (folder / "odd.yml").write_text(RULE.format(title="odd", word="oddness"))
    (folder / "names.yml").write_text(LIST)
    (folder / "data" / "names.txt").write_text("c99.php\nr57.php\n")
    return folder


def entries(folder: Path) -> list[Path]:
    return sorted(folder.glob("*"))


def verdicts(signatures: Signatures) -> list[str | None]:
    targets = ["/oddness", "/odd/7", "/x/c99.php", "/x/wso.php", "/"]
    table = Detector(signatures).judge(targets, [None] * 5, [None] * 5, ["TRACE"] + ["GET"] * 4)
    found: list[str | None] = table.column("attack").to_pylist()
    return found


def test_what_is_loaded_is_what_was_compiled(rules: Path, tmp_path: Path) -> None:
    first = opened([rules], tmp_path / "kept")
    (entry,) = entries(tmp_path / "kept")
    written = entry.stat().st_ino  # a new entry is a new file
    second = opened([rules], tmp_path / "kept")
    assert entry.stat().st_ino == written
    assert first.rules == second.rules == RuleSet.load([rules])
    assert verdicts(first) == verdicts(second) == ["probe", "probe", "webshell", None, None]


@pytest.mark.parametrize("damage", [b"", b"x", b"\0" * 5000])
def test_a_damaged_entry_is_made_again(rules: Path, tmp_path: Path, damage: bytes) -> None:
    opened([rules], tmp_path / "kept")
    (entry,) = entries(tmp_path / "kept")
    whole = entry.read_bytes()
    entry.write_bytes(damage)
    assert verdicts(opened([rules], tmp_path / "kept"))[2] == "webshell"
    assert len(entry.read_bytes()) == len(whole)


def test_a_single_changed_byte_is_damage(rules: Path, tmp_path: Path) -> None:
    opened([rules], tmp_path / "kept")
    (entry,) = entries(tmp_path / "kept")
    whole = bytearray(entry.read_bytes())
    whole[len(whole) // 2] ^= 1
    entry.write_bytes(whole)
    assert verdicts(opened([rules], tmp_path / "kept"))[2] == "webshell"


def test_a_changed_rule_or_list_is_read_again(rules: Path, tmp_path: Path) -> None:
    opened([rules], tmp_path / "kept")
    (rules / "data" / "names.txt").write_text("wso.php\n")
    assert verdicts(opened([rules], tmp_path / "kept"))[2:4] == [None, "webshell"]
    (rules / "odd.yml").write_text(RULE.format(title="odd", word="strange"))
    assert verdicts(opened([rules], tmp_path / "kept"))[0] is None


def test_bytes_of_another_machine_are_compiled_again(
    rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened([rules], tmp_path / "kept")

    def refused(*_: object, **__: object) -> None:
        raise hyperscan.error("error code -6")

    monkeypatch.setattr(hyperscan, "loadb", refused)
    assert verdicts(opened([rules], tmp_path / "kept"))[2] == "webshell"


def test_a_folder_that_cannot_be_made_keeps_nothing(rules: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert verdicts(opened([rules], tmp_path / "file" / "kept"))[2] == "webshell"


def test_rules_with_mistakes_are_refused_every_time(rules: Path, tmp_path: Path) -> None:
    (rules / "odd.yml").write_text("title: [")
    for _ in range(2):
        with pytest.raises(RuleError):
            opened([rules], tmp_path / "kept")
    assert not (tmp_path / "kept").exists()
    with pytest.raises(RuleError):
        opened([tmp_path / "nothing"], tmp_path / "kept")


@pytest.mark.parametrize("kept", [True, False])
def test_a_pattern_that_cannot_be_run_is_told_with_its_line(rules: Path, tmp_path: Path, kept: bool) -> None:
    text = RULE.format(title="empty", word="empty").replace("^/odd/[0-9]+$", "(odd)*")
    (rules / "empty.yml").write_text(text)
    line = 1 + next(at for at, row in enumerate(text.splitlines()) if "(odd)*" in row)
    told = rf"empty\.yml:{line}\b.*in linear time"
    with pytest.raises(RuleError, match=told):
        opened([rules], tmp_path / "kept" if kept else None)
    detector = Detector(opened([rules / "odd.yml"], None))
    with pytest.raises(RuleError, match=told):
        detector.reloaded([rules], builtin=False)


def test_a_folder_that_is_not_there_is_told_although_the_others_are_kept(rules: Path, tmp_path: Path) -> None:
    opened([rules], tmp_path / "kept")
    with pytest.raises(RuleError) as error:
        opened([rules, tmp_path / "typo"], tmp_path / "kept")
    assert [str(problem) for problem in error.value.problems] == [
        f"{tmp_path / 'typo'}: got nothing there; expected a rule file or a folder of them"
    ]
