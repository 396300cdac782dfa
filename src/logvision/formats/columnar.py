"""The columnar reader of text formats: whole batches at once, for the lines that it is sure of.

A format's tokens become a plan: quoted fields lie between the line's double quotes, everything else is
words between delimiters. The native core cuts line by line; without it, quotes and delimiters are found with
one vectorised search each. A line that has
exactly the expected number at the expected places, no escaped quote, and readable values is taken; every
other line is left to `exact.py`. Which lines are taken never changes what comes out of them
(property-tested), so an attacker who makes some lines odd slows only those.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from logvision import native
from logvision.formats import vectors
from logvision.formats.readings import Part, Word, read
from logvision.formats.tokens import Field, Token
from logvision.formats.vectors import Bytes, Flags, Places, Slices

QUOTE: Final = 34
BACKSLASH: Final = 92


@dataclass(frozen=True, slots=True)
class Plan:
    """What to look for in a line: words, quoted field, words, ..., and what may stand behind."""

    segments: tuple[tuple[Word, ...], ...]
    quoted: tuple[Field, ...]
    rest: Field | None
    delimiter: int


def plan(tokens: Sequence[Token]) -> Plan | None:
    """The plan of a format, or None when only the exact reader can take it."""
    rest = None
    if isinstance(tokens[-1], Field) and tokens[-1].name in {"rest", "plain_rest", "any_rest"}:
        rest, tokens = tokens[-1], tokens[:-1]
        rest = None if rest.name == "plain_rest" else rest
    segments: list[list[Token]] = [[]]
    quoted: list[Field] = []
    for token in tokens:
        if isinstance(token, Field) and token.quoted:
            quoted.append(token)
            segments.append([])
        else:
            segments[-1].append(token)
    delimiter = 9 if any(isinstance(token, bytes) and b"\t" in token for token in tokens) else 32
    words: list[tuple[Word, ...]] = []
    for index, segment in enumerate(segments):
        bare = _unquote(segment, opening=index > 0, closing=index < len(quoted))
        if bare is None:
            return None
        words.append(_words(bare, delimiter))
    if any(token.name in {"forwarded_list", "padded"} for token in tokens if isinstance(token, Field)):
        return None
    if rest is not None and not quoted:
        return None
    return Plan(tuple(words), tuple(quoted), rest, delimiter)


def _unquote(segment: list[Token], *, opening: bool, closing: bool) -> list[Token] | None:
    """The segment without the double quotes at its ends; None when one stands inside."""
    bare = list(segment)
    if opening:
        if not bare or not isinstance(bare[0], bytes) or bare[0][:1] != b'"':
            return None
        bare[0] = bare[0][1:]
    if closing:
        if not bare or not isinstance(bare[-1], bytes) or bare[-1][-1:] != b'"':
            return None
        bare[-1] = bare[-1][:-1]
    return None if any(isinstance(token, bytes) and b'"' in token for token in bare) else bare


def _words(segment: list[Token], delimiter: int) -> tuple[Word, ...]:
    words: list[list[Token]] = [[]]
    for token in segment:
        if isinstance(token, Field):
            words[-1].append(token)
            continue
        first, *others = token.split(bytes([delimiter]))
        if first:
            words[-1].append(first)
        words.extend([other] if other else [] for other in others)
    return tuple(tuple(word) for word in words)


def split(how: Plan, lines: Slices) -> Part:
    """The rows of `lines` that the plan is sure of, read. Rows are indices into `lines`, rising."""
    if native.HERE:
        words, cutter = _cutter(how)
        rows, starts, ends = cutter.cut(*lines)
        return read(
            rows, [(word, Slices(lines.buffer, *at)) for word, *at in zip(words, starts, ends, strict=True)]
        )
    return read(*_split(how, lines))


@lru_cache(maxsize=256)
def _cutter(how: Plan) -> tuple[list[Word], native.lines.Cutter]:
    """The plan for the core, and what its pieces are."""
    pieces: list[Word] = []
    segments: list[bytes | list[tuple[int, bytes, bool, bytes]]] = []
    for index, words in enumerate(how.segments):
        if how.rest is not None and index == len(how.quoted):
            segments.append(b"")  # the rest is one piece
        elif not any(isinstance(token, Field) for word in words for token in word):
            segments.append(_literal(words, how.delimiter))
        else:
            cut = [_parts(word) for word in words]
            pieces += [inner for _, inner, _ in cut if inner]
            segments.append(
                [
                    (_span(word), front, bool(inner), back)
                    for word, (front, inner, back) in zip(words, cut, strict=True)
                ]
            )
    pieces += [(one,) for one in how.quoted]
    if how.rest is not None:
        pieces.append((how.rest,))
    return pieces, native.lines.Cutter(segments, len(how.quoted), how.rest is not None, how.delimiter)


def _literal(words: tuple[Word, ...], delimiter: int) -> bytes:
    return bytes([delimiter]).join(b"".join(t for t in word if isinstance(t, bytes)) for word in words)


def _span(word: Word) -> int:
    """The delimited parts that a word has: a time has a space in it."""
    return 2 if any(isinstance(token, Field) and token.name == "time" for token in word) else 1


def _parts(word: Word) -> tuple[bytes, Word, bytes]:
    """The literal text in front of a word, its fields, and the literal text behind."""
    front = word[0] if word and isinstance(word[0], bytes) else b""
    back = word[-1] if len(word) > 1 and isinstance(word[-1], bytes) else b""
    return front, word[bool(front) : len(word) - bool(back)], back


def _split(how: Plan, lines: Slices) -> tuple[Places, list[tuple[Word, Slices]]]:
    """Cut the lines in numpy: the rows that are as planned, and their pieces."""
    rows = np.arange(len(lines.starts))
    pieces: list[tuple[Word, Slices]] = []
    quotes, rows = _quotes(how, lines)
    starts, ends = lines.starts[rows], lines.ends[rows]
    for index, words in enumerate(how.segments):
        begin = starts if index == 0 else quotes[:, 2 * index - 1] + 1
        stop = quotes[:, 2 * index] if index < len(how.quoted) else ends
        if how.rest is not None and index == len(how.quoted):
            continue
        found, good = _take_words(
            words, how.delimiter, Slices(lines.buffer, begin, stop), whole=not how.quoted
        )
        pieces += found
        if not good.all():
            rows, starts, ends, quotes = rows[good], starts[good], ends[good], quotes[good]
            pieces = [
                (word, piece.keep(good) if len(piece.starts) == len(good) else piece)
                for word, piece in pieces
            ]
    for index, one in enumerate(how.quoted):
        pieces.append(((one,), Slices(lines.buffer, quotes[:, 2 * index] + 1, quotes[:, 2 * index + 1])))
    if how.rest is not None:
        pieces.append(((how.rest,), Slices(lines.buffer, quotes[:, -1] + 1, ends)))
    return rows, pieces


def _quotes(how: Plan, lines: Slices) -> tuple[Places, Places]:
    """Positions of the double quotes, a row of the matrix per line, and which lines they are of."""
    wanted = 2 * len(how.quoted)
    count = len(lines.starts)
    everything = np.arange(count)
    if not wanted:
        return np.zeros((count, 0), np.int64), everything
    places = np.flatnonzero(lines.buffer == QUOTE)
    matrix, rows = _matrix(places, lines, wanted, exact=how.rest is None)
    escaped = (lines.buffer[matrix[:, 1::2] - 1] == BACKSLASH).any(axis=1)
    if escaped.any():
        matrix, rows = matrix[~escaped], rows[~escaped]
    return matrix, rows


def _matrix(places: Places, lines: Slices, wanted: int, *, exact: bool) -> tuple[Places, Places]:
    """The first `wanted` of the places in each line, for the lines that have as many (or more)."""
    count = len(lines.starts)
    if wanted and count and len(places) % count == 0 and (each := len(places) // count) >= wanted:
        square = places.reshape(count, each)
        inside = (square[:, 0] >= lines.starts).all() and (square[:, -1] < lines.ends).all()
        if inside and (each == wanted or not exact):
            return square[:, :wanted], np.arange(count)
    first = np.searchsorted(places, lines.starts)
    have = np.searchsorted(places, lines.ends) - first
    rows = np.flatnonzero(have == wanted if exact else have >= wanted)
    return places[first[rows][:, None] + np.arange(wanted)], rows


def _take_words(
    words: tuple[Word, ...], delimiter: int, segment: Slices, *, whole: bool
) -> tuple[list[tuple[Word, Slices]], Flags]:
    """The words of one segment that hold fields, for the rows flagged good."""
    count = len(segment.starts)
    if not any(isinstance(token, Field) for word in words for token in word):
        literal = _literal(words, delimiter)
        good = segment.ends - segment.starts == len(literal)
        return [], good & _holds(segment.buffer, segment.starts, literal)
    own = segment if whole else vectors.compact(segment)
    spans = [_span(word) for word in words]
    wanted = sum(spans) - 1
    places = np.flatnonzero(own.buffer == delimiter)
    matrix, rows = _matrix(places, own, wanted, exact=True)
    good = np.zeros(count, bool)
    good[rows] = True
    begin, stop = own.starts[rows], own.ends[rows]
    found: list[tuple[Word, Slices]] = []
    sound = np.ones(len(rows), bool)
    at = 0
    for word, span in zip(words, spans, strict=True):
        start = begin if at == 0 else matrix[:, at - 1] + 1
        end = stop if at + span - 1 == wanted else matrix[:, at + span - 1]
        at += span
        front, inner, back = _parts(word)
        sound &= end - start >= len(front) + len(back)
        sound &= _holds(own.buffer, start, front) & _holds(own.buffer, end - len(back), back)
        if not inner:
            sound &= end - start == len(front) + len(back)
            continue
        found.append((inner, Slices(own.buffer, start + len(front), end - len(back))))
    if not sound.all():
        good[rows[~sound]] = False
        found = [(word, piece.keep(sound)) for word, piece in found]
    return found, good


def _holds(buffer: Bytes, at: Places, literal: bytes) -> Flags:
    """Where the literal stands at the place."""
    good = np.ones(len(at), bool)
    for index, byte in enumerate(literal):
        good &= buffer[np.clip(at + index, 0, len(buffer) - 1)] == byte
    return good
