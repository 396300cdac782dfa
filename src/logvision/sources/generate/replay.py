"""A given log once more, at its own or any pace, its times rewritten to now."""

from __future__ import annotations

import bz2
import gzip
import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import zstandard

from logvision.clock import Clock
from logvision.errors import Problem, SetupError
from logvision.sources.generate.run import PAUSE_S
from logvision.sources.generate.writers import Writer

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
BLOCK_B = 1 << 20
TRIES = 24
"""Places of a line that may be looked at for its time; hostile lines hold thousands of brackets."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time as it stands in a line. `seconds`: Unix time; `offset`: of its zone, s."""

    seconds: int
    offset: int
    iso: bool


@lru_cache(maxsize=1024)
def written(seconds: int, offset: int, iso: bool) -> bytes:
    """A Unix time as text in the form and zone of a stamp, without the zone's own text."""
    when = datetime.fromtimestamp(seconds + offset, UTC)
    if iso:
        return when.strftime("%Y-%m-%dT%H:%M:%S").encode()
    return f"{when.day:02d}/{MONTHS[when.month - 1]}/{when:%Y:%H:%M:%S}".encode()


@dataclass(frozen=True, slots=True)
class Found:
    """Where the time of a line stands: `line[begin:end]`."""

    begin: int
    end: int
    stamp: Stamp


@dataclass
class Stamps:
    """Finds the time of a line by its shape: `[23/Nov/2026:07:20:05 +0000]` or `2026-11-23T07:20:05`."""

    _known: dict[bytes, Stamp | None] = field(default_factory=dict)

    def find(self, line: bytes) -> Found | None:
        """The first time in the line, None when it has none."""
        at, tries = line.find(b"["), 0
        while at >= 0 and tries < TRIES:
            if line[at + 3 : at + 4] == b"/" and (stamp := self._read(line[at + 1 : at + 27], _clf)):
                return Found(at + 1, at + 21, stamp)
            at, tries = line.find(b"[", at + 1), tries + 1
        at, tries = line.find(b"T"), 0
        while at >= 0 and tries < TRIES:
            if (
                at >= 10
                and line[at - 3 : at - 2] == b"-"
                and (stamp := self._read(line[at - 10 : at + 22], _iso))
            ):
                return Found(at - 10, at + 9, stamp)
            at, tries = line.find(b"T", at + 1), tries + 1
        return None

    def _read(self, text: bytes, form: Callable[[str], Stamp]) -> Stamp | None:
        if text not in self._known:
            if len(self._known) > 100_000:
                self._known.clear()
            try:
                self._known[text] = form(text.decode("ascii"))
            except (ValueError, OverflowError):  # not a time after all: the search goes on
                self._known[text] = None
        return self._known[text]


def _clf(text: str) -> Stamp:
    day, month, year, clock, zone = text[0:2], text[3:6], text[7:11], text[12:20], text[21:26]
    when = datetime.fromisoformat(f"{year}-{MONTHS.index(month) + 1:02d}-{day}T{clock}+00:00")
    offset = _offset(zone)
    return Stamp(int(when.timestamp()) - offset, offset, iso=False)


def _iso(text: str) -> Stamp:
    when = datetime.fromisoformat(text[:19]).replace(tzinfo=UTC)
    zone = text[19:].lstrip(".0123456789")
    offset = _offset(zone[:6].replace(":", "")) if zone[:1] in ("+", "-") else 0
    return Stamp(int(when.timestamp()) - offset, offset, iso=True)


def _offset(zone: str) -> int:
    sign = -1 if zone[0] == "-" else 1
    return sign * int(timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5])).total_seconds())


def replay(
    path: Path,
    speed: float | None,
    out: Writer,
    clock: Clock,
    *,
    pause: Callable[[float], None] = time.sleep,
    going: Callable[[], bool] = lambda: True,
) -> int:
    """Write the log's lines to `out` in their order and give their number.

    `speed` 1: as far apart as they were; 2: twice as fast; None: as fast as possible. The time of each
    line is rewritten to the moment of its writing, in its own form and zone; a line without a time, or
    with one that goes back, follows at once. Plain, gzip, bzip2 and zstd files of any size.

    Raises SetupError when the file cannot be read or the speed is not above 0.
    """
    if speed is not None and not 0 < speed < float("inf"):
        raise SetupError(Problem("speed", str(speed), "a number above 0"))
    stamps, count = Stamps(), 0
    begun = clock.now()
    first: int | None = None
    due = begun  # never goes back
    ready: list[bytes] = []
    moments: list[int] = []

    def hand_over() -> None:
        if ready:
            offsets = np.concatenate([[0], np.cumsum([len(line) for line in ready])]).astype(np.int64)
            out.write(memoryview(b"".join(ready)), offsets, np.array(moments, np.int64))
            ready.clear()
            moments.clear()

    # A loop over lines: each needs its own cut, and the bytes must stay as they are.
    for line in _lines(path):
        found = stamps.find(line[:4096])
        if found is not None:
            first = found.stamp.seconds if first is None else first
            if speed is not None:
                due = max(due, begun + (found.stamp.seconds - first) / speed)
        while (now := clock.now()) < due and going():
            hand_over()
            pause(min(due - now, PAUSE_S))
        if not going():
            break
        moment = due if speed is not None else now
        whole = line if line.endswith(b"\n") else line + b"\n"
        if found is not None:
            whole = (
                whole[: found.begin]
                + written(int(moment), found.stamp.offset, found.stamp.iso)
                + whole[found.end :]
            )
        ready.append(whole)
        moments.append(round(moment * 1_000_000))
        count += 1
        if len(ready) >= 4096:
            hand_over()
    hand_over()
    return count


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as raw:
            magic = raw.read(4)
        opened: BinaryIO
        if magic[:2] == b"\x1f\x8b":
            opened = cast(BinaryIO, gzip.open(path, "rb"))  # noqa: SIM115 (closed below)
        elif magic[:3] == b"BZh":
            opened = cast(BinaryIO, bz2.open(path, "rb"))  # noqa: SIM115
        elif magic == b"\x28\xb5\x2f\xfd":
            opened = io.BufferedReader(zstandard.open(path, "rb"))
        else:
            opened = path.open("rb", buffering=BLOCK_B)
    except OSError as lost:
        raise SetupError(Problem("replay", str(lost), "a log file that can be read")) from lost
    with opened:
        yield from opened
