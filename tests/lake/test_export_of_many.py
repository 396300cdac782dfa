"""An export holds a few events at once, however many there are and however they lie."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from event_tables import NOON, event
from lake_folders import commit
from logvision.lake import export, queries
from logvision.lake.export import Format
from logvision.lake.queries import Database, Question
from logvision.lake.queries.filter import parse_filter
from logvision.lake.segments import Lake

COMMITS, ROWS = 8, 2_000


def told(at: int, commit_: int) -> dict[str, Any]:
    """An event of a log that was read by itself; all logs are of the same two hours."""
    text = f"{at:x}-" * 240
    return event(
        source=f"log-{commit_}",
        position=1 + at,
        time=NOON + timedelta(seconds=at * 7200 // ROWS),
        target=f"/{commit_}/{text}",
        status=404 if at % 10 == 0 else 200,
    )


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    with Lake.open(tmp_path_factory.mktemp("lake") / "data", writer=True) as opened:
        for number in range(COMMITS):
            commit(opened, [told(at, number) for at in range(ROWS)])
        yield opened


@pytest.fixture
def database(lake: Lake) -> Iterator[Database]:
    opened = Database(lake, memory="48MB")
    yield opened
    opened.close()


def expected(text: str = "") -> list[tuple[str, int]]:
    """(source, position), the newest first."""
    rows = [(at * 7200 // ROWS, f"log-{n}", 1 + at) for n in range(COMMITS) for at in range(ROWS)]
    kept = [row for row in rows if not text or (row[2] - 1) % 10 == 0]
    return [(source, at) for _, source, at in sorted(kept, key=lambda r: (-r[0], r[1], -r[2]))]


def test_logs_of_one_time_read_one_by_one_are_exported_in_order_a_few_rows_at_once(
    database: Database,
) -> None:
    tables = list(queries.tables(database, Question(), rows=1_000))
    assert max(table.num_rows for table in tables) <= 1_000
    found = [(row["source"], row["position"]) for table in tables for row in table.to_pylist()]
    assert found == expected()


def test_where_lines_are_so_long_that_memory_runs_out_fewer_are_taken_at_once(database: Database) -> None:
    tables = list(queries.tables(database, Question(), rows=COMMITS * ROWS))
    assert len(tables) > 4
    found = [(row["source"], row["position"]) for table in tables for row in table.to_pylist()]
    assert found == expected()


def test_the_oldest_first_is_the_same_turned_round(database: Database) -> None:
    tables = queries.tables(database, Question(), rows=1_000, oldest_first=True)
    found = [(row["source"], row["position"]) for table in tables for row in table.to_pylist()]
    assert sorted(found) == sorted(expected())
    assert [position for _, position in found] == sorted(position for _, position in expected())


@pytest.mark.slow
@pytest.mark.parametrize("format_", Format)
@pytest.mark.parametrize("ecs", [False, True])
def test_every_format_takes_less_memory_than_the_events_would(
    database: Database, lake: Lake, format_: Format, ecs: bool
) -> None:
    filtered = Question(filter=parse_filter("status:404"))
    parts = list(export.events(queries.tables(database, filtered, rows=1_000), format_, ecs=ecs))
    assert len(parts) > 2
    tables = queries.tables(database, Question(), rows=1_000)
    assert sum(len(part) for part in export.events(tables, format_, ecs=ecs)) > 100_000


def test_events_of_one_moment_stay_together_and_all_come(tmp_path: Path) -> None:
    with Lake.open(tmp_path / "data", writer=True) as lake:
        commit(lake, [event(position=1 + at) for at in range(300)])
        commit(lake, [event(position=1_000 + at, time=NOON + timedelta(seconds=1)) for at in range(3)])
        database = Database(lake)
        sizes = [table.num_rows for table in queries.tables(database, Question(), rows=100)]
        database.close()
    assert sizes == [3, 300]
