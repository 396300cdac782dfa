"""Commits: segments to the lake, then what was found to the casebook, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from logvision.casebook.base import Casebook
from logvision.engines.meters import Meters
from logvision.engines.pending import Flush
from logvision.errors import StoreError
from logvision.lake.segments import Lake
from logvision.sources.base import Reader

R = TypeVar("R")


class Commits:
    """Used by one thread. Facts and source positions commit together (see `lake.segments`); the casebook
    follows with the sequence of the last segment it has seen."""

    def __init__(
        self,
        reader: Reader,
        lake: Lake,
        casebook: Casebook | None,
        meters: Meters,
        problems: dict[str, str],
        wait: Callable[[], bool],
    ) -> None:
        """`reader` is told what was committed; `problems` says "commit" while a store is lost.

        `wait`: before a store is asked again; true: there is no again, and its error is raised.
        """
        self._reader = reader
        self._lake = lake
        self._casebook = casebook
        self._meters = meters
        self._problems = problems
        self._wait = wait

    def commit(self, flush: Flush) -> None:
        """Put a segment on disk, unless there is no row, and what was found in it into the casebook.

        Raises StoreError.
        """
        if flush.events or flush.rejects.num_rows:
            segment = self._insist(
                lambda: self._lake.commit(
                    flush.events,
                    flush.rejects,
                    flush.partials,
                    flush.positions,
                    flush.counts,
                    flush.told,
                )
            )
            self._meters.committed(segment)
            self._reader.committed(flush.positions)
        casebook = self._casebook
        if casebook is not None:
            cursor = {"sequence": self._lake.catalogue.newest} if flush.whole else None
            self._insist(lambda: casebook.apply(flush.incidents, flush.states, cursor))

    def _insist(self, write: Callable[[], R]) -> R:
        """Try until the store takes it. Positions stay where they are, so nothing is lost meanwhile."""
        while True:
            try:
                result = write()
            except StoreError as error:
                self._problems["commit"] = str(error)
                if self._wait():
                    raise
            else:
                self._problems.pop("commit", None)
                return result
