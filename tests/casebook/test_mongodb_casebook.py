"""What is special about the casebook in MongoDB: a server that goes away, writers side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pymongo
import pytest
from pymongo.errors import OperationFailure

from logvision.casebook import mongodb as module
from logvision.casebook.base import Conflict, Question
from logvision.casebook.mongodb import MongoCasebook
from logvision.errors import SetupError, StoreError
from logvision.incident import Incident, Status
from logvision.schema import Attack, Outcome, Severity, Stage
from servers import MongoDB
from servers.process import answers, free_port

pytestmark = pytest.mark.cluster("mongodb")

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def incident(number: int = 1, events: int = 3) -> Incident:
    return Incident(
        id=f"{number:032x}",
        actor=f"ip:192.0.2.{number}",
        actor_kind="ip",
        site=None,
        stage=Stage.EXPLOIT,
        attacks={Attack.SQLI: events},
        outcome=Outcome.UNKNOWN,
        severity=Severity.HIGH,
        score=0.97,
        first_seen=NOON,
        last_seen=NOON + timedelta(minutes=number),
        events=events,
        alerts=1,
    )


@pytest.fixture
def server(mongodb: MongoDB) -> Iterator[MongoDB]:
    with raw(mongodb) as client:
        client.drop_database("fleet")
    yield mongodb
    if not answers(mongodb.port):
        mongodb.start()


@pytest.fixture
def join(server: MongoDB) -> Iterator[Callable[[], MongoCasebook]]:
    """One more process on the same casebook."""
    made: list[MongoCasebook] = []

    def book() -> MongoCasebook:
        # The driver looks for a server that was gone every half second.
        made.append(MongoCasebook(f"{server.url}fleet?serverSelectionTimeoutMS=1500"))
        return made[-1]

    yield book
    for one in made:
        one.close()


@pytest.fixture
def book(join: Callable[[], MongoCasebook]) -> MongoCasebook:
    return join()


def raw(server: MongoDB) -> pymongo.MongoClient[dict[str, Any]]:
    return pymongo.MongoClient(server.url)


def test_a_server_that_is_gone_is_a_store_error_soon_and_what_was_kept_is_there_when_it_is_back(
    server: MongoDB, book: MongoCasebook
) -> None:
    book.apply([incident()], {"behaviour": b"1"}, {"sequence": 1})
    server.kill()
    before = time.monotonic()
    with pytest.raises(StoreError, match=r"the casebook at mongodb://127.0.0.1:\d+/fleet cannot be used now"):
        book.apply([incident(2)], {"behaviour": b"2"}, {"sequence": 2})
    with pytest.raises(StoreError):
        book.count(Question())
    assert time.monotonic() - before < 20
    server.start()
    assert book.apply([incident(2)], {"behaviour": b"2"}, {"sequence": 2})[0].incident == incident(2)
    assert (book.count(Question()), book.cursor()) == (2, {"sequence": 2})


def test_a_flush_that_breaks_off_between_incidents_and_states_is_whole_after_the_next_try(
    server: MongoDB, book: MongoCasebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.apply([incident()], {"a": b"1", "b": b"1"}, {"sequence": 1})
    turn = module._turn

    def lost(*given: Any) -> None:
        server.kill()
        turn(*given)

    monkeypatch.setattr(module, "_turn", lost)
    with pytest.raises(StoreError):
        book.apply([incident(events=5), incident(2)], {"a": b"2", "b": b"2"}, {"sequence": 2})
    monkeypatch.setattr(module, "_turn", turn)
    server.start()
    states = {name: book.load_state(name) for name in ("a", "b")}
    assert (states, book.cursor()) == ({"a": b"1", "b": b"1"}, {"sequence": 1})

    book.apply([incident(events=5), incident(2)], {"a": b"2", "b": b"2"}, {"sequence": 2})
    states = {name: book.load_state(name) for name in ("a", "b")}
    assert (states, book.cursor()) == ({"a": b"2", "b": b"2"}, {"sequence": 2})
    rows = book.cases(Question()).rows
    assert [(case.incident, case.revision) for case in rows] == [(incident(2), 1), (incident(events=5), 2)]


def test_chunks_of_former_states_do_not_stay(
    server: MongoDB, book: MongoCasebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK_BYTES", 10)
    for number in range(4):
        book.apply([], {"a": bytes([number]) * 35, "b": b"x"}, {"sequence": number})
    assert book.load_state("a") == b"\x03" * 35
    with raw(server) as client:
        assert client.fleet.chunks.count_documents({}) == 5


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[], object]], None]:
    """Let something happen once between reading a case and writing it."""

    def happen(step: str, what: Callable[[], object]) -> None:
        made = getattr(module, step)

        def overtaken(*given: Any, **named: Any) -> Any:
            monkeypatch.setattr(module, step, made)
            what()
            return made(*given, **named)

        monkeypatch.setattr(module, step, overtaken)

    return happen


def test_an_engine_that_a_person_overtakes_keeps_the_decision(
    join: Callable[[], MongoCasebook], between: Callable[[str, Callable[[], object]], None]
) -> None:
    engine, person = join(), join()
    engine.apply([incident(events=1)])
    between("folded", lambda: person.decide(incident().id, revision=1, author="ann", at=NOON, note="mine"))
    (changed,) = engine.apply([incident(events=2)])
    assert (changed.incident.events, changed.note, changed.revision) == (2, "mine", 3)
    assert person.case(incident().id) == changed


def test_a_person_whom_the_engine_overtakes_gets_a_conflict_with_the_newest(
    join: Callable[[], MongoCasebook], between: Callable[[str, Callable[[], object]], None]
) -> None:
    engine, person = join(), join()
    engine.apply([incident(events=1)])
    between("decided", lambda: engine.apply([incident(events=2)]))
    with pytest.raises(Conflict) as conflict:
        person.decide(incident().id, revision=1, author="ann", at=NOON, note="mine")
    assert conflict.value.case == engine.case(incident().id)
    assert conflict.value.case.incident == incident(events=2)


def test_two_engines_that_write_the_same_incidents_leave_them_once(
    join: Callable[[], MongoCasebook], between: Callable[[str, Callable[[], object]], None]
) -> None:
    left, right = join(), join()
    between("folded", lambda: right.apply([incident(2), incident(1)]))
    left.apply([incident(1), incident(2), incident(3)])
    rows = left.cases(Question()).rows
    assert [(case.incident, case.revision) for case in rows] == [(incident(n), 1) for n in (3, 2, 1)]


def test_a_process_that_starts_before_the_server_works_once_it_is_there(tmp_path: Path) -> None:
    server = MongoDB(tmp_path / "mongodb")
    book = MongoCasebook(f"{server.url}?serverSelectionTimeoutMS=100")
    try:
        with pytest.raises(StoreError):
            book.cursor()
        with server:
            assert book.cursor() is None
            book.apply([incident()])
            assert book.count(Question()) == 1
    finally:
        book.close()


def test_the_questions_of_the_page_have_their_indexes(server: MongoDB, book: MongoCasebook) -> None:
    book.cursor()
    with raw(server) as client:
        keys = [tuple(index["key"]) for index in client.fleet.cases.list_indexes()]
    assert sorted(keys) == [
        ("_id",),
        ("actor",),
        ("last_seen", "_id"),
        ("members",),
        ("severity", "last_seen", "_id"),
    ]


def test_a_casebook_of_a_later_version_is_refused(server: MongoDB) -> None:
    with raw(server) as client:
        client.fleet.book.insert_one({"_id": "head", "schema": 99})
    with pytest.raises(SetupError, match="a casebook of version 99; expected version 1"):
        MongoCasebook(f"{server.url}fleet")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "mongodb://",
        "mongodb://127.0.0.1:port/",
        "mongodb://h/?tls=maybe",
    ],
)
def test_an_address_that_is_none_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(SetupError, match=r"casebook\.url: got .*; expected mongodb://"):
        MongoCasebook(url)


def test_the_password_in_the_address_is_never_shown() -> None:
    url = f"mongodb://ann:secret@127.0.0.1:{free_port()}/?serverSelectionTimeoutMS=50"
    book = MongoCasebook(url)
    try:
        with pytest.raises(StoreError) as lost:
            book.cursor()
    finally:
        book.close()
    assert "secret" not in str(lost.value)


def test_what_the_engine_kept_is_readable_by_any_tool(server: MongoDB, book: MongoCasebook) -> None:
    book.apply([replace(incident(), summary="SQL injection")])
    book.decide(incident().id, revision=1, author="ann", at=NOON, status=Status.ACKNOWLEDGED)
    with raw(server) as client:
        row: Mapping[str, Any] | None = client.fleet.cases.find_one({"attacks.sqli": {"$gt": 2}})
    assert row is not None
    assert (row["_id"], row["status"], row["severity"]) == (incident().id, "acknowledged", "high")


def test_a_settled_case_says_from_when_its_age_counts_and_an_open_one_does_not(
    server: MongoDB, book: MongoCasebook
) -> None:
    book.apply([incident(1), incident(2)])
    at = NOON + timedelta(days=1)
    for number, status in ((1, Status.CLOSED), (2, Status.ACKNOWLEDGED)):
        book.decide(incident(number).id, revision=1, author="ann", at=at, status=status)
    with raw(server) as client:
        rows = {row["_id"]: row.get("settled_at") for row in client.fleet.cases.find()}
    assert rows == {incident(1).id: at.replace(tzinfo=None), incident(2).id: None}


class Told:
    """A server that answers the making of an index with this error, and keeps what it is told."""

    def __init__(self, code: int | None) -> None:
        self.cases, self._code = self, code
        self.told: list[tuple[Any, ...]] = []

    def create_index(self, keys: str, *, name: str, expireAfterSeconds: int) -> None:
        self.told.append((keys, name, expireAfterSeconds))
        if self._code is not None:
            raise OperationFailure("no", self._code)

    def command(self, *words: str, index: Mapping[str, Any]) -> None:
        self.told.append((*words, index))


@pytest.mark.parametrize(
    ("code", "more"),
    [
        pytest.param(None, [], id="it has them"),
        pytest.param(238, [], id="it has none"),
        pytest.param(
            85, [("collMod", "cases", {"name": "settled_at", "expireAfterSeconds": 86_400})], id="older age"
        ),
    ],
)
def test_a_server_is_told_the_age_of_settled_cases_if_it_has_ttl_indexes(
    code: int | None, more: list[tuple[Any, ...]]
) -> None:
    server: Any = Told(code)
    module._tell(server, timedelta(days=1))
    assert server.told == [("settled_at", "settled_at", 86_400), *more]


def test_a_server_that_refuses_the_index_for_another_reason_is_no_server_without_ttl() -> None:
    server: Any = Told(13)
    with pytest.raises(OperationFailure):
        module._tell(server, timedelta(days=1))
