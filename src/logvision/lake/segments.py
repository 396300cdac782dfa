"""The lake: a folder of segments, each one commit of facts together with the positions they cover.

A commit writes its partials and rejects first and its events last, each under a temporary name,
forced to disk and renamed. The rename of the events file is the commit: what stands beside it
without one never counts, and is taken away when a writer opens the folder.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from logvision import columns
from logvision.errors import Problem, SetupError, StoreError
from logvision.lake import catalogue, storage
from logvision.lake.catalogue import METADATA, Catalogue, File
from logvision.lake.hot import Hot
from logvision.schema import PARTIAL, REJECT
from logvision.windows import visitors
from logvision.windows.dimensions import ALL, HOUR

Position = dict[str, Any]
"""Where to resume one source; only that kind of source understands it (see `sources.base`)."""

FORMAT = 1
"""Version of the layout and of the metadata; a lake of a later one is refused."""

PARTIAL_GROUP = 32_768
"""Most rows of a row group of partials."""

SMALL_GROUP = 8_192
"""Dimensions of together no more rows share a row group of partials."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the lines of one source since the lake began: read = events + rejects + filtered.

    Fields that came later have a default, for older segments do not tell them.
    """

    read: int = 0
    events: int = 0
    rejects: int = 0
    filtered: int = 0
    bytes: int = 0  # of log, after decompression
    late: int = 0  # of the events: behind the watermark of their source when they came

    def __add__(self, other: Counts) -> Counts:
        mine, its = asdict(self), asdict(other)
        return Counts(**{name: mine[name] + its[name] for name in mine})


@dataclass(frozen=True, slots=True)
class Segment:
    """One commit."""

    sequence: int
    events: int
    rejects: int
    size: int  # B on disk


@dataclass(frozen=True, slots=True)
class Resume:
    """Where the newest commit stood. `counts` and `state` are those that its caller gave."""

    sequence: int = -1  # -1: nothing was ever committed
    positions: dict[str, Position] = field(default_factory=dict)
    counts: dict[str, Counts] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class View:
    """What a question sees: committed files and hot tables that together hold every event once."""

    catalogue: Catalogue
    hot: tuple[pa.Table, ...]


class Lake:
    """An open lake folder. Any number of readers in any process, at most one writer.

    Queries may run in other threads than the one that commits; `commit`, compaction and retention
    belong to the engine's thread(s) and exclude each other.
    """

    def __init__(self, folder: Path, lock_file: int | None) -> None:
        self.folder = folder
        self.catalogue = Catalogue()
        self._lock_file = lock_file
        self._view_lock = threading.RLock()
        self.writing = threading.RLock()  # held by whoever changes the folder
        self.hot = Hot(self._view_lock)
        self.replaced: dict[Path, float] = {}  # by compaction, and when that was seen; see `sweep`

    @classmethod
    def open(cls, folder: Path, *, writer: bool) -> Lake:
        """Open a lake; a writer makes the folder and takes away what an interrupted commit left.

        Raises SetupError: no such lake (reader), the folder cannot be written, another writer has
        it, or a later version of LogVision wrote it.
        """
        lock_file = _lock(folder) if writer else None
        try:
            if not writer and not cls.exists(folder):
                raise SetupError(
                    Problem(str(folder), "no lake there", "the data folder of a running LogVision")
                )
            lake = cls(folder, lock_file)
            lake.refresh()
            _check(folder, lake.catalogue)
        except StoreError as error:
            _unlock(lock_file)
            raise SetupError(Problem(str(folder), str(error), "a readable data folder")) from error
        except BaseException:
            _unlock(lock_file)
            raise
        if writer:
            for path in catalogue.covered(folder, lake.catalogue):
                path.unlink(missing_ok=True)
        return lake

    @staticmethod
    def exists(folder: Path) -> bool:
        """Whether a writer has begun a lake there."""
        return (folder / "events").is_dir()

    def close(self) -> None:
        """Take replaced files away and let another writer in; may be called twice."""
        if self.writable:
            with self.writing, contextlib.suppress(OSError, StoreError):  # the next writer tries again
                for path in catalogue.covered(self.folder, self.catalogue):
                    path.unlink(missing_ok=True)
        _unlock(self._lock_file)
        self._lock_file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def writable(self) -> bool:
        return self._lock_file is not None

    def commit(
        self,
        events: Sequence[pa.Table],
        rejects: pa.Table,
        partials: pa.Table,
        positions: Mapping[str, Position],
        counts: Mapping[str, Counts],
        state: Mapping[str, Any] | None = None,
    ) -> Segment:
        """Put facts and the positions they cover on disk, all or nothing.

        `events` are EVENT tables, `partials` (PARTIAL) exactly their fold, `rejects` REJECT rows of
        the same lines; all may be empty. `positions` and `counts` name every source ever seen, not
        only those of this batch, for the newest segment alone is read at resume; so does `state`
        (a JSON object). Tables that were appended to `hot` leave it in the same instant.

        Raises StoreError when the disk is full or the folder cannot be written: nothing is visible,
        nothing left behind, and the same call may be made again.
        """
        if not self.writable:
            raise StoreError(f"{self.folder} is open for reading only")
        rows = storage.stored(events)
        said = {
            "format": FORMAT,
            "positions": dict(positions),
            "counts": {source: asdict(count) for source, count in counts.items()},
            "state": dict(state or {}),
            "rolled": bool(partials.num_rows) or not rows.num_rows,
            "paths": sketch_of_paths(rows),
        }
        with self.writing:
            sequence = self.catalogue.newest + 1
            made = [
                self._put(
                    "partials", sequence, storage.tidy(partials.cast(PARTIAL)), said_of_partials(partials)
                ),
                self._put("rejects", sequence, storage.tidy(rejects.cast(REJECT)), {}),
                self._put("events", sequence, rows, said),
            ]
            files = [file for file in made if file is not None]
            with self._view_lock:
                self.catalogue = self.catalogue.with_files(files)
                self.hot.remove(events)
        return Segment(sequence, rows.num_rows, rejects.num_rows, sum(file.size for file in files))

    def resume(self) -> Resume:
        """Where the newest commit stood; of an empty lake, the beginning."""
        files = [file for file in self.catalogue.events if file.last is not None]
        if not files:
            return Resume()
        said = files[-1].metadata
        return Resume(
            sequence=self.catalogue.newest,
            positions=said.get("positions", {}),
            counts={source: Counts(**count) for source, count in said.get("counts", {}).items()},
            state=said.get("state", {}),
        )

    def view(self) -> View:
        """Committed and hot events at one instant, none of them twice."""
        if not self.writable:
            self.refresh()
        with self._view_lock:
            return View(self.catalogue, self.hot.tables())

    def refresh(self) -> None:
        """Look at the folder again; footers of known files are not read again."""
        with self._view_lock:
            self.catalogue = catalogue.read(self.folder, self.catalogue)

    def remove(self, path: Path) -> None:
        """Take a file away that does not count or shall no longer. Raises StoreError."""
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"the lake cannot remove {path.name}: {error.strerror or error}") from error

    def events(self, file: File) -> pa.Table:
        """The EVENT rows of one file of the catalogue, in order of time, source and position.

        Raises StoreError when it cannot be read.
        """
        order = [(name, "ascending") for name in ("time", "source", "position")]
        rows = storage.events(storage.read(file.path, storage.STORED_SCHEMA))
        keys = rows.select(["time", "source", "position"])
        keys = keys.set_column(1, "source", keys.column("source").cast(pa.string()))
        return rows.take(pc.sort_indices(keys, order))

    def _put(self, family: str, sequence: int, table: pa.Table, said: Mapping[str, Any]) -> File | None:
        """Write one file of a commit. Without rows only an events file is written."""
        final = self.folder / family / catalogue.name(sequence, sequence)
        if not table.num_rows and family != "events":
            with contextlib.suppress(FileNotFoundError):
                final.unlink()  # of an earlier try of this commit
            return None
        temporary = final.with_name(final.name + ".tmp")
        groups = 2 * storage.ROW_GROUP
        tables = by_dimension(table) if family == "partials" else storage.cut(table, groups)
        size = storage.write_groups(
            tables,
            temporary,
            level=storage.COMMIT_LEVEL,
            metadata={METADATA: orjson.dumps(said).decode()},
        )
        storage.rename(temporary, final)
        return File(final, sequence, sequence, size)


def sketch_of_paths(rows: pa.Table) -> str:
    """The distinct paths of tidy rows as a HyperLogLog in base64: rollups keep the largest only."""
    paths = rows.column("path").chunk(0).dictionary if rows.num_rows else pa.array([], pa.string())
    return base64.b64encode(visitors.of(paths)).decode()


def by_dimension(partials: pa.Table) -> Iterator[pa.Table]:
    """Row groups of partials in the order of `windows.partials.merge`.

    A question wants one dimension of one grain: large ones have row groups of their own, of which the
    bounds in the footer say so, and small ones need not be read among the texts of large ones. Those of
    quiet times lie by site and window: what the dimensions say of one event stands together, in two thirds
    of the space.
    """
    if sparse(partials):
        _, site = columns.distinct(partials, "site")
        keys = partials.select(["grain", "start", "bytes", "requests"]).append_column("site", pa.array(site))
        order = [(name, "ascending") for name in ("grain", "site", "start", "bytes", "requests")]
        yield from storage.cut(partials.take(pc.sort_indices(keys, order)), storage.ROW_GROUP)
        return
    grain = partials.column("grain").to_numpy()
    _, code = columns.distinct(partials, "dimension")
    ends = np.append(np.flatnonzero((np.diff(grain) != 0) | (np.diff(code) != 0)) + 1, partials.num_rows)
    begin = upto = 0
    for end in ends.tolist():
        if begin < upto and end - begin > SMALL_GROUP:
            yield from storage.cut(partials.slice(begin, upto - begin), PARTIAL_GROUP)
            begin = upto
        upto = end
    yield from storage.cut(partials.slice(begin), PARTIAL_GROUP)


def sparse(partials: pa.Table) -> bool:
    """Whether these counts are of so quiet a time that they have more rows than there were events."""
    hours = pc.and_(pc.equal(partials["grain"], HOUR), pc.equal(partials["dimension"].cast(pa.string()), ALL))
    return bool(partials.num_rows > (pc.sum(partials["requests"].filter(hours)).as_py() or 0))


def said_of_partials(partials: pa.Table) -> dict[str, Any]:
    """Metadata of a partials file: which dimensions it has, by grain in seconds."""
    names, code = columns.distinct(partials, "dimension")
    pairs = np.unique(partials.column("grain").to_numpy().astype(np.int64) * len(names) + code)
    grains: dict[str, list[str]] = {}
    for grain, at in zip((pairs // len(names)).tolist(), (pairs % len(names)).tolist(), strict=True):
        grains.setdefault(str(grain), []).append(names[at].as_py())
    return {"format": FORMAT, "dimensions": {grain: sorted(found) for grain, found in grains.items()}}


def _check(folder: Path, files: Catalogue) -> None:
    for file in files.events[-1:]:
        version = file.metadata.get("format", FORMAT)
        if version > FORMAT:
            raise SetupError(
                Problem(str(folder), f"a lake of format {version}", f"format {FORMAT} or earlier")
            )


def _lock(folder: Path) -> int:
    """Make the folders and take the writer's lock; the descriptor holds it."""
    try:
        for name in catalogue.FAMILIES:
            (folder / name).mkdir(parents=True, exist_ok=True)
        held = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        got = error.strerror or str(error)
        raise SetupError(Problem(str(folder), got.lower(), "a data folder that can be written")) from error
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(held)
        raise SetupError(
            Problem(str(folder), "another LogVision that writes there", "a data folder of its own for each")
        ) from error
    for name in catalogue.FAMILIES:
        if not os.access(folder / name, os.W_OK | os.X_OK):
            os.close(held)
            raise SetupError(Problem(str(folder / name), "a read-only folder", "one that can be written"))
    return held


def _unlock(held: int | None) -> None:
    if held is not None:
        os.close(held)  # the lock goes with the last descriptor
