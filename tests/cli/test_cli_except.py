"""`logvision except`: what people except is kept with its reason, counts at once, and shows what it hides."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cli_logs import HOSTILE_TARGET, line, mixed, write

Command = Callable[..., tuple[int, str, str]]
ADD = ("except", "add", "--reason", "a course", "--author", "ann")


@pytest.fixture
def data(command: Command, tmp_path: Path) -> Path:
    code, _, _ = command("scan", mixed(tmp_path / "access.log"), "--data", tmp_path / "data", "--json")
    assert code == 0
    return tmp_path / "data"


def listed(command: Command, data: Path, *more: str) -> list[dict[str, object]]:
    code, out, _ = command("except", "list", "--data", data, "--json", *more)
    assert code == 0
    return [json.loads(row) for row in out.splitlines()]


def attacks(command: Command, log: Path, data: Path) -> int:
    _, out, _ = command("scan", log, "--data", data, "--json")
    return int(json.loads(out)["attacks"])


def test_what_was_added_silences_from_then_on_and_what_was_removed_does_not(
    command: Command, data: Path, tmp_path: Path
) -> None:
    code, out, _ = command(*ADD, "--route", "/a", "--parameter", "q", "--data", data)
    assert code == 0
    name = out.strip()
    logs = [
        write(
            tmp_path / f"{n}.log",
            [
                line(
                    100 + n, f"/a?q=-{m}%27%20union%20select%20{m},2%20from%20users--", address="198.51.100.9"
                )
                for m in range(4)
            ],
        )
        for n in range(2)
    ]
    assert attacks(command, logs[0], data) == 0
    (row,) = listed(command, data)
    assert (row["id"], row["author"], row["reason"], row["events"]) == (name, "ann", "a course", 4)

    code, out, _ = command("except", "show", name, "--data", data, "--json")
    (incident,) = json.loads(out)["incidents"]
    assert (code, incident["actor"], incident["attacks"]) == (0, "ip:198.51.100.9", {"sqli": 4})

    assert command("except", "remove", name, "--author", "bob", "--data", data)[0] == 0
    assert attacks(command, logs[1], data) == 4
    assert listed(command, data) == []
    (ended,) = listed(command, data, "--all")
    assert (ended["ended_by"], ended["events"]) == ("bob", 4)


def test_an_explanation_names_the_exception(command: Command, data: Path) -> None:
    command(*ADD, "--parameter", "q", "--data", data)
    one = line(0, HOSTILE_TARGET)
    _, out, _ = command("explain", one, "--data", data)
    assert "ann excepted sqli-union here: a course" in out
    assert "by itself the request would have" in out
    _, out, _ = command("explain", one)
    assert "excepted" not in out


def test_a_value_gives_its_shape(command: Command, data: Path) -> None:
    command(*ADD, "--like", "O'Brien", "--data", data)
    (row,) = listed(command, data)
    assert row["shape"] == "a'a"


def test_hostile_text_is_shown_and_never_obeyed(command: Command, data: Path) -> None:
    command(*ADD, "--route", "\x1b[31m/x", "--data", data)
    _, out, _ = command("except", "list", "--data", data)
    assert "\x1b" not in out
    assert r"\x1b[31m/x" in out


def test_every_mistake_is_told_at_once(command: Command, data: Path) -> None:
    code, _, err = command("except", "add", "--reason", " ", "--network", "home", "--data", data)
    assert code == 2
    assert [row.split(":")[1].strip() for row in err.splitlines()] == ["reason", "exception", "network"]


@pytest.mark.parametrize("lasting", ["90", "d", "-1d", "1y", "9999999d"])
def test_a_time_that_is_none_is_refused(command: Command, data: Path, lasting: str) -> None:
    code, _, err = command(*ADD, "--rule", "model", f"--for={lasting}", "--data", data)
    assert code == 2
    assert "12h, 30d, 8w" in err


@pytest.mark.parametrize("what", ["show", "remove"])
def test_an_unknown_exception_is_said_to_be_unknown(command: Command, data: Path, what: str) -> None:
    code, _, err = command("except", what, "nobody", "--data", data)
    assert code == 2
    assert "'nobody'" in err


def test_without_a_data_folder_there_is_nothing_to_except(command: Command, tmp_path: Path) -> None:
    code, _, err = command(*ADD, "--rule", "model", "--data", tmp_path / "none")
    assert code == 2
    assert "no lake there" in err
