from __future__ import annotations

import bz2
import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from logvision.clock import SettableClock
from logvision.errors import SetupError
from logvision.sources.base import LINE_LIMIT, Batch, Position
from logvision.sources.file import FileReader, FileSource

Compress = Callable[[bytes], bytes]
ALL_CODECS = [gzip.compress, bz2.compress, zstandard.ZstdCompressor().compress]


class Watch:
    """A reader with a clock of its own, and everything that it gave."""

    def __init__(
        self,
        *patterns: Path | str,
        follow: bool = True,
        history: bool = True,
        resume: dict[str, Position] | None = None,
    ) -> None:
        self.clock = SettableClock(1_000_000.0)
        self.source = FileSource(tuple(map(str, patterns)), follow, history, clock=self.clock)
        self.resume: dict[str, Position] = dict(resume or {})
        self.reader: FileReader = self.source.open(self.resume)
        self.lines: list[bytes] = []
        self.positions: dict[str, list[int]] = {}

    def read(self, limit: int = 1 << 20) -> list[bytes]:
        """Lines that come until nothing comes any more, time going on."""
        new: list[bytes] = []
        quiet = 0
        while quiet < 4:
            batches = self.reader.read(limit)
            quiet = 0 if batches else quiet + 1
            self.clock.advance(3.0)
            for batch in batches:
                new += batch.records["raw"].to_pylist()
                self.positions.setdefault(batch.source, []).extend(batch.records["position"].to_pylist())
                self.resume[batch.source] = json.loads(json.dumps(batch.resume))
        self.lines += new
        return new

    def restart(self) -> None:
        self.reader.close()
        self.reader = self.source.open(self.resume)

    def state(self) -> str:
        return self.reader.status()[0].state


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


@pytest.mark.parametrize("compress", ALL_CODECS)
def test_a_compressed_file_is_known_by_its_content_and_not_by_its_name(log: Path, compress: Compress) -> None:
    log.write_bytes(compress(b"one\ntwo\n") + compress(b"three"))
    watch = Watch(log, follow=False)
    assert watch.read() == [b"one\n", b"two\n", b"three"]
    assert watch.positions == {str(log): [0, 4, 8]}
    assert watch.reader.finished
    assert watch.state() == "finished"


@pytest.mark.parametrize("compress", ALL_CODECS)
def test_of_an_archive_that_was_cut_short_everything_is_read_that_can_be(
    log: Path, compress: Compress
) -> None:
    whole = b"".join(b"%06d %s\n" % (i, os.urandom(20).hex().encode()) for i in range(60_000))
    log.write_bytes(compress(whole)[:-40])
    watch = Watch(log, follow=False)
    text = b"".join(watch.read())
    assert whole.startswith(text)
    assert len(text) > len(whole) // 3
    assert "cut short" in watch.reader.status()[0].detail


@pytest.mark.parametrize("compress", ALL_CODECS)
def test_garbage_behind_an_archive_costs_no_line_before_it(log: Path, compress: Compress) -> None:
    log.write_bytes(compress(b"one\ntwo\n" * 20_000) + b"garbage")
    watch = Watch(log, follow=False)
    assert watch.read() == [b"one\n", b"two\n"] * 20_000
    assert "damaged" in watch.reader.status()[0].detail


def test_history_comes_oldest_first_and_the_live_file_last(log: Path, tmp_path: Path) -> None:
    (tmp_path / "access.log.10.gz").write_bytes(gzip.compress(b"a\n"))
    (tmp_path / "access.log.3.bz2").write_bytes(bz2.compress(b"b\n"))
    (tmp_path / "access.log.2.zst").write_bytes(zstandard.ZstdCompressor().compress(b"c\n"))
    (tmp_path / "access.log.1").write_bytes(b"d without end")
    (tmp_path / "error.log.1").write_bytes(b"another log\n")
    log.write_bytes(b"e\n")
    watch = Watch(log)
    assert watch.read() == [b"a\n", b"b\n", b"c\n", b"d without end", b"e\n"]
    assert watch.positions == {str(log): [0, 2, 4, 6, 19]}
    assert watch.state() == "following"


def test_dated_siblings_count_up(log: Path, tmp_path: Path) -> None:
    for name in ("access-2026-01-02.log", "access.log-20260103.gz", "access-2026-01-01.log.gz"):
        data = name.encode() + b"\n"
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    log.write_bytes(b"live\n")
    assert Watch(log).read() == [
        b"access-2026-01-01.log.gz\n",
        b"access-2026-01-02.log\n",
        b"access.log-20260103.gz\n",
        b"live\n",
    ]


def test_without_follow_each_path_is_read_as_it_is_without_siblings(log: Path, tmp_path: Path) -> None:
    old = tmp_path / "access.log.1"
    old.write_bytes(b"old\n")
    log.write_bytes(b"live\n")
    watch = Watch(log, follow=False)
    assert watch.read() == [b"live\n"]
    both = Watch(old, log, follow=False)
    assert sorted(both.read()) == [b"live\n", b"old\n"]
    assert both.positions == {str(log): [0], str(old): [0]}


def test_a_glob_gives_one_source_per_main_log_also_while_that_is_away(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"a\n")
    (tmp_path / "a.log.1").write_bytes(b"a before\n")
    (tmp_path / "b.log.1").write_bytes(b"b before\n")
    watch = Watch(tmp_path / "*.log*")
    assert sorted(watch.read()) == [b"a\n", b"a before\n", b"b before\n"]
    (tmp_path / "b.log").write_bytes(b"b\n")
    (tmp_path / "c.log").write_bytes(b"c\n")
    assert sorted(watch.read()) == [b"b\n", b"c\n"]
    assert {name: len(found) for name, found in watch.positions.items()} == {
        str(tmp_path / "a.log"): 2,
        str(tmp_path / "b.log"): 2,
        str(tmp_path / "c.log"): 1,
    }


def test_without_history_only_what_comes_from_now_on_is_read(log: Path, tmp_path: Path) -> None:
    (tmp_path / "access.log.1").write_bytes(b"before\n")
    log.write_bytes(b"already\nhal")
    watch = Watch(log, history=False)
    assert watch.read() == []
    append(log, b"f\nnew\n")
    assert watch.read() == [b"half\n", b"new\n"]
    (tmp_path / "access.log.1").rename(tmp_path / "access.log.2")
    log.rename(tmp_path / "access.log.1")
    watch.restart()
    log.write_bytes(b"next\n")
    assert watch.read() == [b"next\n"]


def test_a_line_without_end_waits_for_the_rest_while_following(log: Path) -> None:
    log.write_bytes("one\nübe".encode()[:-2])
    watch = Watch(log)
    assert watch.read() == [b"one\n"]
    append(log, "übe".encode()[-2:])
    assert watch.read() == []
    append(log, b"r\n")
    assert watch.read() == ["\u00fcber\n".encode()]


def test_a_file_that_does_not_exist_yet_is_waited_for(log: Path) -> None:
    watch = Watch(log)
    assert watch.read() == []
    assert watch.state() == "waiting"
    log.write_bytes(b"there\n")
    assert watch.read() == [b"there\n"]
    assert watch.state() == "following"


def test_a_renamed_file_is_read_to_its_end_before_the_new_one(log: Path, tmp_path: Path) -> None:
    log.write_bytes(b"one\n")
    watch = Watch(log)
    assert watch.read() == [b"one\n"]
    with log.open("ab", buffering=0) as writer:
        log.rename(tmp_path / "access.log.1")
        log.touch()
        writer.write(b"two\n")  # the server has not reopened its log yet
        assert watch.read() == [b"two\n"]
        writer.write(b"three\n")
        log.write_bytes(b"four\n")
        assert watch.read() == [b"three\n", b"four\n"]
        writer.write(b"late\n")
        append(log, b"five\n")
        assert sorted(watch.read()) == [b"five\n", b"late\n"]
        writer.write(b"later\n")
        watch.restart()
        assert watch.read() == [b"later\n"]
    assert watch.positions == {str(log): [0, 4, 8, 14, 19, 24, 29]}


def test_an_unfinished_last_line_of_a_renamed_file_becomes_a_line_after_a_while(
    log: Path, tmp_path: Path
) -> None:
    log.write_bytes(b"one\nunfinished")
    watch = Watch(log)
    assert watch.read() == [b"one\n"]
    log.rename(tmp_path / "access.log.1")
    log.write_bytes(b"two\n")
    assert watch.read() == [b"unfinished", b"two\n"]


def test_copytruncate_loses_nothing_that_the_copy_has(log: Path, tmp_path: Path) -> None:
    log.write_bytes(b"one\n")
    watch = Watch(log)
    watch.read()
    append(log, b"two\nthr")
    (tmp_path / "access.log.1").write_bytes(log.read_bytes())
    log.write_bytes(b"ee\nfour, longer than all that stood before it\n")
    assert watch.read() == [b"two\n", b"three\n", b"four, longer than all that stood before it\n"]
    assert watch.reader.status()[0].detail == ""


def test_truncation_without_a_copy_starts_at_the_new_beginning_and_says_so(log: Path) -> None:
    log.write_bytes(b"one\ntwo\n")
    watch = Watch(log)
    watch.read()
    log.write_bytes(b"three\n")
    assert watch.read() == [b"three\n"]
    assert watch.positions[str(log)] == [0, 4, 8]
    assert "truncated or deleted" in watch.reader.status()[0].detail


def test_a_file_that_was_shortened_goes_on_at_its_end(log: Path) -> None:
    first = b"".join(b"%04d\n" % i for i in range(1000))
    log.write_bytes(first)
    watch = Watch(log)
    watch.read()
    with log.open("r+b") as file:
        file.truncate(4000)
    assert watch.read() == []
    assert "shortened" in watch.reader.status()[0].detail
    append(log, b"next\n")
    assert watch.read() == [b"next\n"]
    assert watch.positions[str(log)][-1] == 5000


def test_deletion_is_waited_out(log: Path) -> None:
    log.write_bytes(b"one\n")
    watch = Watch(log)
    watch.read()
    log.unlink()
    assert watch.read() == []
    assert watch.state() == "waiting"
    log.write_bytes(b"two\n")
    assert watch.read() == [b"two\n"]


def test_a_deleted_file_is_given_back_after_a_while(log: Path) -> None:
    log.write_bytes(b"one\nrest")
    watch = Watch(log)
    watch.read()
    log.unlink()
    watch.clock.advance(700.0)
    assert watch.read() == [b"rest"]
    watch.clock.advance(700.0)
    watch.read()
    assert not any(str(log) in name for name in _open_files())
    log.write_bytes(b"two\n")
    assert watch.read() == [b"two\n"]


def _open_files() -> list[str]:
    return [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]


def test_a_file_that_cannot_be_read_while_following_is_lost_with_a_reason_until_it_can(log: Path) -> None:
    log.symlink_to(log)
    watch = Watch(log)
    assert watch.read() == []
    assert watch.state() == "lost"
    assert "symbolic links" in watch.reader.status()[0].detail
    log.unlink()
    log.write_bytes(b"one\n")
    assert watch.read() == [b"one\n"]


def test_a_symbolic_link_that_is_turned_over_is_a_rotation(log: Path, tmp_path: Path) -> None:
    (tmp_path / "monday").write_bytes(b"one\n")
    (tmp_path / "tuesday").write_bytes(b"two\n")
    log.symlink_to("monday")
    watch = Watch(log)
    assert watch.read() == [b"one\n"]
    append(tmp_path / "monday", b"still monday\n")
    log.unlink()
    log.symlink_to("tuesday")
    assert watch.read() == [b"still monday\n", b"two\n"]


@pytest.mark.parametrize("compress", [None, *ALL_CODECS])
def test_a_restart_goes_on_in_a_file_that_was_rotated_twice_meanwhile(
    log: Path, tmp_path: Path, compress: Compress | None
) -> None:
    (tmp_path / "access.log.1").write_bytes(b"zero\n")
    log.write_bytes(b"one\n")
    watch = Watch(log)
    assert watch.read() == [b"zero\n", b"one\n"]
    append(log, b"two\n")
    (tmp_path / "access.log.1").rename(tmp_path / "access.log.3")
    log.rename(tmp_path / "access.log.2")
    (tmp_path / "access.log.1").write_bytes(b"three\n")
    log.write_bytes(b"four\n")
    if compress:
        for number in (2, 3):
            plain = tmp_path / f"access.log.{number}"
            (tmp_path / f"access.log.{number}.z").with_suffix(".gz").write_bytes(compress(plain.read_bytes()))
            plain.unlink()
    watch.restart()
    assert watch.read() == [b"two\n", b"three\n", b"four\n"]
    assert watch.positions[str(log)] == [0, 5, 9, 13, 19]


def test_a_restart_whose_file_is_gone_goes_on_with_what_follows_and_says_so(
    log: Path, tmp_path: Path
) -> None:
    (tmp_path / "access.log.1").write_bytes(b"zero\n")
    log.write_bytes(b"one\n")
    watch = Watch(log)
    watch.read()
    log.unlink()
    log.write_bytes(b"two\n")
    watch.restart()
    assert watch.read() == [b"two\n"]
    assert "truncated or deleted" in watch.reader.status()[0].detail


def test_an_over_long_line_keeps_its_head_and_the_rest_is_skipped_and_counted(log: Path) -> None:
    log.write_bytes(b"one\n" + b"x" * (3 * LINE_LIMIT) + b"\ntwo\n")
    for limit in (1 << 16, 1 << 20, 1 << 24):
        watch = Watch(log)
        assert watch.read(limit) == [b"one\n", b"x" * LINE_LIMIT, b"two\n"]
        assert watch.positions[str(log)] == [0, 4, 3 * LINE_LIMIT + 5]
        assert watch.reader.status()[0].read_bytes == 3 * LINE_LIMIT + 9


def test_a_restart_inside_an_over_long_line_goes_on_skipping(log: Path) -> None:
    log.write_bytes(b"x" * (2 * LINE_LIMIT))
    watch = Watch(log)
    assert watch.read() == [b"x" * LINE_LIMIT]
    append(log, b"yyy\ntwo\n")
    watch.restart()
    assert watch.read() == [b"two\n"]


def test_many_logs_get_their_turns_and_a_limit_holds_for_all_together(tmp_path: Path) -> None:
    for name in "abcd":
        (tmp_path / f"{name}.log").write_bytes(b"0123456789abcde\n" * 50_000)
    watch = Watch(tmp_path / "*.log")
    seen: set[str] = set()
    for _ in range(4):
        batches = watch.reader.read(1 << 18)
        assert sum(batch.bytes for batch in batches) <= (1 << 18) + (1 << 16)
        seen |= {batch.source for batch in batches}
    assert len(seen) == 4


class HurriedClock(SettableClock):
    """Every look at it finds a second gone: a machine on which everything takes long."""

    def monotonic(self) -> float:
        self.advance(1.0)
        return self.at


def read_to_the_end(clock: SettableClock, *logs: Path, limit: int = 1 << 20) -> list[Batch]:
    reader = FileSource(tuple(map(str, logs)), follow=False, clock=clock).open({})
    batches: list[Batch] = []
    while not reader.finished:
        batches += reader.read(limit)
    return batches


def test_where_batches_end_does_not_depend_on_the_time_it_takes_to_read_logs_to_their_end(
    tmp_path: Path,
) -> None:
    for name, lines in (("a", 30_000), ("b", 200), ("c", 90_000)):
        text = "".join(f"{name} line {number}\n" for number in range(lines))
        (tmp_path / name).write_bytes(gzip.compress(text.encode()))
    logs = [tmp_path / name for name in "abc"]
    at_leisure = read_to_the_end(SettableClock(), *logs)
    assert read_to_the_end(HurriedClock(), *logs) == at_leisure
    assert sum(batch.records.num_rows for batch in at_leisure) == 120_200


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
@pytest.mark.parametrize("cuts", [(3_000,), (1_000, 1_001, 12_345), (29_999,)])
def test_where_batches_end_does_not_depend_on_where_a_log_was_rotated(
    tmp_path: Path, cuts: tuple[int, ...], compress: Compress
) -> None:
    lines = [b"line %d\n" % number for number in range(30_000)]
    folders = tmp_path / "whole", tmp_path / "rotated"
    for folder, ends in zip(folders, ((), cuts), strict=True):
        folder.mkdir()
        for age, (begin, end) in enumerate(zip((0, *ends), (*ends, len(lines)), strict=True)):
            suffix = "" if end == len(lines) else f".{len(ends) - age}"
            (folder / f"access.log{suffix}").write_bytes(compress(b"".join(lines[begin:end])))
    whole, rotated = (
        read_to_the_end(SettableClock(), folder / "access.log*", limit=1 << 16) for folder in folders
    )
    assert [batch.records.drop(["source"]) for batch in rotated] == [
        batch.records.drop(["source"]) for batch in whole
    ]
    assert len(whole) == -(-sum(map(len, lines)) // (1 << 16))


def test_the_rows_lie_in_the_block_that_was_read(log: Path) -> None:
    log.write_bytes(b"one\ntwo\nthree\n")
    (batch,) = Watch(log).reader.read(1 << 20)
    (raw,) = batch.records["raw"].chunks
    assert raw.buffers()[2].to_pybytes() == b"one\ntwo\nthree\n"


def test_everything_wrong_with_the_paths_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    paths = [tmp_path, tmp_path / "none.log", tmp_path / "*.log", tmp_path / "loop", tmp_path / "pipe"]
    with pytest.raises(SetupError) as raised:
        FileSource(tuple(map(str, paths)), follow=False).open({})
    assert [(problem.where, problem.got) for problem in raised.value.problems] == [
        (str(tmp_path), "a folder"),
        (str(tmp_path / "none.log"), "No such file or directory"),
        (str(tmp_path / "*.log"), "no file that matches"),
        (str(tmp_path / "loop"), "Too many levels of symbolic links"),
        (str(tmp_path / "pipe"), "not a regular file"),
    ]
    with pytest.raises(SetupError):
        FileSource((str(tmp_path),)).open({})


def test_an_empty_file_and_one_of_nul_bytes_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "empty.log").touch()
    (tmp_path / "nul.log").write_bytes(bytes(10) + b"\n" + bytes(5))
    watch = Watch(tmp_path / "*.log", follow=False)
    assert watch.read() == [bytes(10) + b"\n", bytes(5)]
    assert watch.reader.finished
