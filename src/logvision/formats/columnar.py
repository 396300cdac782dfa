"""The columnar reader of text formats: whole batches at once, for the lines that it is sure of.

A format's tokens become a plan: quoted fields lie between the line's double quotes, everything else is words
between delimiters. Quotes and delimiters are found with one vectorised search each; a line that has exactly the
expected number at the expected places, no escaped quote, and readable values is taken; every other line is left
to `exact.py`. Which lines are taken never changes what comes out of them (property-tested), so an attacker who
makes some lines odd slows only those.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

import numpy as np
import pyarrow as pa

from logvision.columns import Codes
from logvision.formats import fields, vectors
from logvision.formats.exact import LISTS, scan
from logvision.formats.row import ALIAS, FITS, WORDED
from logvision.formats.tail import read_tail
from logvision.formats.tokens import Field, Token
from logvision.formats.vectors import Bytes, Flags, Places, Slices, Text

QUOTE: Final = 34
BACKSLASH: Final = 92
Word = tuple[Token, ...]
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Plan:
    """What to look for in a line: words, quoted field, words, ..., and what may stand behind."""

    segments: tuple[tuple[Word, ...], ...]
    quoted: tuple[Field, ...]
    rest: Field | None
    delimiter: int


@dataclass(slots=True)
class Part:
    """Values of some rows of a batch. A column that is not named is null."""

    rows: Places
    text: dict[str, Text] = field(default_factory=dict)
    numbers: dict[str, tuple[Places, Flags]] = field(default_factory=dict)  # values, known


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
    return _read(rows, pieces)


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
        literal = bytes([delimiter]).join(b"".join(t for t in word if isinstance(t, bytes)) for word in words)
        good = segment.ends - segment.starts == len(literal)
        return [], good & _holds(segment.buffer, segment.starts, literal)
    own = segment if whole else vectors.compact(segment)
    spans = [2 if any(isinstance(t, Field) and t.name == "time" for t in word) else 1 for word in words]
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
        front = word[0] if word and isinstance(word[0], bytes) else b""
        back = word[-1] if len(word) > 1 and isinstance(word[-1], bytes) else b""
        sound &= end - start >= len(front) + len(back)
        sound &= _holds(own.buffer, start, front) & _holds(own.buffer, end - len(back), back)
        inner = word[bool(front) : len(word) - bool(back)]
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


def _read(rows: Places, pieces: list[tuple[Word, Slices]]) -> Part:
    """Values of the pieces; rows with an odd value are dropped here and left to the exact reader."""
    part = Part(rows)
    good = np.ones(len(rows), bool)
    sums: list[tuple[Places, Flags]] = []
    for word, piece in pieces:
        if len(word) == 1 and isinstance(word[0], Field):
            good &= _column(word[0], piece, part, sums)
        else:
            good &= _compound(word, piece, part)
    if sums:
        known = np.logical_or.reduce([flags for _, flags in sums])
        total = np.add.reduce([values * flags for values, flags in sums])
        part.numbers.setdefault("duration_us", (total, known))
    _settle(part)
    return part if good.all() else keep(part, good)


def keep(part: Part, flags: Flags) -> Part:
    """Only the flagged rows."""
    return Part(
        part.rows[flags],
        {name: (values, codes[flags]) for name, (values, codes) in part.text.items()},
        {name: (values[flags], known[flags]) for name, (values, known) in part.numbers.items()},
    )


def _settle(part: Part) -> None:
    """Target from path and query where the format logs them apart, then path and query from the target."""
    path, query = part.text.pop("path", None), part.text.pop("query", None)
    if path is not None and "target" not in part.text:
        part.text["target"] = path if query is None else vectors.glued(path, query)
    if "target" in part.text:
        part.text["path"], part.text["query"] = vectors.halves(part.text["target"])


PLAIN: Final = frozenset(
    {"user", "method", "target", "path", "query", "protocol", "referer", "user_agent", "forwarded"}
)


def _column(one: Field, piece: Slices, part: Part, sums: list[tuple[Places, Flags]]) -> Flags:
    """Read one field of all rows into the part; True where its value is what the exact reader would read."""
    name = ALIAS.get(one.name, one.name)
    count = len(piece.starts)
    if name == "time":
        return _time(one.name, piece, part)
    if name in {"date", "clock"}:
        return _moment(name, piece, part)
    if name == "status":
        values, known, good = vectors.integers(piece)
        size = piece.ends - piece.starts
        zero = (values == 0) & ((size == 1) | (size == 3))
        part.numbers["status"] = (values, known & ~zero)
        return good & (~known | zero | ((size == 3) & (values >= 100)))
    if name == "bytes":
        values, known, good = vectors.integers(piece)
        part.numbers["bytes"] = (values, known)
        return good
    if name in fields.DURATIONS or name == "part_s":
        values, known, good = vectors.numbers(piece, fields.DURATIONS.get(name, fields.seconds))
        if name == "part_s":
            sums.append((values, known))
        else:
            part.numbers["duration_us"] = (values, known)
        return good & _fits(one, piece) & _ends_plainly(one, piece)
    if name == "request":
        values, codes = vectors.encode(piece)
        parts = vectors.requests(values)
        part.text["method"] = vectors.through(parts.method, codes)
        part.text["target"] = vectors.through(parts.target, codes)
        part.text["protocol"] = vectors.through(parts.protocol, codes)
        return np.ones(count, bool)
    if name in {"peer", "peer_port", "site"}:
        reading = {"peer": fields.peer, "peer_port": fields.peer_and_port, "site": fields.site}[name]
        fits = FITS.get(one.name)
        column, good = vectors.mapped(piece, _checked(reading, fits))
        part.text["site" if name == "site" else "peer_ip"] = column
        return good
    if name == "rest":
        return _rest(one, piece, part)
    if name in PLAIN:
        part.text[name] = vectors.text(piece)
        return (piece.ends > piece.starts) if name == "user" and not one.quoted else np.ones(count, bool)
    for suffix, reading in WORDED.items():
        if name.endswith(suffix):
            part.text[name.removesuffix(suffix)], good = vectors.mapped(piece, reading)
            return good
    if one.name in FITS:
        return _fits(one, piece)
    return _ends_plainly(one, piece)


def _flags(answers: list[bool]) -> Flags:
    return np.array(answers, bool)


def _checked(
    reading: Callable[[bytes], Value], fits: Callable[[bytes], bool] | None
) -> Callable[[bytes], Value]:
    """The reading, refusing what does not fit, as `scan` does."""

    def read(raw: bytes) -> Value:
        if fits is not None and not fits(raw):
            raise fields.BadField
        return reading(raw)

    return read


def _time(name: str, piece: Slices, part: Part) -> Flags:
    """CLF times in bulk, every other layout once per distinct value."""
    if name == "time":
        values, good = vectors.clf_times(piece)
    else:
        values, good = np.zeros(len(piece.starts), np.int64), np.zeros(len(piece.starts), bool)
    if not good.all():
        odd = ~good
        values[odd], _, good[odd] = vectors.numbers(piece.keep(odd), _checked(fields.time, FITS["time"]))
    part.numbers["time"] = (values, good)
    return good


def _moment(name: str, piece: Slices, part: Part) -> Flags:
    """A date and a time of day that stand apart, added up."""
    values, _, good = vectors.numbers(piece, fields.day if name == "date" else fields.clock)
    other, known = part.numbers.get("time", (np.zeros_like(values), np.ones_like(good)))
    part.numbers["time"] = (values + other, known & good)
    return good


def _fits(one: Field, piece: Slices) -> Flags:
    """Where the exact reader would let the text pass; once per distinct value."""
    check = FITS.get(one.name)
    size = piece.ends - piece.starts
    if check is None:
        return np.ones(len(size), bool)
    dash = (size == 1) & (
        piece.buffer[np.minimum(piece.starts, max(len(piece.buffer) - 1, 0))] == vectors.DASH
    )
    if one.name in {"ident", "dash"} and dash.all():
        return dash
    values, codes = vectors.encode(piece)
    return _flags([check(value) for value in values.to_pylist()])[codes]


def _ends_plainly(one: Field, piece: Slices) -> Flags:
    """Not in the middle of a list of several upstreams, which the exact reader takes as one field."""
    if one.name not in LISTS or one.quoted:
        return np.ones(len(piece.starts), bool)
    last = piece.buffer[np.maximum(piece.ends - 1, 0)]
    return (piece.ends > piece.starts) & (last != 44) & (last != 58)


def _rest(one: Field, piece: Slices, part: Part) -> Flags:
    values, codes = vectors.encode(piece)
    fits = FITS[one.name]
    raw = values.to_pylist()
    tails = [read_tail(value) for value in raw]
    part.numbers["duration_us"] = _numbers([tail.duration_us for tail in tails], codes)
    part.numbers["ticks"] = _numbers([tail.ticks for tail in tails], codes)
    if any(tail.bytes is not None for tail in tails):
        better, known = _numbers([tail.bytes for tail in tails], codes)
        sent, sent_known = part.numbers["bytes"]
        part.numbers["bytes"] = (np.where(known, better, sent), known | sent_known)
    if any(tail.forwarded is not None for tail in tails):
        column = pa.array([tail.forwarded for tail in tails], pa.string()).dictionary_encode()
        part.text["forwarded"] = vectors.through((column.dictionary, vectors.codes_of(column)), codes)
    names = pa.array([tail.name for tail in tails], pa.string()).dictionary_encode()
    part.text["tail"] = vectors.through((names.dictionary, vectors.codes_of(names)), codes)
    return _flags([fits(value) for value in raw])[codes]


def _numbers(values: list[int | None], codes: Codes) -> tuple[Places, Flags]:
    plain = np.array([value or 0 for value in values], np.int64)
    known = np.array([value is not None for value in values], bool)
    return plain[codes], known[codes]


def _compound(word: Word, piece: Slices, part: Part) -> Flags:
    """A word of several fields (`host:port`, HAProxy's timers): by the exact reader, once per distinct value."""
    values, codes = vectors.encode(piece)
    found = [scan(word, value) for value in values.to_pylist()]
    good = np.array([one is not None for one in found], bool)
    for token in word:
        if not isinstance(token, Field) or token.name == "ignore":
            continue
        name = ALIAS.get(token.name, token.name)
        texts = pa.array([b"" if one is None else one.get(name, b"-") for one in found], pa.binary())
        if name in {"port", "count", "word", "dash", "ident"}:
            continue
        sums: list[tuple[Places, Flags]] = []
        inner = Part(np.arange(len(values)))
        # The pieces were checked by scan already: read them by their alias, which checks no more.
        read = _column(Field(name, quoted=True), vectors.of_array(texts), inner, sums)
        good &= read
        for column, (own, own_codes) in inner.text.items():
            part.text[column] = vectors.through((own, own_codes), codes)
        for column, (numbers, known) in inner.numbers.items():
            part.numbers[column] = (numbers[codes], known[codes])
        for numbers, known in sums:
            part.numbers["duration_us"] = (numbers[codes], known[codes])
    return good[codes]
