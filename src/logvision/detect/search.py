"""Searches: expressions compiled for Hyperscan. Compiling takes milliseconds each, and all cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import hyperscan

from logvision.detect.pattern import PatternError, flags

P = TypeVar("P")
S = TypeVar("S")

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


def side_by_side(make: Callable[[P], S], parts: Sequence[P]) -> list[S]:
    """What is made of each part, in order. Hyperscan compiles without the GIL."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(make, parts))


def refused(expressions: Sequence[tuple[str, bool]]) -> list[PatternError]:
    """Why Hyperscan cannot run those that it cannot; each with whether it is caseless."""
    parts = [expressions[at : at + TOGETHER] for at in range(0, len(expressions), TOGETHER)]
    return [error for errors in side_by_side(_refused, parts) for error in errors]


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
