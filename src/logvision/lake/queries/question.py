"""The query state that every question shares: time range, site, filter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from logvision.lake.queries.filter import NO_FILTER, Filter, FilterError, Test, parse_filter

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}  # s
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Question:
    """Which events: start <= time < end, and both filters hold; None: no such bound, any site."""

    start: datetime | None = None
    end: datetime | None = None
    site: str | None = None
    filter: Filter = NO_FILTER
    also: Filter = NO_FILTER  # what one panel asks besides, e.g. attacks alone


def question(
    start: str | None, end: str | None, site: str | None, text: str | None, *, now: datetime
) -> Question:
    """The question of the four texts that a page's URL carries. Raises FilterError."""
    asked = Question(_time(start, now), _time(end, now), site or None, parse_filter(text or ""))
    if asked.start and asked.end and asked.start >= asked.end:
        raise FilterError("the time range ends before it begins")
    return asked


def sited(question: Question) -> Question:
    """`site:name` as the filter's only word on sites becomes the question's site, which rollups know."""
    its = [t for t in question.filter.terms if t.column == "site"]
    if question.site is None and len(its) == 1 and its[0].test is Test.EQUAL and not its[0].negated:
        rest = Filter(tuple(t for t in question.filter.terms if t is not its[0]))
        return replace(question, site=str(its[0].value), filter=rest)
    return question


def _time(text: str | None, now: datetime) -> datetime | None:
    """ISO 8601 (without an offset: UTC), `now`, or `now-15m` (s, m, h, d, w).

    An hour ago and longer begins with its minute: panels that ask one after another ask the same.
    """
    if not text:
        return None
    if text == "now":
        return now
    if text.startswith("now-"):
        digits, unit = text[4:-1], text[-1]
        if digits.isascii() and digits.isdigit() and len(digits) <= 6 and unit in _UNITS:
            ago = timedelta(seconds=int(digits) * _UNITS[unit])
            start = now - ago
            return start if ago < _HOUR else start.replace(second=0, microsecond=0)
    else:
        try:
            time = datetime.fromisoformat(text)
            return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise FilterError(f"{text[:40]!r} is not a time such as 2026-01-31T12:00:00Z or now-24h")
