"""What rows teach is cut by their place in the log, not by how much was read at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from event_tables import event, events
from logvision import pipeline
from logvision.schema import EVENT, RECORD, REJECT

SIZE = 10  # of a line
LINES = 100
LESSON = 25 * SIZE + 3  # no line ends there
NOTHING: Any = None  # the step asks for no knowledge


def flow(rows: pa.Table) -> pipeline.Flow:
    return pipeline.Flow(RECORD.empty_table(), datetime(2026, 5, 1, tzinfo=UTC), rows, REJECT.empty_table())


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The positions that each lesson had; its one step names the route of a row by the lesson."""
    lessons: list[list[int]] = []

    def learn(given: pipeline.Flow, known: pipeline.Knowledge) -> pipeline.Flow:
        rows = given.events
        lessons.append(rows["position"].to_pylist())
        names = pa.array([f"/{len(lessons)}"] * rows.num_rows, pa.string()).dictionary_encode()
        rows = rows.set_column(rows.column_names.index("route"), EVENT.field("route"), names)
        return replace(given, events=rows)

    monkeypatch.setattr(pipeline, "LEARNING", [("learn", learn)])
    monkeypatch.setattr(pipeline, "LESSON", LESSON)
    return lessons


def a_log(source: str = "access.log") -> pa.Table:
    return events(
        event(position=n * SIZE + 1, source=source, target=f"/{n % 7}") for n in range(LINES)
    ).select(EVENT.names)


def test_one_large_read_teaches_what_reads_of_a_lesson_each_teach(seen: list[list[int]]) -> None:
    log = a_log()
    whole = pipeline.learning(flow(log), NOTHING).events
    at_once, seen[:] = list(seen), []
    # A reader gives the lines that end within each LESSON.
    ends = [(1 + SIZE * n + SIZE - 1) // LESSON for n in range(LINES)]
    for lesson in range(max(ends) + 1):
        rows = [n for n in range(LINES) if ends[n] == lesson]
        pipeline.learning(flow(log.slice(rows[0], len(rows))), NOTHING)
    assert at_once == seen
    assert len(seen) == 4
    routes = [f"/{number}" for number, rows in enumerate(seen, start=1) for _ in rows]
    expected = log.set_column(log.column_names.index("route"), "route", pa.array(routes))
    plain = [field.with_type(pa.string()) if pa.types.is_dictionary(field.type) else field for field in EVENT]
    assert whole.schema.equals(EVENT)
    assert whole.cast(pa.schema(plain)).equals(expected.cast(pa.schema(plain)))


def test_a_read_of_several_logs_is_cut_where_one_of_them_passes_a_lesson(seen: list[list[int]]) -> None:
    logs = pa.concat_tables([a_log("a").slice(0, 30), a_log("b").slice(0, 20)]).unify_dictionaries()
    pipeline.learning(flow(logs), NOTHING)
    assert list(map(len, seen)) == [25, 25]


def test_rows_that_fit_one_lesson_and_no_rows_are_one_lesson(seen: list[list[int]]) -> None:
    pipeline.learning(flow(a_log().slice(0, 20)), NOTHING)
    pipeline.learning(flow(EVENT.empty_table()), NOTHING)
    assert list(map(len, seen)) == [20, 0]


def test_the_first_lesson_of_a_log_is_cut_into_short_ones(
    seen: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "SHORTER", (5 * SIZE + 3, 10 * SIZE + 3))
    pipeline.learning(flow(a_log()), NOTHING)
    assert list(map(len, seen)) == [5, 5, 15, 25, 25, 25]
