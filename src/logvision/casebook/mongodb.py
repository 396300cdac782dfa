"""The casebook of a fleet in MongoDB, or in a server that speaks its protocol.

No write needs a transaction of several documents, which a single server does not have. What one flush
brings becomes true in one update of one document, the head: it names the chunks of every state and holds
the cursor. Incidents are written before it and are kept by id and number of events, so that a flush that
broke off is taken again by its next try and changes nothing twice.

Collections: `cases` (the incident document of the web API), `exemptions`, `labels`, `book` (the head),
`chunks` (of states: a document of MongoDB ends at 16 MB).
"""

from __future__ import annotations

import secrets
import threading
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from pymongo import ASCENDING, DESCENDING, InsertOne, MongoClient, ReplaceOne
from pymongo.database import Database
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    DuplicateKeyError,
    InvalidName,
    InvalidURI,
    OperationFailure,
    PyMongoError,
)

from logvision.casebook.base import (
    CasePage,
    Conflict,
    Cursor,
    Question,
    decided,
    folded,
    is_over,
    page_of,
    place_of,
    settled_at,
)
from logvision.errors import Problem, SetupError, StoreError, without_secrets
from logvision.exemption import Exemption
from logvision.incident import SETTLED, Case, Incident, Status, iso
from logvision.label import Label
from logvision.schema import Outcome

SCHEMA: Final = 1
DATABASE: Final = "logvision"  # where the URL names none
HEAD: Final = "head"

SETTLED_AT: Final = "settled_at"
"""Field, and name of its TTL index: when people were done with a case and it was quiet; absent: not yet."""

CHUNK_BYTES: Final = 8 << 20
CASES_A_WRITE: Final = 500
TRIES: Final = 20  # of a change that others overtake
OPTIONS: Final[dict[str, Any]] = {
    "serverSelectionTimeoutMS": 2_000,  # a page should not wait longer for a server that is gone
    "connectTimeoutMS": 2_000,
    "socketTimeoutMS": 20_000,
    "retryWrites": True,  # where the server can tell a repeated write
    "appName": "logvision",
}

DUPLICATE: Final = 11000
_OTHERWISE: Final = frozenset({85, 86})  # the index is there with another age
_UNKNOWN: Final = frozenset({59, 115, 238})  # the server has no such command, no such index
_REFUSED: Final = frozenset({13, 18, 8000})  # not authorised, wrong password, Atlas's word for both

_Document = dict[str, Any]


class MongoCasebook:
    """Implements `Casebook`. A change is written only over the revision that it was made of."""

    def __init__(self, url: str) -> None:
        """A server that does not answer yet is a StoreError of each call until it does.

        Raises SetupError for a URL that is none, when the server refuses us, and when the casebook
        there is one of a later version.
        """
        self.name = without_secrets(url)
        try:
            options = {name: value for name, value in OPTIONS.items() if name.lower() not in url.lower()}
            with warnings.catch_warnings():
                warnings.simplefilter("error", UserWarning)  # of an option that is none
                self._client: MongoClient[_Document] = MongoClient(url, **options)
            self._db: Database[_Document] = self._client.get_default_database(DATABASE)
        except (InvalidURI, InvalidName, ConfigurationError, ValueError, UserWarning) as error:
            expected = "mongodb://host:port/database"
            raise SetupError(Problem("casebook.url", f"{self.name}: {error}", expected)) from None
        self._prepared = False
        self._kept: timedelta | None = None  # what the server was told last
        self._lock = threading.Lock()
        try:
            with suppress(StoreError), self._talking():
                pass
        except SetupError:
            self.close()
            raise

    def apply(
        self,
        incidents: Iterable[Incident],
        states: Mapping[str, bytes] | None = None,
        cursor: Cursor | None = None,
    ) -> list[Case]:
        """What an earlier try that failed has kept already is not among the cases given."""
        given = list(incidents)
        with self._talking() as db:
            changed: list[Case] = []
            for start in range(0, len(given), CASES_A_WRITE):
                changed += _keep(db, given[start : start + CASES_A_WRITE])
            if states or cursor is not None:
                _turn(db, states or {}, cursor)
        return changed

    def cursor(self) -> Cursor | None:
        with self._talking() as db:
            head = db.book.find_one({"_id": HEAD}, {"cursor": 1})
        return None if head is None or "cursor" not in head else dict(head["cursor"])

    def save_state(self, name: str, state: bytes) -> None:
        with self._talking() as db:
            _turn(db, {name: state}, None)

    def load_state(self, name: str) -> bytes | None:
        with self._talking() as db:
            for _ in range(TRIES):
                head = db.book.find_one({"_id": HEAD}, {"states": 1})
                ids = ((head or {}).get("states") or {}).get(_key(name))
                if ids is None:
                    return None
                found = {row["_id"]: row["data"] for row in db.chunks.find({"_id": {"$in": ids}})}
                if len(found) == len(ids):  # otherwise it was replaced between the two questions
                    return b"".join(found[id_] for id_ in ids)
        raise StoreError(f"the casebook at {self.name} lacks a part of the state {name}")

    def keep_first(self, name: str, state: bytes) -> bytes:
        with self._talking() as db:
            with suppress(DuplicateKeyError):
                # A chunk of this id is there once, whoever else writes it at the same time.
                db.chunks.insert_one({"_id": f"{_key(name)}/first", "state": _key(name), "data": state})
            db.book.update_one(
                {"_id": HEAD, f"states.{_key(name)}": None},
                {"$set": {f"states.{_key(name)}": [f"{_key(name)}/first"]}},
            )
        kept = self.load_state(name)
        assert kept is not None  # it was kept just now, by us or by another
        return kept

    def cases(self, question: Question, limit: int = 50, cursor: str | None = None) -> CasePage:
        conditions = _conditions(question)
        if cursor is not None:
            last_seen, after = place_of(cursor)
            later = {"last_seen": last_seen, "_id": {"$gt": after}}
            conditions.append({"$or": [{"last_seen": {"$lt": last_seen}}, later]})
        order = [("last_seen", DESCENDING), ("_id", ASCENDING)]
        with self._talking() as db:
            rows = list(db.cases.find({"$and": conditions}).sort(order).limit(limit + 1))
        return page_of([Case.from_dict(row) for row in rows], limit)

    def count(self, question: Question) -> int:
        with self._talking() as db:
            return int(db.cases.count_documents({"$and": _conditions(question)}))

    def case(self, incident_id: str) -> Case | None:
        with self._talking() as db:
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
        with self._talking() as db:
            case = _find(db, incident_id)
            if case is None:
                return None
            changed = decided(case, revision=revision, author=author, at=at, status=status, note=note)
            only = {"_id": incident_id, "revision": revision}
            if db.cases.replace_one(only, _document(changed)).matched_count:
                return changed
            raise Conflict(_find(db, incident_id) or case)

    def exempt(self, exemption: Exemption) -> None:
        with self._talking() as db:
            document = {"_id": exemption.id, **exemption.to_dict()}
            db.exemptions.replace_one({"_id": exemption.id}, document, upsert=True)

    def exemptions(self) -> list[Exemption]:
        with self._talking() as db:
            rows = list(db.exemptions.find().sort([("created", ASCENDING), ("_id", ASCENDING)]))
        return [Exemption.from_dict(row) for row in rows]

    def end_exemption(self, exemption_id: str, *, author: str, at: datetime) -> Exemption | None:
        with self._talking() as db:
            # The condition on `ended` lets the first of two people have it.
            db.exemptions.update_one(
                {"_id": exemption_id, "ended": None}, {"$set": {"ended": iso(at), "ended_by": author}}
            )
            row = db.exemptions.find_one({"_id": exemption_id})
        return None if row is None else Exemption.from_dict(row)

    def label(self, labels: Iterable[Label]) -> None:
        """A try that failed may have kept some; the next one keeps them all."""
        writes = [
            ReplaceOne({"_id": each.event}, {"_id": each.event, **each.to_dict()}, upsert=True)
            for each in labels
        ]
        if writes:
            with self._talking() as db:
                db.labels.bulk_write(writes)

    def labels(self) -> list[Label]:
        with self._talking() as db:
            rows = list(db.labels.find().sort([("at", DESCENDING), ("_id", ASCENDING)]))
        return [Label.from_dict(row) for row in rows]

    def expire(self, keep: timedelta, now: datetime) -> int:
        """A server that has TTL indexes is also told, and lets settled cases go when nobody asks it to."""
        before = now - keep
        conditions = {"status": {"$in": sorted(s.value for s in SETTLED)}, "last_seen": {"$lt": iso(before)}}
        gone = 0
        with self._talking() as db:
            if keep != self._kept:
                _tell(db, keep)
                self._kept = keep
            for case in [Case.from_dict(row) for row in db.cases.find(conditions)]:
                if (settled_at(case) or now) < before:
                    # Nobody may have decided, or opened it again, in between.
                    only = {"_id": case.incident.id, "revision": case.revision}
                    if db.cases.delete_one(only).deleted_count:
                        gone += 1 + db.cases.delete_many({"part_of": case.incident.id}).deleted_count
            over = [row["_id"] for row in db.exemptions.find() if is_over(Exemption.from_dict(row), before)]
            if over:
                db.exemptions.delete_many({"_id": {"$in": over}})
        return gone

    def close(self) -> None:
        self._client.close()

    @contextmanager
    def _talking(self) -> Iterator[Database[_Document]]:
        """The database, prepared; what goes wrong inside is a StoreError."""
        try:
            if not self._prepared:
                self._prepare()
            yield self._db
        except PyMongoError as error:
            raise StoreError(f"the casebook at {self.name} cannot be used now: {_said(error)}") from error

    def _prepare(self) -> None:
        """Indexes and version, at the first time that the server answers. Safe to do by many at once."""
        with self._lock:
            if self._prepared:
                return
            try:
                head = self._db.book.find_one({"_id": HEAD}, {"schema": 1})
                version = (head or {}).get("schema", SCHEMA)
                if version > SCHEMA:
                    got = f"{self.name}: a casebook of version {version}"
                    raise SetupError(Problem("casebook.url", got, f"version {SCHEMA} or earlier"))
                self._db.book.update_one({"_id": HEAD}, {"$set": {"schema": SCHEMA}}, upsert=True)
                for keys in (
                    [("last_seen", DESCENDING), ("_id", ASCENDING)],
                    [("severity", ASCENDING), ("last_seen", DESCENDING), ("_id", ASCENDING)],
                    [("actor", ASCENDING)],
                    [("members", ASCENDING)],
                ):
                    self._db.cases.create_index(keys)
                self._db.chunks.create_index("state")
            except OperationFailure as error:
                if error.code not in _REFUSED:
                    raise
                got = f"{self.name}: {_said(error)}"
                raise SetupError(Problem("casebook.url", got, "a MongoDB that lets us in")) from None
            self._prepared = True


def _keep(db: Database[_Document], incidents: Sequence[Incident]) -> list[Case]:
    """Write these states of incidents over what is kept of them; the cases that changed, in order."""
    changed: dict[str, Case] = {}
    ids = [incident.id for incident in incidents]
    for _ in range(TRIES):
        kept = {row["_id"]: Case.from_dict(row) for row in db.cases.find({"_id": {"$in": ids}})}
        writes: list[InsertOne[_Document] | ReplaceOne[_Document]] = []
        now = folded(incidents, kept)
        for id_, case in now.items():
            old = kept.get(id_)
            if old is None:
                writes.append(InsertOne(_document(case)))
            else:
                writes.append(ReplaceOne({"_id": id_, "revision": old.revision}, _document(case)))
        if not writes:
            break
        try:
            done = db.cases.bulk_write(writes, ordered=False)
            overtaken = done.matched_count + done.inserted_count < len(writes)
        except BulkWriteError as error:
            if any(each["code"] != DUPLICATE for each in error.details["writeErrors"]):
                raise
            overtaken = True
        changed |= now
        if not overtaken:
            break
    else:
        raise StoreError("incidents of the casebook are changed by others faster than they can be written")
    return [changed[id_] for id_ in dict.fromkeys(ids) if id_ in changed]


def _turn(db: Database[_Document], states: Mapping[str, bytes], cursor: Cursor | None) -> None:
    """Let these states and the cursor become true together."""
    token = secrets.token_hex(8)
    new: dict[str, Any] = {}
    for name, state in states.items():
        ids = []
        for start in range(0, len(state), CHUNK_BYTES) or [0]:
            ids.append(f"{_key(name)}/{token}/{start}")
            data = state[start : start + CHUNK_BYTES]
            db.chunks.insert_one({"_id": ids[-1], "state": _key(name), "data": data})
        new[f"states.{_key(name)}"] = ids
    if cursor is not None:
        new["cursor"] = dict(cursor)
    db.book.update_one({"_id": HEAD}, {"$set": new}, upsert=True)
    # From here on it is true. Chunks that a lost server keeps from being removed go the next time.
    with suppress(PyMongoError):
        for name in states:
            ids = new[f"states.{_key(name)}"]
            db.chunks.delete_many({"state": _key(name), "_id": {"$nin": ids}})


def _tell(db: Database[_Document], keep: timedelta) -> None:
    """Have the server let go of cases so long after their SETTLED_AT, if it knows how."""
    seconds = int(keep.total_seconds())
    try:
        db.cases.create_index(SETTLED_AT, name=SETTLED_AT, expireAfterSeconds=seconds)
    except OperationFailure as error:
        if error.code in _OTHERWISE:
            db.command("collMod", "cases", index={"name": SETTLED_AT, "expireAfterSeconds": seconds})
        elif error.code not in _UNKNOWN:
            raise


def _document(case: Case) -> _Document:
    """As the web API gives it, with the moment from which its age counts as a date."""
    settled = settled_at(case)
    return {
        "_id": case.incident.id,
        **case.to_dict(),
        **({} if settled is None else {SETTLED_AT: settled}),
    }


def _find(db: Database[_Document], incident_id: str) -> Case | None:
    row = db.cases.find_one({"_id": incident_id})
    return None if row is None else Case.from_dict(row)


def _key(name: str) -> str:
    """The name of a state as the name of a field, in which a dot and a dollar mean something."""
    return quote(name, safe="").replace(".", "%2E")


def _conditions(question: Question) -> list[_Document]:
    conditions: list[_Document] = [
        {"part_of": None},
        {"status": {"$in": sorted(status.value for status in question.statuses)}},
    ]
    if question.since is not None:
        conditions.append({"last_seen": {"$gte": iso(question.since)}})
    if question.until is not None:
        conditions.append({"first_seen": {"$lt": iso(question.until)}})
    if question.site is not None:
        conditions.append({"site": question.site})
    if question.actor is not None:
        conditions.append({"$or": [{"actor": question.actor}, {"members": question.actor}]})
    if question.severity is not None:
        conditions.append({"severity": question.severity.value})
    if question.worked is not None:
        conditions.append({"outcome": {"$eq" if question.worked else "$ne": Outcome.WORKED.value}})
    return conditions


def _said(error: PyMongoError) -> str:
    """The first sentence of what pymongo says, which goes on for a page."""
    said = str(error)
    for more in (" (configured timeouts", ", Timeout:", ", full error:"):
        said = said.partition(more)[0]
    return said
