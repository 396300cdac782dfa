"""What readers are given of a unit: texts of one byte a character (Latin-1), whatever the bytes are."""

from __future__ import annotations

from typing import Final

import re2

from logvision.detect.verify.proofs import AnyOf

HEAD: Final = 8192
TAIL: Final = 2048
"""Bytes of a unit that are read, from its front and its end; what lies between is padding."""


def shortened(text: bytes) -> bytes:
    """What is read of a unit."""
    return text if len(text) <= HEAD + TAIL else text[:HEAD] + b" " + text[-TAIL:]


def unlisted(agent: str) -> str:
    """What an agent lists in its comment, e.g. `(Linux; U; DASH JR 3G)`, is no command after a semicolon."""
    parts = agent.split("(")
    for number, part in enumerate(parts[1:], 1):
        listed, closed, rest = part.partition(")")
        if closed:
            parts[number] = listed.replace(";", ",") + closed + rest
    return "(".join(parts)


def is_tame(path: str) -> bool:
    """Whether a path without the slash before it has no marks of syntax, or is a page about a function."""
    return not path.encode("latin-1").translate(None, _TAME) or _MANUAL(path)


_MANUAL: Final = AnyOf(r"^(?:[\w.-]+/)+\w+\(\d{0,2}\)/?$")
"""A page about a function, by its name."""

_TAME: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-~+"


def from_first_mark(path: str) -> str:
    """The path from the first segment on that has a mark of syntax."""
    marked = path.encode("latin-1").lstrip(_TAME)
    return path[path.rfind("/", 0, len(path) - len(marked)) + 1 :]


def last_segment(path: str) -> str:
    """The path's last segment, where commands may be parted; else nothing."""
    return path[path.rfind("/") + 1 :] if ";" in path or "|" in path else ""


def address(path: str) -> str:
    """The address within a path, if there is one."""
    at = _SCHEME.search(path) if ":/" in path else None
    return path[at.start() :] if at is not None else ""


_SCHEME: Final = re2.compile(r"[a-z]{3,8}:/")


def segments(path: str) -> list[str]:
    """The path from each of its first segments on but the very first."""
    found: list[str] = []
    at = path.find("/")
    while at >= 0 and len(found) < SEGMENTS:
        found.append(path[at + 1 :])
        at = path.find("/", at + 1)
    return found


SEGMENTS: Final = 6
