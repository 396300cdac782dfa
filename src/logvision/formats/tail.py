"""What stands after the user agent of a combined line: real logs end in almost anything.

The tail is read item by item (words, quoted texts, bracketed texts), not by a list of formats, so that
an unknown tail costs nothing but its own fields.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from logvision.formats import fields
from logvision.formats.fields import HOST_BYTES, BadField


class Tail(NamedTuple):
    """What a tail says. `ticks`: a bare integer, Apache's %D (us) or %T (s); who reads many lines decides."""

    name: str
    duration_us: int | None = None
    ticks: int | None = None
    forwarded: str | None = None
    bytes: int | None = None


NOTHING: Final = Tail("")
KEYS: Final = frozenset((b"rt", b"request_time", b"reqtime", b"rtime"))


def read_tail(rest: bytes) -> Tail:
    """The tail's own name ("" for none, `extra` for what is not known) and its values. Linear."""
    rest = rest.strip()
    if not rest:
        return NOTHING
    if b'"' in rest:
        return _quoted(_items(rest))
    words = [word for word in rest.split(b" ") if word]
    if len(words) == 1 and words[0].isdigit() and len(words[0]) <= 15:
        return Tail("duration", ticks=int(words[0]))
    if len(words) == 2 and all(word.isdigit() and len(word) <= 18 for word in words):
        return Tail("io", bytes=int(words[1]))
    return _timed(words, words, None)


def _quoted(items: list[tuple[bool, bytes]]) -> Tail:
    """A tail with double quotes in it."""
    words = [item for quoted, item in items if not quoted]
    first_quoted, first = items[0]
    addresses = first_quoted and _addresses(first)
    if addresses and len(items) == 1:
        return Tail("forwarded", forwarded=fields.text(first))
    if len(items) == 4 and len(words) == 2 and words[-1][-2:] == b"ms" and words[-1][:-2].isdigit():
        return Tail("traefik", duration_us=fields.milliseconds(words[-1][-18:]))
    return _timed([item for _, item in items], words, fields.text(first) if addresses else None)


def _timed(items: list[bytes], words: list[bytes], forwarded: str | None) -> Tail:
    """The first request time: `rt=0.005`, else a word with three decimals, as nginx writes it."""
    for word in words:
        key, equals, value = word.partition(b"=")
        try:
            if equals and key.lower() in KEYS:
                return Tail("timing", duration_us=fields.seconds(value.strip(b'"')), forwarded=forwarded)
            if _nginx_time(word):
                ingress = len(items) >= 9 and items[2][:1] == b"[" and items[3][:1] == b"["
                duration = int(word.replace(b".", b"")) * 1000
                return Tail("ingress" if ingress else "timing", duration_us=duration, forwarded=forwarded)
        except BadField:
            continue
    return Tail("extra", forwarded=forwarded)


def _nginx_time(item: bytes) -> bool:
    """nginx writes times as seconds with exactly three decimals."""
    return len(item) <= 14 and item[-4:-3] == b"." and item[:-4].isdigit() and item[-3:].isdigit()


def _addresses(item: bytes) -> bool:
    """True for what X-Forwarded-For looks like: `-`, or addresses and `unknown` joined by commas."""
    if item == b"-":
        return True
    if item.translate(None, HOST_BYTES + b", "):
        return False
    return all(part.strip() == b"unknown" or fields.is_address(part.strip()) for part in item.split(b","))


def _items(rest: bytes) -> list[tuple[bool, bytes]]:
    """(was quoted, text) of each item; a key with a quoted value is one item."""
    found: list[tuple[bool, bytes]] = []
    at, end = 0, len(rest)
    while at < end and len(found) < 64:
        if rest[at] == 32:
            at += 1
            continue
        if rest[at] == 34:
            stop = rest.find(b'"', at + 1)
            stop = end if stop < 0 else stop
            found.append((True, rest[at + 1 : stop]))
            at = stop + 1
            continue
        stop = rest.find(b" ", at)
        stop = end if stop < 0 else stop
        if (mark := rest.find(b'="', at, stop)) > 0:
            close = rest.find(b'"', mark + 2)
            stop = end if close < 0 else close + 1
        found.append((False, rest[at:stop]))
        at = stop
    return found
