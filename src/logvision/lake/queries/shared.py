"""What questions of one page have in common: done once, and kept as long as it is asked for.

Whatever is kept here hangs on files of the catalogue, which never change, so it needs no clock: a key names
the files. Nothing that hangs on hot rows is kept, for those change with every batch.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from logvision.lake.queries.asker import Abandoned

KEPT: Final = 256
"""Results kept: some pages' worth of ranges and filters, a few kB each."""

T = TypeVar("T")


@dataclass(slots=True)
class Result:
    """A result, or the promise of one."""

    future: Future[Any] = field(default_factory=Future)
    size: int | None = None  # null: it is being made


class Shared:
    """Results by key, the one that nobody asked for longest goes first. Safe from any thread.

    `kept` bounds the sum of their sizes; without `size` each counts as one.
    """

    def __init__(self, kept: int = KEPT, size: Callable[[Any], int] = lambda _: 1) -> None:
        self._limit = kept
        self._size = size
        self._held = 0
        self._lock = threading.Lock()
        self._results: OrderedDict[Hashable, Result] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The result of `make`, which runs once per key: who asks meanwhile waits for it.

        What it raises is raised to all who wait, and the next one tries again. Where it was abandoned, for
        who asked first went away, one of those who wait makes it.
        """
        while True:
            mine = Result()
            with self._lock:
                found = self._results.setdefault(key, mine)
                self._results.move_to_end(key)
            if found is mine:
                return self._made(key, mine, make)
            with suppress(Abandoned):
                waited: T = found.future.result()
                return waited

    def _made(self, key: Hashable, mine: Result, make: Callable[[], T]) -> T:
        try:
            made = make()
        except BaseException as error:
            with self._lock:
                self._results.pop(key, None)
            mine.future.set_exception(error)
            raise
        self._keep(mine, self._size(made))
        mine.future.set_result(made)
        return made

    def held(self, key: Hashable) -> Any:
        """A result that is there; None: there is none yet."""
        with self._lock:
            found = self._results.get(key)
            if found is None or found.size is None:
                return None
            self._results.move_to_end(key)
        return found.future.result()

    def keep(self, key: Hashable, value: object) -> None:
        """Keep what was made together with others; what is there already stays."""
        self.get(key, lambda: value)

    def _keep(self, mine: Result, size: int) -> None:
        """Let what was asked for longest ago go until the rest is small enough. What is being made stays."""
        with self._lock:
            mine.size = size
            self._held += size
            gone = []
            for key, result in self._results.items():
                if self._held <= self._limit:
                    break
                if result.size is not None:
                    gone.append(key)
                    self._held -= result.size
            for key in gone:
                del self._results[key]
