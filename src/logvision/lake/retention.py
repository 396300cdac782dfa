"""Retention: whole files are taken away, oldest first, by age of their events or by size of the lake."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from logvision.lake import catalogue
from logvision.lake.catalogue import File
from logvision.lake.segments import Lake

ROLLUPS_KEPT: Final = 4
"""Rollups are kept this many times as long as events: they are small and tell of nobody's requests."""


def expire(
    lake: Lake, *, now: float, keep_days: float | None = None, keep_bytes: int | None = None
) -> list[File]:
    """Take away what is older than `keep_days`, then the oldest until `keep_bytes` are left.

    Gives the files that went. `now` in seconds since the epoch. Age is that of the newest event of a
    file, before `now` or before the newest event of the lake if that is earlier: a log of years ago can
    be read and looked at. The newest commit always stays: it says where to resume. Rejects go with the
    events of the same commits; rollups go by age alone, later. Raises StoreError when the folder cannot
    be changed.
    """
    with lake.writing:
        newest = max((f.time_last for f in lake.catalogue.events if f.time_last), default=None)
        now = min(now, newest.timestamp()) if newest else now
        events = [f for f in lake.catalogue.events if f.last != lake.catalogue.newest]
        gone = _before(events, now, keep_days)
        if keep_bytes is not None:
            gone += _over(lake, [f for f in events if f not in gone], gone, keep_bytes)
        gone += [f for f in lake.catalogue.rejects if any(_within(f, other) for other in gone)]
        rollups = [f for f in lake.catalogue.partials if f.last != lake.catalogue.newest]
        gone += _before(rollups, now, keep_days and ROLLUPS_KEPT * keep_days)
        if gone:
            # Members of a merged file must be gone before it, or they would count again.
            for path in catalogue.covered(lake.folder, lake.catalogue):
                lake.remove(path)
            for file in gone:
                lake.remove(file.path)
            lake.refresh()
    return gone


def _before(files: Iterable[File], now: float, days: float | None) -> list[File]:
    """Files whose newest row is older than this."""
    if days is None:
        return []
    since = datetime.fromtimestamp(now, UTC) - timedelta(days=min(days, 36_500))
    return [f for f in files if f.time_last is not None and f.time_last < since]


def _over(lake: Lake, events: list[File], gone: list[File], keep_bytes: int) -> list[File]:
    """The oldest files by whose going the lake comes down to `keep_bytes`."""
    size = lake.catalogue.size - sum(file.size for file in gone)
    over = []
    for file in sorted(events, key=lambda f: (f.time_last is not None, f.time_last, f.path)):
        if size <= keep_bytes:
            break
        over.append(file)
        size -= file.size + sum(r.size for r in lake.catalogue.rejects if _within(r, file))
    return over


def _within(file: File, other: File) -> bool:
    """Whether a file covers no commit that the other does not."""
    if file.first is None or file.last is None or other.first is None or other.last is None:
        return False
    return other.first <= file.first and file.last <= other.last
