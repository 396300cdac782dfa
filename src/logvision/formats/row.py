"""From the raw pieces of one line to the values of one event, the same for every format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from logvision.formats import fields
from logvision.formats.fields import HOST_BYTES, BadField
from logvision.formats.tail import read_tail


class Row(NamedTuple):
    """One event's values in the order of PARSED without source and position, times in us."""

    time: int
    site: str | None
    peer_ip: str | None
    user: str | None
    method: str | None
    target: str | None
    path: str | None
    query: str | None
    protocol: str | None
    status: int | None
    bytes: int | None
    referer: str | None
    user_agent: str | None
    duration_us: int | None
    forwarded: str | None
    ticks: int | None  # a bare trailing integer: Apache's %D (us) or %T (s), see tail.py
    tail: str | None  # name of what stands after a combined line


def _counts(raw: bytes) -> bool:
    return raw == b"-" or (raw[1:] if raw[:1] in {b"-", b"+"} else raw).isdigit()


def _host(raw: bytes) -> bool:
    return bool(raw) and not raw.translate(None, HOST_BYTES)


def _named(raw: bytes) -> bool:
    return _host(raw) and (b"." in raw or raw == b"localhost")


def _duration(raw: bytes) -> bool:
    return bool(raw) and not raw.translate(None, b"0123456789.,:-+ ms")


def _user(raw: bytes) -> bool:
    """A name may hold spaces, but not look like two fields: that line has a virtual host in it."""
    first, space, _ = raw.partition(b" ")
    return (
        bool(raw)
        and raw.count(b'"') == raw.count(b'\\"')
        and not (space and (first == b"-" or _named(first)))
    )


_IDENT: Final = HOST_BYTES.translate(None, b".:[]%")


def _paired(raw: bytes) -> bool:
    return (raw.count(b'"') - raw.count(b'\\"')) % 2 == 0


def _moment(raw: bytes) -> bool:
    return 8 <= len(raw) <= 40 and raw[:1].isdigit()


FITS: Final[dict[str, Callable[[bytes], bool]]] = {
    "peer": _host,
    "remote": lambda raw: _host(raw) and raw != b"-",
    "address": fields.is_address,
    "port": bytes.isdigit,
    "host": _host,
    "hostname": _named,
    "ident": lambda raw: (
        raw == b"-" or (bool(raw) and not raw.translate(None, _IDENT) and raw != b"localhost")
    ),
    "dash": lambda raw: raw == b"-",
    "user": _user,
    "forwarded_list": lambda raw: b"," in raw and all(map(_host, raw.replace(b",", b" ").split())),
    "time": _moment,
    "stamp": _moment,
    "status": lambda raw: len(raw) <= 4 and _counts(raw),
    "bytes": lambda raw: len(raw) <= 20 and _counts(raw),
    "duration_s": _duration,
    "duration_ms": _duration,
    "duration_us": _duration,
    "part_s": _duration,
    "word": lambda raw: bool(raw) and b" " not in raw,
    "count": _counts,
    "epoch": lambda raw: len(raw) <= 20 and raw.replace(b".", b"", 1).isdigit(),
    "padded": _duration,
    "scheme": frozenset((b"http", b"https", b"h2", b"grpcs", b"grpc", b"ws", b"wss")).__contains__,
    "peer_port": lambda raw: raw == b"-" or (_host(raw) and b":" in raw),
    "cut": lambda raw: b'"' not in raw,
    "any_rest": lambda raw: raw[:1] in {b"", b" "} and _paired(raw),
    "rest": lambda raw: raw[:1] in {b"", b" "} and _paired(raw),
    "plain_rest": lambda raw: raw[:1] in {b"", b" "} and b'"' not in raw,
}
"""What a field's text must look like for its format to fit at all. A field that fits and still has
an impossible value makes a `bad_field` or `bad_time`. Fields not named here take any text."""

ALIAS: Final = {
    "remote": "peer",
    "address": "peer",
    "host": "site",
    "hostname": "site",
    "plain_rest": "rest",
    "any_rest": "ignore",
    "stamp": "time",
    "epoch": "time",
    "padded": "duration_ms",
    "cut": "user_agent",
    "forwarded_list": "forwarded",
}
"""Fields that differ only in what they must look like. `time` is of the layout of CLF, with one space;
`stamp` is any time that is one word."""

WORDED: Final = {"_plus": fields.plus, "_percent": fields.percent}
"""W3C extended logs write a space as `+` (IIS) or percent-encode (CloudFront): suffix to reading."""

_AMOUNTS: Final = ("duration_us", "duration_ms", "duration_s", "duration_ns")


def row(values: Mapping[str, bytes]) -> Row:
    """The event. Raises BadField or BadTime when a value is impossible.

    `values` is field name to raw text; aliases are resolved by the caller.
    """
    get = values.get
    if (moment := get("time")) is not None:
        time = fields.time(moment)
    else:
        time = fields.day(values["date"]) + fields.clock(get("clock", b"00:00:00"))
    method: str | None
    if (line := get("request")) is not None:
        method, target, protocol = fields.request(line)
    else:
        method, protocol = _text(get("method")), _text(get("protocol"))
        whole = get("target")
        if (
            whole is None
            and (whole := get("path")) is not None
            and (query := get("query", b"-")) not in {b"-", b""}
        ):
            whole += query if query.startswith(b"?") else b"?" + query
        target = _text(whole)
    path, mark, query_text = (target or "").partition("?")
    amount = next((fields.DURATIONS[name](values[name]) for name in _AMOUNTS if name in values), None)
    if (parts := get("part_s")) is not None and amount is None:
        amount = fields.seconds(parts)
    sent = fields.whole(values["bytes"]) if "bytes" in values else None
    forwarded, ticks, name = _text(get("forwarded")), None, None
    if (rest := get("rest")) is not None:
        tail = read_tail(rest)
        amount = tail.duration_us if amount is None else amount
        forwarded, ticks, name = forwarded or tail.forwarded, tail.ticks, tail.name
        sent = sent if tail.bytes is None else tail.bytes
    return Row(
        time,
        fields.site(values["site"]) if "site" in values else None,
        _peer(values),
        _text(get("user")),
        method,
        target,
        None if target is None else path,
        query_text if mark else None,
        protocol,
        fields.status(values["status"]) if "status" in values else None,
        sent,
        _worded("referer", values),
        _worded("user_agent", values),
        amount,
        forwarded,
        ticks,
        name,
    )


def _peer(values: Mapping[str, bytes]) -> str | None:
    if (raw := values.get("peer_port")) is not None:
        return fields.peer_and_port(raw)
    return fields.peer(values["peer"]) if "peer" in values else None


def _worded(name: str, values: Mapping[str, bytes]) -> str | None:
    for suffix, reading in WORDED.items():
        if (raw := values.get(name + suffix)) is not None:
            return reading(raw)
    return _text(values.get(name))


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else fields.text(raw)


__all__ = ["ALIAS", "FITS", "BadField", "Row", "row"]
