"""Compaction and retention change which files there are, never what a question finds."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from event_tables import NOON, event, events
from lake_folders import commit, files, kill, reject, stored_rows
from logvision.errors import StoreError
from logvision.lake import compaction, segments, storage
from logvision.lake.catalogue import File, effective
from logvision.lake.compaction import compact, due, sweep
from logvision.lake.retention import expire
from logvision.lake.segments import Lake
from logvision.schema import PARTIAL
from logvision.windows.partials import finish, merge, partial, roll

pytestmark = pytest.mark.slow

NOW = NOON.timestamp()


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    with Lake.open(tmp_path / "data", writer=True) as opened:
        yield opened


def fill(lake: Lake, commits: int, rows: int = 3) -> None:
    """Commits of a few events, an hour apart, from changing addresses."""
    start = lake.resume().sequence + 1
    for number in range(start, start + commits):
        commit(
            lake,
            [
                event(
                    position=1 + number * rows + i,
                    time=NOON + timedelta(hours=number, seconds=i),
                    client_ip=f"198.51.100.{(7 * i + number) % 5}",
                    target=f"/{i % 3}",
                )
                for i in range(rows)
            ],
            reject(b"no %d" % number, position=1000 + number) if number % 2 else None,
        )


def later(lake: Lake, after: timedelta) -> None:
    """A commit of one event so long after noon."""
    commit(lake, [event(position=10_000 + lake.resume().sequence, time=NOON + after)])


def ranges(these: tuple[File, ...]) -> list[tuple[int | None, int | None]]:
    return [(file.first, file.last) for file in these]


def counted(lake: Lake, grain: int) -> list[dict[str, Any]]:
    """Final numbers of one grain over all files, the widest one made where it is not yet stored."""
    tables = [storage.read(file.path, PARTIAL) for file in lake.catalogue.partials]
    stored = [t.filter(pa.compute.equal(t["grain"], grain)) for t in tables]
    hours = [t.filter(pa.compute.equal(t["grain"], 3600)) for t in tables]
    if grain == 86_400:
        stored = [s if s.num_rows else roll(h, grain) for s, h in zip(stored, hours, strict=True)]
    rows = finish(merge(*stored)).to_pylist()
    return sorted(rows, key=lambda r: (str(r["start"]), r["dimension"], str(r["value"])))


def test_merging_keeps_events_counts_rejects_and_where_to_resume(lake: Lake) -> None:
    fill(lake, 9)
    before = (stored_rows(lake), lake.resume(), *(counted(lake, grain) for grain in (60, 3600, 86_400)))
    assert compact(lake, now=NOW) == 2  # events and partials; four files of rejects are too few
    assert (
        stored_rows(lake),
        lake.resume(),
        *(counted(lake, grain) for grain in (60, 3600, 86_400)),
    ) == before
    assert ranges(lake.catalogue.events) == [(0, 7), (8, 8)]
    assert ranges(lake.catalogue.partials) == [(0, 7), (8, 8)]
    assert ranges(lake.catalogue.rejects) == [(1, 1), (3, 3), (5, 5), (7, 7)]


@pytest.mark.parametrize(("rows", "grains"), [(3, ["3600", "60"]), (200, ["3600", "60", "86400"])])
def test_days_are_stored_unless_their_hours_have_more_rows_than_events(
    lake: Lake, rows: int, grains: list[str]
) -> None:
    fill(lake, 9, rows)
    compact(lake, now=NOW)
    said = lake.catalogue.partials[0].metadata["dimensions"]
    assert sorted(said) == grains
    assert all("path" in said[grain] for grain in grains if grain != "60")
    assert "all" in said["60"]


def same(counts: pa.Table) -> list[str]:
    return sorted(map(repr, counts.to_pylist()))


def test_counts_of_quiet_times_lie_so_that_they_take_less_room(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(5)
    rows = [
        event(
            position=n + 1,
            time=NOON + timedelta(seconds=600 * n),
            site=("a.example", "b.example", None)[rng.integers(3)],
            client_ip=f"198.51.100.{rng.integers(90)}",
            target=f"/page/{rng.integers(300)}",
            bytes=int(rng.integers(100, 90_000)),
        )
        for n in range(2_000)
    ]
    counts = compaction.rolled([partial(events(rows))])
    sizes = []
    for quiet in (True, False):
        monkeypatch.setattr(segments, "sparse", lambda _, quiet=quiet: quiet)
        groups = list(segments.by_dimension(counts))
        assert same(pa.concat_tables(groups)) == same(counts)
        path = lake.folder / "counts.parquet"
        sizes.append(storage.write_groups(groups, path, level=storage.COMPACT_LEVEL, metadata={}))
    assert sizes[0] < 0.8 * sizes[1]


def test_merged_rows_lie_by_client_within_a_row_group(lake: Lake) -> None:
    fill(lake, 9)
    compact(lake, now=NOW)
    rows = storage.read(lake.catalogue.events[0].path, storage.STORED_SCHEMA)
    keys = list(zip(rows["client_ip"].to_pylist(), rows["time"].to_pylist(), strict=True))
    assert keys == sorted(keys)


def test_row_groups_lie_by_time_even_where_commits_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "ROW_GROUP", 2)
    hours = [3, 1, 2, 5, 4]
    tables = [storage.stored([events([event(position=h, time=NOON + timedelta(hours=h))])]) for h in hours]
    groups = [g["position"].to_pylist() for g in compaction.sorted_groups([pa.concat_tables(tables)])]
    assert groups == [[1, 2], [3, 4], [5]]


def test_replaced_files_stay_for_a_grace_and_never_count(lake: Lake) -> None:
    fill(lake, 9)
    compact(lake, now=NOW)
    assert len(list((lake.folder / "events").iterdir())) == 10
    sweep(lake, now=NOW + compaction.GRACE_S - 1)
    assert len(list((lake.folder / "events").iterdir())) == 10
    sweep(lake, now=NOW + compaction.GRACE_S)
    assert len(list((lake.folder / "events").iterdir())) == 2
    assert len(stored_rows(lake)) == 27


def test_a_merge_that_dies_half_way_changes_nothing(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(lake, 9)
    before = stored_rows(lake)

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(storage, "rename", die)
    with pytest.raises(KeyboardInterrupt):
        compact(lake, now=NOW)
    monkeypatch.undo()
    kill(lake)
    with Lake.open(lake.folder, writer=True) as again:
        assert stored_rows(again) == before
        assert not [name for name in files(again.folder) if name.endswith(".tmp")]


def test_a_crash_between_the_rename_and_the_taking_away_counts_no_event_twice(lake: Lake) -> None:
    fill(lake, 9)
    before = stored_rows(lake)
    compact(lake, now=NOW)
    kill(lake)
    with Lake.open(lake.folder, writer=False) as reader:
        assert stored_rows(reader) == before
    with Lake.open(lake.folder, writer=True) as again:
        assert ranges(again.catalogue.events) == [(0, 7), (8, 8)]
        assert len(list((again.folder / "events").iterdir())) == 2


def test_a_full_disk_leaves_the_members(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(lake, 9)

    class Full(pq.ParquetWriter):  # type: ignore[misc]
        def write_table(self, *_: Any, **__: Any) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pq, "ParquetWriter", Full)
    with pytest.raises(StoreError, match="No space left on device"):
        compact(lake, now=NOW)
    assert len(lake.catalogue.events) == 9
    assert not [name for name in files(lake.folder) if name.endswith(".tmp")]


def of_rows(*rows: int) -> list[File]:
    made = []
    for number, count in enumerate(rows):
        file = File(Path(f"{number}"), number, number, 1)
        file.__dict__["rows"] = count  # as the footer would say
        made.append(file)
    return made


@pytest.mark.parametrize(
    ("rows", "merged"),
    [
        ([10] * 7, []),  # too few yet
        ([10] * 8, list(range(8))),
        ([1000, *[10] * 7], []),  # the large one would be written again for little
        ([1000, *[10] * 8], list(range(1, 9))),
        ([400] * 4, [0, 1]),  # as many as the limit lets
        ([600, 600, 600], []),
        ([0] * 8, list(range(8))),
    ],
)
def test_files_of_like_size_are_merged(rows: list[int], merged: list[int]) -> None:
    assert [f.first for f in due(of_rows(*rows), upto=99, rows_limit=1000)] == merged


def test_commits_after_the_bound_are_left_alone() -> None:
    assert due(of_rows(*[10] * 8), upto=6, rows_limit=1000) == []


def test_a_file_counts_unless_another_covers_it_or_it_is_not_yet_committed() -> None:
    def at(first: int, last: int) -> File:
        return File(Path(f"{first}-{last}"), first, last, 1)

    other = File(Path("spark"), None, None, 1)
    these = [at(0, 0), at(0, 7), at(1, 1), at(7, 7), at(8, 8), at(9, 9), other]
    assert ranges(effective(these, newest=8)) == [(0, 7), (8, 8), (None, None)]


def test_old_events_go_with_their_rejects_and_leave_their_rollups(lake: Lake) -> None:
    fill(lake, 4)
    later(lake, timedelta(days=1, hours=1, minutes=30))
    gone = expire(lake, now=NOW + 1e9, keep_days=1.0)
    assert len(gone) == 3
    assert ranges(lake.catalogue.events) == [(2, 2), (3, 3), (4, 4)]
    assert ranges(lake.catalogue.rejects) == [(3, 3)]
    assert ranges(lake.catalogue.partials) == [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4)]
    later(lake, timedelta(days=9))
    expire(lake, now=NOW + 1e9, keep_days=1.0)
    assert ranges(lake.catalogue.events) == [(5, 5)]
    assert ranges(lake.catalogue.partials) == [(5, 5)]


def test_a_log_of_years_ago_is_kept_when_it_is_read_today(lake: Lake) -> None:
    fill(lake, 4)
    assert expire(lake, now=NOW + 1e9, keep_days=1.0) == []


def test_a_clock_of_a_log_that_runs_ahead_makes_nothing_old(lake: Lake) -> None:
    fill(lake, 4)
    later(lake, timedelta(days=4000))
    assert expire(lake, now=NOW, keep_days=1.0) == []


def test_what_was_merged_and_went_by_age_does_not_come_back_through_its_members(lake: Lake) -> None:
    fill(lake, 10)
    later(lake, timedelta(days=2))
    compact(lake, now=NOW)
    expire(lake, now=NOW + 1e9, keep_days=1.0)
    assert ranges(lake.catalogue.events) == [(10, 10)]
    assert len(list((lake.folder / "events").iterdir())) == 1


def test_the_oldest_go_until_the_lake_is_small_enough(lake: Lake) -> None:
    fill(lake, 4)
    sizes = [file.size for file in lake.catalogue.events]
    expire(lake, now=NOW, keep_bytes=lake.catalogue.size - 1)
    assert ranges(lake.catalogue.events) == [(1, 1), (2, 2), (3, 3)]
    expire(lake, now=NOW, keep_bytes=0)
    assert ranges(lake.catalogue.events) == [(3, 3)]
    assert [file.size for file in lake.catalogue.events] == sizes[3:]


def test_nothing_goes_without_a_bound(lake: Lake) -> None:
    fill(lake, 2)
    assert expire(lake, now=NOW + 1e9) == []


def test_the_same_file_is_not_read_twice_for_its_footer(lake: Lake) -> None:
    fill(lake, 1)
    known = lake.catalogue.events[0]
    assert known.rows == 3
    fill(lake, 1)
    assert lake.catalogue.events[0] is known
    assert replace(known).path == known.path
