from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable

import pytest

from cli_logs import HOSTILE_AGENT, HOSTILE_TARGET, line

Command = Callable[..., tuple[int, str, str]]

ATTACK = line(0, "/item?id=1%27%20UNION%20SELECT%201", address="198.51.100.66", status=404)


def test_an_attack_is_explained_from_its_bytes_to_its_probability(command: Command) -> None:
    code, out, err = command("explain", ATTACK)
    assert (code, err) == (0, "")
    rows = [row.split() for row in out.splitlines()]
    assert rows[0][:2] == ["attack,", "sqli"]
    assert ["request", "GET", "/item?id=1%27%20UNION%20SELECT%201", "HTTP/1.1"] in rows
    assert ["decoded", "percent", "1'", "UNION", "SELECT", "1"] in rows
    assert any(row[:2] == ["rule", "sqli-union"] and row[-2:] == ["UNION", "SELECT"] for row in rows)
    assert any(row[:2] == ["outcome", "missed:"] for row in rows)


def test_an_ordinary_line_is_explained_too(command: Command) -> None:
    code, out, _ = command("explain", line(0, "/about"))
    assert code == 0
    assert out.startswith("ordinary   probability 0.00, threshold 0.50\n")
    assert "nothing was found" in out


def test_json_holds_the_whole_explanation(command: Command) -> None:
    code, out, _ = command("explain", "--json", ATTACK)
    found = json.loads(out)
    assert code == 0
    assert (found["format"], found["reason"], found["attack"]) == ("combined", None, "sqli")
    assert found["event"]["client_ip"] == "198.51.100.66"
    assert found["event"]["time"] == "2024-05-14T12:00:00Z"
    assert found["steps"] == [{"name": "percent", "before": "", "after": "1' UNION SELECT 1"}]
    start, end = found["target_spans"][0]
    assert found["event"]["target"][start:end] == "UNION%20SELECT"
    assert found["score"] >= found["threshold"]


def test_a_line_that_is_no_event_says_why_and_is_an_answer_of_no(command: Command) -> None:
    code, out, _ = command("explain", "garbage \x1b[31mred")
    assert code == 1
    assert out == "Not an event: binary\ngarbage \\x1b[31mred\n"


def test_log_text_is_shown_and_never_obeyed(command: Command) -> None:
    hostile = line(0, HOSTILE_TARGET, agent=HOSTILE_AGENT + "\x1b]0;title\x07")
    _, out, _ = command("explain", hostile)
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "\u202e" not in out
    assert "\\u202e" in out
    assert "[red]" in out


def test_lines_come_on_standard_input_with_whatever_bytes(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [
        ATTACK.encode(),
        b"",
        b'203.0.113.1 - - [14/May/2024:12:00:06 +0000] "GET /\xff HTTP/1.1" 200 1 "-" "-"',
    ]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\n".join(lines))))
    code, out, _ = command("explain", "--json", "-")
    found = [json.loads(row) for row in out.splitlines()]
    assert code == 0
    assert [one["event"]["target"] for one in found] == ["/item?id=1%27%20UNION%20SELECT%201", "/\\xff"]


def test_empty_standard_input_is_a_mistake(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\n")))
    assert command("explain", "-") == (2, "", "logvision: standard input holds no line\n")


def test_a_format_can_be_given(command: Command) -> None:
    code, out, _ = command(
        "explain", "--json", "--format", '$remote_addr [$time_local] "$request" $status', ATTACK
    )
    assert code == 1
    assert json.loads(out)["reason"] == "no_format"


def test_a_format_that_does_not_exist_is_a_mistake(command: Command) -> None:
    code, out, err = command("explain", "--format", "combind", ATTACK)
    assert (code, out) == (2, "")
    assert "combind" in err
