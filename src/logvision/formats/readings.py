"""Columns of values from the pieces that `columnar.py` cut out: one reader per field, for all rows at once.

A reader puts its column into the part and says for which rows the value is what the exact reader would read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

import numpy as np
import pyarrow as pa

from logvision.columns import Codes, codes_of
from logvision.formats import fields, vectors
from logvision.formats.exact import LISTS, scan
from logvision.formats.row import ALIAS, FITS, WORDED
from logvision.formats.tail import read_tail
from logvision.formats.tokens import Field, Token
from logvision.formats.vectors import Flags, Places, Slices, Text

Word = tuple[Token, ...]
"""What stands between two delimiters: most often one field."""

Value = TypeVar("Value")


@dataclass(slots=True)
class Part:
    """Values of some rows of a batch. A column that is not named is null."""

    rows: Places  # rising
    text: dict[str, Text] = field(default_factory=dict)
    numbers: dict[str, tuple[Places, Flags]] = field(default_factory=dict)  # values, known


Reader = Callable[[Field, Slices, Part], Flags]


def read(rows: Places, pieces: list[tuple[Word, Slices]]) -> Part:
    """Values of the pieces; rows with an odd value are dropped here and left to the exact reader."""
    part = Part(rows)
    good = np.ones(len(rows), bool)
    for word, piece in pieces:
        if len(word) == 1 and isinstance(word[0], Field):
            good &= _column(word[0], piece, part)
        else:
            good &= _compound(word, piece, part)
    _settle(part)
    return part if good.all() else keep(part, good)


def read_values(names: list[str], given: list[dict[str, bytes]]) -> Part:
    """Values of lines that were cut one by one into the same named texts; rows are indices into `given`."""
    pieces: list[tuple[Word, Slices]] = []
    for name in names:
        column = pa.array([values[name] for values in given], pa.binary())
        pieces.append(((Field(name, quoted=True),), vectors.of_array(column)))
    return read(np.arange(len(given)), pieces)


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


def _column(one: Field, piece: Slices, part: Part) -> Flags:
    name = ALIAS.get(one.name, one.name)
    return READERS[name](one, piece, part) if name in READERS else _skip(one, piece, part)


def _skip(one: Field, piece: Slices, _: Part) -> Flags:
    """A field that no column holds must still look as it should."""
    return _fits(one, piece) if one.name in FITS else _ends_plainly(one, piece)


def _status(_: Field, piece: Slices, part: Part) -> Flags:
    values, known, good = vectors.integers(piece)
    size = piece.ends - piece.starts
    zero = (values == 0) & ((size == 1) | (size == 3))
    part.numbers["status"] = (values, known & ~zero)
    fine: Flags = good & (~known | zero | ((size == 3) & (values >= 100)))
    return fine


def _bytes(_: Field, piece: Slices, part: Part) -> Flags:
    values, known, good = vectors.integers(piece)
    part.numbers["bytes"] = (values, known)
    return good


def _duration(one: Field, piece: Slices, part: Part) -> Flags:
    name = ALIAS.get(one.name, one.name)
    values, known, good = vectors.numbers(piece, fields.DURATIONS.get(name, fields.seconds))
    if name == "part_s" and "duration_us" in part.numbers:
        before, before_known = part.numbers["duration_us"]
        values, known = before * before_known + values * known, before_known | known
    part.numbers["duration_us"] = (values, known)
    return good & _fits(one, piece) & _ends_plainly(one, piece)


def _request(_: Field, piece: Slices, part: Part) -> Flags:
    part.text.update(vectors.requests(piece)._asdict())
    return np.ones(len(piece.starts), bool)


def _by_value(column: str, reading: Callable[[bytes], str | None]) -> Reader:
    """A reader that asks a scalar reading once per distinct value."""

    def reader(one: Field, piece: Slices, part: Part) -> Flags:
        part.text[column], good = vectors.mapped(piece, _checked(reading, FITS.get(one.name)))
        return good

    return reader


def _peer(one: Field, piece: Slices, part: Part) -> Flags:
    part.text["peer_ip"], good = vectors.peers(piece, _checked(fields.peer, FITS.get(one.name)))
    return good


def _plain(one: Field, piece: Slices, part: Part) -> Flags:
    part.text[one.name] = vectors.text(piece)
    return np.ones(len(piece.starts), bool)


def _flags(answers: list[bool], codes: Codes) -> Flags:
    flags: Flags = np.array(answers, bool)[codes]
    return flags


def _checked(
    reading: Callable[[bytes], Value], fits: Callable[[bytes], bool] | None
) -> Callable[[bytes], Value]:
    """The reading, refusing what does not fit, as `scan` does."""

    def read(raw: bytes) -> Value:
        if fits is not None and not fits(raw):
            raise fields.BadField
        return reading(raw)

    return read


def _time(one: Field, piece: Slices, part: Part) -> Flags:
    """CLF times in bulk, every other layout once per distinct value."""
    if one.name == "time":
        values, good = vectors.clf_times(piece)
    else:
        values, good = np.zeros(len(piece.starts), np.int64), np.zeros(len(piece.starts), bool)
    if not good.all():
        odd = ~good
        values[odd], _, good[odd] = vectors.numbers(piece.keep(odd), _checked(fields.time, FITS["time"]))
    part.numbers["time"] = (values, good)
    return good


def _moment(one: Field, piece: Slices, part: Part) -> Flags:
    """A date and a time of day that stand apart, added up."""
    values, _, good = vectors.numbers(piece, fields.day if one.name == "date" else fields.clock)
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
        return np.ones(len(size), bool)
    values, codes = vectors.encode(piece)
    return _flags([check(value) for value in values.to_pylist()], codes)


def _ends_plainly(one: Field, piece: Slices) -> Flags:
    """Not in the middle of a list of several upstreams, which the exact reader takes as one field."""
    if one.name not in LISTS or one.quoted:
        return np.ones(len(piece.starts), bool)
    last = piece.buffer[np.maximum(piece.ends - 1, 0)]
    plain: Flags = (piece.ends > piece.starts) & (last != 44) & (last != 58)
    return plain


def _rest(one: Field, piece: Slices, part: Part) -> Flags:
    if (piece.ends == piece.starts).all():
        return np.ones(len(piece.starts), bool)
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
    if "forwarded" not in part.text and any(tail.forwarded is not None for tail in tails):
        column = pa.array([tail.forwarded for tail in tails], pa.string()).dictionary_encode()
        part.text["forwarded"] = vectors.through((column.dictionary, codes_of(column)), codes)
    names = pa.array([tail.name for tail in tails], pa.string()).dictionary_encode()
    part.text["tail"] = vectors.through((names.dictionary, codes_of(names)), codes)
    return _flags([fits(value) for value in raw], codes)


def _numbers(values: list[int | None], codes: Codes) -> tuple[Places, Flags]:
    plain = np.array([value or 0 for value in values], np.int64)
    known = np.array([value is not None for value in values], bool)
    return plain[codes], known[codes]


def _compound(word: Word, piece: Slices, part: Part) -> Flags:
    """A word of several fields (`host:port`, HAProxy's timers): read exactly, once per distinct value."""
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
        inner = Part(np.arange(len(values)))
        # The pieces were checked by scan already: read them by their alias, which checks no more.
        good &= _column(Field(name, quoted=True), vectors.of_array(texts), inner)
        for column, (own, own_codes) in inner.text.items():
            part.text[column] = vectors.through((own, own_codes), codes)
        for column, (numbers, known) in inner.numbers.items():
            part.numbers[column] = (numbers[codes], known[codes])
    fine: Flags = good[codes]
    return fine


READERS: Final[dict[str, Reader]] = {
    "time": _time,
    "date": _moment,
    "clock": _moment,
    "status": _status,
    "bytes": _bytes,
    "request": _request,
    "rest": _rest,
    "part_s": _duration,
    "peer": _peer,
    "peer_port": _by_value("peer_ip", fields.peer_and_port),
    "site": _by_value("site", fields.site),
    "user": _by_value("user", fields.text),
    **dict.fromkeys(fields.DURATIONS, _duration),
    **dict.fromkeys(
        ("method", "target", "path", "query", "protocol", "referer", "user_agent", "forwarded"), _plain
    ),
    **{
        column + suffix: _by_value(column, reading)
        for suffix, reading in WORDED.items()
        for column in ("referer", "user_agent")
    },
}
"""Field (by its alias) to its reader."""
