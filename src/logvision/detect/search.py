"""Searches: expressions compiled for Hyperscan, some milliseconds each.

One after the other: it would let threads compile side by side, but all of them take memory from one heap
(`app.memory`), where two took twice as long as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import hyperscan

from logvision.detect.pattern import PatternError, flags

TOGETHER: Final = 128
"""Expressions that are tried at once: together they take half the time that they take one by one."""


def compiled(expressions: Sequence[bytes], flags: Sequence[int], ids: Sequence[int]) -> Any:
    """A hyperscan.Database that is ready to scan. Raises hyperscan.error."""
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(expressions=list(expressions), ids=list(ids), flags=list(flags))
    return _ready(database)


def loaded(dumped: bytes) -> Any:
    """What `hyperscan.dumpb` gave, ready to scan. Raises hyperscan.error for another version or processor."""
    return _ready(hyperscan.loadb(dumped, mode=hyperscan.HS_MODE_BLOCK))


def _ready(database: Any) -> Any:
    database.scratch = hyperscan.Scratch(database)
    return database


def refused(expressions: Sequence[tuple[str, bool]]) -> list[PatternError]:
    """Why Hyperscan cannot run those that it cannot; each with whether it is caseless."""
    parts = [expressions[at : at + TOGETHER] for at in range(0, len(expressions), TOGETHER)]
    return [error for part in parts for error in _refused(part)]


def _refused(expressions: Sequence[tuple[str, bool]]) -> list[PatternError]:
    try:
        compiled(
            [expression.encode() for expression, _ in expressions],
            [flags(caseless) for _, caseless in expressions],
            range(len(expressions)),
        )
    except hyperscan.error as error:
        if len(expressions) == 1:
            return [PatternError(expressions[0][0], str(error))]
        return [each for one in expressions for each in _refused([one])]
    return []
