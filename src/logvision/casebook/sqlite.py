"""The casebook of one machine: a SQLite file in write-ahead mode, one connection per thread."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final

import orjson

from logvision.casebook.base import (
    CasePage,
    Cursor,
    Question,
    decided,
    folded,
    is_over,
    page_of,
    place_of,
    settled_at,
)
from logvision.errors import Problem, SetupError, StoreError
from logvision.exemption import Exemption
from logvision.incident import SETTLED, Case, Incident, Status, iso
from logvision.label import Label
from logvision.schema import Outcome

SCHEMA: Final = 2  # 2: exceptions and labels; a file of version 1 only lacks the tables
BUSY_MS: Final = 5_000  # how long a writer waits for another before it is a StoreError

CASES_KEPT: Final = 2048
"""Cases kept in memory beside the file."""

_Seen = tuple[sqlite3.Connection, int, int]
"""A connection, how many commits of others it has seen, and how many decisions there were here: together they
tell whether cases may have changed."""

_TABLES: Final = """
create table if not exists cases (
    id text primary key,
    status text not null,
    site text,
    actor text not null,
    first_seen text not null,
    last_seen text not null,
    part_of text,
    document text not null
) without rowid;
create index if not exists cases_by_time on cases (last_seen desc, id);
create index if not exists cases_by_severity
    on cases (json_extract(document, '$.severity'), last_seen desc, id);
create table if not exists members (actor text, id text, primary key (actor, id)) without rowid;
create table if not exists exemptions (id text primary key, created text, document text) without rowid;
create table if not exists labels (event text primary key, at text, document text) without rowid;
create table if not exists states (name text primary key, state blob not null) without rowid;
"""

_CURSOR: Final = "cursor"  # the state under which the cursor is kept


class SqliteCasebook:
    """Implements `Casebook`. Columns beside `document` repeat what questions ask for."""

    def __init__(self, file: Path) -> None:
        """Open or make the file. Raises SetupError when it is no casebook, or one of a later version."""
        self._file = file
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        # What `apply` wrote last, with a hash of its document: somebody else may have written since.
        self._written: dict[str, tuple[_Seen, int, Case]] = {}
        self._decisions = 0  # how often cases were changed here by others than `apply`
        self._lock = threading.Lock()
        try:
            with self._transaction() as db:
                version = db.execute("pragma user_version").fetchone()[0]
                if version > SCHEMA:
                    raise SetupError(
                        Problem(str(file), f"a casebook of version {version}", f"version {SCHEMA} or earlier")
                    )
                for statement in _TABLES.split(";"):
                    db.execute(statement)
                db.execute(f"pragma user_version = {SCHEMA}")
        except StoreError as error:
            self.close()
            raise SetupError(Problem(str(file), str(error), "a SQLite file that can be written")) from None
        except SetupError:
            self.close()
            raise

    def apply(
        self,
        incidents: Iterable[Incident],
        states: Mapping[str, bytes] | None = None,
        cursor: Cursor | None = None,
    ) -> list[Case]:
        with self._transaction() as db:
            seen = db, db.execute("pragma data_version").fetchone()[0], self._decisions
            changed = self._merge(db, incidents, seen)
            for name, state in (states or {}).items():
                _save(db, name, state)
            if cursor is not None:
                _save(db, _CURSOR, orjson.dumps(dict(cursor)))
        self._remember(changed, seen)
        return [case for case, _ in changed]

    def _merge(
        self, db: sqlite3.Connection, incidents: Iterable[Incident], seen: _Seen
    ) -> list[tuple[Case, str]]:
        """Keep these states of incidents; gives the cases that changed and their documents.

        A case that was written when the same was `seen` stands in the file as it was written.
        """
        given = list(incidents)
        ids = dict.fromkeys(incident.id for incident in given)
        written = {id_: self._written[id_] for id_ in ids if id_ in self._written}
        kept = {id_: case for id_, (then, _, case) in written.items() if then == seen}
        asked = orjson.dumps([id_ for id_ in ids if id_ not in kept]).decode()
        rows = db.execute(
            "select id, document from cases where id in (select value from json_each(?))", (asked,)
        )
        for id_, document in rows:
            _, digest, case = written.get(id_, (None, 0, None))
            kept[id_] = _case(document) if case is None or digest != hash(document) else case
        changed = [(case, _document(case)) for case in folded(given, kept).values()]
        _put(db, changed)
        return changed

    def _remember(self, changed: Iterable[tuple[Case, str]], seen: _Seen) -> None:
        """What stands in the file now: reading it again is dear, and most will change again in a moment."""
        for case, document in changed:
            self._written.pop(case.incident.id, None)
            self._written[case.incident.id] = seen, hash(document), case
        for id_ in list(islice(self._written, max(0, len(self._written) - CASES_KEPT))):
            del self._written[id_]

    def cursor(self) -> Cursor | None:
        kept = self.load_state(_CURSOR)
        return None if kept is None else dict(orjson.loads(kept))

    def save_state(self, name: str, state: bytes) -> None:
        with self._transaction() as db:
            _save(db, name, state)

    def load_state(self, name: str) -> bytes | None:
        with self._reading() as db:
            row = db.execute("select state from states where name = ?", (name,)).fetchone()
        return None if row is None else bytes(row[0])

    def keep_first(self, name: str, state: bytes) -> bytes:
        with self._transaction() as db:
            db.execute("insert or ignore into states values (?, ?)", (name, state))
            row = db.execute("select state from states where name = ?", (name,)).fetchone()
        return bytes(row[0])

    def cases(self, question: Question, limit: int = 50, cursor: str | None = None) -> CasePage:
        where, values = _conditions(question)
        if cursor is not None:
            last_seen, after = place_of(cursor)
            where += " and (last_seen < ? or (last_seen = ? and id > ?))"
            values += [last_seen, last_seen, after]
        with self._reading() as db:
            rows = db.execute(
                f"select document from cases where {where}"  # noqa: S608 - fixed texts
                " order by last_seen desc, id limit ?",
                [*values, limit + 1],
            ).fetchall()
        return page_of([_case(row[0]) for row in rows], limit)

    def count(self, question: Question) -> int:
        where, values = _conditions(question)
        with self._reading() as db:
            row = db.execute(f"select count(*) from cases where {where}", values).fetchone()  # noqa: S608 - fixed texts
        return int(row[0])

    def case(self, incident_id: str) -> Case | None:
        with self._reading() as db:
            return _find(db, incident_id)

    def decide(
        self,
        incident_id: str,
        *,
        revision: int,
        author: str,
        at: datetime,
        status: Status | None = None,
        note: str | None = None,
    ) -> Case | None:
        with self._transaction() as db:
            case = _find(db, incident_id)
            if case is None:
                return None
            case = decided(case, revision=revision, author=author, at=at, status=status, note=note)
            self._decisions += 1
            _put(db, [(case, _document(case))])
        return case

    def exempt(self, exemption: Exemption) -> None:
        with self._transaction() as db:
            _put_exemption(db, exemption)

    def exemptions(self) -> list[Exemption]:
        with self._reading() as db:
            return _exemptions(db)

    def end_exemption(self, exemption_id: str, *, author: str, at: datetime) -> Exemption | None:
        with self._transaction() as db:
            row = db.execute("select document from exemptions where id = ?", (exemption_id,)).fetchone()
            if row is None:
                return None
            found = Exemption.from_dict(orjson.loads(row[0]))
            if found.ended is None:
                found = replace(found, ended=at, ended_by=author)
                _put_exemption(db, found)
        return found

    def label(self, labels: Iterable[Label]) -> None:
        with self._transaction() as db:
            db.executemany(
                "insert or replace into labels values (?, ?, ?)",
                [(each.event, iso(each.at), orjson.dumps(each.to_dict()).decode()) for each in labels],
            )

    def labels(self) -> list[Label]:
        with self._reading() as db:
            rows = db.execute("select document from labels order by at desc, event").fetchall()
        return [Label.from_dict(orjson.loads(row[0])) for row in rows]

    def expire(self, keep: timedelta, now: datetime) -> int:
        before = now - keep
        settled = sorted(status.value for status in SETTLED)
        with self._transaction() as db:
            rows = db.execute(
                "select document from cases where last_seen < ? and status in (?, ?)", [iso(before), *settled]
            )
            old = [case.incident.id for (text,) in rows if (settled_at(case := _case(text)) or now) < before]
            gone = [(id_, id_) for id_ in old]
            db.executemany(
                "delete from members where id in (select id from cases where id = ? or part_of = ?)", gone
            )
            self._decisions += 1
            count = db.executemany("delete from cases where id = ? or part_of = ?", gone).rowcount
            over = [each.id for each in _exemptions(db) if is_over(each, before)]
            db.executemany("delete from exemptions where id = ?", [(id_,) for id_ in over])
        return max(0, count)

    def close(self) -> None:
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open = []
        self._local = threading.local()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, with the write lock from the start so that no reader's view is upgraded."""
        with self._reading() as db:
            db.execute("begin immediate")
            try:
                yield db
                db.execute("commit")
            except BaseException:
                if db.in_transaction:  # a full disk has ended it already
                    db.execute("rollback")
                raise

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            yield self._connection()
        except sqlite3.Error as error:
            raise StoreError(f"the casebook {self._file.name} cannot be used now: {error}") from error

    def _connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            # Closed by `close` from whichever thread calls it; used by this thread only.
            found = sqlite3.connect(
                self._file, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False
            )
            found.execute("pragma journal_mode = wal")
            found.execute("pragma synchronous = normal")
            with self._lock:
                self._open.append(found)
            self._local.connection = found
        return found


def _put(db: sqlite3.Connection, cases: Sequence[tuple[Case, str]]) -> None:
    """Cases and their documents."""
    db.executemany(
        "insert or replace into cases values (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                case.incident.id,
                case.status.value,
                case.incident.site,
                case.incident.actor,
                iso(case.incident.first_seen),
                iso(case.incident.last_seen),
                case.incident.part_of,
                document,
            )
            for case, document in cases
        ],
    )
    db.executemany(
        "insert or ignore into members values (?, ?)",
        [(member, case.incident.id) for case, _ in cases for member in case.incident.members],
    )


def _document(case: Case) -> str:
    return case.to_json().decode()


def _put_exemption(db: sqlite3.Connection, exemption: Exemption) -> None:
    db.execute(
        "insert or replace into exemptions values (?, ?, ?)",
        (exemption.id, iso(exemption.created), orjson.dumps(exemption.to_dict()).decode()),
    )


def _exemptions(db: sqlite3.Connection) -> list[Exemption]:
    rows = db.execute("select document from exemptions order by created, id").fetchall()
    return [Exemption.from_dict(orjson.loads(row[0])) for row in rows]


def _find(db: sqlite3.Connection, incident_id: str) -> Case | None:
    row = db.execute("select document from cases where id = ?", (incident_id,)).fetchone()
    return None if row is None else _case(row[0])


def _case(document: str) -> Case:
    return Case.from_dict(orjson.loads(document))


def _save(db: sqlite3.Connection, name: str, state: bytes) -> None:
    db.execute("insert or replace into states values (?, ?)", (name, state))


def _conditions(question: Question) -> tuple[str, list[str]]:
    """Fixed texts with placeholders, and the values for them."""
    statuses = sorted(status.value for status in question.statuses)
    parts = ["part_of is null", f"status in ({', '.join('?' * len(statuses))})"]
    values = list(statuses)
    when: tuple[tuple[datetime | None, str], ...] = (
        (question.since, "last_seen >= ?"),
        (question.until, "first_seen < ?"),
    )
    for time, condition in when:
        if time is not None:
            parts.append(condition)
            values.append(iso(time))
    if question.site is not None:
        parts.append("site = ?")
        values.append(question.site)
    if question.actor is not None:
        parts.append("(actor = ? or id in (select id from members where actor = ?))")
        values += [question.actor, question.actor]
    if question.severity is not None:
        parts.append("json_extract(document, '$.severity') = ?")
        values.append(question.severity.value)
    if question.worked is not None:
        parts.append(f"json_extract(document, '$.outcome') {'=' if question.worked else '<>'} ?")
        values.append(Outcome.WORKED.value)
    return " and ".join(parts), values
