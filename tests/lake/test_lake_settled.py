"""What a file of rollups says as a whole is read once, and answers stay what they were."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from event_tables import NOON, event
from lake_folders import commit
from logvision.lake import queries
from logvision.lake.compaction import compact
from logvision.lake.queries import Database, Dimension, Question, rollups, settled
from logvision.lake.queries.database import Reading
from logvision.lake.retention import expire
from logvision.lake.segments import Lake
from logvision.windows.dimensions import DAY

DIMENSIONS = (Dimension.STATUS, Dimension.SITE, Dimension.COUNTRY, Dimension.METHOD)


@pytest.fixture(autouse=True)
def from_rollups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollups, "EVENTS_AT_ONCE", -1)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """Five days of two commits each; of the first eight is made one file, with windows of a day."""
    with Lake.open(tmp_path_factory.mktemp("settled") / "data", writer=True) as opened:
        for number in range(10):
            commit(opened, [a_request(12 * 150 * number + i) for i in range(12 * 150)])
        compact(opened, now=0.0, grace_s=0.0)
        assert [str(DAY) in file.metadata["dimensions"] for file in opened.catalogue.partials] == [
            *(True, False, False)
        ]
        yield opened


def a_request(i: int) -> dict[str, Any]:
    return event(
        position=1 + i,
        time=NOON + timedelta(hours=i // 150, seconds=i % 50),
        client_ip=f"198.51.100.{i % 5}",
        country=["CN", "DE", None][i % 3],
        target=f"/item/{i % 3}",
        status=[200, 404, 500, None][i % 4],
        bytes=10 * i,
        site=["shop.example", "blog.example"][i % 2],
        attack="sqli" if i % 9 == 0 else None,
    )


def answers(database: Database, question: Question) -> list[Any]:
    return [
        queries.totals(database, question),
        *(queries.top(database, question, dimension) for dimension in DIMENSIONS),
    ]


def fresh(lake: Lake, question: Question) -> list[Any]:
    database = Database(lake)
    found = answers(database, question)
    database.close()
    return found


def test_files_that_a_moving_range_holds_are_read_once(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    read = settled._read

    def counted(reading: Reading, files: dict[str, Any], grain: int) -> None:
        made.append(len(files))
        read(reading, files, grain)

    monkeypatch.setattr(settled, "_read", counted)
    database = Database(lake)
    asked = [Question(start=NOON + timedelta(days=1, minutes=m)) for m in (0, 1, 90)]
    found = [answers(database, question) for question in asked]
    assert sum(made) == 2  # the newest two, by the hour; the range begins in the large one
    found.append(answers(database, Question()))
    asked.append(Question())
    assert sum(made) == 3
    database.close()
    assert found == [fresh(lake, question) for question in asked]


def test_a_server_says_what_a_new_one_says_after_late_rows_compaction_and_retention(tmp_path: Path) -> None:
    with (
        Lake.open(tmp_path / "data", writer=True) as writer,
        Lake.open(tmp_path / "data", writer=False) as reader,
    ):
        database = Database(reader)
        asked = (Question(), Question(start=NOON + timedelta(days=1)))

        def same() -> int:
            reader.refresh()
            found = [answers(database, question) for question in asked]
            assert found == [fresh(reader, question) for question in asked]
            return int(found[0][0].requests)

        for number in range(8):
            commit(writer, [a_request(12 * 150 * number + i) for i in range(12 * 150)])
        assert same() == 8 * 1800
        commit(writer, [a_request(i) | {"position": 1_000_000 + i} for i in range(0, 1500, 3)])  # late ones
        commit(writer, [a_request(12 * 150 * 8)])
        assert same() == 8 * 1800 + 500 + 1
        assert compact(writer, now=0.0, grace_s=0.0)
        assert same() == 8 * 1800 + 500 + 1
        gone = expire(writer, now=(NOON + timedelta(days=40)).timestamp(), keep_days=0.25)
        assert {file.path.parent.name for file in gone} == {"events", "partials"}
        assert same() == 8 * 1800 + 1  # the late ones lay in a file of their own
        database.close()


@pytest.mark.parametrize("site", [None, "shop.example"])
@pytest.mark.parametrize(
    ("low", "high"), [(None, None), (7, 130), (24, 72), (12, 13), (30, None), (None, 99)]
)
def test_whole_files_and_parts_of_them_add_up_to_what_the_events_say(
    lake: Lake, site: str | None, low: int | None, high: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, end = (None if h is None else NOON + timedelta(hours=h, minutes=5) for h in (low, high))
    found = fresh(lake, Question(start, end, site))
    monkeypatch.setattr(rollups, "EVENTS_AT_ONCE", 1_000_000)
    expected = fresh(lake, Question(start, end, site))
    for one, other in zip(found[1:], expected[1:], strict=True):
        assert one.rows == other.rows
    for name in ("requests", "success", "client_errors", "attacks", "bytes", "visitors", "resources"):
        assert getattr(found[0], name) == getattr(expected[0], name), name


def test_a_lake_is_made_ready_for_ranges_that_nobody_asked_about(lake: Lake, tmp_path: Path) -> None:
    database = Database(lake)
    queries.prepare(database)
    assert answers(database, Question(start=NOON + timedelta(hours=5))) == fresh(
        lake, Question(start=NOON + timedelta(hours=5))
    )
    database.close()
    with Lake.open(tmp_path / "empty", writer=True) as empty:
        database = Database(empty)
        queries.prepare(database)
        assert queries.totals(database, Question()).requests == 0
        database.close()
