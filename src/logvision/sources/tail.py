"""One log read through all its files: rotated siblings, then the live file as it grows and rotates."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from logvision.clock import Clock
from logvision.sources.base import Batch, Position, SourceStatus
from logvision.sources.chain import Chain
from logvision.sources.lines import Blocks, Cut, Lines
from logvision.sources.mark import Mark, Opened, identity, last_line_start
from logvision.sources.streams import open_stream

LOOK_S = 1.0  # between two looks at a folder, or at a file that could not be read
UNFINISHED_S = 2.0  # a file that was rotated away may still get the rest of its last line for that long
HELD_S = 600.0  # a rotated or deleted file is held open for late lines that long after the last one


class Tail:
    """Reads one log in the order in which it was written, and knows where to resume.

    The files of a log form a chain: rotated siblings, oldest first, then the live file. Reading is a
    walk along it. Start, restart, truncation and loss are one operation: find the place in the chain
    as it is now (`_begin`) and go on. Positions count the bytes given so far, so that they never
    repeat whatever happens to the files.
    """

    def __init__(
        self,
        log: Path,
        resume: Position | None,
        *,
        follow: bool,
        history: bool,
        alone: bool,
        clock: Clock,
        blocks: Blocks,
    ) -> None:
        self.log = log
        self.source = str(log)
        self.finished = False
        self._follow, self._history, self._alone, self._clock = follow, history, alone, clock
        self._blocks = blocks
        self._first = resume is None
        self._given = 0  # bytes of lines given so far: the position of the next line
        self._current: Opened | None = None
        self._late: Opened | None = None  # the file before, while its writer may still add to it
        self._mark: Mark | None = None  # where to go on, while nothing is open
        self._older: Mark | None = None  # the file before: what follows it in the chain is unread
        self._carried = Lines()  # a line that began before a truncation
        self._next_look = 0.0
        self._last_read: float | None = None
        self._state, self._detail, self._note = "waiting", "", ""
        if resume is not None:
            self._mark = Mark(**resume["file"])
            self._older = Mark(**resume["older"]) if resume["older"] else None
            self._given = resume["base"] + self._mark.offset

    def read(self, limit: int, deadline: float) -> Batch | None:
        """The next lines, about `limit` bytes at most; None when there is nothing now."""
        if self.finished:
            return None
        try:
            if self._current is None:
                self._current = self._begin()
            if self._current is None or self._quiet(self._current) or self._passed_over(self._current):
                return None
            return self._read_late(limit, deadline) or self._read_current(self._current, limit, deadline)
        except FileNotFoundError:
            self._lose("waiting", "the file went away")
            self.finished = not self._follow
        except OSError as problem:
            self._lose("lost", f"cannot read {problem.filename or self.log}: {problem.strerror or problem}")
            self.finished = not self._follow
        return None

    @property
    def reached(self) -> int:
        """Bytes of the log read so far, the unfinished line among them."""
        lines = self._carried if self._current is None else self._current.lines
        return self._given + len(lines.pending)

    def status(self) -> SourceStatus:
        """Sizes are of the file being read; the bytes of files before it count in `read_bytes` only."""
        opened, size, lag = self._current, None, None
        extra: dict[str, Any] = {}
        if opened is not None:
            try:
                stored_read, stored = opened.stream.stored()
            except OSError:  # closed by the reading thread at this very moment
                stored_read = stored = 0
            extra = {"file": str(opened.stream.path), "file_read": stored_read, "file_size": stored}
            if not opened.stream.compressed:
                lag = max(stored - stored_read, 0) + len(opened.lines.pending)
                size = self._given + lag
        detail = "; ".join(text for text in (self._detail, self._note) if text)
        return SourceStatus(
            self.source, "file", self._state, detail, self._given, size, lag, self._last_read, extra
        )

    def close(self) -> None:
        for opened in (self._current, self._late):
            if opened is not None:
                opened.stream.close()
        self._current = self._late = None

    # Finding the place

    def _begin(self) -> Opened | None:
        """Open the file in which reading goes on; None when there is none now."""
        now = self._clock.monotonic()
        if now < self._next_look:
            return None
        self._next_look = now + LOOK_S
        chain, mark = self._chain(), self._mark
        offset: int | None = None
        if self._first:
            index = self._first_index(chain)
        else:
            index, offset = self._place(chain)
        was_there = self._first and not self._history and self._follow
        self._first = False
        if index >= len(chain.files):
            self.finished = not self._follow
            self._state = "waiting" if self._follow else "finished"
            self._detail = "" if chain.files else "the file does not exist yet"
            return None

        stream = open_stream(chain.files[index])
        opened = Opened(stream, self._carried, live=chain.files[index] == self.log)
        if mark is not None and offset is not None:
            opened.lines = Lines(mark.skipping)
            opened.copied = mark.copied or (
                not opened.live and identity(self.source) == (mark.device, mark.inode)
            )
            stream.offset = offset
        elif was_there:
            stream.offset = last_line_start(stream)
            self._given = stream.offset
        self._mark, self._carried, self._next_look = None, Lines(), 0.0
        self._state, self._detail = "history", ""
        self._reopen_late(chain)
        return opened

    def _chain(self) -> Chain:
        chain = Chain.look(self.log, alone=self._alone)
        self._note = chain.note or self._note
        return chain

    def _first_index(self, chain: Chain) -> int:
        if self._history:
            return 0
        self._older = chain.before_live() or self._older  # it must stay unread after the next rotation
        return chain.live

    def _place(self, chain: Chain) -> tuple[int, int | None]:
        """Index in the chain, with the offset if it is the file that was being read."""
        mark = self._mark
        if mark is not None and mark.head_length:
            index = chain.find(mark)
            if index is not None:
                return index, mark.offset
            self._note = (
                f"{Path(mark.path).name} was truncated or deleted after byte {mark.offset} was read; "
                "what was added to it after that is lost, reading goes on with what exists"
            )
        if self._older is not None:
            index = chain.find(self._older)
            if index is not None:
                return index + 1, None
        return 0, None

    def _reopen_late(self, chain: Chain) -> None:
        """After a restart: go on watching the file before, lines may have been added to it meanwhile."""
        older = self._older
        if older is None or older.copied or self._late is not None or not self._follow:
            return
        for path in chain.files[:-1]:
            if identity(path) == (older.device, older.inode):
                stream = open_stream(path)
                if not stream.compressed and older.fits(stream):
                    stream.offset = older.offset
                    self._late = Opened(stream, Lines(older.skipping), grew_at=self._clock.monotonic())
                else:
                    stream.close()

    # Reading

    def _read_late(self, limit: int, deadline: float) -> Batch | None:
        """Lines that a slow writer still added to the file before."""
        late = self._late
        if late is None:
            return None
        batch = self._fill(late, limit, deadline) if late.stream.available() > 0 else None
        if batch is None and self._clock.monotonic() - late.grew_at > HELD_S:
            return self._drop_late()
        return batch

    def _drop_late(self) -> Batch | None:
        """Close the file before; its unfinished last line is a line now."""
        late = self._late
        if late is None:
            return None
        batch = self._last_line(late)  # while it is still `_late`: the batch's own position covers it
        self._late, self._older = None, late.mark()
        late.stream.close()
        return batch

    def _read_current(self, opened: Opened, limit: int, deadline: float) -> Batch | None:
        stream = opened.stream
        while stream.available() > 0:
            batch = self._fill(opened, limit, deadline)
            if batch is not None or self._current is None or self._clock.monotonic() > deadline:
                return batch
        if not self._still_there(opened) or stream.available() > 0:
            return None
        if stream.error:
            self._note = f"{stream.path.name} is {stream.error}"
        successor = self._successor(opened)
        if stream.available() > 0:
            return None  # written between the last read and the look at the folder: that comes first
        if successor is not None:
            return self._switch(opened, successor)
        if not self._follow:
            self._state, self.finished = "finished", True
            return self._last_line(opened)
        return self._idle(opened)

    def _idle(self, opened: Opened) -> Batch | None:
        """At the end of everything; a file that is gone from its place is given up after a while."""
        self._state, self._detail = "following", ""
        if not opened.live or identity(self.log) is not None:
            return None
        self._state, self._detail = "waiting", "the file was moved away or deleted"
        if self._clock.monotonic() - opened.grew_at <= HELD_S:
            return None
        batch = self._last_line(opened)
        self._lose(self._state, self._detail)
        return batch

    def _fill(self, opened: Opened, limit: int, deadline: float) -> Batch | None:
        """Read a block and give its whole lines."""
        stream, lines = opened.stream, opened.lines
        room = limit if stream.compressed else min(limit, stream.available())
        kept = len(lines.pending)
        block = lines.block(room, self._blocks.lend)
        before = stream.offset
        count = stream.read_into(memoryview(block).cast("B")[kept:], self._clock, deadline)
        if not count:
            return None
        stream.offset = before
        if opened is self._current and not (self._still_there(opened) and stream.offset == before):
            return None  # what was read may be a mixture: it is read again from where it is now
        stream.offset += count
        opened.grew_at = self._clock.monotonic()
        return self._batch(opened, lines.cut(block, kept + count))

    def _batch(self, opened: Opened, cut: Cut) -> Batch | None:
        if not cut.taken:
            return None
        records = cut.records(self.source, self._given)
        self._given += cut.taken
        self._last_read = self._clock.now()
        return Batch(self.source, records, self._position(), cut.taken)

    def _last_line(self, opened: Opened) -> Batch | None:
        """What stands at the end of a file without a line end, when nothing will come after it."""
        lines = opened.lines
        kept = len(lines.pending)
        return self._batch(opened, lines.cut(lines.block(0), kept, final=True)) if kept else None

    def _position(self) -> Position:
        current = self._current
        assert current is not None  # only an open file gives batches
        mark = current.mark()
        older = self._late.mark() if self._late is not None else self._older
        return {
            "base": self._given - mark.offset,
            "file": asdict(mark),
            "older": asdict(older) if older is not None else None,
        }

    def _quiet(self, opened: Opened) -> bool:
        """True when nothing happened since the end was reached: what most turns find."""
        if self._state != "following" or self._late is not None or not opened.live:
            return False
        stream = opened.stream
        return (
            bool(stream.head)
            and stream.unchanged()
            and identity(self.source) == (stream.device, stream.inode)
        )

    def _passed_over(self, opened: Opened) -> bool:
        """True when the live file, still empty when last seen, was filled and copied away meanwhile."""
        stream, now = opened.stream, self._clock.monotonic()
        if stream.head or self._alone or identity(self.log) != (stream.device, stream.inode):
            return False
        if stream.available() <= 0 and now < self._next_look:
            return False
        self._next_look = now + LOOK_S
        chain = self._chain()
        index, _ = self._place(chain)
        if index >= len(chain.files) or identity(chain.files[index]) == (stream.device, stream.inode):
            return False
        self._lose("history", "")
        self._next_look = 0.0
        return True

    def _still_there(self, opened: Opened) -> bool:
        """False when the file was emptied in place; then the next read finds its copy, or its new start."""
        stream = opened.stream
        if stream.replaced():
            mark, pending = opened.mark(), opened.lines
            self._lose("history", "")
            self._mark, self._carried, self._next_look = mark, pending, 0.0
            return False
        if stream.available() < 0 and not stream.compressed:
            stream.offset += stream.available()
            opened.lines = Lines()
            self._note = f"{stream.path.name} was shortened by someone; reading goes on at its end"
        return True

    def _successor(self, opened: Opened) -> Path | None:
        """The file that comes after this one in the chain, once it has content."""
        stream = opened.stream
        found = identity(self.log)
        now = self._clock.monotonic()
        if self._follow and (found == (stream.device, stream.inode) or now < self._next_look):
            return None
        self._next_look = now + LOOK_S
        chain = self._chain()
        index = chain.find(opened.mark())
        if index is None and self._older is not None:
            index = chain.find(self._older)
        if index is None and not stream.head and self._older is None:
            index = -1  # nothing was read yet: everything there is comes after
        if index is None:
            index = chain.live - 1 if self.log in chain.files else chain.live
        return chain.next_filled(index)

    def _switch(self, opened: Opened, successor: Path) -> Batch | None:
        lines = opened.lines
        if lines.pending and not opened.copied:
            if self._follow and opened.live and self._clock.monotonic() - opened.grew_at < UNFINISHED_S:
                self._next_look = 0.0
                return None
            return self._last_line(opened)
        if self._late is not None:
            batch = self._drop_late()
            if batch is not None:
                return batch
        following = Opened(
            open_stream(successor),
            lines if opened.copied else Lines(),
            live=successor == self.log,
            copied=opened.copied and successor != self.log,
            grew_at=self._clock.monotonic(),
        )
        self._older = opened.mark()
        if self._follow and not opened.stream.compressed and not opened.copied:
            self._late = opened
        else:
            opened.stream.close()
        self._current, self._next_look = following, 0.0
        self._state, self._note = "history", ""
        return None

    def _lose(self, state: str, detail: str) -> None:
        """Close what is open and remember the place, to find it again."""
        if self._current is not None:
            self._mark = self._current.mark()
        if self._late is not None:
            self._older = self._late.mark()
        self.close()
        self._state, self._detail = state, detail
        self._next_look = self._clock.monotonic() + LOOK_S
