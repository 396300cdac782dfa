"""More different paths than fit into memory: they are counted all the same."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from event_tables import NOON, event, events
from lake_folders import commit
from logvision.lake import queries
from logvision.lake.queries import Database, Dimension, Question, distinct, rollups
from logvision.lake.queries.database import MemoryShort
from logvision.lake.segments import Lake
from logvision.schema import EVENT, REJECT
from logvision.windows.partials import partial

PATHS, AT_ONCE = 300_000, 50_000


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """Each path once, and one of them once more, within one hour."""
    with Lake.open(tmp_path_factory.mktemp("paths") / "data", writer=True) as opened:
        one = events([event()]).take(pa.array(np.zeros(AT_ONCE, np.int64)))
        for first in range(0, PATHS, AT_ONCE):
            numbers = range(first, first + AT_ONCE)
            paths = pa.array([f"/item/{n}" for n in numbers]).dictionary_encode()
            many = {"path": paths, "target": paths, "position": pa.array([1 + n for n in numbers])}
            table = pa.table([many.get(name, one[name]) for name in EVENT.names], schema=EVENT)
            opened.commit([table], REJECT.empty_table(), partial(table), {}, {})
        commit(opened, [event(target="/item/7", position=PATHS + 1)])
        yield opened


@pytest.mark.slow
def test_what_memory_does_not_hold_lies_aside_meanwhile(lake: Lake) -> None:
    database = Database(lake, memory="40MB")
    found = queries.top(database, Question(), Dimension.PATH, limit=2)
    database.close()
    assert [(row.value, row.requests) for row in found.rows[:1]] == [("/item/7", 2)]
    assert (found.total, found.other) == (PATHS + 1, PATHS - 2)


@pytest.mark.slow
def test_where_nothing_can_be_written_all_is_answered_that_memory_holds(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    for memory, answer in (("40MB", pytest.raises(MemoryShort)), ("256MB", nullcontext())):
        database = Database(lake, memory=memory)
        with answer:
            assert queries.top(database, Question(), Dimension.PATH, limit=2).total == PATHS + 1
        database.close()


@pytest.mark.slow
@pytest.mark.parametrize(("exactly", "apart"), [(PATHS + 1, 0.0), (PATHS, 0.03)])
def test_paths_of_many_events_beside_whole_hours_are_told_by_sketches(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, exactly: int, apart: float
) -> None:
    monkeypatch.setattr(rollups, "EVENTS_AT_ONCE", -1)
    monkeypatch.setattr(distinct, "EXACT_ROWS", exactly)
    database = Database(lake)
    beside = Question(start=NOON - timedelta(minutes=1), end=NOON + timedelta(minutes=59))
    found = queries.totals(database, beside)
    database.close()
    assert abs(found.resources / PATHS - 1) <= apart
    assert found.approximate == (exactly == PATHS)
