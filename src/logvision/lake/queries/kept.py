"""Questions about what is kept: the bounds of time, the sites, the lines that are no events."""

from __future__ import annotations

from logvision.lake.queries.answers import Bounds, ReasonCount, Reject, Rejects
from logvision.lake.queries.database import Database, Reading, time_of
from logvision.lake.queries.filter import Clause
from logvision.schema import Reason


def bounds(database: Database) -> Bounds:
    """Event time of the first and the last event, and the sites by number of requests."""

    def find(reading: Reading) -> Bounds:
        files = reading.view.catalogue.events
        firsts = [file.time_first for file in files if file.time_first]
        lasts = [file.time_last for file in files if file.time_last]
        if reading.view.hot:
            first, last = reading.rows(Clause("select epoch_us(min(time)), epoch_us(max(time)) from hot"))[0]
            firsts += [time for time in [time_of(first)] if time]
            lasts += [time for time in [time_of(last)] if time]
        return Bounds(min(firsts, default=None), max(lasts, default=None), _sites(reading))

    return database.ask(find, "bounds")


def rejects(database: Database, *, limit: int = 100) -> Rejects:
    """Rejects by reason, and the newest of them."""

    def find(reading: Reading) -> Rejects:
        files = [str(file.path) for file in reading.view.catalogue.rejects]
        if not files:
            return Rejects()
        by_reason = reading.rows(
            Clause("select reason, count(*) from read_parquet(?) group by 1 order by 2 desc, 1", (files,))
        )
        rows = reading.rows(
            Clause(
                "select reason, raw, size, source, position, epoch_us(read_at) from read_parquet(?)"
                f" order by read_at desc, source, position desc limit {int(limit)}",
                (files,),
            )
        )
        return Rejects(
            [ReasonCount(Reason(reason), count) for reason, count in by_reason],
            [
                Reject(Reason(reason), readable(raw), size, source, position, time)
                for reason, raw, size, source, position, at in rows
                if (time := time_of(at)) is not None
            ],
        )

    return database.ask(find)


def readable(raw: bytes) -> str:
    """Text of a raw line: control characters and bytes that are not UTF-8 stand as \\xHH."""
    text = raw.rstrip(b"\r\n").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _sites(reading: Reading) -> list[str]:
    """At most 1,000 sites, busiest first."""
    parts, given = [], []
    files = [str(file.path) for file in reading.view.catalogue.partials]
    if files:
        parts.append("select site, requests from read_parquet(?) where dimension = 'all' and grain = 3600")
        given.append(files)
    if reading.view.hot:
        parts.append("select site, 1 from hot")
    if not parts:
        return []
    found = reading.rows(
        Clause(
            f"select site from ({' union all '.join(parts)}) as seen(site, requests)"
            " where site is not null group by 1 order by sum(requests) desc, 1 limit 1000",
            tuple(given),
        )
    )
    return [site for (site,) in found]
