"""Searches: expressions compiled for Hyperscan.

To compile thousands takes seconds, and leaves a heap in pieces. So each database is made by a process of its
own, which runs this file, and several at once where there are processors. Threads would take turns: all of
them take memory from one heap (`app.memory`), where two took twice as long as one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import hyperscan

FEW: Final = 100
"""Fewer expressions are compiled here: a process would take longer to start."""

AT_ONCE: Final = 4
"""Most processes at a time, of up to 110 MB each: the largest database alone takes a third of the work."""

TRIED: Final = 128
"""Expressions that are tried at once: together they take half the time that they take one by one."""


class Wanted(NamedTuple):
    """A database to be made: expressions, and of each Hyperscan's flags and the number it is found by."""

    expressions: Sequence[bytes]
    flags: Sequence[int]
    ids: Sequence[int]


def compiled(wanted: Sequence[Wanted]) -> list[Any]:
    """Of each a hyperscan.Database that is ready to scan. Raises hyperscan.error."""
    if sum(len(each.ids) for each in wanted) < FEW:
        return [_ready(_compiled(each)) for each in wanted]
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - not where all of them are kept

    with ThreadPoolExecutor(min(AT_ONCE, os.cpu_count() or 1)) as at_once:
        return list(at_once.map(_apart, wanted))


def loaded(dumped: bytes) -> Any:
    """What `hyperscan.dumpb` gave, ready to scan. Raises hyperscan.error for another version or processor."""
    return _ready(hyperscan.loadb(dumped, mode=hyperscan.HS_MODE_BLOCK))


def refused(wanted: Wanted) -> dict[int, str]:
    """Why Hyperscan cannot run those that it cannot, by their numbers."""
    found: dict[int, str] = {}
    for at in range(0, len(wanted.ids), TRIED):
        found |= _refused(_part(wanted, at, TRIED))
    return found


def _part(wanted: Wanted, at: int, length: int) -> Wanted:
    rows = slice(at, at + length)
    return Wanted(wanted.expressions[rows], wanted.flags[rows], wanted.ids[rows])


def _refused(wanted: Wanted) -> dict[int, str]:
    try:
        _compiled(wanted)
    except hyperscan.error as error:
        if len(wanted.ids) == 1:
            return {wanted.ids[0]: str(error)}
        found: dict[int, str] = {}
        for at in range(len(wanted.ids)):
            found |= _refused(_part(wanted, at, 1))
        return found
    return {}


def _apart(wanted: Wanted) -> Any:
    """A database made by another process; by this one where that fails, which then says why."""
    told = json.dumps(
        [[text.decode("latin-1") for text in wanted.expressions], list(wanted.flags), list(wanted.ids)]
    )
    try:
        done = subprocess.run(  # noqa: S603 - ourselves
            [sys.executable, "-P", __file__],
            input=told.encode(),
            capture_output=True,
            check=True,
            start_new_session=True,  # a terminal's Ctrl-C is for this process, which ends in its own way
        )
        return loaded(done.stdout)
    except (OSError, subprocess.CalledProcessError, hyperscan.error):  # no Python of its own answers anything
        return _ready(_compiled(wanted))


def _compiled(wanted: Wanted) -> Any:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(expressions=list(wanted.expressions), flags=list(wanted.flags), ids=list(wanted.ids))
    return database


def _ready(database: Any) -> Any:
    database.scratch = hyperscan.Scratch(database)
    return database


def _main() -> None:
    """Of what is wanted on standard input, the database on standard output."""
    expressions, flags, ids = json.load(sys.stdin.buffer)
    wanted = Wanted([text.encode("latin-1") for text in expressions], flags, ids)
    sys.stdout.buffer.write(hyperscan.dumpb(_compiled(wanted)))


if __name__ == "__main__":
    _main()
