"""What other programs put around a log line: syslog, Docker's json-file, CRI, and the names that
`docker compose logs` and `kubectl logs --prefix` write before it. Peeled before parsing."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import orjson

from logvision import native
from logvision.formats.fields import MONTHS
from logvision.formats.vectors import Places, Slices


class Peeled(NamedTuple):
    """The line inside, and the name of what was around it."""

    line: bytes
    wrapper: str


DOCKER: Final = b'{"log"'
COMPOSE: Final = "compose"
NAME: Final = 64
"""The bytes in which the bar behind a name must stand."""
_MONTH_FIRST: Final = np.zeros(256, bool)
_MONTH_FIRST[list(b"JFMASOND")] = True


def suspects(lines: Slices) -> Places:
    """Lines that may be wrapped, by their first bytes; `peel` decides. Lines must not be empty."""
    if native.HERE:
        return native.lines.suspects(lines.buffer, lines.starts)
    last = len(lines.buffer) - 1
    if last < 0:
        return np.zeros(0, np.int64)
    first = lines.buffer[lines.starts]
    third, fourth, tenth = (lines.buffer[np.minimum(lines.starts + at, last)] for at in (3, 4, 10))
    dated = (fourth == 45) & ((tenth == 84) | (tenth == 32))
    bars = np.append(np.flatnonzero(lines.buffer == 124), last + 1 + NAME)
    named = (first >= 97) & (first <= 122) & (bars[np.searchsorted(bars, lines.starts)] < lines.starts + NAME)
    opened = (first == 60) | (first == 123) | (first == 91)
    return np.flatnonzero(opened | (_MONTH_FIRST[first] & (third == 32)) | dated | named)


def peel(line: bytes) -> Peeled | None:
    """The line without its wrapper, or None when it has none. Strict: half a wrapper is none."""
    if line.startswith(DOCKER):
        return _docker(line)
    if line[:1] == b"<":
        return _syslog(line)
    if line[3:4] == b" " and line[:3] in MONTHS:
        return _tagged(line, 16)
    if line[4:5] == b"-" and line[10:11] == b"T":
        return _cri(line) or _tagged(line, line.find(b" ") + 1)
    if line.startswith(b"[pod/"):
        end = line.find(b"] ")
        return Peeled(line[end + 2 :], "kubectl") if end > 0 else None
    return _compose(line)


def _docker(line: bytes) -> Peeled | None:
    try:
        given = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    inner = given.get("log")
    if not isinstance(inner, str) or "time" not in given:
        return None
    return Peeled(inner.rstrip("\r\n").encode(), "docker")


def _compose(line: bytes) -> Peeled | None:
    """`name  | line`, with Docker's own time before the line where `--timestamps` was asked for."""
    name, bar, inner = line[: NAME + 1].partition(b" | ")
    if not bar or not name[:1].islower() or not name.rstrip(b" ").translate(None, b"._-").isalnum():
        return None
    inner = line[len(name) + 3 :]
    if inner[4:5] == b"-" and inner[10:11] == b"T":
        inner = inner[inner.find(b" ") + 1 :]
    return Peeled(inner, COMPOSE)


def _cri(line: bytes) -> Peeled | None:
    stamp, stream, flag, *inner = (
        [*line.split(b" ", 3), b""][:4] if line.count(b" ", 0, 80) >= 2 else (b"", b"", b"")
    )
    if stream not in {b"stdout", b"stderr"} or flag not in {b"F", b"P"} or len(stamp) > 40:
        return None
    return Peeled(inner[0], "cri")


def _syslog(line: bytes) -> Peeled | None:
    end = line.find(b">", 1, 6)
    if end < 2 or not line[1:end].isdigit():
        return None
    body = end + 1
    if line.startswith(b"1 ", body):
        return _structured(line, body + 2)
    if line[body + 3 : body + 4] == b" " and line[body : body + 3] in MONTHS:
        return _tagged(line, body + 16)
    if line[body + 4 : body + 5] == b"-" and line[body + 10 : body + 11] == b"T":
        return _tagged(line, line.find(b" ", body) + 1)
    return None


def _tagged(line: bytes, at: int) -> Peeled | None:
    """RFC 3164 after its time: `host tag: message` or `tag: message`."""
    for _ in range(2):
        space = line.find(b" ", at)
        if space < 0 or space == at:
            return None
        if line[space - 1] == 58:
            return Peeled(line[space + 1 :], "syslog")
        at = space + 1
    return None


def _structured(line: bytes, at: int) -> Peeled | None:
    """RFC 5424 after its version: time, host, program, process, message id, structured data, message."""
    for _ in range(5):
        at = line.find(b" ", at) + 1
        if at == 0:
            return None
    if line.startswith(b"-", at):
        return Peeled(line[at + 2 :].removeprefix(b"\xef\xbb\xbf"), "syslog")
    while line.startswith(b"[", at):
        quoted = False
        while at < len(line) and (quoted or line[at] != 93):
            if line[at] == 92:
                at += 1
            elif line[at] == 34:
                quoted = not quoted
            at += 1
        at += 1
    return Peeled(line[at + 1 :].removeprefix(b"\xef\xbb\xbf"), "syslog") if at < len(line) else None
