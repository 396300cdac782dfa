"""A filter is read once for all panels, and what they say is what reading the files for each says."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from event_tables import NOON, event, events
from lake_folders import commit
from logvision.lake import queries
from logvision.lake.queries import By, Database, Dimension, Order, Question, dense, selection
from logvision.lake.queries.database import AT_ONCE, Reading
from logvision.lake.queries.filter import Clause, parse_filter
from logvision.lake.queries.shared import Shared
from logvision.lake.segments import Lake

FILTERS = [
    "",
    "path:/item/1",
    "client:198.51.100.3",
    "status:404 country:CN",
    "-bot:*",
    "attack:sqli",
    "query:page=1* -status:500",
    "rule:sqli-2",
    "user:- site:shop.example",
    "bytes:>200",
    "nowhere",
    "path:/item/* attack:*",
    "path:/item/* -attack:*",
    "attack:* attack:-",
]
RANGES = [
    (None, None),
    (NOON + timedelta(hours=7, minutes=3), NOON + timedelta(hours=50)),
    (NOON + timedelta(hours=30), None),
]


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    with Lake.open(tmp_path / "data", writer=True) as opened:
        rows = traffic()
        for low, high in ((0, 20), (20, 40), (40, 60)):
            commit(opened, rows[low:high])
        opened.hot.append(events(rows[60:]))
        yield opened


@pytest.fixture
def database(lake: Lake) -> Iterator[Database]:
    opened = Database(lake)
    yield opened
    opened.close()


def traffic() -> list[dict[str, Any]]:
    return [
        event(
            position=1 + i,
            time=NOON + timedelta(minutes=61 * i, seconds=i),
            client_ip=f"198.51.100.{i % 6}",
            country=["CN", "DE", None][i % 3],
            target=f"/item/{i % 4}?page={i}" if i % 5 else f"/item/{i % 4}",
            status=[200, 404, 500, None][i % 4],
            bytes=10 * i,
            site=["shop.example", "blog.example"][i % 2],
            bot="search:Googlebot" if i % 7 == 0 else None,
            attack="sqli" if i % 9 == 0 else None,
            rules="sqli-1 sqli-2" if i % 9 == 0 else None,
            outcome="missed" if i % 9 == 0 else None,
        )
        for i in range(70)
    ]


def asked(text: str, range_: int = 0) -> Question:
    return Question(*RANGES[range_], filter=parse_filter(text))


def answers(database: Database, question: Question) -> list[Any]:
    """What a page asks of one question."""
    return [
        queries.totals(database, question),
        *(queries.series(database, question, points=20, by=by) for by in By),
        *(queries.top(database, question, dimension, limit=5) for dimension in Dimension),
        *(
            queries.top(database, question, Dimension.CLIENT_IP, abnormal=abnormal, order=Order.BYTES)
            for abnormal in (True, False)
        ),
        queries.actor(database, question, "198.51.100.3"),
        queries.events(database, question, limit=100),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("range_", range(len(RANGES)))
@pytest.mark.parametrize("text", FILTERS)
def test_panels_say_what_reading_the_files_for_each_of_them_says(
    lake: Lake, database: Database, text: str, range_: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "GROUP_ROWS", 1)
    if range_:
        monkeypatch.setattr(selection, "TABLE_ROWS", 7)
    found = answers(database, asked(text, range_))
    monkeypatch.setattr(selection, "MOST", -1)
    assert found == fresh(lake, asked(text, range_))  # small dimensions are counted together
    if range_ == 1:
        monkeypatch.setattr(dense, "_OF", {})
        assert found == fresh(lake, asked(text, range_))


def fresh(lake: Lake, question: Question) -> list[Any]:
    """What a page is told by a server that has answered nothing yet."""
    database = Database(lake)
    found = answers(database, question)
    database.close()
    return found


def test_a_page_of_rare_events_comes_from_the_selection(
    lake: Lake, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = queries.events(database, asked("path:/item/1")).rows
    monkeypatch.setattr(queries.walk, "FIRST_STEP", 1)
    monkeypatch.setattr(selection, "GROUP_ROWS", 1)
    found: list[queries.Event] = []
    cursor: str | None = None
    while True:
        page = queries.events(database, asked("path:/item/1"), limit=3, cursor=cursor)
        found += page.rows
        cursor = page.next
        if cursor is None:
            break
    assert found == expected
    assert len(found) == 18


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Statements that read events files, as they are made."""
    made: list[str] = []

    def reading(name: str) -> None:
        asks = getattr(Reading, name)

        def counted(self: Reading, asked: Any, *more: Any) -> Any:
            if "read_parquet" in asked.sql and "file_row_number in" not in asked.sql:
                made.append(asked.sql)
            return asks(self, asked, *more)

        monkeypatch.setattr(Reading, name, counted)

    for name in ("rows", "table", "batches"):
        reading(name)
    return made


def test_files_are_read_once_for_all_panels_and_new_ones_alone_after_a_commit(
    lake: Lake, database: Database, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "GROUP_ROWS", 1)
    monkeypatch.setattr(selection, "SOME_GROUPS", 9)
    question = Question(filter=parse_filter("country:CN path:/item*"))
    for dimension in Dimension:
        queries.top(database, question, dimension)
    queries.totals(database, question)
    assert len(reads) == 3  # one of each committed file
    commit(lake, [event(position=1_000, time=NOON + timedelta(days=9), country="CN", target="/item/9")])
    assert queries.totals(database, question).requests == 24 + 1
    assert len(reads) == 4


def test_a_filter_that_lets_too_much_through_is_found_out_once(
    database: Database, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "MOST", 0)
    question = Question(filter=parse_filter("-bot:*"))
    assert queries.totals(database, question).requests == 60
    first = len(reads)
    assert queries.top(database, question, Dimension.PATH).total == 60
    assert len(reads) == first + 1  # from the files, no second try
    assert queries.top(database, question, Dimension.METHOD).total == 60
    assert queries.top(database, question, Dimension.STATUS, abnormal=False).total == 54
    assert len(reads) == first + 2  # both from one reading
    # Of a narrower range it may be little enough, and is tried again.
    narrower = Question(start=NOON + timedelta(hours=50), filter=question.filter)
    assert queries.totals(database, narrower).requests == 18
    assert len(reads) == first + 4


def test_the_newest_files_tell_that_a_filter_lets_too_much_through(
    lake: Lake, database: Database, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "GROUP_ROWS", 1)
    monkeypatch.setattr(selection, "SOME_GROUPS", 2)
    monkeypatch.setattr(selection, "MOST", 60 * selection.ROW_BYTES // 4)
    expected = [(row.value, row.requests) for row in queries.top(database, asked(""), Dimension.STATUS).rows]
    reads.clear()
    found = queries.top(database, asked("status:*"), Dimension.STATUS)
    assert [(row.value, row.requests) for row in found.rows] == [e for e in expected if e[0] is not None]
    assert sum("count(*)" in sql and "status" in sql for sql in reads) == 2
    assert len(reads) == 2  # a count of the newest, and all of them at once
    reads.clear()
    assert queries.top(database, asked("path:/item/1"), Dimension.STATUS).total == 18
    assert len(reads) == 4  # the count and one reading of each file


def test_short_questions_pass_those_that_may_take_seconds(database: Database) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def wait(_: Reading) -> str:
        begun.set()
        assert go_on.wait(10)
        return "long"

    with ThreadPoolExecutor(AT_ONCE + 1) as pool:
        waiting = [pool.submit(database.ask, wait, long=True) for _ in range(AT_ONCE + 1)]
        assert begun.wait(10)
        assert database.ask(lambda reading: reading.rows(Clause("select 1"))) == [(1,)]
        go_on.set()
        assert [one.result(10) for one in waiting] == ["long"] * (AT_ONCE + 1)


def test_what_was_asked_for_longest_ago_goes_when_results_grow_too_large() -> None:
    kept = Shared(10, size=len)
    made: list[str] = []

    def make(name: str, length: int) -> str:
        made.append(name)
        return name * length

    for name, length in (("a", 4), ("b", 4), ("a", 4), ("c", 5), ("a", 4), ("b", 4)):
        assert kept.get(name, partial(make, name, length)) == name * length
    assert made == ["a", "b", "c", "b"]
