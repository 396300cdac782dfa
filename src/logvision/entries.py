"""Entries: what takes long to make, and is the same every time, kept in the user's cache folder.

An entry is one file of bytes with nothing in it to run, named by a digest of all it was made from. An entry
that is damaged is no entry; a folder that cannot be written to keeps none.
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
"""Size of the entries in a folder, B; those not used for longest go. The shipped rules take about 17 MB."""

_DIGEST: Final = 32


def user_folder(environment: Mapping[str, str]) -> Path | None:
    """Where this user's programs keep what they can make again (XDG base directories); None: nowhere."""
    stated = environment.get("XDG_CACHE_HOME", "")
    if stated.startswith("/"):
        return Path(stated) / "logvision"
    home = environment.get("HOME", "")
    return Path(home) / ".cache" / "logvision" if home.startswith("/") else None


def load(entry: Path) -> memoryview | None:
    """What `keep` was given; None: there is no whole entry. Costs a millisecond for 2 MB."""
    try:
        content = memoryview(entry.read_bytes())
    except OSError:
        return None
    if hashlib.sha256(content[_DIGEST:]).digest() != content[:_DIGEST]:
        return None
    with contextlib.suppress(OSError):  # the time of last use; without it the entry goes sooner
        os.utime(entry)
    return content[_DIGEST:]


def keep(entry: Path, content: bytes) -> None:
    """All of it or nothing: other processes may read and write the same meanwhile."""
    # Without an entry the next start takes longer, and that is all.
    with contextlib.suppress(OSError):
        entry.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=entry.parent, suffix=".new", delete=False) as out:
            try:
                out.write(hashlib.sha256(content).digest())
                out.write(content)
                out.flush()
                Path(out.name).replace(entry)
            except OSError:
                Path(out.name).unlink(missing_ok=True)
                raise
        tidy(entry.parent)


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
