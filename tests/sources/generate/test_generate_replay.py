"""Replay: a log once more with the times of now, bytes and order kept."""

from __future__ import annotations

import bz2
import gzip
import io
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from logvision.clock import SettableClock
from logvision.errors import SetupError
from logvision.sources.generate import StreamWriter, replay
from logvision.sources.generate.replay import Stamps

NOON = 1_795_435_200.0  # 2026-11-23 12:00 UTC
LOG = b"""\
203.0.113.1 - - [01/Jan/2020:23:59:58 +0000] "GET /a HTTP/1.1" 200 1 "-" "x"
203.0.113.2 - - [02/Jan/2020:00:00:08 +0000] "GET /b HTTP/1.1" 200 1 "-" "x"
203.0.113.3 - - [02/Jan/2020:00:00:18 +0000] "GET /\xff\xfe HTTP/1.1" 200 1 "-" "x"
"""


def replayed(path: Path, speed: float | None) -> tuple[bytes, float]:
    clock, out = SettableClock(NOON), io.BytesIO()
    replay(path, speed, StreamWriter(out), clock, pause=clock.advance)
    return out.getvalue(), clock.now() - NOON


@pytest.mark.parametrize(
    ("speed", "times", "took"),
    [
        (1.0, (b"12:00:00", b"12:00:10", b"12:00:20"), 20.0),
        (10.0, (b"12:00:00", b"12:00:01", b"12:00:02"), 2.0),
        (0.5, (b"12:00:00", b"12:00:20", b"12:00:40"), 40.0),
        (None, (b"12:00:00", b"12:00:00", b"12:00:00"), 0.0),
    ],
)
def test_lines_come_at_the_speed_asked_for_with_todays_times(
    tmp_path: Path, speed: float | None, times: tuple[bytes, ...], took: float
) -> None:
    path = tmp_path / "old.log"
    path.write_bytes(LOG)
    data, seconds = replayed(path, speed)
    assert [line.split(b"[")[1].split(b" ")[0] for line in data.splitlines()] == [
        b"23/Nov/2026:" + at for at in times
    ]
    assert seconds == pytest.approx(took, abs=0.1)


def test_nothing_but_the_time_changes(tmp_path: Path) -> None:
    path = tmp_path / "old.log"
    path.write_bytes(LOG)
    data, _ = replayed(path, None)
    for before, after in zip(LOG.splitlines(), data.splitlines(), strict=True):
        assert before[:17] + before[37:] == after[:17] + after[37:]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, zstandard.compress])
def test_packed_logs_are_read(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    plain, packed = tmp_path / "old.log", tmp_path / "old.packed"
    plain.write_bytes(LOG)
    packed.write_bytes(pack(LOG))
    assert replayed(packed, 1.0) == replayed(plain, 1.0)


@pytest.mark.parametrize(
    ("line", "after"),
    [
        (
            b'[2001:db8::1]:443 ::1 - - [01/Jan/2020:10:00:00 +0530] "GET / HTTP/1.1" 200 1\n',
            b'[2001:db8::1]:443 ::1 - - [23/Nov/2026:17:30:00 +0530] "GET / HTTP/1.1" 200 1\n',
        ),
        (
            b'{"time_iso8601":"2020-01-01T10:00:00-08:00","request_uri":"/T"}\n',
            b'{"time_iso8601":"2026-11-23T04:00:00-08:00","request_uri":"/T"}\n',
        ),
        (
            b'{"method":"GET","ts":"2020-01-01T10:00:00.123Z"}\n',
            b'{"method":"GET","ts":"2026-11-23T12:00:00.123Z"}\n',
        ),
        (b"no time in here [at all] T\n", b"no time in here [at all] T\n"),
        (b"[99/Jan/2020:10:00:00 +0000] x\n", b"[99/Jan/2020:10:00:00 +0000] x\n"),
        (b"[01/Jan/2020:10:00:00 +0000] no end", b"[23/Nov/2026:12:00:00 +0000] no end\n"),
    ],
)
def test_the_time_is_found_by_its_shape_and_keeps_its_zone(tmp_path: Path, line: bytes, after: bytes) -> None:
    path = tmp_path / "old.log"
    path.write_bytes(line)
    assert replayed(path, 1.0)[0] == after


def test_a_line_whose_time_goes_back_follows_at_once(tmp_path: Path) -> None:
    path = tmp_path / "old.log"
    path.write_bytes(
        b"[01/Jan/2020:10:00:10 +0000] a\n[01/Jan/2020:10:00:00 +0000] b\n[01/Jan/2020:10:00:12 +0000] c\n"
    )
    assert replayed(path, 1.0)[0].splitlines() == [
        b"[23/Nov/2026:12:00:00 +0000] a",
        b"[23/Nov/2026:12:00:00 +0000] b",
        b"[23/Nov/2026:12:00:02 +0000] c",
    ]


def test_bad_options_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="speed"):
        replayed(tmp_path / "x", 0.0)
    with pytest.raises(SetupError, match="can be read"):
        replayed(tmp_path / "not there", 1.0)


@given(st.binary(max_size=300))
def test_any_bytes_are_looked_at_without_harm(line: bytes) -> None:
    found = Stamps().find(line)
    assert found is None or line[found.begin : found.end]
