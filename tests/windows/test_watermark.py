from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta

from event_tables import NOON, event, events
from logvision.windows.watermark import FUTURE_S, Watermark

READ_AT = NOON.timestamp() + 5

Row = tuple[str, float]
"""Source, and seconds since noon."""


def late(mark: Watermark, *rows: Row) -> dict[str, int]:
    return mark.advance(events(event(time=NOON + timedelta(seconds=s), source=n) for n, s in rows), READ_AT)


def us(seconds: float) -> int:
    return int((NOON + timedelta(seconds=seconds)).timestamp() * 1e6)


def test_a_row_is_late_behind_the_newest_row_of_its_own_source() -> None:
    mark = Watermark(lateness_s=10)
    assert late(mark, ("a", 0), ("a", 20), ("a", 10), ("a", 9.999)) == {"a": 1}
    assert late(mark, ("b", -500)) == {"b": 0}
    assert late(mark, ("b", -500), ("a", 9), ("b", -511), ("a", 21), ("a", 10.5)) == {"b": 1, "a": 2}
    assert mark.snapshot() == {"a": us(21), "b": us(-500)}


def test_a_batch_without_rows_changes_nothing() -> None:
    mark = Watermark()
    late(mark, ("a", 0))
    assert late(mark) == {}
    assert mark.snapshot() == {"a": us(0)}


def test_a_date_in_the_far_future_does_not_make_the_rest_late() -> None:
    mark = Watermark(lateness_s=10)
    assert late(mark, ("a", 0), ("a", 86_400 * 365), ("a", 1)) == {"a": 0}
    assert mark.snapshot() == {"a": us(1)}


def test_what_has_passed_follows_the_newest_of_all_sources_and_no_date_in_the_far_future() -> None:
    mark = Watermark(lateness_s=10)
    assert mark.passed() is None
    late(mark, ("a", 86_400))
    assert mark.passed() is None
    late(mark, ("a", 5), ("b", 0), ("b", 86_400))
    assert mark.passed() == NOON - timedelta(seconds=5)


def test_a_restored_watermark_goes_on_where_it_was() -> None:
    mark, again = Watermark(lateness_s=10), Watermark(lateness_s=10)
    late(mark, ("a", 100))
    again.restore(mark.snapshot())
    assert late(again, ("a", 80), ("b", 80)) == {"a": 1, "b": 0}


def test_a_first_row_before_the_epoch_is_not_late() -> None:
    assert late(Watermark(lateness_s=10), ("a", -3e9)) == {"a": 0}
    only_future = Watermark(lateness_s=10)
    assert late(only_future, ("a", 1e9)) == {"a": 0}
    assert late(only_future, ("a", 0)) == {"a": 0}


def plainly(rows: Sequence[Row], lateness_s: int) -> dict[str, int]:
    """Late rows, row by row."""
    newest: dict[str, float] = {}
    found: dict[str, int] = {}
    for source, at in rows:
        if at <= 5 + FUTURE_S:
            newest[source] = max(newest.get(source, at), at)
        found[source] = found.get(source, 0) + (at < newest.get(source, at) - lateness_s)
    return found


def test_as_many_rows_are_late_however_they_are_dealt_out_to_batches() -> None:
    chance = random.Random(5)
    rows = [
        (chance.choice("abc"), chance.choice([n + chance.randint(-30, 30), n, 9_999])) for n in range(600)
    ]
    expected = plainly(rows, 10)
    assert min(expected.values()) > 20
    for size in (1, 7, 600):
        mark, found = Watermark(lateness_s=10), dict.fromkeys(expected, 0)
        for begin in range(0, len(rows), size):
            for source, count in late(mark, *rows[begin : begin + size]).items():
                found[source] += count
        assert found == expected
