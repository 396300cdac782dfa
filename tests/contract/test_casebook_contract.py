"""Every casebook keeps incidents by id, decisions by revision, and a flush all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from logvision.casebook import base
from logvision.casebook.base import Casebook, Conflict, Question
from logvision.casebook.mongodb import MongoCasebook
from logvision.casebook.sqlite import SqliteCasebook
from logvision.exemption import Exemption
from logvision.incident import SETTLED, Case, Evidence, Incident, Status
from logvision.label import Label
from logvision.schema import Attack, Outcome, Severity, Stage
from servers import MongoDB
from servers.mongodb import Kind

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
EVERY = frozenset(Status)


def incident(number: int = 1, events: int = 3, **changed: object) -> Incident:
    made = Incident(
        id=f"{number:032x}",
        actor=f"ip:192.0.2.{number}",
        actor_kind="ip",
        site="shop.example",
        stage=Stage.EXPLOIT,
        attacks={Attack.SQLI: events},
        outcome=Outcome.UNKNOWN,
        severity=Severity.HIGH,
        score=0.97,
        first_seen=NOON,
        last_seen=NOON + timedelta(minutes=number),
        events=events,
        alerts=1,
        evidence=(Evidence("access.log", 17, NOON, target="/?id=1'", attack=Attack.SQLI),),
    )
    return replace(made, **changed)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Kind], MongoDB]]:
    """Servers by their kind, each started when it is first asked for."""
    with ExitStack() as stack:

        @cache
        def started(kind: Kind) -> MongoDB:
            server = MongoDB(tmp_path_factory.mktemp(kind), kind)
            stack.enter_context(server)
            return server

        yield started


KINDS = [pytest.param(kind, marks=pytest.mark.cluster("mongodb")) for kind in MongoDB.kinds() or ["ferretdb"]]


@pytest.fixture(params=["sqlite", *KINDS])
def opened(
    request: pytest.FixtureRequest, tmp_path: Path, running: Callable[[Kind], MongoDB]
) -> Iterator[Callable[[], Casebook]]:
    """Opens the same casebook as often as it is called, as a restart does."""
    books: list[Casebook] = []

    def open_it() -> Casebook:
        if request.param == "sqlite":
            books.append(SqliteCasebook(tmp_path / "casebook.sqlite"))
        else:
            books.append(MongoCasebook(f"{running(request.param).url}{tmp_path.name}"))
        return books[-1]

    yield open_it
    for book in books:
        book.close()


@pytest.fixture
def book(opened: Callable[[], Casebook]) -> Casebook:
    return opened()


def test_what_is_applied_is_there_after_a_restart(opened: Callable[[], Casebook]) -> None:
    first = opened()
    first.apply([incident()], {"behaviour": b"\x00state"}, {"sequence": 4})
    first.close()
    again = opened()
    assert again.case(incident().id) == Case(incident())
    assert again.load_state("behaviour") == b"\x00state"
    assert again.cursor() == {"sequence": 4}


def test_states_of_any_size_and_name_are_kept_and_replaced(opened: Callable[[], Casebook]) -> None:
    states = {"large": bytes(range(256)) * 80_000, "empty": b"", "a.b/$c": b"\x00\xff"}
    first = opened()
    first.apply([], {"large": b"former", "other": b"stays"}, {"sequence": 1})
    first.apply([], states, {"sequence": 2, "nested": {"partitions": [3, None, "x"]}})
    first.save_state("other", b"later")
    again = opened()
    assert {name: again.load_state(name) for name in states} == states
    assert again.load_state("other") == b"later"
    assert again.cursor() == {"sequence": 2, "nested": {"partitions": [3, None, "x"]}}


def test_of_several_first_states_the_first_one_stays(opened: Callable[[], Casebook]) -> None:
    first, second = opened(), opened()
    assert first.keep_first("password", b"one") == b"one"
    assert second.keep_first("password", b"two") == b"one"
    first.save_state("other", b"saved")
    assert second.keep_first("other", b"late") == b"saved"
    assert (second.load_state("password"), first.load_state("other")) == (b"one", b"saved")


def test_an_empty_casebook_knows_nothing(book: Casebook) -> None:
    assert book.cursor() is None
    assert book.load_state("behaviour") is None
    assert book.case("nobody") is None
    assert book.count(Question(EVERY)) == 0
    assert book.cases(Question(EVERY)).rows == []


def test_applying_the_same_again_changes_nothing(book: Casebook) -> None:
    assert book.apply([incident()]) == [Case(incident())]
    assert book.apply([incident()]) == []
    assert book.apply([incident(events=2)]) == []
    assert book.case(incident().id) == Case(incident())


def test_new_events_replace_the_incident_and_raise_the_revision(book: Casebook) -> None:
    book.apply([incident()])
    assert book.apply([incident(events=9)]) == [Case(incident(events=9), revision=2)]


def test_new_events_open_a_closed_case_again_but_never_a_false_alarm(book: Casebook) -> None:
    for number, status in ((1, Status.CLOSED), (2, Status.FALSE_ALARM)):
        book.apply([incident(number)])
        book.decide(incident(number).id, revision=1, author="ann", at=NOON, status=status)
    book.apply([incident(1, events=4), incident(2, events=4)])
    opened_again, still = book.case(incident(1).id), book.case(incident(2).id)
    assert opened_again is not None
    assert still is not None
    assert opened_again.status is Status.OPEN
    assert [change.author for change in opened_again.history] == ["ann", "logvision"]
    assert still.status is Status.FALSE_ALARM


def test_a_decision_is_kept_with_its_author_and_its_time(book: Casebook) -> None:
    book.apply([incident()])
    decided = book.decide(
        incident().id, revision=1, author="ann", at=NOON, status=Status.ACKNOWLEDGED, note="looking"
    )
    assert decided is not None
    assert (decided.status, decided.note, decided.revision) == (Status.ACKNOWLEDGED, "looking", 2)
    assert [(c.author, c.at, c.status, c.note) for c in decided.history] == [
        ("ann", NOON, Status.ACKNOWLEDGED, "looking")
    ]
    assert book.case(incident().id) == decided


def test_what_another_process_decided_meanwhile_is_kept(opened: Callable[[], Casebook]) -> None:
    engine, page = opened(), opened()
    engine.apply([incident()])
    page.decide(incident().id, revision=1, author="ann", at=NOON, status=Status.ACKNOWLEDGED)
    [changed] = engine.apply([incident(events=9)])
    assert (changed.status, changed.revision) == (Status.ACKNOWLEDGED, 3)
    assert page.case(incident().id) == changed


def test_what_was_decided_while_another_case_went_on_is_kept(opened: Callable[[], Casebook]) -> None:
    engine, page = opened(), opened()
    engine.apply([incident(1), incident(2)])
    for book in (page, engine):
        for number in (1, 2):
            case = book.case(incident(number).id)
            assert case is not None
            book.decide(case.incident.id, revision=case.revision, author="ann", at=NOON, note=repr(book))
            engine.apply([incident(3 - number, events=case.revision + 20)])
            [changed] = engine.apply([incident(number, events=case.revision + 20)])
            assert changed.note == repr(book)
            assert len(changed.history) == len(case.history) + 1


def test_a_decision_on_an_old_revision_is_a_conflict_that_shows_the_newest(book: Casebook) -> None:
    book.apply([incident()])
    book.decide(incident().id, revision=1, author="ann", at=NOON, note="first")
    with pytest.raises(Conflict) as conflict:
        book.decide(incident().id, revision=1, author="bob", at=NOON, note="second")
    assert conflict.value.case.note == "first"


def test_deciding_about_an_unknown_incident_gives_none(book: Casebook) -> None:
    assert book.decide("nobody", revision=1, author="ann", at=NOON) is None


def test_pages_give_every_case_once_newest_first(book: Casebook) -> None:
    book.apply([incident(n) for n in range(1, 8)])
    found: list[str] = []
    cursor = None
    while True:
        page = book.cases(Question(), limit=3, cursor=cursor)
        found += [case.incident.id for case in page.rows]
        cursor = page.next
        if cursor is None:
            break
    assert found == [incident(n).id for n in range(7, 0, -1)]


def test_pages_worst_first_give_every_case_once_by_severity_what_worked_and_the_newest(
    book: Casebook,
) -> None:
    low, high, critical = Severity.LOW, Severity.HIGH, Severity.CRITICAL
    grades = [low, critical, high, critical, low, critical]
    book.apply([incident(number, severity=grade) for number, grade in enumerate(grades, 1)])
    book.apply([incident(2, severity=critical, outcome=Outcome.WORKED, events=4)])

    def pages(limit: int) -> list[list[int]]:
        found: list[list[int]] = []
        cursor = None
        while True:
            page = base.worst_first(book, Question(), limit, cursor)
            found.append([int(case.incident.id, 16) for case in page.rows])
            cursor = page.next
            if cursor is None:
                return found

    assert pages(1) == [[2], [6], [4], [3], [5], [1]]
    assert pages(2) == [[2, 6], [4, 3], [5, 1]]
    assert pages(3) == [[2, 6, 4], [3, 5, 1]]
    assert pages(6) == [[2, 6, 4, 3, 5, 1]]


def test_every_case_of_a_question_comes_once_over_all_pages(
    book: Casebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "PAGE", 2)
    book.apply([incident(number) for number in range(1, 6)], {}, None)
    assert [case.incident for case in base.every(book, Question())] == [
        incident(number) for number in range(5, 0, -1)
    ]
    assert list(base.every(book, Question(site="other.example"))) == []


def test_a_cursor_of_another_origin_is_refused(book: Casebook) -> None:
    with pytest.raises(ValueError, match="not a cursor"):
        book.cases(Question(), cursor="nonsense")
    for cursor in ("nonsense", "grave~2026-05-01T12:00:00Z~1", "high~nonsense"):
        with pytest.raises(ValueError, match="not a cursor"):
            base.worst_first(book, Question(), cursor=cursor)


def test_questions_narrow_by_status_time_site_actor_and_member(book: Casebook) -> None:
    campaign = incident(5, actor="net:192.0.2.0/24", actor_kind="net", members=("ip:192.0.2.1",))
    swallowed = incident(1, part_of=campaign.id)
    book.apply([swallowed, incident(2), incident(3, site="blog.example"), campaign])
    book.decide(incident(2).id, revision=1, author="ann", at=NOON, status=Status.CLOSED)

    def ids(question: Question) -> list[int]:
        numbers = [int(case.incident.id, 16) for case in book.cases(question).rows]
        assert book.count(question) == len(numbers)
        return numbers

    assert ids(Question()) == [5, 3]
    assert ids(Question(SETTLED)) == [2]
    assert ids(Question(EVERY, since=NOON + timedelta(minutes=3))) == [5, 3]
    assert ids(Question(EVERY, until=NOON)) == []
    assert ids(Question(EVERY, site="blog.example")) == [3]
    assert ids(Question(EVERY, actor="ip:192.0.2.1")) == [5]
    assert ids(Question(EVERY, severity=Severity.HIGH)) == [5, 3, 2]
    assert ids(Question(EVERY, severity=Severity.LOW)) == []
    assert ids(Question(EVERY, worked=False)) == [5, 3, 2]
    assert ids(Question(EVERY, worked=True)) == []


def exemption(number: int = 1, **scope: object) -> Exemption:
    scope = {"rule": "verify.sql", "route": "/search", "parameter": "q"} | scope
    at = NOON + timedelta(minutes=number)
    return Exemption.made(author="ann", reason="a search for code", created=at, **scope)


def labelled(number: int = 1, **changed: object) -> Label:
    at = NOON + timedelta(minutes=number)
    made = Label(f"access.log@{number}", Attack.SQLI, "ann", at, "/?id=1'", site="shop.example", status=200)
    return replace(made, **changed)  # type: ignore[arg-type]


def test_exceptions_are_kept_oldest_first_over_a_restart(opened: Callable[[], Casebook]) -> None:
    first = opened()
    every = [
        exemption(1),
        exemption(2, expires=NOON + timedelta(days=9), shape="a'a", site="a", network="192.0.2.0/24"),
    ]
    for each in reversed(every):
        first.exempt(each)
    first.exempt(every[0])
    first.close()
    assert opened().exemptions() == every


def test_an_exception_that_is_ended_says_by_whom_and_when_and_ends_once(book: Casebook) -> None:
    book.exempt(exemption())
    ended = book.end_exemption(exemption().id, author="bob", at=NOON)
    assert ended == replace(exemption(), ended=NOON, ended_by="bob")
    assert book.end_exemption(exemption().id, author="eve", at=NOON + timedelta(hours=1)) == ended
    assert book.exemptions() == [ended]


def test_ending_an_unknown_exception_gives_none(book: Casebook) -> None:
    assert book.end_exemption("nobody", author="ann", at=NOON) is None
    assert book.exemptions() == []


def test_labels_are_kept_newest_first_one_an_event_over_a_restart(opened: Callable[[], Casebook]) -> None:
    first = opened()
    first.label([labelled(1), labelled(2, attack=None, incident=incident().id, note="a test")])
    first.label([labelled(3)])
    again = labelled(1, attack=None, author="bob", at=NOON + timedelta(hours=1))
    first.label([again])
    first.close()
    wanted = [again, labelled(3), labelled(2, attack=None, incident=incident().id, note="a test")]
    assert opened().labels() == wanted


def test_an_empty_casebook_has_no_labels(book: Casebook) -> None:
    assert book.labels() == []


DAY = timedelta(days=1)


def settle(book: Casebook, status: Status, at: datetime, *numbers: int) -> None:
    for number in numbers:
        book.decide(incident(number).id, revision=1, author="ann", at=at, status=status)


def test_what_was_settled_long_ago_goes_with_its_history_and_its_parts_and_what_is_open_stays(
    opened: Callable[[], Casebook],
) -> None:
    book = opened()
    campaign = incident(5, actor="net:192.0.2.0/24", actor_kind="net", members=("ip:192.0.2.6",))
    old = [incident(1), incident(2), campaign, incident(6, part_of=campaign.id)]
    book.apply([*old, incident(3), incident(4), incident(7, last_seen=NOON + 5 * DAY)])
    settle(book, Status.CLOSED, NOON + DAY, 1, 5, 7)
    settle(book, Status.FALSE_ALARM, NOON + DAY, 2)
    settle(book, Status.ACKNOWLEDGED, NOON + DAY, 3)
    assert book.expire(30 * DAY, NOON + 31 * DAY) == 0  # of that very moment is not older
    assert book.expire(30 * DAY, NOON + 32 * DAY) == 4
    again = opened()
    assert [again.case(each.id) for each in old] == [None] * 4
    assert [case.incident for case in again.cases(Question(EVERY)).rows] == [
        incident(7, last_seen=NOON + 5 * DAY),
        incident(4),
        incident(3),
    ]
    assert again.count(Question(EVERY, actor="ip:192.0.2.6")) == 0
    assert again.expire(30 * DAY, NOON + 32 * DAY) == 0
    assert again.apply([incident(1, events=9)]) == [Case(incident(1, events=9))]


def test_a_case_that_was_looked_at_again_or_opened_again_is_young(book: Casebook) -> None:
    book.apply([incident(1), incident(2)])
    settle(book, Status.CLOSED, NOON, 1, 2)
    book.decide(incident(1).id, revision=2, author="bob", at=NOON + 20 * DAY, note="asked again")
    book.apply([incident(2, events=4)])
    assert book.expire(30 * DAY, NOON + 40 * DAY) == 0
    assert book.count(Question(EVERY)) == 2
    assert book.expire(10 * DAY, NOON + 40 * DAY) == 1  # the age is another from now on
    assert [case.incident.id for case in book.cases(Question(EVERY)).rows] == [incident(2).id]


def test_exceptions_go_when_they_are_over_so_long_and_labels_stay(book: Casebook) -> None:
    lasting, expired, ended = exemption(1), exemption(2, expires=NOON + 9 * DAY), exemption(3)
    for each in (lasting, expired, ended):
        book.exempt(each)
    book.end_exemption(ended.id, author="bob", at=NOON + 9 * DAY)
    book.label([labelled()])
    assert book.expire(30 * DAY, NOON + 39 * DAY) == 0
    assert len(book.exemptions()) == 3
    book.expire(30 * DAY, NOON + 40 * DAY)
    assert (book.exemptions(), book.labels()) == ([lasting], [labelled()])


def test_hostile_text_is_data(book: Casebook) -> None:
    hostile = "'; drop table cases; --\x00\u202e<script>"
    book.exempt(exemption(route=hostile, shape=hostile))
    book.label([labelled(event=hostile, target=hostile, note=hostile)])
    assert book.exemptions() == [exemption(route=hostile, shape=hostile)]
    assert book.labels() == [labelled(event=hostile, target=hostile, note=hostile)]
    book.apply([incident(1, site=hostile, summary=hostile)])
    assert book.count(Question(site=hostile)) == 1
    assert book.count(Question()) == 1
