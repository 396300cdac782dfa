"""A watch that is ended in peace leaves nothing to be folded again."""

from __future__ import annotations

from pathlib import Path

from whole_runs import Watched, line, scan

from logvision.app.stores import applied, committed_after, kept_casebook
from logvision.lake.segments import Lake


def test_an_idle_watch_that_ends_has_told_the_casebook_of_every_segment(tmp_path: Path) -> None:
    log, data = tmp_path / "access.log", tmp_path / "data"
    log.write_bytes(b"".join(line(number) for number in range(5)))
    with Watched(log, data) as watched:
        watched.until(lambda: list((data / "events").glob("*.parquet")), "the first segment")
        with log.open("ab") as more:
            more.write(line(5))
        watched.until(lambda: len(list((data / "events").glob("*.parquet"))) > 1, "the second segment")
    with Lake.open(data, writer=False) as lake, kept_casebook(data) as casebook:
        assert casebook is not None
        assert list(committed_after(lake, applied(casebook))) == []


def test_what_the_casebook_missed_comes_as_it_was_read_though_times_go_back(tmp_path: Path) -> None:
    log, data = tmp_path / "access.log", tmp_path / "data"
    minutes = (9, 3, 7, 1)
    log.write_bytes(
        b"".join(line(n, time=f"14/May/2024:12:0{minute}:00 +0000") for n, minute in enumerate(minutes))
    )
    scan(log, data)
    with Lake.open(data, writer=False) as lake:
        ((_, events),) = committed_after(lake, -1)
    assert [time.minute for time in events["time"].to_pylist()] == [*minutes]
