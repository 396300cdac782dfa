"""W3C extended logs (IIS, CloudFront): a `#Fields:` line decides what follows, and may come again."""

from __future__ import annotations

from typing import Final

from logvision.formats.catalogue import TextFormat, text_format
from logvision.formats.tokens import Field, Token

FIELDS: Final[dict[str, str]] = {
    "date": "date",
    "time": "clock",
    "c-ip": "peer",
    "cs-username": "user",
    "cs-method": "method",
    "cs-uri": "target",
    "cs-uri-stem": "path",
    "cs-uri-query": "query",
    "cs-version": "protocol",
    "cs-protocol-version": "protocol",
    "sc-status": "status",
    "sc-bytes": "bytes",
    "cs-host": "site",
    "cs(host)": "site",
    "x-host-header": "site",
    "x-forwarded-for": "forwarded",
    "cs(x-forwarded-for)": "forwarded",
    "cs(referer)": "referer",
    "cs(user-agent)": "user_agent",
    "time-taken": "duration_ms",
}
HEADER: Final = b"#Fields:"
LONGEST: Final = 4096
"""A longer header line, in bytes, is not one: nothing hostile is compiled."""


def compile_header(header: bytes) -> TextFormat | None:
    """The format that a `#Fields:` line declares, or None when it lacks a date, a time or a request.

    CloudFront (known by `x-edge-location`) separates by tabs, counts seconds, percent-encodes, and puts its
    own domain in `cs(Host)` and the visitor's in `x-host-header`; others count milliseconds and write `+` for
    a space.
    """
    names = header[len(HEADER) :].decode("utf-8", "replace").lower().split()
    if len(header) > LONGEST or not names:
        return None
    edge = "x-edge-location" in names
    parts: list[Token] = []
    seen: set[str] = set()
    for name in names:
        field = FIELDS.get(name, "ignore")
        if field in {"referer", "user_agent"}:
            field += "_percent" if edge else "_plus"
        elif edge and name == "time-taken":
            field = "duration_s"
        elif edge and name == "cs(host)" and "x-host-header" in names:
            field = "ignore"
        if field in seen:
            field = "ignore"
        seen.add(field if field != "ignore" else "")
        parts += [Field(field), b"\t" if edge else b" "]
    if not {"date", "clock"} <= seen or not seen & {"path", "target"}:
        return None
    return text_format("cloudfront" if edge else "w3c", tuple(parts[:-1]))
