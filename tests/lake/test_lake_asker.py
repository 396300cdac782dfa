"""Who asks may go away: what was being found out for them alone ends, and others get their answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from event_tables import event
from lake_folders import commit
from logvision.lake.queries import Abandoned, Asker, Database
from logvision.lake.queries.database import AT_ONCE, Reading
from logvision.lake.queries.filter import Clause
from logvision.lake.segments import Lake

ENDLESS = Clause(
    "select count(*) from range(10000000) a, range(10000000) b where hash(a.range + b.range) = 1"
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Lake.open(tmp_path / "data", writer=True) as lake:
        commit(lake, [event(position=1)])
        opened = Database(lake)
        yield opened
        opened.close()


def abandoned(asker: Asker, asked: Any) -> bool:
    """Whether a question that is being answered ends when its asker leaves."""
    while not asked.done():
        asker.leave()
    return isinstance(asked.exception(), Abandoned)


def test_a_statement_that_nobody_waits_for_ends(database: Database) -> None:
    asker, began = Asker(), threading.Event()

    def question(reading: Reading) -> Any:
        began.set()
        return reading.rows(ENDLESS)

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(database.asked_by(asker).ask, question)
        assert began.wait(60)
        assert abandoned(asker, asked)
    assert database.ask(lambda reading: reading.rows(Clause("select 1"))) == [(1,)]


def test_who_has_left_is_not_answered_in_their_turn(database: Database) -> None:
    asker = Asker()
    asker.leave()
    asked = []
    with pytest.raises(Abandoned):
        database.asked_by(asker).ask(asked.append)
    assert asked == []


def test_who_leaves_while_waiting_for_a_place_takes_none(database: Database) -> None:
    taken, done = threading.Barrier(AT_ONCE + 1), threading.Event()

    def question(_: Reading) -> bool:
        taken.wait(60)
        return done.wait(60)

    asker = Asker()
    with ThreadPoolExecutor(AT_ONCE + 1) as pool:
        others = [pool.submit(database.ask, question) for _ in range(AT_ONCE)]
        taken.wait(60)
        asked = pool.submit(database.asked_by(asker).ask, lambda _: True)
        asker.leave()
        assert isinstance(asked.exception(60), Abandoned)
        assert not any(other.done() for other in others)
        done.set()
        assert all(other.result(60) for other in others)


def test_those_who_wait_for_an_abandoned_answer_get_theirs(database: Database) -> None:
    first, began, left = Asker(), threading.Event(), threading.Event()
    run: list[Asker] = []

    def question(reading: Reading) -> Any:
        run.append(reading.asker)
        began.set()
        assert left.wait(60)
        return reading.rows(Clause("select 1"))

    others = [Asker() for _ in range(AT_ONCE + 1)]
    with ThreadPoolExecutor(len(others) + 1) as pool:
        abandoned_one = pool.submit(database.asked_by(first).ask, question, "key")
        assert began.wait(60)
        waiting = [pool.submit(database.asked_by(asker).ask, question, "key") for asker in others]
        first.leave()
        left.set()
        assert [asked.result(60) for asked in waiting] == [[(1,)]] * len(others)
        assert isinstance(abandoned_one.exception(60), Abandoned)
    assert run[0] is first
    assert len(run) == 2
