"""`logvision backtest`: what a change would bring and take, in the terminal and for scripts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cli_logs import line, mixed, write

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def data(command: Command, tmp_path: Path) -> Path:
    code, _, _ = command("scan", mixed(tmp_path / "access.log"), "--data", tmp_path / "data", "--json")
    assert code == 0
    return tmp_path / "data"


def test_a_higher_threshold_shows_what_would_go(command: Command, data: Path) -> None:
    code, out, _ = command("backtest", "--threshold", "0.999", "--data", data)
    assert code == 0
    assert "61 events judged, 2024-05-14 12:00:00 to 2024-05-14 12:01:00 (UTC)" in out
    assert "attacks 1 → 0" in out
    assert "1 distinct requests of 1 clients (1 that would be ordinary)" in out
    assert "\x1b" not in out
    assert "\u202e" not in out


def test_the_same_for_scripts(command: Command, data: Path) -> None:
    code, out, _ = command("backtest", "--threshold", "0.999", "--data", data, "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["events"], found["attacks_before"], found["attacks_after"]) == (61, 1, 0)
    (sample,) = found["disappearing"]["samples"]
    assert (sample["client_ip"], found["disappearing"]["ordinary_clients"]) == ("198.51.100.66", 1)


def test_without_exceptions_shows_what_they_silence(command: Command, data: Path, tmp_path: Path) -> None:
    command("except", "add", "--reason", "ours", "--author", "ann", "--parameter", "q", "--data", data)
    log = write(tmp_path / "more.log", [line(90, "/a?q=1%20union%20select%202", address="198.51.100.9")])
    command("scan", log, "--data", data, "--json")
    _, out, _ = command("backtest", "--without-exceptions", "--data", data, "--json", "-q", "path:/a")
    found = json.loads(out)
    # The other event is an attack by its agent as well.
    assert (found["events"], found["attacks_before"], found["appearing"]["events"]) == (2, 1, 1)


def test_scenarios_may_change_too(command: Command, data: Path, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "many-pages.yml").write_text(
        "title: Any request\ndetection: {selection: {method: GET}, condition: selection}\nlevel: high\n"
        "logvision: {attack: crawl, confidence: 0.9, key: [site], capacity: 20, leak: 1h}\n"
    )
    code, out, err = command("backtest", "--scenarios", tmp_path / "own", "--data", data, "--json")
    assert code == 0, err
    assert json.loads(out)["incidents_after"] == json.loads(out)["incidents_before"] + 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "no change"),
        (("--scenarios", "nowhere"), "nowhere"),
        (("--model", "nowhere.npz"), "nowhere.npz"),
        (("--threshold", "0.9", "--from", "yesterday"), "yesterday"),
    ],
)
def test_a_mistake_is_told_before_anything_is_read(
    command: Command, data: Path, options: tuple[str, ...], says: str
) -> None:
    code, _, err = command("backtest", *options, "--data", data)
    assert code == 2
    assert says in err


def test_of_no_events_there_is_nothing_to_say(command: Command, data: Path) -> None:
    code, out, err = command("backtest", "--threshold", "0.9", "--data", data, "--from", "2030-01-01")
    assert (code, out) == (0, "")
    assert "no such event" in err
