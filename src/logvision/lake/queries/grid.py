"""Requests over time, on a grid without gaps."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from logvision.lake.queries import rollups
from logvision.lake.queries.answers import AnsweredFrom, By, Line, Series
from logvision.lake.queries.database import Database, Reading, joined, micros
from logvision.lake.queries.filter import NO_FILTER, Clause
from logvision.lake.queries.question import Question, sited
from logvision.lake.queries.stretches import extent
from logvision.windows.dimensions import ALL, DAY, HOUR, SERIES

STEPS_S: Final = (
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200),
    *(DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY, 56 * DAY, 140 * DAY, 364 * DAY, 3640 * DAY, 36400 * DAY),
)
"""Steps of a chart's grid, s; all lie on the Unix epoch's multiples."""


def series(database: Database, question: Question, *, points: int = 120, by: By = By.ALL) -> Series:
    """Requests over time on a grid without gaps of at most `points` steps."""
    question = sited(question)
    return database.ask(
        lambda reading: _series(reading, question, points, by), ("series", question, points, by)
    )


def _series(reading: Reading, question: Question, points: int, by: By) -> Series:
    first, last = extent(reading, replace(question, filter=NO_FILTER))
    low = question.start or first
    high = question.end or (last + timedelta(microseconds=1) if last else None)
    if low is None or high is None or low >= high:
        return Series(None, STEPS_S[0], [], AnsweredFrom.EVENTS)
    step = _step(low, high, points)
    start = micros(low) // 1_000_000 // step
    count = -(-micros(high) // (1_000_000 * step)) - start
    dimension = {By.ALL: ALL, By.ATTACK: "attack", By.STATUS: "status", By.KIND: "kind"}[by]
    condition: Clause | None = None
    grain = None
    if rollups.usable(reading, question) and step % 60 == 0:
        if not question.filter:
            grain = max(g for g in (60, HOUR, DAY) if step % g == 0)
        elif (only := rollups.single(question)) is not None and (by is By.ALL or only[0] == dimension):
            dimension, condition = only
            if dimension in SERIES or step % HOUR == 0:
                grain = max(g for g in (60, HOUR, DAY) if step % g == 0)
    key = {
        By.ALL: "'all'",
        By.ATTACK: "case when attacks > 0 then 'abnormal' else 'normal' end",
        By.STATUS: rollups.STATUS_CLASS,
        By.KIND: "coalesce(value, '-')",
    }[by]
    source, rolled = rollups.measures(reading, question, dimension, condition=condition, grain=grain)
    found = reading.rows(
        joined(
            [
                f"select epoch_us(start) // {1_000_000 * step} as t, {key} as k, sum(requests)::bigint,",
                "sum(bytes)::bigint, sum(attacks)::bigint from",
                source,
                "as m group by 1, 2",
            ]
        )
    )
    grid: dict[str, list[list[int]]] = defaultdict(lambda: [[0] * count for _ in range(3)])
    for name in {By.ALL: ["all"], By.ATTACK: ["normal", "abnormal"]}.get(by, []):
        grid[name] = [[0] * count for _ in range(3)]
    for at, name, *numbers in found:
        if 0 <= at - start < count:
            for line, number in zip(grid[name], numbers, strict=True):
                line[at - start] += number
    times = [datetime.fromtimestamp((start + i) * step, UTC) for i in range(count)]
    names = list(grid) if by in {By.ALL, By.ATTACK} else sorted(grid)
    return Series(
        start=times[0] if times else None,
        step_s=step,
        series=[Line(name, times, *grid[name]) for name in names],
        answered_from=AnsweredFrom.ROLLUPS if rolled else AnsweredFrom.EVENTS,
    )


def _step(low: datetime, high: datetime, points: int) -> int:
    """The smallest step whose grid over [low, high) has at most `points` steps."""
    for step in STEPS_S:
        width = 1_000_000 * step
        if -(-micros(high) // width) - micros(low) // width <= points:
            return step
    return STEPS_S[-1]
