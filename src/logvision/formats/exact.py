"""The exact reader of text formats: one pass over one line, aware of quotes and escapes."""

from __future__ import annotations

from collections.abc import Sequence

from logvision.formats.row import ALIAS, FITS
from logvision.formats.tokens import Field, Token

LISTS = frozenset({"ignore", "duration_s"})
"""Fields that nginx may log as a list: `0.1, 0.2 : 0.3`, one per upstream."""


def scan(tokens: Sequence[Token], line: bytes) -> dict[str, bytes] | None:
    """Field name to raw text, or None when the line is not of this format.

    A quoted field ends at the first double quote that no backslash escapes, that the format's next literal
    follows and that the next field can follow; so a raw quote in the middle is survived. Linear in the line.
    """
    values: dict[str, bytes] = {}
    at, last = 0, len(tokens) - 1
    for index, token in enumerate(tokens):
        if isinstance(token, bytes):
            if not line.startswith(token, at):
                return None
            at += len(token)
            continue
        if token.name == "padded":
            while line.startswith(b" ", at):
                at += 1
        if index == last:
            end = len(line)
        else:
            literal = tokens[index + 1]
            if isinstance(literal, bytes):
                end = _end(token, literal, tokens[index + 2] if index + 2 <= last else None, line, at)
            else:
                end = line.find(b" ", at)
                end = len(line) if end < 0 else end
            if end < 0:
                return None
        text = line[at:end]
        fits = FITS.get(token.name)
        if fits is not None and not fits(text):
            return None
        _keep(values, token.name, text)
        at = end
    return values if at == len(line) else None


def _keep(values: dict[str, bytes], name: str, text: bytes) -> None:
    """Keep a text under its field's name; parts of a duration are added up."""
    name = ALIAS.get(name, name)
    if name == "part_s" and name in values:
        values[name] += b"," + text
    elif name != "ignore":
        values[name] = text


def _end(field: Field, literal: bytes, follower: Token | None, line: bytes, at: int) -> int:
    """Where the field that starts at `at` ends, or -1."""
    if field.quoted:
        return _closing(literal, follower, line, at)
    end = line.find(literal, at)
    if field.name == "forwarded_list":
        while end > at and line[end - 1] == 44:
            end = line.find(literal, end + 1)
    elif field.name in LISTS and literal[:1] == b" ":
        while end > at and (
            line[end - 1] == 44 or line.startswith(b" : ", end) or line.startswith(b": ", end - 1)
        ):
            end = line.find(literal, end + 3 if line.startswith(b" : ", end) else end + 1)
    return end


def _closing(literal: bytes, follower: Token | None, line: bytes, at: int) -> int:
    """The first quote that may close the field; before a rest it must leave whole pairs behind it."""
    paired = isinstance(follower, Field) and follower.name in {"rest", "any_rest"}
    left = quotes(line, at) if paired else 0
    end = line.find(literal, at)
    while end >= 0:
        if not _escaped(line, at, end):
            left -= 1
            if _may_follow(follower, line, end + len(literal)) and not (paired and left % 2):
                return end
        end = line.find(literal, end + 1)
    return -1


def quotes(text: bytes, at: int = 0) -> int:
    """Double quotes behind `at` that no backslash precedes."""
    return text.count(b'"', at) - text.count(b'\\"', at)


def _escaped(line: bytes, start: int, quote: int) -> bool:
    """True when an odd number of backslashes stands before the quote."""
    slashes = quote - 1
    while slashes >= start and line[slashes] == 92:
        slashes -= 1
    return (quote - 1 - slashes) % 2 == 1


def _may_follow(follower: Token | None, line: bytes, at: int) -> bool:
    if follower is None:
        return at == len(line)
    if isinstance(follower, Field):
        if follower.name in {"status", "bytes"}:
            return line[at : at + 1] in {b"-", b"0", b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8", b"9"}
        if follower.name in {"rest", "plain_rest", "any_rest"}:
            return at == len(line) or line[at] == 32
    return True
