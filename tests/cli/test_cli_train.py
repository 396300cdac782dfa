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
