"""Searches that other processes compile are those that this one would, whatever becomes of the processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import hyperscan
import pytest

from logvision import search
from logvision.search import FEW, Wanted

TEXT = b"word 7, w\xf6rter, nothing, Word 150 and word 1500\n"


def wanted(*others: bytes) -> Wanted:
    """So many that a process is worth it."""
    texts = [*(b"word %d\\b" % number for number in range(2 * FEW)), b"w\xf6rter", *others]
    return Wanted(texts, [hyperscan.HS_FLAG_CASELESS] * len(texts), range(1, len(texts) + 1))


def found(database: Any) -> list[int]:
    numbers: list[int] = []
    database.scan(TEXT, lambda number, *_: numbers.append(number))
    return sorted(numbers)


def broken(*_: object, **__: object) -> None:
    raise OSError("no process")


@pytest.mark.parametrize("program", [sys.executable, "", "false", "echo"])
def test_databases_are_the_same_with_processes_and_without(
    program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    few = Wanted([b"noth", b"zzz"], [0, 0], [8, 9])
    many, other = search.compiled([wanted(), few])
    assert found(many) == [8, 151, 2 * FEW + 1]
    assert found(other) == [8]


def test_few_expressions_take_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", broken)
    monkeypatch.setattr(search, "_apart", broken)
    (few,) = search.compiled([Wanted([b"noth"], [0], [8])])
    assert found(few) == [8]


def test_what_hyperscan_cannot_run_is_refused_in_its_words() -> None:
    with pytest.raises(hyperscan.error, match="Zero-width"):
        search.compiled([wanted(b"a(?=b)")])
    odd = wanted(b"a(?=b)", b"fine", b"(c)\\1")
    assert sorted(search.refused(odd)) == [odd.ids[-3], odd.ids[-1]]
    assert search.refused(wanted()) == {}


def test_a_process_that_is_killed_leaves_the_work_to_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nkill -9 $$\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    (many,) = search.compiled([wanted()])
    assert found(many) == [8, 151, 2 * FEW + 1]
