"""Questions: rollups and events give the same answers, pages give every event once, hot ones count."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from event_tables import NOON, event, events
from lake_folders import commit, reject
from logvision.errors import StoreError
from logvision.lake import compaction, queries
from logvision.lake.compaction import compact, sweep
from logvision.lake.queries import (
    AnsweredFrom,
    By,
    Database,
    Dimension,
    Order,
    Question,
    ranked,
    rollups,
    walk,
    whole,
)
from logvision.lake.queries.answers import Bounds, Line, ReasonCount, Reject, Row
from logvision.lake.queries.database import Reading, joined
from logvision.lake.queries.filter import FilterError, parse_filter
from logvision.lake.segments import Lake
from logvision.schema import PARTIAL, REJECT, Reason
from logvision.windows import counting

pytestmark = pytest.mark.slow

HOUR = timedelta(hours=1)


def asked(
    text: str = "", start: datetime | None = None, end: datetime | None = None, site: str | None = None
) -> Question:
    return Question(start, end, site, parse_filter(text))


def traffic(count: int = 60) -> list[dict[str, Any]]:
    """Events over three days and a bit, of five addresses, two sites and some attacks."""
    return [
        event(
            position=1 + i,
            time=NOON + timedelta(minutes=73 * i, seconds=i),
            client_ip=f"198.51.100.{i % 5}",
            country=["CN", "DE", None][i % 3],
            target=f"/item/{i % 7}?page={i}",
            route="/item/{int}",
            status=[200, 301, 404, 500, None][i % 5],
            bytes=10 * i,
            site=["shop.example", "blog.example"][i % 2],
            attack="sqli" if i % 10 == 0 else None,
            rules="sqli-1 sqli-2" if i % 10 == 0 else None,
            outcome="missed" if i % 10 == 0 else None,
            score=0.9 if i % 10 == 0 else 0.0,
            method=["GET", "POST"][i % 4 == 0],
        )
        for i in range(count)
    ]


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    with Lake.open(tmp_path / "data", writer=True) as opened:
        yield opened


@pytest.fixture
def database(lake: Lake) -> Iterator[Database]:
    opened = Database(lake)
    yield opened
    opened.close()


@pytest.fixture
def filled(lake: Lake) -> Lake:
    rows = traffic()
    for low, high in ((0, 15), (15, 30), (30, 50)):
        commit(lake, rows[low:high])
    lake.hot.append(events(rows[50:]))
    return lake


RANGES = [
    (None, None),
    (NOON + HOUR, NOON + 31 * HOUR),
    (NOON + timedelta(minutes=61, seconds=7), NOON + timedelta(hours=60, minutes=3, seconds=1)),
    (NOON + timedelta(minutes=10), NOON + timedelta(minutes=50)),
    (None, NOON + 2 * HOUR),
    (NOON + 70 * HOUR, None),
]


def same(one: Any, other: Any, *, but: tuple[str, ...] = ()) -> None:
    names = one.__dataclass_fields__.keys() - {"answered_from", "approximate", *but}
    assert {n: getattr(one, n) for n in names} == {n: getattr(other, n) for n in names}


@pytest.mark.parametrize(
    ("start", "end", "site", "compacted"),
    [
        *((start, end, None, False) for start, end in RANGES),
        (*RANGES[0], "shop.example", False),
        (*RANGES[2], "shop.example", True),
        (*RANGES[2], None, True),
    ],
)
def test_rollups_and_events_give_the_same_answers(
    filled: Lake,
    database: Database,
    start: datetime | None,
    end: datetime | None,
    site: str | None,
    compacted: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if compacted:
        monkeypatch.setattr(compaction, "FANOUT", 2)
        assert compact(filled, now=0.0) > 0
    question = asked("", start, end, site)

    def answers() -> list[Any]:
        return [
            queries.totals(database, question),
            *(queries.series(database, question, by=by, points=5) for by in By),
            queries.series(database, question, points=200),
            *(queries.top(database, question, d, limit=100) for d in Dimension),
            queries.top(database, question, Dimension.PATH, limit=3, order=Order.ATTACKS),
        ]

    of_events = answers()
    monkeypatch.setattr(rollups, "EVENTS_AT_ONCE", -1)
    of_rollups = answers()
    assert of_rollups[0].answered_from is AnsweredFrom.ROLLUPS
    assert {a.answered_from for a in of_events} == {AnsweredFrom.EVENTS}
    for one, other in zip(of_rollups, of_events, strict=True):
        same(one, other)


@pytest.mark.parametrize("abnormal", [True, False])
def test_attacks_alone_and_the_rest_alone_are_counted_the_same_way(
    filled: Lake, database: Database, abnormal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = queries.top(database, asked(), Dimension.COUNTRY, abnormal=abnormal)
    monkeypatch.setattr(rollups, "EVENTS_AT_ONCE", -1)
    found = queries.top(database, asked(), Dimension.COUNTRY, abnormal=abnormal)
    assert found.answered_from is AnsweredFrom.ROLLUPS
    assert [(r.value, r.requests, r.attacks, r.share) for r in found.rows] == [
        (r.value, r.requests, r.attacks, r.share) for r in exact.rows
    ]
    assert {r.bytes for r in found.rows} == {None}  # rollups do not know


@pytest.mark.parametrize(
    "text", ["status:404", "status:5xx", "attack:sqli", "attack:*", "kind:page", "country:CN"]
)
def test_a_series_of_one_value_comes_from_rollups_and_equals_that_of_events(
    filled: Lake, database: Database, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = queries.series(database, asked(text), points=10)
    monkeypatch.setattr(rollups, "EVENTS_AT_ONCE", -1)
    found = queries.series(database, asked(text), points=10)
    assert (found.answered_from, exact.answered_from) == (AnsweredFrom.ROLLUPS, AnsweredFrom.EVENTS)
    same(found, exact)


def test_totals_count(filled: Lake, database: Database) -> None:
    found = queries.totals(database, asked())
    assert replace(found, answered_from=AnsweredFrom.EVENTS) == found
    assert (found.requests, found.success, found.other, found.attacks, found.normal) == (60, 24, 36, 6, 54)
    assert (found.client_errors, found.server_errors, found.visitors, found.resources) == (12, 12, 5, 7)
    assert (found.bytes, found.first, found.last) == (
        10 * sum(range(60)),
        NOON,
        NOON + timedelta(minutes=73 * 59, seconds=59),
    )
    # 50 committed and 10 hot; log bytes of what is committed.
    assert (found.read, found.events, found.rejects, found.filtered, found.log_bytes) == (60, 60, 0, 0, 5000)


def test_totals_of_a_filter(filled: Lake, database: Database) -> None:
    found = queries.totals(database, asked("status:404 -country:CN"))
    wanted = [i for i in range(60) if i % 5 == 2 and i % 3 != 0]
    assert (found.requests, found.client_errors, found.resources) == (
        len(wanted),
        len(wanted),
        len({i % 7 for i in wanted}),
    )


def test_an_empty_lake_answers_with_zeros(lake: Lake, database: Database) -> None:
    assert queries.totals(database, asked()).requests == 0
    assert queries.totals(database, asked()).first is None
    assert queries.series(database, asked()).series == []
    assert queries.top(database, asked(), Dimension.PATH).rows == []
    assert queries.events(database, asked()).rows == []
    assert queries.bounds(database) == Bounds(None, None, [])
    assert queries.rejects(database).rows == []
    assert queries.event(database, "access.log", 1) is None


def test_a_series_has_a_step_for_every_moment_of_the_range(lake: Lake, database: Database) -> None:
    commit(lake, [event(position=1), event(position=2, time=NOON + timedelta(seconds=40), attack="sqli")])
    start = NOON - timedelta(minutes=1)
    found = queries.series(database, asked("", start, NOON + timedelta(minutes=1)), points=4, by=By.ATTACK)
    times = [start + timedelta(seconds=30 * i) for i in range(4)]
    assert (found.start, found.step_s) == (start, 30)
    assert found.series == [
        Line("normal", times, [0, 0, 1, 0], [0, 0, 1000, 0], [0, 0, 0, 0]),
        Line("abnormal", times, [0, 0, 0, 1], [0, 0, 0, 1000], [0, 0, 0, 1]),
    ]


def test_a_top_list_says_what_is_beside_it(filled: Lake, database: Database) -> None:
    found = queries.top(database, asked(), Dimension.CLIENT_IP, limit=1, order=Order.ATTACKS)
    assert (found.total, found.other, found.approximate) == (60, 48, False)
    assert [(r.value, r.requests, r.attacks, r.errors, r.share) for r in found.rows] == [
        ("198.51.100.0", 12, 6, 0, 0.2)
    ]
    assert found.rows[0].country in {"CN", "DE"}


def test_an_answer_is_kept_as_long_as_the_lake_stands_still(
    lake: Lake, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(lake, traffic(10))
    asking = [
        lambda: queries.totals(database, asked()),
        lambda: queries.top(database, asked(), Dimension.PATH),
    ]
    first = [ask() for ask in asking]
    with monkeypatch.context() as still:
        still.setattr(Reading, "rows", None)
        assert [ask() for ask in asking] == first
    lake.hot.append(events(traffic(12)[10:]))
    assert [queries.totals(database, asked()).requests, asking[1]().total] == [12, 12]  # type: ignore[attr-defined]


def test_sites_that_rollups_no_longer_name_are_in_no_row(
    lake: Lake, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollups, "EVENTS_AT_ONCE", -1)
    monkeypatch.setattr(counting, "SITES_KEPT", 2)
    commit(lake, [event(position=i + 1, site=f"{i % 4 // 2}.example") for i in range(8)])
    commit(lake, [event(position=i + 9, site=f"{i}.example") for i in range(2, 6)])
    found = queries.top(database, asked(), Dimension.SITE)
    assert ([(row.value, row.requests) for row in found.rows], found.other, found.approximate) == (
        [("0.example", 4), ("1.example", 4), ("2.example", 1)],
        3,
        True,
    )


def test_rules_are_counted_one_by_one(filled: Lake, database: Database) -> None:
    found = queries.top(database, asked(), Dimension.RULES)
    assert [(r.value, r.requests) for r in found.rows] == [("sqli-1", 6), ("sqli-2", 6)]
    assert (found.total, found.other) == (6, 0)


def test_rollups_still_tell_of_events_that_are_no_longer_kept(filled: Lake, database: Database) -> None:
    filled.catalogue.events[0].path.unlink()
    filled.refresh()
    found = queries.totals(database, asked())
    assert (found.requests, found.answered_from) == (60, AnsweredFrom.ROLLUPS)


def test_events_without_rollups_are_counted_themselves(
    lake: Lake, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollups, "EVENTS_AT_ONCE", -1)
    commit(lake, [event(position=1)])
    lake.commit([events([event(position=2)])], REJECT.empty_table(), PARTIAL.empty_table(), {}, {})
    found = queries.totals(database, asked())
    assert (found.requests, found.answered_from) == (2, AnsweredFrom.EVENTS)


def ids(page: queries.EventPage) -> list[int]:
    return [row.position for row in page.rows]


def test_events_come_newest_first_with_all_their_columns(filled: Lake, database: Database) -> None:
    page = queries.events(database, asked(), limit=12)
    assert ids(page) == list(range(60, 48, -1))
    row = page.rows[-1]  # a committed one
    assert (row.id, row.target, row.peer_ip, row.rules) == (
        "access.log@49",
        "/item/6?page=48",
        "198.51.100.3",
        [],
    )
    attack = queries.events(database, asked("attack:sqli"), limit=1).rows[0]
    assert (attack.attack, attack.outcome, attack.rules) == ("sqli", "missed", ["sqli-1", "sqli-2"])
    assert attack.time.tzinfo is not None


def test_one_event_is_found_hot_or_committed(filled: Lake, database: Database) -> None:
    for position in (1, 55):
        found = queries.event(database, "access.log", position)
        assert found is not None
        assert (found.position, found.source) == (position, "access.log")
    assert queries.event(database, "access.log", 61) is None
    assert queries.event(database, "other.log", 1) is None


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    seconds=st.lists(st.integers(0, 5), min_size=1, max_size=30),
    cuts=st.lists(st.integers(0, 30), max_size=3),
    limit=st.integers(1, 7),
    step=st.sampled_from([1, 3, 1000]),
)
def test_pages_give_every_event_once_while_new_ones_arrive(
    tmp_path_factory: pytest.TempPathFactory, seconds: list[int], cuts: list[int], limit: int, step: int
) -> None:
    rows = [
        event(position=i + 1, time=NOON + timedelta(seconds=s), source=["a.log", "b.log"][i % 2])
        for i, s in enumerate(seconds)
    ]
    with (
        Lake.open(tmp_path_factory.mktemp("lake"), writer=True) as lake,
        pytest.MonkeyPatch.context() as patched,
    ):
        patched.setattr(walk, "FIRST_STEP", step)
        database = Database(lake)
        edges = sorted({0, *(min(c, len(rows)) for c in cuts), len(rows)})
        for low, high in pairwise(edges):
            if high < len(rows):
                commit(lake, rows[low:high])
            else:
                lake.hot.append(events(rows[low:high]))
        found: list[tuple[str, int]] = []
        cursor = None
        for number in range(len(rows) + 1):
            page = queries.events(database, asked(), limit=limit, cursor=cursor)
            found += [(row.source, row.position) for row in page.rows]
            cursor = page.next
            if cursor is None:
                break
            commit(lake, [event(position=1000 + number, time=NOON + timedelta(minutes=1))])
        database.close()
    order = sorted(rows, key=lambda r: (-r["time"].timestamp(), r["source"], -r["position"]))
    assert found == [(r["source"], r["position"]) for r in order]


@pytest.mark.parametrize("cursor", ["", "x", "!!!!", "WzFd", "WzEsMiwzXQ", "e30", "W251bGwsIiIsMV0", "é"])
def test_a_cursor_of_somebody_elses_making_is_refused(filled: Lake, database: Database, cursor: str) -> None:
    with pytest.raises(FilterError, match="the cursor is not one"):
        queries.events(database, asked(), cursor=cursor)


def test_an_export_has_every_event_once(
    filled: Lake, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole, "ROWS_AT_ONCE", 7)
    tables = list(queries.tables(database, asked("-status:404")))
    assert len(tables) > 2
    found = [row["position"] for table in tables for row in table.to_pylist()]
    assert found == [i + 1 for i in range(59, -1, -1) if i % 5 != 2]


def test_an_actor_is_told_in_whole(filled: Lake, database: Database) -> None:
    found = queries.actor(database, asked(), "198.51.100.0")
    assert (found.requests, found.attacks, found.countries) == (12, 6, ["CN", "DE"])
    assert found.statuses == [Row("200", 12, sum(10 * i for i in range(0, 60, 5)), 6, 0, 1.0)]
    assert [e.position for e in found.events[:2]] == [56, 51]
    nobody = queries.actor(database, asked(), "192.0.2.1")
    assert (nobody.requests, nobody.first, nobody.events) == (0, None, [])


def test_rejects_come_by_reason_and_newest_first_as_text_that_can_be_shown(
    lake: Lake, database: Database
) -> None:
    commit(lake, [], reject(b"<b>\x1b[31m\xff\r\n", Reason.BINARY, 7, NOON))
    commit(lake, [], reject("\u202eé".encode(), Reason.NO_FORMAT, 9, NOON + HOUR))
    found = queries.rejects(database)
    assert found.by_reason == [ReasonCount(Reason.BINARY, 1), ReasonCount(Reason.NO_FORMAT, 1)]
    assert found.rows == [
        Reject(Reason.NO_FORMAT, "\\u202eé", 5, "access.log", 9, NOON + HOUR),
        Reject(Reason.BINARY, "<b>\\x1b[31m\\xff", 11, "access.log", 7, NOON),
    ]
    assert len(queries.rejects(database, limit=1).rows) == 1


def test_bounds_tell_time_and_sites(filled: Lake, database: Database) -> None:
    last = NOON + timedelta(minutes=73 * 59, seconds=59)
    assert queries.bounds(database) == Bounds(NOON, last, ["blog.example", "shop.example"])


def test_a_question_that_compaction_takes_the_files_from_is_asked_again(
    filled: Lake, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "FANOUT", 2)
    looks = Counter[str]()

    def find(reading: Reading) -> int:
        looks["asked"] += 1
        if looks["asked"] == 1:  # between seeing the files and reading them
            assert compact(filled, now=0.0) > 0
            sweep(filled, now=1e6)
        return len(reading.rows(joined(["select position from", reading.events(asked(), ["position"])])))

    assert database.ask(find) == 60
    assert looks["asked"] == 2


def test_files_that_stay_away_are_a_store_error(filled: Lake, database: Database) -> None:
    def find(reading: Any) -> int:
        reading.connection.execute(
            "select * from read_parquet(?)", [str(filled.folder / "events" / "no.parquet")]
        )
        return 0

    with pytest.raises(StoreError, match="the lake cannot be read"):
        database.ask(find)


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/hostname')",
        "copy (select 1) to '/tmp/out.csv'",
        "install httpfs",
        "set enable_external_access = true",
    ],
)
def test_the_database_reaches_nothing_but_the_lake(filled: Lake, database: Database, sql: str) -> None:
    with pytest.raises(duckdb.Error):
        database.ask(lambda reading: reading.connection.execute(sql).fetchall())


def test_many_threads_may_ask_at_once(filled: Lake, database: Database) -> None:
    found: list[int] = []

    def ask() -> None:
        found.append(queries.totals(database, asked()).requests)
        found.append(len(queries.events(database, asked(), limit=60).rows))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [60] * 16


def test_questions_never_see_an_event_twice_or_not_at_all_while_it_is_committed(
    lake: Lake, database: Database
) -> None:
    stop = threading.Event()
    seen: set[int] = set()

    def ask() -> None:
        while not stop.is_set():
            seen.add(queries.totals(database, asked()).requests - committed[0])

    committed = [0]
    from lake_folders import partial  # noqa: PLC0415
    from logvision.schema import REJECT  # noqa: PLC0415

    tables = [events([event(position=10 * n + i + 1) for i in range(5)]) for n in range(8)]
    for table in tables:
        lake.hot.append(table)
    thread = threading.Thread(target=ask)
    thread.start()
    for table in tables:
        lake.commit([table], REJECT.empty_table(), partial(table), {}, {})
    stop.set()
    thread.join()
    assert seen == {40}


def test_time_is_utc_whatever_the_zone_of_the_machine(filled: Lake, database: Database) -> None:
    first = queries.bounds(database).first
    assert first is not None
    assert first.utcoffset() == timedelta(0)
    assert first == datetime(2024, 5, 14, 12, tzinfo=UTC)


def test_an_export_from_the_oldest_is_the_other_one_turned_round(
    filled: Lake, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole, "ROWS_AT_ONCE", 7)
    there = [t.to_pylist() for t in queries.tables(database, asked("-status:404"))]
    back = [t.to_pylist() for t in queries.tables(database, asked("-status:404"), oldest_first=True, rows=7)]
    times = [row["time"] for table in back for row in table]
    assert times == sorted(times)
    key = ("source", "position")
    assert {tuple(row[k] for k in key) for t in there for row in t} == {
        tuple(row[k] for k in key) for t in back for row in t
    }


def test_the_newest_events_are_about_as_many_as_asked_for(filled: Lake, database: Database) -> None:
    everything = asked("-status:404")
    total = sum(table.num_rows for table in queries.tables(database, everything))
    narrowed = queries.newest(database, everything, 5)
    few = sum(table.num_rows for table in queries.tables(database, narrowed))
    assert 5 <= few < total
    assert queries.newest(database, everything, total + 1) == everything


def test_an_address_that_came_long_ago_has_its_country_too(
    filled: Lake, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(filled, [event(position=900, time=NOON + timedelta(days=9), client_ip="198.51.100.99")])
    monkeypatch.setattr(ranked, "PLACES_ROWS", 1)
    newest = {row["client_ip"]: row["country"] for row in traffic() if row["country"]}
    rows = queries.top(database, asked(), Dimension.CLIENT_IP).rows
    assert {row.value: row.country for row in rows} == {**newest, "198.51.100.99": None}
