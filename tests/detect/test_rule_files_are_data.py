"""A rule or scenario file is data: whatever stands in it, nothing of it is run."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import yaml

from logvision import detect
from logvision.detect import documents, scenarios
from logvision.detect.rules import RuleSet
from logvision.errors import SetupError

RULE = """\
title: {title}
logsource: {{category: webserver}}
detection:
  selection: {{unit|re: '{expression}'}}
  condition: selection
level: high
tags: [attack.t1190]
logvision: {{attack: sqli, confidence: 0.9}}
{more}
"""
SCENARIO = """\
title: {title}
detection:
  selection: {{status: 404}}
  condition: selection
level: high
logvision: {{attack: probe, confidence: 0.9, capacity: 3, leak: 10s}}
{more}
"""
CODE = [
    "!!python/object/apply:os.system ['touch {canary}']",
    "!!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path ['{canary}']]",
    "!!python/object/new:subprocess.Popen [['touch', '{canary}']]",
    "!!python/name:os.system",
    "!!python/module:os",
    "!!python/object:logvision.detect.rules.Rule {{}}",
    "!include {canary}",
]
READERS = (
    *("rules.py", "reading.py", "pattern.py", "scenarios.py", "documents.py", "filters.py", "compiled.py"),
    "database.py",
)
RUNNING = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "import_module",
    "load",
    "unsafe_load",
    "full_load",
    "loads",
}
HARMLESS = {
    "orjson.loads",
    "re.compile",
    "re2.compile",
    "Database.load",
    "RuleSet.load",
    "database.compile",
    "entries.load",  # the bytes of a file of our own
    "info.compile",
    "yaml.load",  # by a loader of plain data, see below
}


@pytest.mark.parametrize("code", CODE)
def test_a_rule_file_with_code_in_it_is_refused_and_the_code_never_runs(code: str, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    text = RULE.format(title=code.format(canary=canary), expression="x", more="")
    (tmp_path / "bad.yml").write_text(text)
    with pytest.raises(SetupError, match=r"bad\.yml:1"):
        RuleSet.load([tmp_path])
    assert not canary.exists()


@pytest.mark.parametrize("code", CODE)
def test_a_scenario_file_with_code_in_it_is_refused_and_the_code_never_runs(
    code: str, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    text = SCENARIO.format(title=code.format(canary=canary), more="")
    (tmp_path / "bad.yml").write_text(text)
    with pytest.raises(SetupError, match=r"bad\.yml"):
        scenarios.load([tmp_path])
    assert not canary.exists()


@pytest.mark.parametrize(
    "text", ["{{ 7 * 7 }}", "$(touch canary)", "`touch canary`", "__import__('os')", "%n%s"]
)
def test_text_that_other_programs_would_run_is_text(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    quoted = "'" + text.replace("'", "''") + "'"
    (tmp_path / "odd.yml").write_text(RULE.format(title=quoted, expression="x", more=""))
    assert [rule.title for rule in RuleSet.load([tmp_path / "odd.yml"]).rules] == [text]
    assert [path.name for path in tmp_path.iterdir()] == ["odd.yml"]


def test_scenarios_are_read_by_a_loader_of_plain_data() -> None:
    constructors = documents.LOADER.yaml_constructors
    assert issubclass(documents.LOADER, yaml.constructor.SafeConstructor)
    assert not [tag for tag in constructors if tag is not None and "python" in tag]


@pytest.mark.parametrize("reader", READERS)
def test_no_reader_of_rule_files_can_run_what_it_reads(reader: str) -> None:
    """Of the calls that could, readers make only those that parse plain data or compile expressions."""
    tree = ast.parse((Path(detect.__file__).parent / reader).read_text("utf-8"))
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    running = {call for call in calls if call.rpartition(".")[2] in RUNNING}
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert running <= HARMLESS
    assert imported.isdisjoint({"pickle", "marshal", "subprocess", "importlib", "ctypes"})
