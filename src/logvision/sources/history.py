"""Which files are the rotated siblings of a log, and in what order they were written; by name alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

SUFFIXES = (".gz", ".bz2", ".zst", ".zstd")
"""Endings that compression adds to a name. What a file really is, its content says."""

DIGITS = frozenset("0123456789")
STAMP = DIGITS | frozenset("-_.:T")


class Rotation(NamedTuple):
    """What the name of a rotated file says."""

    log: str  # name of the log it came from
    stamp: str  # the digits, with what separates them
    inside: bool  # the stamp stands before the extension: access-2026-01-01.log

    @property
    def dated(self) -> bool:
        """True for a date (2026-01-01, 2026010112) or a Unix time; false for a counter or an address."""
        first = str(_numbers(self.stamp)[0])
        return (len(first) in (4, 8, 10, 12, 14) and first[:2] in ("19", "20")) or len(first) == 10


def rotations(name: str) -> list[Rotation]:
    """Every way in which a file name can be that of a rotated log; none for an ordinary name.

    `access.log.1`, `access.log.2.gz`, `access.log-20260101.gz`, `access-2026-01-01.log`,
    `access.2.log`. A counter before the extension needs a dot: `site-1.log` is a log of its own.
    """
    bare = next((name.removesuffix(end) for end in SUFFIXES if name.endswith(end)), name)
    found = []
    root, dot, extension = bare.rpartition(".")
    if dot and not _is_stamp(extension):
        log, stamp, separator = _peel(root)
        if stamp and (Rotation(log, stamp, True).dated or separator == "."):
            found.append(Rotation(f"{log}.{extension}", stamp, True))
    log, stamp, _ = _peel(bare)
    if stamp:
        found.append(Rotation(log, stamp, False))
    return found


def siblings(log: Path) -> list[Path]:
    """Rotated siblings of `log` that exist, oldest first, without `log` itself.

    Dates count up and counters count down; where both kinds stand side by side the time of the last
    change decides. Of one rotation that exists plain and compressed (compression is under way) the
    plain file counts.
    """
    try:
        with os.scandir(log.parent) as entries:
            names = [entry.name for entry in entries if entry.name != log.name and entry.is_file()]
    except OSError:
        return []  # a folder that is not there has no files; the log itself tells the reason
    best: dict[tuple[str, bool], str] = {}
    for name in names:
        for rotation in rotations(name):
            key = (rotation.stamp, rotation.inside)
            if rotation.log == log.name and (key not in best or len(name) < len(best[key])):
                best[key] = name
    dated = sum(Rotation(log.name, *key).dated for key in best)
    if 0 < dated < len(best):
        return sorted((log.parent / name for name in best.values()), key=_changed)
    order = sorted(best, key=lambda key: _numbers(key[0]), reverse=not dated)
    return [log.parent / best[key] for key in order]


def _changed(path: Path) -> tuple[int, str]:
    try:
        return path.stat().st_mtime_ns, path.name
    except OSError:
        return 0, path.name  # vanished just now; whoever opens it will see


def _numbers(stamp: str) -> list[int]:
    numbers: list[int] = []
    digits = ""
    for character in stamp + "-":
        if character in DIGITS:
            digits += character
        elif digits:
            numbers.append(int(digits))
            digits = ""
    return numbers


def _peel(name: str) -> tuple[str, str, str]:
    """`access.log-2026-01-01` to (access.log, 2026-01-01, -); the stamp is empty where none stands."""
    at = len(name)
    while at > 0 and name[at - 1] in STAMP:
        at -= 1
    while at < len(name) - 1 and not (name[at] in "-_." and name[at + 1] in DIGITS):
        at += 1
    stamp = name[at + 1 :]
    return (name[:at], stamp, name[at]) if at > 0 and _is_stamp(stamp) else (name, "", "")


def _is_stamp(text: str) -> bool:
    return text[:1] in DIGITS and text[-1:] in DIGITS and STAMP.issuperset(text) and text != ""
