"""Bytes to lines: cuts blocks into RECORD tables without copying a line out of its block."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from logvision import columns, native, schema
from logvision.sources.base import LINE_LIMIT

SLICE = 1 << 18
"""Without the core newlines are looked for in pieces that stay in the cache: 0.04 µs a line, 0.35 in one."""

BLOCK_LIMIT = 1 << 28
"""Largest block, B: offsets inside a block are 32 bits wide."""

LARGE = 1 << 20
"""Blocks from this size on, B, are of history, and their memory is used again."""


class Blocks:
    """Memory for blocks, used again as soon as nothing holds lines in it. For one thread.

    To clear fresh pages takes the system as long as to read into them. One block is kept at most, and none
    when blocks are small: then history is over.
    """

    def __init__(self) -> None:
        self._memory: npt.NDArray[np.uint8] | None = None
        self._lent: Callable[[], object | None] = lambda: None

    def lend(self, size: int) -> pa.Buffer:
        """A block that can be written; lines over it keep it from being lent again."""
        if size < LARGE:
            self._memory = None
            return pa.allocate_buffer(size)
        if self._memory is None or self._memory.size < size or self._lent() is not None:
            self._memory = np.empty(size, np.uint8)
        lent = self._memory[:size]
        self._lent = weakref.ref(lent)
        return pa.py_buffer(lent)


@dataclass(frozen=True, slots=True)
class Cut:
    """Whole lines of one block, in order."""

    raw: list[pa.Array]  # binary; several pieces where over-long lines stand between
    starts: npt.NDArray[np.int64]  # of each line, in bytes after the first byte of the block
    taken: int  # bytes of the block that are done with, skipped ones among them

    def records(self, source: str, position: int) -> pa.Table:
        """The RECORD table, when the block starts at `position` of the source's stream."""
        return pa.table(
            [
                pa.chunked_array(self.raw, pa.binary()),
                columns.constant(source, self.starts.size),
                pa.array(self.starts + position, pa.int64()),
            ],
            schema=schema.RECORD,
        )


@dataclass(slots=True)
class Lines:
    """The place in a stream of bytes between two blocks: at most LINE_LIMIT bytes whatever comes."""

    skipping: bool = False  # inside the rest of an over-long line, whose record was given already
    pending: bytes = field(default=b"")  # the line that has begun and has no end yet

    def block(self, room: int, lend: Callable[[int], pa.Buffer] = pa.allocate_buffer) -> pa.Buffer:
        """A block for `cut`: holds `pending`, with room behind it for that many bytes more."""
        kept = len(self.pending)
        block = lend(min(kept + room, BLOCK_LIMIT))
        memoryview(block).cast("B")[:kept] = self.pending
        return block

    def cut(self, block: pa.Buffer, filled: int, final: bool = False) -> Cut:
        """The lines of the first `filled` bytes of a block that `block` gave.

        `final`: nothing comes after, so that what has no line end is a line too. Of a line longer
        than LINE_LIMIT the first LINE_LIMIT bytes are given, at once, and the rest is skipped.
        """
        if filled < block.size // 2:  # the rows keep the whole block alive: do not hold empty memory
            block = pa.py_buffer(block.slice(0, filled).to_pybytes())
        ends = _after_newlines(np.frombuffer(block, np.uint8, filled))

        start = 0
        if self.skipping:
            if ends.size == 0:
                return Cut([], np.empty(0, np.int64), filled)
            start, ends, self.skipping = int(ends[0]), ends[1:], False
        last = int(ends[-1]) if ends.size else start
        rest = filled - last
        if rest >= LINE_LIMIT or (final and rest):
            ends = np.append(ends, np.int32(filled))
            self.skipping, last = not final, filled
        self.pending = block.slice(last, filled - last).to_pybytes() if last < filled else b""

        bounds = np.concatenate([np.array([start], np.int32), ends])
        return Cut(_arrays(block, bounds), bounds[:-1].astype(np.int64), last)


def _after_newlines(data: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
    """Offsets just after every newline."""
    if native.HERE:
        return native.lines.line_ends(data)
    found = [
        (np.flatnonzero(data[at : at + SLICE] == ord("\n")) + (at + 1)).astype(np.int32)
        for at in range(0, data.size, SLICE)
    ]
    return np.concatenate(found) if found else np.empty(0, np.int32)


def _arrays(block: pa.Buffer, bounds: npt.NDArray[np.int32]) -> list[pa.Array]:
    """Lines between neighbouring bounds as arrays over the block, over-long ones shortened."""
    long = np.flatnonzero(np.diff(bounds) > LINE_LIMIT)
    if long.size == 0:
        return [_array(block, bounds)]
    arrays, done = [], 0
    for index in long.tolist():  # at most one per LINE_LIMIT bytes
        arrays.append(_array(block, bounds[done : index + 1]))
        head = np.array([bounds[index], bounds[index] + LINE_LIMIT], np.int32)
        arrays.append(_array(block, head))
        done = index + 1
    arrays.append(_array(block, bounds[done:]))
    return arrays


def _array(block: pa.Buffer, bounds: npt.NDArray[np.int32]) -> pa.Array:
    return pa.Array.from_buffers(pa.binary(), bounds.size - 1, [None, pa.py_buffer(bounds), block])
