from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cli_logs import line, write

Command = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--labels", "gone/labels.jsonl"], "gone/labels.jsonl: got no such file or directory;"),
        (["--out", "udp://127.0.0.1:99999"], "--out: got udp://127.0.0.1:99999;"),
        (["--out", "tcp://127.0.0.1"], "--out: got tcp://127.0.0.1;"),
        (["--replay", "gone.log"], "replay: got [Errno 2] "),
        (["--replay", "old.log"], "--replay: got --lines; expected these without it"),
    ],
)
def test_what_cannot_be_written_or_replayed_is_one_sentence(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "old.log", [line(1)])
    lines = [] if "gone.log" in options else ["--lines", "5"]
    out = [] if "--out" in options else ["--out", "new.log"]
    code, printed, errors = command("generate", *options, *lines, *out)
    assert (code, printed, errors.count("\n")) == (2, "", 1)
    assert errors.startswith(f"logvision: {said}")
