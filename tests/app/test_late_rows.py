"""Lines that come long after newer ones of their log are kept, and counted as late beside that."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from whole_runs import PATIENCE_S, Watched, line, scan, sizes

from logvision.app import parts
from logvision.app.capture import Capture
from logvision.app.stores import open_stores
from logvision.app.verifying import by_embedded, ends_of
from logvision.clock import SettableClock, SystemClock
from logvision.config import Settings
from logvision.engines.spark.fold import Fold, Places
from logvision.lake.segments import Counts, Lake
from spark_captures import START, Feed, executor, judged

CLOCK = SettableClock(START.timestamp() + 7 * 86_400)


def at(number: int, time: str) -> bytes:
    return line(number, time=f"14/May/2024:{time} +0000")


SHOP = [at(1, "12:00:00"), at(2, "12:05:00"), at(3, "12:04:00"), at(4, "12:03:59"), b"no log line\n"]
"""A minute behind the newest is on time, a second more is late."""

LATER = {
    "shop.log": [at(5, "12:02:00"), at(6, "12:06:00"), at(7, "12:04:59")],
    "blog.log": [at(14, "08:00:00")],
}


def blog(now: float) -> list[bytes]:
    """The second line is dated hours after it is read: it does not make the third late."""
    ahead = datetime.fromtimestamp(now + 6 * 3600, UTC)
    return [at(11, "09:00:00"), line(12, time=f"{ahead:%d/%b/%Y:%H:%M:%S %z}"), at(13, "09:00:01")]


def write(folder: Path, logs: dict[str, list[bytes]], mode: str = "wb") -> None:
    for name, lines in logs.items():
        with (folder / name).open(mode) as log:
            log.writelines(lines)


def counted(data: Path) -> dict[str, Counts]:
    """What the newest segment says of each log, by its name alone."""
    with Lake.open(data, writer=False) as lake:
        return {Path(source).name: counts for source, counts in lake.resume().counts.items()}


def total(*lines: list[bytes]) -> int:
    return sum(len(one) for some in lines for one in some)


def test_late_rows_of_two_logs_are_counted_over_a_restart_and_kept(tmp_path: Path) -> None:
    logs, data = tmp_path / "logs", tmp_path / "data"
    logs.mkdir()
    begun = blog(SystemClock().now())
    write(logs, {"shop.log": SHOP, "blog.log": begun})
    scan(logs / "*.log", data)
    assert counted(data) == {
        "shop.log": Counts(read=5, events=4, rejects=1, bytes=total(SHOP), late=1),
        "blog.log": Counts(read=3, events=3, bytes=total(begun)),
    }
    write(logs, LATER, "ab")
    scan(logs / "*.log", data)  # what was newest is known again: line 5 is late behind line 2
    assert counted(data) == {
        "shop.log": Counts(read=8, events=7, rejects=1, bytes=total(SHOP, LATER["shop.log"]), late=3),
        "blog.log": Counts(read=4, events=4, bytes=total(begun, LATER["blog.log"]), late=1),
    }
    assert sorted(sizes(data)) == [1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 14]


def test_the_page_and_prometheus_tell_of_late_rows(tmp_path: Path) -> None:
    log = tmp_path / "shop.log"
    log.write_bytes(b"".join(SHOP))
    with Watched(log, tmp_path / "data") as run:
        run.until(lambda: run.get("api/totals")["read"] == 5, "all lines")
        (row,) = run.get("api/sources")["rows"]
        assert {name: row[name] for name in ("events", "rejects", "filtered", "late")} == {
            "events": 4,
            "rejects": 1,
            "filtered": 0,
            "late": 1,
        }
        said = httpx.get(run.url + "metrics", timeout=PATIENCE_S, trust_env=False).text.splitlines()
        assert f'logvision_source_late_rows{{source="{log}"}} 1' in said


@pytest.mark.slow
@pytest.mark.parametrize("rows", [3, 100])
def test_both_engines_count_the_same_rows_as_late(rows: int, tmp_path: Path) -> None:
    write(tmp_path, {"shop.log": SHOP + LATER["shop.log"], "blog.log": blog(CLOCK.now()) + LATER["blog.log"]})
    capture = Capture.read(parts.source(parts.Wanted([str(tmp_path / "*.log")], ()), follow=False))
    settings, executors = Settings(), [executor()]
    for number, batch in enumerate(Feed(2, rows, executors).batches(capture)):
        # Every batch is taken by a job that was just started.
        with open_stores(tmp_path / "spark", writer=True) as stores:
            places = Places(stores.lake, stores.casebook)
            fold = Fold(places, parts.knowledge(settings), parts.state(settings), clock=CLOCK)
            fold.take_up()
            fold.batch(f"query/{number}", judged(batch, fold, executors))
            ends = [ends_of(file) for file in stores.lake.catalogue.events]
    by_embedded(settings, tmp_path / "embedded", capture, ends, CLOCK)
    found = counted(tmp_path / "spark")
    assert found == counted(tmp_path / "embedded")
    assert {name: (counts.events, counts.late) for name, counts in found.items()} == {
        "shop.log": (7, 3),
        "blog.log": (4, 1),
    }
