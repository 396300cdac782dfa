"""The files of one log as they stand now: rotated siblings, oldest first, then the live file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from logvision.sources.history import siblings
from logvision.sources.lines import Lines
from logvision.sources.mark import Mark, Opened, identity
from logvision.sources.streams import open_stream


@dataclass(frozen=True, slots=True)
class Chain:
    """One look at the folder; reading a log is a walk along what it shows."""

    log: Path
    files: list[Path]
    unreadable: int = 0  # rotated files that may not be read

    @classmethod
    def look(cls, log: Path, *, alone: bool) -> Self:
        """`alone`: without siblings. An empty sibling is none: it could not be known again."""
        older = [] if alone else [path for path in siblings(log) if path.stat().st_size > 0]
        readable = [path for path in older if os.access(path, os.R_OK)]
        live = [log] if log.is_symlink() or log.exists() else []
        return cls(log, [*readable, *live], len(older) - len(readable))

    @property
    def note(self) -> str:
        """What the operator should know of it."""
        return f"{self.unreadable} rotated files may not be read: no permission" if self.unreadable else ""

    @property
    def live(self) -> int:
        """Where the live file stands, or would."""
        return len(self.files) - (self.log in self.files)

    def find(self, mark: Mark) -> int | None:
        """Index of the marked file: by inode and content, else by content, newest sibling first."""
        files = self.files
        newest_first = sorted(range(len(files)), key=lambda i: (files[i] == self.log, -i))
        same_inode = [i for i in newest_first if identity(files[i]) == (mark.device, mark.inode)]
        for index in [*same_inode, *(newest_first if mark.head_length else [])]:
            try:
                stream = open_stream(files[index])
            except FileNotFoundError:
                continue
            fits = mark.fits(stream)
            stream.close()
            if fits:
                return index
        return None

    def before_live(self) -> Mark | None:
        """The end of the file before the live one: what stands there and earlier is unread by choice."""
        if self.live == 0:
            return None
        before = open_stream(self.files[self.live - 1])
        before.offset = 0 if before.compressed else before.available()
        mark = Opened(before, Lines()).mark()
        before.close()
        return mark

    def next_filled(self, index: int) -> Path | None:
        """The first file after this one that has content."""
        return next((path for path in self.files[index + 1 :] if path.stat().st_size > 0), None)
