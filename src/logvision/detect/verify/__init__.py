"""Stage C: reads the payload of the few units that stages A and B leave standing for what it claims to be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from logvision.detect.fusion import BROWSED, Evidence
from logvision.detect.units import Kind
from logvision.detect.verify import asked as of
from logvision.detect.verify import code, ldap, markup, path, shell, sql, template, url
from logvision.detect.verify.given import (
    HEAD,
    address,
    from_first_mark,
    is_tame,
    last_segment,
    segments,
    shortened,
    unlisted,
)
from logvision.detect.verify.proofs import AnyOf
from logvision.detect.verify.prose import SHARE, SURE, in_prose
from logvision.schema import Attack

_PATH, _AGENT, _REFERER = Kind.PATH, Kind.AGENT, Kind.REFERER
"""Asked for of every unit, and asking the enumeration takes longer than comparing."""


def verify_all(texts: Sequence[bytes], kinds: Sequence[int]) -> list[Sequence[Evidence]]:
    """`verify` of many units of these kinds. One that no reader finds anything in costs some microseconds."""
    found: list[Sequence[Evidence]] = [_NOTHING] * len(texts)
    if not texts:
        return found
    readers = of.asked(texts, kinds) & _OF_KIND[kinds]
    for unit in np.flatnonzero(readers).tolist():
        found[unit] = verify(texts[unit], Kind(kinds[unit]), int(readers[unit])) or _NOTHING
    return found


_NOTHING: Final[Sequence[Evidence]] = ()


def verify(text: bytes, kind: Kind, readers: int = of.EVERY) -> list[Evidence]:
    """Evidence from every reading of one unit. Cost: 20 to 300 µs, bounded by HEAD + TAIL.

    `readers`: those that may find something.
    """
    found = _read(shortened(text).decode("latin-1"), kind, readers)
    if kind is _PATH:
        # A page of a repository shows files of any name; asking for it is not asking for them.
        browsed = readers & of.BROWSED and b".." not in text and _BROWSING(text[:HEAD].decode("latin-1"))
        return [*found, Evidence(BROWSED, Attack.SENSITIVE, 0.0)] if browsed else found
    if not found or kind is _AGENT:
        return found
    plain = text.decode("latin-1")
    if kind is _REFERER:
        plain = plain.rsplit("=", 1)[-1].replace("+", " ").replace("%20", " ")
    ended, begun = in_prose(plain)
    if not ended and not begun:
        return found
    return [
        replace(piece, strength=piece.strength * SHARE)
        if ended or piece.attack is not Attack.SQLI or piece.strength < SURE
        else piece
        for piece in found
    ]


_BROWSING: Final = AnyOf(of.BROWSING)


def _read(plain: str, kind: Kind, readers: int) -> list[Evidence]:
    if kind is _PATH:
        found = path.verify(plain, is_path=True) if readers & of.PATH else []
        body = plain.lstrip("/")
        return found if is_tame(body) else found + _read_path(body, readers)
    if kind is _AGENT:
        plain = unlisted(plain)
    found = []
    for reader, read in _READERS[kind]:
        if readers & reader:
            found += read(plain)
    return found


def _read_path(body: str, readers: int) -> list[Evidence]:
    """A path that is more than one; `body`: without the slash before it."""
    found: list[Evidence] = []
    if readers & of.SQL:
        found += sql.verify(body)
        for rest in segments(body):  # a number expected as one segment can carry SQL from there to the end
            found += sql.verify(rest)
    value = from_first_mark(body)
    if readers & of.MARKUP:
        found += markup.verify(body)
        found += markup.verify(value) if value != body else []
    if readers & of.LDAP:
        found += ldap.verify(value)
    if readers & of.SHELL:
        found += shell.verify(body)
        found += shell.verify(last_segment(body))
    if readers & of.TEMPLATE:
        found += template.verify(body)
    if readers & of.URL:
        found += [piece for piece in url.verify(address(body)) if piece.strength >= NO_LINK]
    return found


NO_LINK: Final = 0.85
"""Evidence about an address from which on it is none that a page mistakenly leads to, e.g. a programmer's own
machine."""


def _value_in_shell(plain: str) -> list[Evidence]:
    return [] if _STATEMENT(plain) else shell.verify(plain)


def _as_file(plain: str) -> list[Evidence]:
    return path.verify(plain, is_path=False)


_STATEMENT: Final = AnyOf(
    r"(?is)^\s*(?:select\s.+?\sfrom|insert\s+into|update\s+\S+\s+set|delete\s+from|show\s+(?:tables|create|columns))\s[^;]*;?\s*$|"
    r"^\s*`[\w$]+`(?:\.`[\w$]+`)*\s*(?:[<>=]|(?i:like|in|is|not|between)\b)[^;|&]*$"
)
"""A statement or a condition of SQL: back quotes in it hold names, not commands."""

_Readers = tuple[tuple[int, Callable[[str], list[Evidence]]], ...]

_OF_WHOLE: Final[_Readers] = (
    (of.SQL, sql.verify),
    (of.MARKUP, markup.verify),
    (of.SHELL, shell.verify),
    (of.TEMPLATE, template.verify),
    (of.PATH, _as_file),
)
_OF_VALUE: Final[_Readers] = (
    (of.SQL, sql.verify),
    (of.LDAP, ldap.verify),
    (of.CODE, code.verify),
    (of.MARKUP, markup.verify),
    (of.SHELL, _value_in_shell),
    (of.PATH, _as_file),
    (of.TEMPLATE, template.verify),
    (of.URL, url.verify),
)
_OF_URL: Final[_Readers] = (
    (of.URL, url.verify),
    (of.PATH, _as_file),
    (of.TEMPLATE, template.verify),
    (of.MARKUP, markup.verify),
)
_READERS: Final = {
    Kind.AGENT: _OF_WHOLE,
    Kind.REFERER: _OF_WHOLE,
    Kind.URL: _OF_URL,
    Kind.NAME: _OF_VALUE,
    Kind.VALUE: _OF_VALUE,
}
"""Who reads a unit of each kind, in the order of what they say."""

_OF_PATH: Final = of.PATH | of.BROWSED | of.SQL | of.MARKUP | of.LDAP | of.SHELL | of.TEMPLATE | of.URL
_OF_KIND: Final = np.zeros(int(max(Kind)) + 1, np.int64)
_OF_KIND[int(_PATH)] = _OF_PATH
for _kind, _those in _READERS.items():
    _OF_KIND[int(_kind)] = sum(reader for reader, _ in _those)
