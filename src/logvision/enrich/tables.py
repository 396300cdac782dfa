"""The data files of enrichment: tab-separated tables that ship with the package, `#` starts a comment."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Final

FOLDER: Final = Path(str(resources.files(__package__) / "data"))
"""Where the data files stand."""


def rows(name: str, columns: int) -> list[list[str]]:
    """The rows of `data/<name>`, each with exactly `columns` cells.

    Raises ValueError with file and line on any other shape: the file is ours, so it is our bug.
    """
    out: list[list[str]] = []
    for number, line in enumerate((FOLDER / name).read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = line.split("\t")
        if len(cells) != columns or not all(cells):
            raise ValueError(f"{name} line {number}: {len(cells)} cells, expected {columns}")
        out.append(cells)
    return out
