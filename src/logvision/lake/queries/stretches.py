"""A question cut into stretches of event time, so that no step of its answer needs many rows at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from logvision.lake.queries.database import Reading, joined, time_of
from logvision.lake.queries.filter import Clause
from logvision.lake.queries.question import Question

MOMENT: Final = timedelta(microseconds=1)

BUCKETS: Final = 64
"""Into how many parts of equal length a stretch is counted when it is cut further."""


def windows(reading: Reading, question: Question, first_step: int, growth: int = 4) -> Iterator[Question]:
    """The question cut into stretches of event time, newest first, of growing numbers of rows.

    Together they are the whole question, and no event is in two of them.
    """
    groups = [
        (group.last, group.rows)
        for file in reading.files(question.start, question.end)
        for group in file.groups
        if group.last is not None and (question.start is None or group.last >= question.start)
    ]
    # Row groups that end after the range start inside it: they are all wanted in the first stretch.
    groups.sort(reverse=True)
    end, wanted, rows = question.end, first_step, 0
    for last, size in groups:
        # What is later than everything in this group and the older ones is a stretch of its own.
        if rows >= wanted and (end is None or last + MOMENT < end):
            yield replace(question, start=last + MOMENT, end=end)
            end, wanted, rows = last + MOMENT, growth * wanted, 0
        rows += size
    if end is None or question.start is None or question.start < end:
        yield replace(question, end=end)


def pieces(reading: Reading, question: Question, rows: int) -> Iterator[Question]:
    """The question cut into stretches of at most `rows` committed events before filtering, newest first.

    Only events of one and the same microsecond stay together, however many they are. Row groups tell most of
    it; where they overlap, as after reading several logs of one time one by one, event times are counted.
    """
    for window in windows(reading, question, rows, growth=1):
        files = reading.files(window.start, window.end)
        within = (
            group.rows
            for file in files
            for group in file.groups
            if group.first is not None
            and group.last is not None
            and (window.start is None or group.last >= window.start)
            and (window.end is None or group.first < window.end)
        )
        if sum(within) <= rows:
            yield window
        else:
            yield from _cut(reading, window, rows)


def _cut(reading: Reading, question: Question, rows: int) -> Iterator[Question]:
    events = reading.committed.events(Question(question.start, question.end), ["time"])
    asked = joined(['select count(*), epoch_us(min("time")), epoch_us(max("time")) from', events])
    count, first, last = reading.rows(asked)[0]
    if count <= rows or first == last:
        yield question
        return
    width = (last - first) // BUCKETS + 1
    asked = joined([f'select (epoch_us("time") - {first}) // {width}, count(*) from', events, "group by 1"])
    counts = dict(reading.rows(asked))
    end, held = question.end, 0
    for bucket in sorted(counts, reverse=True):
        upper = time_of(first + (bucket + 1) * width)
        if held and held + counts[bucket] > rows:
            yield from _checked(reading, replace(question, start=upper, end=end), held, rows)
            end, held = upper, 0
        held += counts[bucket]
    yield from _checked(reading, replace(question, end=end), held, rows)


def _checked(reading: Reading, question: Question, held: int, rows: int) -> Iterator[Question]:
    """A stretch of `held` events, cut once more if they are too many."""
    if held <= rows:
        yield question
    else:
        yield from _cut(reading, question, rows)


def extent(reading: Reading, question: Question) -> tuple[datetime | None, datetime | None]:
    """Event time of the first and the last event of a question.

    Footers know the bounds of row groups: events are read only where a group lies across the range's end.
    """
    low: datetime | None = None
    high: datetime | None = None
    if not question.filter and question.site is None:
        groups = [g for file in reading.files(question.start, question.end) for g in file.groups]
        low = min((g.first for g in groups if g.first and within(g.first, question)), default=None)
        high = max((g.last for g in groups if g.last and within(g.last, question)), default=None)
    before = question if low is None else replace(question, end=low)
    after = question if high is None else replace(question, start=high + timedelta(microseconds=1))
    asked: list[str | Clause] = [
        'select (select epoch_us(min("time")) from',
        reading.events(before, ["time"]),
        '), (select epoch_us(max("time")) from',
        reading.events(after, ["time"]),
        ")",
    ]
    first, last = (time_of(found) for found in reading.rows(joined(asked))[0])
    return first or low, last or high


def within(time: datetime, question: Question) -> bool:
    """Whether a moment lies in the question's range."""
    return (question.start is None or question.start <= time) and (
        question.end is None or time < question.end
    )
