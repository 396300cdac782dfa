"""Marks: of many texts at once, in which of them a reader can find anything at all.

Every reader names expressions of which one stands in each text that it says anything of. They are compiled
for Hyperscan, and one pass over all texts of a batch tells which few are worth its reading: some 50 ns a byte
for all readers, where asking the readers themselves takes 30 µs a text. What is found may be too much, never
too little (property-tested), so expressions are made looser where that makes them cheaper.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import hyperscan
import numpy as np

from logvision import entries, search
from logvision.detect import pattern
from logvision.detect.units import Ints

FAR: Final = 15
"""An expression that counts this many characters or more counts any number here: far counts make a database
large, and one in a hundred finds more by it."""


class Texts:
    """Texts in one buffer, each ended by a line feed; a line feed inside of one stands as a vertical tab."""

    def __init__(self, texts: Sequence[bytes]) -> None:
        joined = b"\n".join([*texts, b""])
        if joined.count(b"\n") > len(texts):
            joined = b"\n".join([*(text.replace(b"\n", b"\x0b") for text in texts), b""])
        self.buffer = joined
        self.ends: Ints = np.flatnonzero(np.frombuffer(joined, np.uint8) == _LINE_FEED)


_LINE_FEED: Final = 10


class Marks:
    """Expressions by the number of their reader.

    At the first texts they are taken from the user's cache folder, which takes milliseconds; or compiled and
    left there, which takes two seconds.
    """

    def __init__(self, of_readers: Mapping[int, Sequence[str]]) -> None:
        self._of_readers = of_readers
        self._lock = threading.Lock()

    def held(self, reader: int, texts: Texts) -> Ints:
        """The texts that hold a mark of this reader, ascending."""
        with self._lock:
            found: set[int] = set()
            add = found.add

            def at(_number: int, _from: int, to: int, _flags: int, _context: object) -> None:
                add(to)

            self._databases[reader].scan(texts.buffer, at)
        ends = np.fromiter(found, np.int64, len(found))
        units = np.unique(np.searchsorted(texts.ends, ends))
        # A class of control characters may take the last line feed for one.
        return units[:-1] if len(units) and units[-1] == len(texts.ends) else units

    @cached_property
    def _databases(self) -> dict[int, Any]:
        folder = entries.user_folder(os.environ)
        if folder is None:
            return self._compiled()
        entry = folder / f"marks-{self._key()}.bin"
        return self._loaded(entry) or self._kept(entry)

    def _key(self) -> str:
        digest = hashlib.sha256(f"hyperscan {version('hyperscan')} {FAR}\n".encode())
        digest.update(Path(pattern.__file__).read_bytes())
        for reader, expressions in self._of_readers.items():
            digest.update(repr((reader, expressions)).encode())
        return digest.hexdigest()[:32]

    def _loaded(self, entry: Path) -> dict[int, Any] | None:
        parts = entries.load(entry)
        if parts is None:
            return None
        try:
            databases = [search.loaded(each) for each in parts[1:]]
        except hyperscan.error:  # damaged, or of another kind of processor
            return None
        return dict(zip(self._of_readers, databases, strict=True))

    def _kept(self, entry: Path) -> dict[int, Any]:
        databases = self._compiled()
        entries.keep(entry, b"marks", *map(hyperscan.dumpb, databases.values()))
        return databases

    def _compiled(self) -> dict[int, Any]:
        made = search.compiled([_wanted(each) for each in self._of_readers.values()])
        return dict(zip(self._of_readers, made, strict=True))


def _wanted(expressions: Sequence[str]) -> search.Wanted:
    return search.Wanted(
        # A byte is a character, as the readers have it (Latin-1).
        [pattern.bounded(_loosened(each)).encode("latin-1") for each in expressions],
        [pattern.flags(caseless=False)] * len(expressions),
        range(len(expressions)),
    )


_COUNTED: Final = re.compile(r"\{(\d*),(\d+)\}")
"""Over expressions, which are ours; never over log text."""


def _loosened(expression: str) -> str:
    return _COUNTED.sub(
        lambda count: count[0] if int(count[2]) < FAR else f"{{{count[1] or 0},}}", expression
    )
