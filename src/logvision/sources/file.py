"""Log files by path or glob, read from their history on and followed as they grow and rotate."""

from __future__ import annotations

import errno
import glob
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

import pyarrow as pa

from logvision.clock import Clock, SystemClock
from logvision.errors import Problem, SetupError
from logvision.sources.base import Batch, Positions, SourceStatus
from logvision.sources.history import rotations
from logvision.sources.lines import Blocks
from logvision.sources.streams import open_stream
from logvision.sources.tail import Tail

TURN_S = 0.04  # longest turn of `read` when following; a block of bz2 (50 ms) may come to it, 0.1 is allowed
ROOM = 1 << 16  # least bytes of one log to read at once
LOOK_S = 1.0  # between two looks for new files that match a glob


@dataclass(frozen=True, slots=True)
class FileSource:
    """Each log is one source named by its absolute path as configured (symbolic links stay).

    A glob names main logs; rotated siblings that match it too are history of their log. `follow`:
    go on when the end is reached, and take up new matches. `history`: read rotated siblings and what
    stands in the file; without it, when following, only what comes from now on. Without `follow` a
    path that is no glob is read as it is, without siblings, and reads are cut by bytes alone: what is
    learned from them must not depend on how fast they came, nor on where a log was rotated.
    """

    patterns: tuple[str, ...]
    follow: bool = True
    history: bool = True
    clock: Clock = field(default_factory=SystemClock, compare=False, repr=False)

    def open(self, resume: Positions) -> FileReader:
        """Raises SetupError with every path that can never be read."""
        problems = list(self._problems())
        if problems or not self.patterns:
            raise SetupError(problems or Problem("log files", "none", "at least one path"))
        return FileReader(self, resume)

    def _problems(self) -> Iterator[Problem]:
        for pattern in self.patterns:
            if is_glob(pattern):
                if not self.follow and not glob.glob(pattern, recursive=True):  # noqa: PTH207 - patterns are absolute
                    yield Problem(pattern, "no file that matches", "at least one")
                continue
            try:
                open_stream(Path(pattern)).close()
            except IsADirectoryError:
                yield Problem(pattern, "a folder", f"a file, or a glob such as {Path(pattern) / '*.log'}")
            except OSError as problem:
                if problem.errno == errno.EINVAL:
                    yield Problem(pattern, "not a regular file", "a file; pipe anything else to stdin")
                elif not self.follow:
                    yield Problem(pattern, problem.strerror or str(problem), "a file that can be read")


class FileReader:
    """Many logs at once: each gets its turn, within one there is strict order."""

    def __init__(self, options: FileSource, resume: Positions) -> None:
        self._options, self._resume, self._clock = options, resume, options.clock
        self._tails: dict[str, Tail] = {}
        self._blocks = Blocks()
        self._turn = 0  # whose turn is first
        self._busy = 1  # how many had lines last time: they share the limit
        self._next_look = 0.0
        self._look()

    def read(self, limit: int) -> list[Batch]:
        self._look()
        tails = list(self._tails.values())
        deadline = self._clock.monotonic() + TURN_S if self._options.follow else math.inf
        share = max(limit // max(self._busy, 1), ROOM)
        batches: list[Batch] = []
        for visited in range(len(tails)):
            tail = tails[(self._turn + visited) % len(tails)]
            batch = tail.read(share, deadline) if self._options.follow else _whole(tail, share)
            if batch is not None:
                batches.append(batch)
                limit -= batch.bytes
            if limit <= 0 or self._clock.monotonic() > deadline:
                self._turn += visited + 1
                break
        self._busy = len(batches)
        return batches

    def committed(self, positions: Positions) -> None:
        """A file is read again by position; nobody else needs to know."""

    @property
    def finished(self) -> bool:
        return not self._options.follow and all(tail.finished for tail in self._tails.values())

    def status(self) -> list[SourceStatus]:
        return [tail.status() for tail in list(self._tails.values())]

    def close(self) -> None:
        for tail in self._tails.values():
            tail.close()

    def _look(self) -> None:
        """Take up files that match and are not read yet."""
        now = self._clock.monotonic()
        if self._tails and (not self._options.follow or now < self._next_look):
            return
        self._next_look = now + LOOK_S
        first = not self._tails
        for pattern in self._options.patterns:
            alone = not self._options.follow and not is_glob(pattern)
            for log in logs(pattern):
                name = str(log)
                if name not in self._tails:
                    self._tails[name] = Tail(
                        log,
                        self._resume.get(name),
                        follow=self._options.follow,
                        # A file that came up later is new from its first byte.
                        history=self._options.history or not first or not self._options.follow,
                        alone=alone or (not self._options.history and not self._options.follow),
                        clock=self._clock,
                        blocks=self._blocks,
                    )


def _whole(tail: Tail, limit: int) -> Batch | None:
    """The lines up to the next multiple of `limit` in the log's stream, whichever files they lie in."""
    end = (tail.reached // limit + 1) * limit
    batches: list[Batch] = []
    while not tail.finished and tail.reached < end:
        batch = tail.read(end - tail.reached, math.inf)
        if batch is not None:
            batches.append(batch)
    if len(batches) < 2:
        return batches[0] if batches else None
    records = pa.concat_tables([batch.records for batch in batches])
    return Batch(tail.source, records, batches[-1].resume, sum(batch.bytes for batch in batches))


def is_glob(pattern: str) -> bool:
    """True when a path is a pattern and no file of that very name exists."""
    return glob.has_magic(pattern) and not Path(pattern).exists()


def logs(pattern: str) -> list[Path]:
    """Main logs that a path or glob names, absolute, in the order of their names.

    A match that is a rotated sibling of another log of the same glob is not a log of its own; that
    other one may be away for a moment.
    """
    pattern = os.path.abspath(pattern)  # noqa: PTH100 - keeps symbolic links, takes out ".."
    if not is_glob(pattern):
        return [Path(pattern)]
    found = {Path(path) for path in glob.glob(pattern, recursive=True)}  # noqa: PTH207 - patterns are absolute
    mains = {_main(path, pattern, found) for path in found if path.is_file()}
    return sorted(mains)


def _main(path: Path, pattern: str, found: set[Path]) -> Path:
    for rotation in rotations(path.name):
        log = path.with_name(rotation.log)
        certain = rotation.dated or not rotation.inside
        if log in found or (certain and fnmatchcase(str(log), pattern)):
            return log
    return path
