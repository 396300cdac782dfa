from __future__ import annotations

from datetime import timedelta

from event_tables import NOON, event, events
from logvision.windows.watermark import Watermark

READ_AT = NOON.timestamp() + 5


def late(mark: Watermark, *seconds: float, source: str = "a") -> list[bool]:
    rows = [event(time=NOON + timedelta(seconds=s), source=source) for s in seconds]
    return list(mark.advance(events(rows), READ_AT))


def test_a_row_is_late_behind_the_newest_row_of_its_own_source() -> None:
    mark = Watermark(lateness_s=10)
    assert late(mark, 0, 20, 10, 9.999) == [False, False, False, True]
    assert late(mark, -500, source="b") == [False]
    assert late(mark, 9, 21, 10.5) == [True, False, True]
    assert mark.late == {"a": 3, "b": 0}
    assert mark.at("a") == int((NOON + timedelta(seconds=11)).timestamp() * 1e6)
    assert mark.at("c") is None


def test_a_date_in_the_far_future_does_not_make_the_rest_late() -> None:
    mark = Watermark(lateness_s=10)
    assert late(mark, 0, 86_400 * 365, 1) == [False, False, False]
    assert mark.at("a") == int((NOON - timedelta(seconds=9)).timestamp() * 1e6)


def test_a_restored_watermark_goes_on_where_it_was() -> None:
    mark, again = Watermark(lateness_s=10), Watermark(lateness_s=10)
    late(mark, 100)
    again.restore(mark.snapshot())
    assert late(again, 80) == [True]
    assert again.late == {"a": 1}


def test_a_first_row_before_the_epoch_is_not_late() -> None:
    mark = Watermark(lateness_s=10)
    assert late(mark, -3e9) == [False]
    only_future = Watermark(lateness_s=10)
    assert late(only_future, 1e9) == [False]
    assert late(only_future, 0) == [False]
