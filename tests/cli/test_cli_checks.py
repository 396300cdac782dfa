from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from logvision.cli.watch import absent
from logvision.web.auth import is_password

pytestmark = pytest.mark.slow

Command = Callable[..., tuple[int, str, str]]


def test_a_password_becomes_a_hash_that_knows_it(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("correct horse\n"))
    code, out, err = command("password")
    assert (code, err) == (0, "")
    assert is_password("correct horse", out.strip())


def test_a_short_password_is_refused(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("short\n"))
    assert command("password") == (
        2,
        "",
        "logvision: password: got 5 characters; expected at least 8\n",
    )


def test_a_sound_set_up_is_said_to_be_sound(command: Command) -> None:
    code, out, err = command("check", "--no-tests")
    assert (code, err) == (0, "")
    assert out.startswith("sound: 2 rules, ")


def test_the_tests_of_rules_and_scenarios_are_run(command: Command) -> None:
    code, out, _ = command("check")
    assert code == 0
    assert out.rstrip().endswith("tests passed")


def test_every_mistake_of_a_configuration_comes_at_once(command: Command, tmp_path: Path) -> None:
    config = tmp_path / "logvision.toml"
    config.write_text('[web]\nport = 99999\nhots = "x"\n[lake]\nkeep_days = -1\n')
    code, out, err = command("check", "--config", config)
    assert (code, out) == (2, "")
    assert sorted(row.split()[1] for row in err.splitlines()) == [f"{config}:{n}" for n in (2, 3, 5)]
    assert "did you mean 'host'?" in err


def test_watch_names_what_is_not_there_yet(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.touch()
    missing = [str(tmp_path / "acces.log"), str(tmp_path / "*.txt")]
    assert absent(["-", str(log), str(tmp_path / "*.log"), *missing]) == missing


def test_mistakes_of_all_parts_come_at_once(command: Command, tmp_path: Path) -> None:
    scenarios = tmp_path / "scenarios"
    scenarios.mkdir()
    (scenarios / "mine.yml").write_text("title: [\n")
    config = tmp_path / "logvision.toml"
    config.write_text(f'[client]\ntrusted_proxies = ["300.1.1.1"]\n[detect]\nscenarios = ["{scenarios}"]\n')
    code, _, err = command("check", "--config", config)
    assert code == 2
    assert "'300.1.1.1'" in err
    assert "mine.yml" in err


def test_a_scenario_whose_own_test_fails_is_a_mistake(command: Command, tmp_path: Path) -> None:
    scenarios = tmp_path / "scenarios"
    scenarios.mkdir()
    shipped = Path(sys.modules["logvision"].__file__ or "").parent / "scenarios" / "crawling.yml"
    text = shipped.read_text("utf-8")
    (scenarios / "crawling.yml").write_text(text.replace("capacity:", "capacity: 99999 #"))
    config = tmp_path / "logvision.toml"
    config.write_text(f'[detect]\nscenarios = ["{scenarios}"]\n')
    code, _, err = command("check", "--config", config)
    assert code == 2
    assert "crawling: stays silent on" in err


def test_labelled_requests_that_are_none_are_told_line_by_line(command: Command, tmp_path: Path) -> None:
    labelled = tmp_path / "labelled.jsonl"
    labelled.write_text('{"label": "attack"}\nnonsense\n')
    code, _, err = command("evaluate", labelled)
    assert code == 2
    assert [row.split()[1] for row in err.splitlines()] == [f"{labelled}:1:", f"{labelled}:2:"]
    assert command("evaluate", "missing.jsonl") == (
        2,
        "",
        "logvision: missing.jsonl: got no such file; expected a file of labelled requests\n",
    )


def test_labelled_requests_of_one_kind_alone_teach_nothing(command: Command, tmp_path: Path) -> None:
    labelled = tmp_path / "labelled.jsonl"
    labelled.write_text('{"label": "attack", "url": "/?q=<script>"}\n')
    code, _, err = command("train", labelled)
    assert (code, err) == (
        2,
        "logvision: labelled requests: got 1 attacks of 1 requests; expected some of either label\n",
    )


def test_a_model_is_learned_and_measured(command: Command, tmp_path: Path) -> None:
    labelled = tmp_path / "labelled.jsonl"
    rows = [{"label": "attack", "url": f"/?id={n}'%20UNION%20SELECT%20{n},password--"} for n in range(60)]
    rows += [{"label": "benign", "url": f"/?name=O'Brien%20{n}%20(Cork)&n={n}"} for n in range(60)]
    labelled.write_text("".join(json.dumps(row) + "\n" for row in rows))
    code, out, err = command("train", labelled, "--out", "own.npz", "--name", "own")
    assert (code, out) == (0, "")
    assert err == "120 requests learned; model written to own.npz\n"
    code, out, _ = command("evaluate", labelled, "--model", "own.npz", "--json")
    found = json.loads(out)
    assert (code, found["model"]) == (0, "own")
    assert found["recall_at_0.01"] == 1.0
