"""Lines of logs in the core: trimmed, cut into the pieces of a plan, and those read.

What is not exactly as expected is said so, and left to the exact reader (formats/fields.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from logvision.native.arrays import Bytes, Codes, Flags, Places, at, whole
from logvision.native.library import CORE
from logvision.native.texts import Texts

SHORT: Final = 32
"""Bytes of a line than which most are longer."""


def line_ends(data: Bytes) -> Codes:
    """The places just behind every newline; 10 ns a line."""
    ends = np.empty(data.size // SHORT + 1, np.int32)
    found = CORE.lv_line_ends(at(data), data.size, at(ends), ends.size)
    if found > ends.size:
        ends = np.empty(found, np.int32)
        CORE.lv_line_ends(at(data), data.size, at(ends), found)
    return ends[:found].copy()  # the room is twice what most logs need


def trimmed(buffer: Bytes, starts: Places, ends: Places, limit: int) -> tuple[Places, Places, Places]:
    """`formats.lines.trimmed`."""
    starts, ends = whole(starts), whole(ends)
    froms, tos, odd = (np.empty(len(starts), np.int64) for _ in range(3))
    rows = len(starts)
    found = CORE.lv_trimmed(at(buffer), at(starts), at(ends), rows, limit, at(froms), at(tos), at(odd))
    return froms, tos, odd[:found]


def suspects(buffer: Bytes, starts: Places) -> Places:
    """`formats.wrappers.suspects`."""
    starts = whole(starts)
    which = np.empty(len(starts), np.int64)
    return which[: CORE.lv_suspects(at(buffer), len(buffer), at(starts), len(starts), at(which))]


def clf_times(buffer: Bytes, starts: Places, ends: Places) -> tuple[Places, Flags]:
    """`10/Oct/2000:13:55:36 -0700` as us since 1970 UTC, and where the text was exactly of that layout."""
    starts, ends = whole(starts), whole(ends)
    values, good = np.empty(len(starts), np.int64), np.empty(len(starts), np.bool_)
    CORE.lv_clf_times(at(buffer), at(starts), at(ends), len(starts), at(values), at(good))
    return values, good


def integers(buffer: Bytes, starts: Places, ends: Places) -> tuple[Places, Flags, Flags]:
    """Plain decimal integers of up to 18 digits: (values, known, good); `-` is good and not known."""
    starts, ends = whole(starts), whole(ends)
    rows = len(starts)
    values, known, good = np.empty(rows, np.int64), np.empty(rows, np.bool_), np.empty(rows, np.bool_)
    CORE.lv_integers(at(buffer), at(starts), at(ends), rows, at(values), at(known), at(good))
    return values, known, good


def requests(
    buffer: Bytes, starts: Places, ends: Places, texts: Sequence[Texts]
) -> tuple[list[Codes], Places]:
    """The parts of `METHOD target HTTP/x` as numbers of `texts` (methods, targets, protocols), a row a line.

    And the rows that are not exactly so, whose numbers are -1.
    """
    starts, ends = whole(starts), whole(ends)
    codes = [np.empty(len(starts), np.int32) for _ in texts]
    odd = np.empty(len(starts), np.int64)
    parts = (*(text.address for text in texts), *map(at, codes))
    found = CORE.lv_requests(at(buffer), at(starts), at(ends), len(starts), *parts, at(odd))
    if found < 0:
        raise MemoryError
    return codes, odd[:found]


class Cutter:
    """Cuts lines into the pieces of a plan. Immutable.

    `segments` are what stands before, between and behind `quoted` quoted texts, each a literal text or a
    list of words as (span, front, has a field, back); `rest`: what follows the last quote is one piece.
    Pieces are numbered in the order of words with a field, quoted texts, rest.
    """

    def __init__(
        self,
        segments: list[bytes | list[tuple[int, bytes, bool, bytes]]],
        quoted: int,
        rest: bool,
        delimiter: int,
    ) -> None:
        literals = bytearray()

        def literal(text: bytes) -> tuple[int, int]:
            literals.extend(text)
            return len(literals) - len(text), len(text)

        words: list[tuple[int, ...]] = []
        table: list[tuple[int, ...]] = []
        pieces = 0
        for segment in segments:
            if isinstance(segment, bytes):
                table.append((0, 0, *literal(segment)))
                continue
            table.append((len(segment), len(words), 0, 0))
            for span, front, has_field, back in segment:
                words.append((span, *literal(front), *literal(back), pieces if has_field else -1))
                pieces += has_field
        self._segments = np.array(table, np.int32).reshape(-1, 4)
        self._words = np.array(words, np.int32).reshape(-1, 6)
        self._literals = np.frombuffer(bytes(literals) + b"\0", np.uint8)
        self._quoted, self._rest, self._delimiter, self._first_quoted = quoted, rest, delimiter, pieces
        self.pieces = pieces + quoted + rest

    def cut(self, buffer: Bytes, starts: Places, ends: Places) -> tuple[Places, Places, Places]:
        """The lines that are exactly as planned, rising; starts and ends of their pieces, a row a piece."""
        starts, ends = whole(starts), whole(ends)
        count = len(starts)
        froms, tos = np.empty((self.pieces, count), np.int64), np.empty((self.pieces, count), np.int64)
        rows = np.empty(count, np.int64)
        taken = CORE.lv_cut(
            at(buffer), at(starts), at(ends), count,
            at(self._segments), self._quoted, self._rest, self._first_quoted,
            at(self._words), at(self._literals), self._delimiter, at(froms), at(tos), at(rows),
        )  # fmt: skip
        return rows[:taken], froms[:, :taken], tos[:, :taken]
