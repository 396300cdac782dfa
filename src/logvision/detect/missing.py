"""What a site answers for what it does not have: a status, or a page that looks like any other."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from logvision.detect.ordinary import slack

SIZES_KEPT: Final = 64

ANYTHING: Final = 3
"""Different names that attackers asked for, all answered 200 with one size: the site's page for what is
not there."""

SHELL: Final = 6
"""Different routes answered 200 with exactly one size: the empty page of a single-page application."""
SMALLEST_SHELL: Final = 128


class Sizes:
    """Sizes of answers, in B, with the first few names that each was given to; SIZES_KEPT of them.

    A size that `enough` names had is established: it stays longer than those that few had.
    """

    def __init__(self, enough: int, names: Iterable[tuple[int, list[str]]] = ()) -> None:
        self._enough = enough
        self._names = OrderedDict(names)  # longest unused first
        self._weak = OrderedDict.fromkeys(size for size in self._names if not self.has(size))  # in that order

    def has(self, size: int) -> bool:
        """Whether it is established."""
        return len(self._names.get(size, ())) >= self._enough

    def note(self, size: int, name: str) -> bool:
        """This name had this size. Whether other sizes are established now."""
        names = self._names.setdefault(size, [])
        self._names.move_to_end(size)
        changed = False
        if len(names) < self._enough:
            if name not in names:
                names.append(name)
            changed = len(names) == self._enough
            if changed:
                self._weak.pop(size, None)
            else:
                self._weak[size] = None
                self._weak.move_to_end(size)
        if len(self._names) > SIZES_KEPT:
            changed |= not self._weak
            del self._names[self._weak.popitem(last=False)[0] if self._weak else next(iter(self._names))]
        return changed

    @property
    def established(self) -> list[int]:
        """The established ones, rising."""
        return sorted(self._names.keys() - self._weak.keys())

    @property
    def any_established(self) -> bool:
        """Whether there are some."""
        return len(self._names) > len(self._weak)

    def document(self) -> list[tuple[int, list[str]]]:
        """Everything, JSON-ready."""
        return list(self._names.items())


@dataclass(slots=True)
class Site:
    """The answers of one site."""

    misses: int = 0  # answers 404 and 410
    # Of a 200 to the names that attackers asked for.
    sought: Sizes = field(default_factory=lambda: Sizes(ANYTHING))
    # Of a 200 to the routes that clean requests asked for.
    shells: Sizes = field(default_factory=lambda: Sizes(SHELL))

    # What is near to an established size of `sought`: from and to, B, rising; null: to be found again.
    _pages: tuple[list[int], list[int]] | None = field(default=None, compare=False)

    def anything(self, size: int) -> bool:
        """Whether this is the page that the site gives for whatever is not there."""
        if self._pages is None:
            pages = self.sought.established
            self._pages = [each - slack(each) for each in pages], [each + slack(each) for each in pages]
        first, last = self._pages
        at = bisect_right(first, size) - 1
        return (at >= 0 and size <= last[at]) or self.shells.has(size)

    def tells(self) -> bool:
        """Whether it is known how the site says that something is not there."""
        return self.misses > 0 or self.sought.any_established or self.shells.any_established

    def seek(self, size: int, name: str) -> None:
        """An attacker asked for a thing of this name and got so much."""
        if self.sought.note(size, name):
            self._pages = None

    def show(self, size: int, route: str) -> None:
        """A clean request of this route got so much."""
        if size >= SMALLEST_SHELL:
            self.shells.note(size, route)
