"""Entries: what takes long to make, and is the same every time, kept in the user's cache folder.

An entry is one file of bytes with nothing in it to run, named by a digest of all it was made from: a digest,
the number of its parts, their lengths, the parts. An entry that is damaged is no entry; a folder that cannot
be written to keeps none.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

KEPT_BYTES: Final = 64 << 20
"""Size of the entries in a folder, B; those not used for longest go. The shipped rules take about 13 MB."""

_DIGEST: Final = 32
_LENGTH: Final = 8


def user_folder(environment: Mapping[str, str]) -> Path | None:
    """Where this user's programs keep what they can make again (XDG base directories); None: nowhere."""
    stated = environment.get("XDG_CACHE_HOME", "")
    if stated.startswith("/"):
        return Path(stated) / "logvision"
    home = environment.get("HOME", "")
    return Path(home) / ".cache" / "logvision" if home.startswith("/") else None


def load(entry: Path) -> list[bytes] | None:
    """What `keep` was given; None: there is no whole entry. Costs half a millisecond for 1 MB."""
    try:
        with entry.open("rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            digest, count = file.read(_DIGEST), file.read(1)
            said = file.read(_LENGTH * int.from_bytes(count))
            lengths = [int.from_bytes(said[at : at + _LENGTH]) for at in range(0, len(said), _LENGTH)]
            if not lengths or _DIGEST + 1 + len(said) + sum(lengths) != size:
                return None
            parts = [file.read(length) for length in lengths]
    except OSError:
        return None
    if _digest(count + said, parts[0]) != digest or [len(part) for part in parts] != lengths:
        return None
    with contextlib.suppress(OSError):  # the time of last use; without it the entry goes sooner
        os.utime(entry)
    return parts


def keep(entry: Path, content: bytes, *others: bytes) -> None:
    """All of it or nothing: other processes may read and write the same meanwhile.

    `others`: fewer than 255 further parts, whose reader finds out what is damaged in them; to look through
    all of them first would take as long as to read them.
    """
    parts = (content, *others)
    said = bytes([len(parts)]) + b"".join(len(part).to_bytes(_LENGTH) for part in parts)
    # Without an entry the next start takes longer, and that is all.
    with contextlib.suppress(OSError):
        entry.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=entry.parent, suffix=".new", delete=False) as out:
            try:
                out.write(_digest(said, content) + said)
                for part in parts:
                    out.write(part)
                out.flush()
                Path(out.name).replace(entry)
            except OSError:
                Path(out.name).unlink(missing_ok=True)
                raise
        tidy(entry.parent)


def _digest(said: bytes, content: bytes) -> bytes:
    return hashlib.sha256(said + content).digest()


def tidy(folder: Path, limit: int = KEPT_BYTES) -> None:
    """Remove what is over the limit, newest use first kept; other processes may do the same meanwhile."""
    found: list[tuple[float, int, Path]] = []
    for each in folder.glob("*.bin"):
        with contextlib.suppress(FileNotFoundError):
            about = each.stat()
            found.append((about.st_mtime, about.st_size, each))
    total = 0
    for _, size, each in sorted(found, reverse=True):
        total += size
        if total > limit:
            each.unlink(missing_ok=True)
