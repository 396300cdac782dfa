from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from logvision.detect.training import WRONG

Command = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize("words", [["train", "--out", "model.npz"], ["evaluate"]])
def test_a_file_of_another_kind_is_told_by_its_first_lines(
    command: Command, tmp_path: Path, words: list[str]
) -> None:
    file = tmp_path / "labels.jsonl"
    file.write_text('{"line": 1, "label": "normal"}\n' * 1000)
    name, *options = words
    code, out, errors = command(name, file, *options)
    assert (code, out) == (2, "")
    assert errors.splitlines() == [
        f"logvision: {file}:{number}: got an object without 'url'; expected a JSON object with label and url"
        for number in range(1, WRONG + 1)
    ]


def test_requests_of_one_kind_teach_nothing_and_are_told(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "one.jsonl"
    file.write_text('{"label": "attack", "url": "/?a=1%27+or+1=1--"}\n' * 5)
    code, out, errors = command("train", file, "--out", tmp_path / "model.npz")
    assert (code, out, errors.count("\n")) == (2, "", 1)
    assert errors.startswith("logvision: labelled requests: got ")


def test_a_place_that_cannot_be_written_is_told_before_anything_is_learned(
    command: Command, tmp_path: Path
) -> None:
    model = tmp_path / "gone" / "model.npz"
    code, out, errors = command("train", tmp_path / "unread.jsonl", "--out", model)
    said = f"logvision: --out: got {model}: no such folder; expected a file that can be written\n"
    assert (code, out, errors) == (2, "", said)
