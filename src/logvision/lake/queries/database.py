"""DuckDB over one lake: files and hot tables as one relation of EVENT rows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from copy import copy
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from importlib import import_module
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any, Final, TypeVar
from weakref import finalize

import pyarrow as pa

from logvision.errors import StoreError
from logvision.lake.catalogue import File
from logvision.lake.queries.asker import Asker
from logvision.lake.queries.filter import Clause, clause
from logvision.lake.queries.question import Question
from logvision.lake.queries.shared import Shared
from logvision.lake.segments import Lake, View
from logvision.schema import EVENT

THREADS: Final = 2
MEMORY: Final = "256MB"  # of all questions together; what is more is put aside on disk
MEMORY_OF_WRITER: Final = "96MB"  # where an engine runs in the same process
ASIDE: Final = "1GB"
AT_ONCE: Final = 3  # questions that run at the same time; the others wait
LONG_AT_ONCE: Final = 1  # of those that may take seconds: the others pass them
LEFT_S: Final = 0.5  # how long one that waits may not notice that who asked has left
PATIENCE_S: Final = 60.0  # after which a question is given up

SELECTED: Final = 80_000_000  # B of events of filters that are kept
DENSE_KEPT: Final = 256

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

WHOLE: Final = (
    "* replace (case when peer_ip is null then client_ip when peer_ip = '' then null else peer_ip end"
    " as peer_ip), case when query is null then path else path || '?' || query end as target"
)
"""The columns of an events file as those of EVENT; undoes what `storage.stored` left out."""

NOWHERE: Final = 'null::varchar as "file", null::bigint as "row"'

Places = dict[str, tuple[str | None, str | None]]
"""Country and network of addresses, as events said last time somebody asked."""

T = TypeVar("T")


class MemoryShort(StoreError):
    """A question needs more memory than one may take."""


class Selections:
    """For `selection`: what filters let through, by group of files, and which ones let too much through."""

    def __init__(self) -> None:
        self.tables = Shared(SELECTED, size=lambda part: part.nbytes if part is not None else 1)
        self._dense: dict[Question, int] = {}

    def is_dense(self, chosen: Question, among: int) -> bool:
        """Whether this was found to let too much through, of so many events or fewer."""
        return among >= self._dense.get(chosen, among + 1)

    def note_dense(self, chosen: Question, among: int) -> None:
        if len(self._dense) > DENSE_KEPT:
            self._dense.clear()
        self._dense[chosen] = among


@dataclass(frozen=True, slots=True)
class Reading:
    """One question's look at the lake: what it sees, and a connection of its own."""

    view: View
    connection: Any  # duckdb.DuckDBPyConnection
    shared: Shared
    places: Places
    selections: Selections
    asker: Asker

    @property
    def committed(self) -> Reading:
        """The same look without what is hot."""
        return replace(self, view=replace(self.view, hot=()))

    def rows(self, asked: Clause) -> list[tuple[Any, ...]]:
        """The rows of a statement. Raises Abandoned, as the others do, when nobody waits for them."""
        self.asker.check()
        found: list[tuple[Any, ...]] = self.connection.execute(asked.sql, list(asked.parameters)).fetchall()
        return found

    def table(self, asked: Clause) -> pa.Table:
        """The same as an Arrow table."""
        self.asker.check()
        return self.connection.sql(asked.sql, params=list(asked.parameters)).to_arrow_table()

    def batches(self, asked: Clause, rows: int) -> Iterator[pa.RecordBatch]:
        """The same in batches of about so many rows, never all at once."""
        self.asker.check()
        reader = self.connection.sql(asked.sql, params=list(asked.parameters)).to_arrow_reader(rows)
        yield from reader

    def relation(self, table: pa.Table) -> str:
        """The name by which this question's statements know a table."""
        name = f"table_{id(table)}"
        self.connection.register(name, table)
        return name

    def files(self, start: datetime | None, end: datetime | None) -> list[File]:
        """Events files that may hold events of start <= time < end."""
        return [
            file
            for file in self.view.catalogue.events
            if file.time_first is not None
            and file.time_last is not None
            and (end is None or file.time_first < end)
            and (start is None or file.time_last >= start)
        ]

    def events(
        self,
        question: Question,
        columns: Sequence[str] = EVENT.names,
        *,
        stored: bool = True,
        placed: bool = False,
    ) -> Clause:
        """Events of a question, `columns` of EVENT, as a statement to stand in a from clause.

        `stored` False: hot ones only. `placed` adds `file` and `row`, null for hot ones.
        """
        where, parameters = conditions(question)
        names = ", ".join(f'"{name}"' for name in (*columns, *(("file", "row") if placed else ())))
        parts, given = [], []
        files = self.files(question.start, question.end) if stored else []
        if files:
            source = f"select {WHOLE} from read_parquet(?)"
            if placed:
                source = (
                    f'select {WHOLE}, filename as "file", file_row_number as "row"'
                    " from read_parquet(?, filename = true, file_row_number = true)"
                )
            parts.append(f"select {names} from ({source}) where {where}")
            given += [[str(file.path) for file in files], *parameters]
        if self.view.hot:
            source = f"select *, {NOWHERE} from hot" if placed else "select * from hot"
            parts.append(f"select {names} from ({source}) where {where}")
            given += parameters
        if not parts:
            return Clause(f"(select {names} from (select *, {NOWHERE} from nothing))")
        return Clause(f"({' union all '.join(parts)})", tuple(given))


class _DuckDB:
    """The library and a database in memory that reaches nothing but one folder, from the first question on.

    Where nobody asks, as in a scan or while no page is open, that is 50 MB less. What a question over
    millions of paths cannot hold lies meanwhile in a temporary folder that only this user may read.
    """

    def __init__(self, folder: Path, config: Mapping[str, str | int]) -> None:
        self._folder = folder
        self._config = config
        self._opening = threading.Lock()
        self._root: Any = None  # duckdb.DuckDBPyConnection

    @cached_property
    def library(self) -> Any:
        return import_module("duckdb")

    def cursor(self) -> Any:
        """A connection of its own."""
        with self._opening:
            if self._root is None:
                self._root = self._opened()
            return self._root.cursor()

    def close(self) -> None:
        if self._root is not None:
            self._root.close()

    def _opened(self) -> Any:
        closed = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
        root = self.library.connect(":memory:", config={**self._config, **closed})
        aside = self._made_aside()
        allowed, aside = (str(path).replace("'", "''") for path in (self._folder.resolve(), aside))
        for setting in (
            "TimeZone = 'UTC'",
            "enable_progress_bar = false",
            "parquet_metadata_cache = true",
            "preserve_insertion_order = false",
            "python_enable_replacements = false",
            f"temp_directory = '{aside}'",
            f"max_temp_directory_size = '{ASIDE}'",
            f"allowed_directories = ['{allowed}']",
            "enable_external_access = false",
            "lock_configuration = true",
        ):
            root.execute(f"set {setting}")
        return root

    def _made_aside(self) -> str:
        """The temporary folder; none where nothing can be written, as in a container that is only read."""
        try:
            aside = mkdtemp(prefix="logvision-aside-")
        except OSError:
            return ""
        finalize(self, rmtree, aside, ignore_errors=True)
        return aside


class Database:
    """Answers questions about one lake, from any thread."""

    def __init__(self, lake: Lake, *, threads: int = THREADS, memory: str | None = None) -> None:
        self.lake = lake
        self._shared = Shared()
        self._places: Places = {}
        self._selections = Selections()
        self._running = threading.BoundedSemaphore(AT_ONCE)
        self._long = threading.BoundedSemaphore(LONG_AT_ONCE)
        memory = memory or (MEMORY_OF_WRITER if lake.writable else MEMORY)
        self._duckdb = _DuckDB(lake.folder, {"threads": threads, "memory_limit": memory})
        self._asker = Asker()

    def asked_by(self, asker: Asker) -> Database:
        """The same, all of it shared, for one who may leave: their questions end then and raise Abandoned."""
        asked = copy(self)
        asked._asker = asker
        return asked

    def ask(self, question: Callable[[Reading], T], key: Hashable = None, *, long: bool = False) -> T:
        """What `question` finds. Raises StoreError when files cannot be read, memory or time run out.

        `key` (None: none) names the question: as long as the lake stands still, its answer is kept.
        `long`: it may take seconds, and leaves others room to be answered meanwhile.
        Compaction may take a file away under a question that saw it: it is asked again then.
        """
        view = self.lake.view()

        def run() -> T:
            with self._turn(self._long) if long else nullcontext():
                return self._run(question, view)

        return run() if key is None or view.hot else self._shared.get((key, view.catalogue), run)

    def close(self) -> None:
        self._duckdb.close()

    @contextmanager
    def _turn(self, turns: threading.Semaphore) -> Iterator[None]:
        """One of so many turns, as soon as one is free. Raises Abandoned when who asks leaves before."""
        while not turns.acquire(timeout=LEFT_S):
            self._asker.check()
        try:
            yield
        finally:
            turns.release()

    def _run(self, question: Callable[[Reading], T], view: View) -> T:
        """The answer of a view, or of a later one where files of it are gone."""
        with self._turn(self._running):
            duckdb = self._duckdb.library
            for tries_left in (2, 1, 0):
                try:
                    return self._answer(question, view)
                except duckdb.IOException as error:
                    if not tries_left:
                        raise StoreError(f"the lake cannot be read: {_first_line(error)}") from error
                    self.lake.refresh()
                    view = self.lake.view()
                except duckdb.OutOfMemoryException as error:
                    raise MemoryShort("the question needs more memory than a question may take") from error
                except duckdb.InterruptException as error:
                    self._asker.check()
                    raise StoreError(f"the question took longer than {PATIENCE_S:g} s") from error
        raise AssertionError("unreachable")

    def _answer(self, question: Callable[[Reading], T], view: View) -> T:
        connection = self._duckdb.cursor()
        timer = threading.Timer(PATIENCE_S, connection.interrupt)
        timer.daemon = True
        timer.start()
        try:
            connection.register("nothing", EVENT.empty_table())
            if view.hot:
                connection.register("hot", pa.concat_tables(view.hot))
            with self._asker.waiting(connection.interrupt):
                return question(
                    Reading(view, connection, self._shared, self._places, self._selections, self._asker)
                )
        finally:
            timer.cancel()
            connection.close()


def time_of(microseconds: int | None) -> datetime | None:
    """Event time of microseconds since the epoch."""
    return None if microseconds is None else _EPOCH + timedelta(microseconds=microseconds)


def micros(time: datetime) -> int:
    """Microseconds since the epoch."""
    return (time - _EPOCH) // timedelta(microseconds=1)


def joined(parts: Iterable[str | Clause]) -> Clause:
    """One statement of texts and clauses, with the parameters in order."""
    sql: list[str] = []
    parameters: list[Any] = []
    for part in parts:
        if isinstance(part, Clause):
            sql.append(part.sql)
            parameters.extend(part.parameters)
        else:
            sql.append(part)
    return Clause(" ".join(sql), tuple(parameters))


def united(parts: Sequence[Clause]) -> Clause:
    """All rows of statements with the same columns, to stand in a from clause; at least one."""
    return joined(["(", parts[0], *(piece for part in parts[1:] for piece in ("union all", part)), ")"])


def conditions(question: Question) -> tuple[str, list[Any]]:
    """A question as a condition over the columns of EVENT, and its parameters."""
    parts: list[str] = []
    parameters: list[Any] = []
    for made in (clause(question.filter), clause(question.also)):
        parts.append(made.sql)
        parameters += made.parameters
    for sql, value in (
        ('"time" >= ?', question.start),
        ('"time" < ?', question.end),
        ('"site" = ?', question.site),
    ):
        if value is not None:
            parts.append(sql)
            parameters.append(value)
    return " and ".join(parts), parameters


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:300]
