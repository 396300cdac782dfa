"""Labelled requests as an argument."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from logvision.detect import training
from logvision.errors import Problem, SetupError


def labelled_requests(paths: Sequence[Path]) -> pa.Table:
    """The LABELLED table of these files. Raises SetupError with every file and line that is none, and
    when one of the two labels is missing."""
    problems = [
        Problem(str(path), "no such file", "a file of labelled requests")
        for path in paths
        if not path.is_file()
    ]
    if problems:
        raise SetupError(problems)
    table = training.read(paths)
    attacks = pc.sum(table.column("attack")).as_py() or 0
    if not 0 < attacks < table.num_rows:
        got = f"{attacks} attacks of {table.num_rows} requests"
        raise SetupError(Problem("labelled requests", got, "some of either label"))
    return table
