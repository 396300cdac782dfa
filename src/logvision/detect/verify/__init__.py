"""Stage C: reads the payload of the few units that stages A and B leave standing for what it claims to be."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import re2

from logvision.detect.fusion import BROWSED, Evidence
from logvision.detect.units import Kind
from logvision.detect.verify import code, ldap, markup, path, shell, sql, template, url
from logvision.detect.verify.proofs import AnyOf
from logvision.detect.verify.prose import SHARE, SURE, in_prose
from logvision.schema import Attack

HEAD: Final = 8192
TAIL: Final = 2048
"""Bytes of a unit that are read, from its front and its end; what lies between is padding."""


_PATH, _AGENT, _REFERER, _URL = Kind.PATH, Kind.AGENT, Kind.REFERER, Kind.URL
"""Asked for of every unit, and asking the enumeration takes longer than comparing."""


def verify(text: bytes, kind: Kind) -> list[Evidence]:
    """Evidence from every reading of one unit. Cost: 20 to 300 µs, bounded by HEAD + TAIL."""
    found = _read(text, kind)
    if kind is _PATH:
        # A page of a repository shows files of any name; asking for it is not asking for them.
        browsed = b".." not in text and _BROWSED(text[:HEAD].decode("latin-1"))
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


def _read(text: bytes, kind: Kind) -> list[Evidence]:
    if len(text) > HEAD + TAIL:
        text = text[:HEAD] + b" " + text[-TAIL:]
    # Latin-1 keeps one character a byte, whatever the bytes are; the readers care for ASCII marks only.
    plain = text.decode("latin-1")
    if kind is _PATH:
        body = plain.lstrip("/")
        found = path.verify(plain, is_path=True)
        if not body.translate(_TAME) or _MANUAL(body):
            return found
        return [
            *found,
            *sql.verify(body),
            *_segments(body),
            *markup.verify(body),
            *_from_first_mark(body),
            *shell.verify(body),
            *(shell.verify(body[body.rfind("/") + 1 :]) if ";" in body or "|" in body else ()),
            *template.verify(body),
            *_named(body),
        ]
    if kind is _URL:
        return [
            *url.verify(plain),
            *path.verify(plain, is_path=False),
            *template.verify(plain),
            *markup.verify(plain),
        ]
    if kind is _AGENT:
        plain = _unlisted(plain)
    if kind is _AGENT or kind is _REFERER:
        return [
            *sql.verify(plain),
            *markup.verify(plain),
            *shell.verify(plain),
            *template.verify(plain),
            *path.verify(plain, is_path=False),
        ]
    return [
        *sql.verify(plain),
        *ldap.verify(plain),
        *code.verify(plain),
        *markup.verify(plain),
        *([] if _STATEMENT(plain) else shell.verify(plain)),
        *path.verify(plain, is_path=False),
        *template.verify(plain),
        *url.verify(plain),
    ]


def _unlisted(agent: str) -> str:
    """What an agent lists in its comment, e.g. `(Linux; U; DASH JR 3G)`, is no command after a semicolon."""
    parts = agent.split("(")
    for number, part in enumerate(parts[1:], 1):
        listed, closed, rest = part.partition(")")
        if closed:
            parts[number] = listed.replace(";", ",") + closed + rest
    return "(".join(parts)


_STATEMENT: Final = AnyOf(
    r"(?is)^\s*(?:select\s.+?\sfrom|insert\s+into|update\s+\S+\s+set|delete\s+from|show\s+(?:tables|create|columns))\s[^;]*;?\s*$|"
    r"^\s*`[\w$]+`(?:\.`[\w$]+`)*\s*(?:[<>=]|(?i:like|in|is|not|between)\b)[^;|&]*$"
)
"""A statement or a condition of SQL: back quotes in it hold names, not commands."""

_MANUAL: Final = AnyOf(r"^(?:[\w.-]+/)+\w+\(\d{0,2}\)/?$")
"""A page about a function, by its name."""

_BROWSED: Final = AnyOf(
    r"^/[^/]+/[^/]+/(?:-/)?(?:blob|tree|raw|blame|edit|commits)/[^/]+/[\w.]|^/wiki/[A-Z/]|"
    r"^/[^/]+/[^/]+/src/(?:branch|tag|commit)/[^/]+/|"
    r"^/src/[^/]+/(?:blob|tree|raw)/[^/]+/|/repos/[^/]+/(?:browse|raw)/|^/plugins/gitiles/[^/]+/\+/|"
    r"^/(?:viewvc|viewcvs|websvn|cgit)(?:\.cgi)?/[^/]+/\w"
)

_TAME: Final = dict.fromkeys(map(ord, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-~+"))


def _named(path_text: str) -> list[Evidence]:
    """An address within a path that no link or archive of pages has."""
    found: list[Evidence] = []
    if ":/" in path_text:
        at = _SCHEME.search(path_text)
        if at is not None:
            found += [piece for piece in url.verify(path_text[at.start() :]) if piece.strength >= NO_LINK]
    return found


def _from_first_mark(path_text: str) -> list[Evidence]:
    """What stands in the path from the first segment on that has a mark of syntax, read as a value."""
    first = next((at for at, char in enumerate(path_text) if ord(char) not in _TAME), -1)
    at = path_text.rfind("/", 0, first) + 1
    if first < 0 or at == 0:
        return ldap.verify(path_text)
    return [*markup.verify(path_text[at:]), *ldap.verify(path_text[at:])]


_SCHEME: Final = re2.compile(r"[a-z]{3,8}:/")
NO_LINK: Final = 0.85
"""Evidence about an address from which on it is none that a page mistakenly leads to, e.g. a programmer's own
machine."""


def _segments(path_text: str) -> list[Evidence]:
    """A number expected as one segment of the path can carry SQL from there to the end."""
    found: list[Evidence] = []
    at = path_text.find("/")
    for _ in range(6):
        if at < 0:
            break
        found += sql.verify(path_text[at + 1 :])
        at = path_text.find("/", at + 1)
    return found
