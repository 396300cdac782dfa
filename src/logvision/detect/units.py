"""Units: the pieces of a request that are judged by themselves.

A long URL is never judged as a sum: its path, its parameter names and each parameter value stand
alone, and an event is as bad as its worst unit. Units are distinct over the whole batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from logvision import native

Ints = npt.NDArray[np.int64]


class Kind(IntFlag):
    """What a unit is. A rule says which kinds it reads; one text may be several."""

    PATH = 1  # decoded path; resolved as well where dots, backslashes or ";" made a difference
    NAME = 2  # parameter name
    VALUE = 4  # parameter value; also a value inside JSON, inside base64, and in a nested URL
    AGENT = 8
    REFERER = 16  # the whole referer; its path and parameters are PATH, NAME and VALUE units too
    URL = 32  # a parameter value that is a URL; its parts are judged as units, itself by its host
    TARGET = 64  # the whole target with plus and %HH decoded, for rules that span parameters
    RAW_TARGET = 128  # as logged
    RAW_AGENT = 256
    RAW_REFERER = 512


UNITS: Final = {
    "path": Kind.PATH,
    "name": Kind.NAME,
    "value": Kind.VALUE,
    "agent": Kind.AGENT,
    "referer": Kind.REFERER,
    "url": Kind.URL,
    "target": Kind.TARGET,
}
"""Names of units in rule files."""

EVERY: Final = Kind(1023)


_KINDS: Final = 1 << np.arange(len(Kind) + 1)


@dataclass(frozen=True, slots=True)
class Owners:
    """Distinct request columns of a batch; a unit belongs to one or more of them.

    Owner ids run over targets, then agents, then referers.
    """

    targets: pa.Array
    agents: pa.Array
    referers: pa.Array

    @property
    def size(self) -> int:
        return len(self.targets) + len(self.agents) + len(self.referers)

    @property
    def first_agent(self) -> int:
        return len(self.targets)

    @property
    def first_referer(self) -> int:
        return len(self.targets) + len(self.agents)


@dataclass(frozen=True, slots=True)
class Units:
    """The units of a batch in order of their kind, and who uses which."""

    texts: pa.BinaryArray  # per unit
    buffer: npt.NDArray[np.uint8]  # all texts, each ended by a line feed
    ends: Ints  # per unit: offset of its line feed
    kind: Ints  # per unit: its Kind, ascending
    owner: Ints  # per use: the owner
    unit: Ints  # per use: the unit

    def __len__(self) -> int:
        return len(self.kind)

    def borders(self) -> list[int]:
        """Where the units of each kind begin: those of kind 1 << n from borders[n] to borders[n + 1]."""
        borders: list[int] = np.searchsorted(self.kind, _KINDS).tolist()
        return borders

    def head(self, kinds: int) -> npt.NDArray[np.uint8]:
        """The texts up to the last unit of the highest of these kinds."""
        last = int(np.searchsorted(self.kind, kinds, "right"))
        return self.buffer[: self.ends[last - 1] + 1] if last else self.buffer[:0]

    def marked(self, table: npt.NDArray[np.bool_], kinds: int) -> npt.NDArray[np.bool_]:
        """Per unit: holds its text a byte of the table (256 flags). False past the highest of these kinds."""
        found = np.zeros(len(self), np.bool_)
        last = int(np.searchsorted(self.kind, kinds, "right"))
        if native.HERE:
            found[:last] = native.units.marked(self.buffer, self.ends[:last], table)
        else:
            found[np.searchsorted(self.ends, np.flatnonzero(table[self.head(kinds)]))] = True
        return found

    def first_bytes(self) -> npt.NDArray[np.uint8]:
        """Per unit: the first byte of its text; a line feed if it is empty."""
        return self.buffer[np.append(0, self.ends[:-1] + 1)] if len(self) else self.buffer

    @property
    def text(self) -> Ints:
        """Per unit: the number of its text, which is its own."""
        return np.arange(len(self.kind))
