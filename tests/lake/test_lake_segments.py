"""A commit is all or nothing, says where to resume, and never shows an event twice."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_tables import event, events
from lake_folders import commit, files, kill, reject, stored_rows
from logvision.errors import SetupError, StoreError
from logvision.lake import segments, storage
from logvision.lake.segments import Counts, Lake, Resume
from logvision.schema import EVENT, PARTIAL, REJECT
from logvision.windows.partials import partial


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    with Lake.open(tmp_path / "data", writer=True) as opened:
        yield opened


def test_a_commit_keeps_every_column_of_every_event(lake: Lake) -> None:
    rows = [
        event(position=1, target="/search?q=1%27", referer="https://a.example/", score=0.97, attack="sqli"),
        event(position=2, target="/search?", query=""),
        event(position=3, peer_ip="10.0.0.1", client_ip="203.0.113.9", asn=64496, duration_us=12),
        event(position=4, peer_ip=None),
        event(position=5, client_ip=None, peer_ip=None, target="\\x16\\x03", method=None),
        event(position=6, client_ip=None, peer_ip="192.0.2.1", user="ann", status=None, bytes=None),
    ]
    commit(lake, rows)
    assert stored_rows(lake) == events(rows).to_pylist()


text = st.none() | st.sampled_from(["", "a", "?", "/x", "10.0.0.1", "é\u2028<b>"])


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(text, text, text, text), max_size=8))
def test_what_is_left_out_of_the_files_comes_back(made: list[tuple[str | None, ...]]) -> None:
    rows = []
    for position, (written, asked, peer, client) in enumerate(made, 1):
        # The contract of PARSED: target is path, "?" and query; path holds no "?".
        path = written and written.replace("?", "")
        query = None if path is None else asked
        addresses = {"peer_ip": peer or None, "client_ip": client or None}
        row = event(position=position, path=path, query=query, route=path, **addresses)
        rows.append(row | {"target": path if query is None else f"{path}?{query}"})
    table = events(rows) if rows else EVENT.empty_table()
    assert storage.events(storage.stored([table])).to_pylist() == table.to_pylist()


def test_batches_with_dictionaries_of_their_own_become_one_dictionary_without_unused_values() -> None:
    batches = [events([event(position=1, target="/a")]), events([event(position=2, target="/b")])]
    unused = pa.DictionaryArray.from_arrays(pa.array([2], pa.int32()), pa.array(["x", "y", "/c"]))
    third = events([event(position=3, target="/c")]).set_column(8, EVENT.field("path"), unused)
    rows = storage.stored([*batches, third])
    assert rows.column("path").num_chunks == 1
    assert sorted(rows.column("path").chunk(0).dictionary.to_pylist()) == ["/a", "/b", "/c"]
    assert rows.column("path").to_pylist() == ["/a", "/b", "/c"]


@pytest.mark.parametrize(("sizes", "encoding"), [(1, "RLE_DICTIONARY"), (1000, "DELTA_BINARY_PACKED")])
def test_sizes_that_come_again_have_a_dictionary_and_others_have_none(
    lake: Lake, sizes: int, encoding: str
) -> None:
    rows = [event(position=n, bytes=n * 37 % sizes) for n in range(1000)]
    commit(lake, rows)
    (file,) = lake.catalogue.events
    column = storage.STORED.index("bytes")
    assert encoding in pq.ParquetFile(file.path).metadata.row_group(0).column(column).encodings
    assert lake.events(file).column("bytes").to_pylist() == [row["bytes"] for row in rows]


def test_the_catalogue_after_commits_is_what_the_folder_says(lake: Lake) -> None:
    for position in range(3):
        commit(lake, [event(position=position)])
    known = lake.catalogue
    lake.refresh()
    assert known == lake.catalogue


def test_resume_gives_what_the_newest_commit_was_given(lake: Lake) -> None:
    assert lake.resume() == Resume()
    commit(lake, [event(position=1)])
    commit(lake, [event(position=2), event(position=3)], formats={"access.log": "combined"})
    lake.close()
    with Lake.open(lake.folder, writer=True) as again:
        assert again.resume() == Resume(
            sequence=1,
            positions={"access.log": {"offset": 300}},
            counts={"access.log": Counts(3, 3, 0, 0, 300)},
            state={"formats": {"access.log": "combined"}},
        )
        assert commit(again, []).sequence == 2


def test_a_segment_from_before_late_rows_were_counted_still_says_where_it_stood(lake: Lake) -> None:
    @dataclass(frozen=True)
    class Before:
        read: int = 9
        events: int = 7
        rejects: int = 1
        filtered: int = 1
        bytes: int = 900

    earlier: Any = {"access.log": Before()}
    lake.commit([events([event(position=1)])], REJECT.empty_table(), PARTIAL.empty_table(), {}, earlier)
    lake.close()
    with Lake.open(lake.folder, writer=False) as again:
        said = again.catalogue.events[-1].metadata["counts"]
        assert said == {"access.log": {"read": 9, "events": 7, "rejects": 1, "filtered": 1, "bytes": 900}}
        assert again.resume().counts == {"access.log": Counts(9, 7, 1, 1, 900, late=0)}


def test_rejects_without_events_commit_too(lake: Lake) -> None:
    segment = commit(lake, [], reject(b"\x00\xff", position=7))
    assert (segment.sequence, segment.events, segment.rejects) == (0, 0, 1)
    kept = storage.read(lake.catalogue.rejects[0].path, REJECT)
    assert kept.to_pylist() == reject(b"\x00\xff", position=7).to_pylist()
    assert lake.resume().counts == {"access.log": Counts(1, 0, 1, 0, 0)}


def test_an_event_is_hot_or_committed_and_never_both(lake: Lake) -> None:
    first, second = events([event(position=1)]), events([event(position=2)])
    lake.hot.append(first)
    lake.hot.append(second)
    lake.hot.append(EVENT.empty_table())
    assert (lake.hot.rows, len(lake.hot.tables())) == (2, 2)
    lake.commit([first], REJECT.empty_table(), partial(first), {}, {})
    view = lake.view()
    assert [table.column("position").to_pylist() for table in view.hot] == [[2]]
    assert sum(file.rows for file in view.catalogue.events) == 1


@pytest.mark.parametrize("family", ["partials", "rejects", "events"])
def test_a_commit_that_dies_before_its_last_rename_leaves_nothing_that_counts(
    lake: Lake, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(lake, [event(position=1)])
    real = storage.rename

    def die(temporary: Path, final: Path) -> None:
        if final.parent.name == family:
            raise KeyboardInterrupt
        real(temporary, final)

    monkeypatch.setattr(storage, "rename", die)
    with pytest.raises(KeyboardInterrupt):
        commit(lake, [event(position=2)], reject(b"?"))
    monkeypatch.undo()
    with Lake.open(lake.folder, writer=False) as reader:
        assert [row["position"] for row in stored_rows(reader)] == [1]
        assert reader.catalogue.rejects == ()
        assert len(reader.catalogue.partials) == 1
    kill(lake)
    with Lake.open(lake.folder, writer=True) as again:
        assert files(again.folder) == [
            "events/000000000000-000000000000.parquet",
            "partials/000000000000-000000000000.parquet",
        ]
        commit(again, [event(position=2)])
        assert [row["position"] for row in stored_rows(again)] == [1, 2]


@pytest.mark.parametrize("call", ["ParquetWriter", "replace", "fsync"])
def test_a_full_disk_is_a_store_error_and_the_same_commit_may_be_tried_again(
    lake: Lake, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    where = {"ParquetWriter": pq, "replace": Path, "fsync": storage.os}[call]
    monkeypatch.setattr(where, call, full)
    with pytest.raises(StoreError, match="No space left on device"):
        commit(lake, [event(position=1)], reject(b"?"))
    monkeypatch.undo()
    assert not [name for name in files(lake.folder) if name.endswith(".tmp") or name.startswith("events")]
    assert lake.resume() == Resume()
    commit(lake, [event(position=1)])
    assert [row["position"] for row in stored_rows(lake)] == [1]
    assert lake.catalogue.rejects == ()  # those of the failed try are gone


def test_a_dimension_of_many_values_has_row_groups_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = partial(events(event(position=i + 1, target=f"/{i % 40}") for i in range(200)))
    monkeypatch.setattr(segments, "SMALL_GROUP", 30)
    monkeypatch.setattr(segments, "PARTIAL_GROUP", 25)
    groups = list(segments.by_dimension(rows))
    assert pa.concat_tables(groups).equals(rows)
    with_paths = [group for group in groups if "path" in group["dimension"].to_pylist()]
    assert [(set(g["dimension"].to_pylist()), g.num_rows) for g in with_paths] == [
        ({"path"}, 25),
        ({"path"}, 15),
    ]
    assert all(0 < group.num_rows <= 30 for group in groups)


def test_a_second_writer_is_told_in_one_sentence(lake: Lake) -> None:
    with pytest.raises(SetupError) as told:
        Lake.open(lake.folder, writer=True)
    assert str(told.value) == (
        f"{lake.folder}: got another LogVision that writes there; expected a data folder of its own for each"
    )


def test_a_folder_that_cannot_be_made_is_a_set_up_error(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, not a folder")
    with pytest.raises(SetupError, match="expected a data folder that can be written"):
        Lake.open(tmp_path / "data", writer=True)


def test_a_read_only_folder_is_a_set_up_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Asked of the system rather than tried: the suite may run as root, to whom all is writable.
    monkeypatch.setattr("logvision.lake.segments.os.access", lambda *_: False)
    with pytest.raises(SetupError, match="got a read-only folder; expected one that can be written"):
        Lake.open(tmp_path / "data", writer=True)
    monkeypatch.undo()
    Lake.open(tmp_path / "data", writer=True).close()  # the lock was given back


def test_a_reader_needs_a_lake_and_cannot_commit(lake: Lake, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="got no lake there"):
        Lake.open(tmp_path / "elsewhere", writer=False)
    with Lake.open(lake.folder, writer=False) as reader, pytest.raises(StoreError, match="for reading only"):
        commit(reader, [event(position=1)])


def test_a_reader_sees_commits_that_come_after_it_opened(lake: Lake) -> None:
    with Lake.open(lake.folder, writer=False) as reader:
        assert reader.view().catalogue.events == ()
        commit(lake, [event(position=1)])
        assert [file.rows for file in reader.view().catalogue.events] == [1]


def test_a_lake_of_a_later_version_is_refused(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logvision.lake.segments.FORMAT", 2)
    commit(lake, [event(position=1)])
    monkeypatch.undo()
    with pytest.raises(SetupError, match="got a lake of format 2; expected format 1 or earlier"):
        Lake.open(lake.folder, writer=False)


def test_a_damaged_file_is_a_set_up_error_at_open(lake: Lake) -> None:
    commit(lake, [event(position=1)])
    lake.catalogue.events[0].path.write_bytes(b"PAR1 and then nothing")
    with pytest.raises(SetupError, match=r"cannot read 000000000000-000000000000\.parquet"):
        Lake.open(lake.folder, writer=False)


def test_files_of_another_engine_count_and_those_that_it_is_still_writing_do_not(lake: Lake) -> None:
    commit(lake, [event(position=1)])
    other = storage.stored([events([event(position=2)])])
    for name in ("batch-7-part-0.parquet", "_temporary/part-1.parquet", ".part-2.parquet"):
        path = lake.folder / "events" / name
        path.parent.mkdir(exist_ok=True)
        pq.write_table(other, path)
    lake.refresh()
    assert [file.path.name for file in lake.catalogue.events] == [
        "000000000000-000000000000.parquet",
        "batch-7-part-0.parquet",
    ]
    assert lake.resume().sequence == 0


def test_a_table_that_is_not_event_is_a_bug_and_raises(lake: Lake) -> None:
    with pytest.raises(ValueError, match="not an EVENT table"):
        lake.commit([pa.table({"x": [1]})], REJECT.empty_table(), PARTIAL.empty_table(), {}, {})
