"""The catalogue: which Parquet files of a lake count, and what their footers say.

`events/`, `rejects/` and `partials/` hold files `{first}-{last}.parquet` of commit sequence numbers.
A file counts unless another file of its folder covers its range, and unless its range ends after
the newest events file, whose rename is the commit. A file of any other name (Spark's) always counts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq

from logvision.errors import StoreError

FAMILIES = ("events", "rejects", "partials")
METADATA = "logvision"
"""Key of a file's own metadata, a JSON object; see `Lake.commit`."""

_NAME = re.compile(r"(\d{12,})-(\d{12,})\.parquet")


@dataclass(frozen=True, slots=True)
class Group:
    """A row group: its rows and its bounds of event time, of partials of the start of their windows
    (None: no rows, or no statistics)."""

    rows: int
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True)
class File:
    """One Parquet file of the lake; never changes once it stands."""

    path: Path
    first: int | None  # commit sequence numbers that it covers; None: not written by a `Lake`
    last: int | None
    size: int  # B

    @cached_property
    def _footer(self) -> tuple[list[Group], dict[str, Any]]:
        try:
            with pq.ParquetFile(self.path) as file:
                footer = file.metadata
                names = file.schema_arrow.names
                column = (
                    names.index("time")
                    if "time" in names
                    else names.index("start")
                    if "start" in names
                    else -1
                )
                groups = [_group(footer.row_group(i), column) for i in range(footer.num_row_groups)]
                said = (footer.metadata or {}).get(METADATA.encode())
        except (OSError, ValueError) as error:
            raise StoreError(f"the lake cannot read {self.path.name}: {error}") from error
        return groups, orjson.loads(said) if said else {}

    @property
    def groups(self) -> list[Group]:
        return self._footer[0]

    @property
    def metadata(self) -> dict[str, Any]:
        """What `Lake.commit` wrote; empty for a file of other origin."""
        return self._footer[1]

    @cached_property
    def rows(self) -> int:
        return sum(group.rows for group in self.groups)

    @cached_property
    def time_first(self) -> datetime | None:
        return min((g.first for g in self.groups if g.first), default=None)

    @cached_property
    def time_last(self) -> datetime | None:
        return max((g.last for g in self.groups if g.last), default=None)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The files that count, each family in the order of its sequence."""

    events: tuple[File, ...] = ()
    rejects: tuple[File, ...] = ()
    partials: tuple[File, ...] = ()

    @property
    def newest(self) -> int:
        """Sequence number of the last commit; -1: none yet."""
        return max((file.last for file in self.events if file.last is not None), default=-1)

    @property
    def size(self) -> int:
        """B on disk of everything that counts."""
        return sum(file.size for file in (*self.events, *self.rejects, *self.partials))

    def with_files(self, files: Sequence[File]) -> Catalogue:
        """With those of one more commit, without a look at the folder, which grows with every commit."""
        families = {family: list(getattr(self, family)) for family in FAMILIES}
        for file in files:
            families[file.path.parent.name].append(file)
        return Catalogue(**{family: effective(listed) for family, listed in families.items()})


def read(folder: Path, known: Catalogue) -> Catalogue:
    """The catalogue of a folder as it stands; footers of files in `known` are not read again.

    Safe beside a writer: the folders are listed again if a commit came in between. `known` itself comes back
    where nothing has changed. About 4 µs a file: every question of a page asks.
    """
    kept = {(str(file.path), file.size): file for name in FAMILIES for file in getattr(known, name)}
    while True:
        listed = _listing(folder / "events", kept)
        rejects, partials = _listing(folder / "rejects", kept), _listing(folder / "partials", kept)
        if [str(file.path) for file in listed] == sorted(e.path for e in _stored(folder / "events")):
            break
    events = effective(listed)
    newest = Catalogue(events=events).newest
    found = Catalogue(events, effective(rejects, newest), effective(partials, newest))
    return known if found == known else found


def effective(files: Sequence[File], newest: int | None = None) -> tuple[File, ...]:
    """The files that count: not covered by another, and not after `newest` (None: no such bound)."""
    ranged = [f for f in files if f.last is not None and (newest is None or f.last <= newest)]
    # Widest first within one start: what ends no later than something before it is covered.
    ranged.sort(key=lambda f: (f.first, -(f.last or 0)))
    counting, end = [], -1
    for file in ranged:
        if file.last is not None and file.last > end:
            counting.append(file)
            end = file.last
    return (*counting, *(f for f in files if f.last is None))


def covered(folder: Path, catalogue: Catalogue) -> list[Path]:
    """Files that lie in the folders and do not count: replaced ones, orphans, unfinished ones."""
    counting = {file.path for name in FAMILIES for file in getattr(catalogue, name)}
    lying = [
        Path(entry.path)
        for name in FAMILIES
        for entry in _walk(folder / name, lambda entry: entry.endswith((".parquet", ".tmp")))
    ]
    return [p for p in lying if p not in counting and (p.suffix == ".tmp" or _NAME.fullmatch(p.name))]


def name(first: int, last: int) -> str:
    """File name of a range of commits."""
    return f"{first:012d}-{last:012d}.parquet"


def _listing(folder: Path, kept: dict[tuple[str, int], File]) -> list[File]:
    """Files by path: commits fall in the order of their sequence."""
    files = []
    for entry in _stored(folder):
        try:
            size = entry.stat().st_size
        except FileNotFoundError:  # compaction took it away between listing and looking
            continue
        found = kept.get((entry.path, size))
        if found is None:
            ranged = _NAME.fullmatch(entry.name)
            first, last = (int(ranged[1]), int(ranged[2])) if ranged else (None, None)
            found = File(Path(entry.path), first, last, size)
        files.append(found)
    return sorted(files, key=lambda file: str(file.path))


def _stored(folder: Path) -> Iterator[os.DirEntry[str]]:
    return _walk(folder, lambda entry: entry.endswith(".parquet"))


def _walk(folder: Path, wanted: Callable[[str], bool]) -> Iterator[os.DirEntry[str]]:
    """Wanted files, in subfolders too; names that start with "_" or "." are a writer's own business."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(f"the lake cannot list {folder.name}: {error.strerror}") from error
    for entry in entries:
        if entry.name.startswith(("_", ".")):
            continue
        if entry.is_dir():
            yield from _walk(Path(entry.path), wanted)
        elif wanted(entry.name):
            yield entry


def _group(group: Any, column: int) -> Group:
    bounds = group.column(column).statistics if column >= 0 else None
    if bounds is None or not bounds.has_min_max:
        return Group(group.num_rows, None, None)
    return Group(group.num_rows, bounds.min, bounds.max)
