"""How one piece of log text becomes one value: the scalar readings that every parser shares.

A reading takes the bytes as logged and gives the value or None (`-`: the log does not say).
`BadField` and `BadTime` say that the text cannot be what the format promises.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from urllib.parse import unquote_to_bytes

HOST_BYTES: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:%[]"
TOKEN_BYTES: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~"
"""Bytes of a method: RFC 9110, section 5.6.2."""

MONTHS: Final = {
    name: number
    for number, name in enumerate(
        (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"), 1
    )
}
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
MICROSECOND: Final = timedelta(microseconds=1)
LARGEST: Final = (1 << 63) - 1


MAPPED: Final = bytes(10) + b"\xff\xff"
"""First 12 bytes of an IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2)."""


class BadField(ValueError):
    """The text cannot be a value of this field."""


class BadTime(ValueError):
    """The text is no date and time that can be read."""


def text(raw: bytes) -> str | None:
    """Text as logged; `-` is None; an invalid UTF-8 byte becomes `\\xHH`."""
    return None if raw == b"-" else raw.decode("utf-8", "backslashreplace")


def site(raw: bytes) -> str | None:
    """A virtual host as logged, lower case, without a port."""
    if raw in {b"-", b"", b"_"}:
        return None
    name, colon, port = raw.rpartition(b":")
    if colon and port.isdigit() and not name.endswith(b":"):
        raw = name
    return raw.decode("utf-8", "backslashreplace").lower()


@lru_cache(16_384)  # who asks asks again, in the next batch too
def peer(raw: bytes) -> str | None:
    """Canonical text of an address; None for a host name. Ports, brackets and zone ids go.

    An IPv4 address mapped into IPv6 is that IPv4 address: the socket's family says nothing about who asked.
    """
    if not raw or raw.translate(None, HOST_BYTES):
        raise BadField("not a host")
    try:
        socket.inet_pton(socket.AF_INET, words := raw.decode("ascii"))
    except OSError:
        pass
    else:
        return words  # four decimal numbers without leading zeros: canonical as it stands
    if words.startswith("["):
        words = words[1:].partition("]")[0]
    elif words.count(":") == 1:
        words = words.partition(":")[0]
    return _canonical(words.partition("%")[0])


def _canonical(words: str) -> str | None:
    """`str(ipaddress.ip_address(words))`, a mapped address as IPv4, ten times as fast; None: it is none."""
    try:
        if ":" not in words:
            return socket.inet_ntoa(socket.inet_pton(socket.AF_INET, words))
        raw = socket.inet_pton(socket.AF_INET6, words)
    except OSError:
        return None
    if raw.startswith(MAPPED):
        return socket.inet_ntoa(raw[12:])
    found = socket.inet_ntop(socket.AF_INET6, raw)
    # Addresses of the old form `::a.b.c.d` are the only ones that C libraries write in another way.
    return found if "." not in found else str(ipaddress.IPv6Address(raw))


def peer_and_port(raw: bytes) -> str | None:
    """An address that a colon and a port always follow, even IPv6 without brackets (HAProxy, AWS)."""
    address, colon, port = raw.rpartition(b":")
    return peer(address if colon and port.isdigit() else raw)


def is_address(raw: bytes) -> bool:
    """True when the text is an address, with or without port or brackets."""
    try:
        return peer(raw) is not None
    except BadField:
        return False


def status(raw: bytes) -> int | None:
    """A status code; 0, 000, -1 and `-` are None."""
    if raw in {b"-", b"0", b"000", b"-1", b""}:
        return None
    if len(raw) != 3 or not raw.isdigit() or raw[0] == 48:
        raise BadField("not a status")
    return int(raw)


def whole(raw: bytes) -> int | None:
    """A count; `-` and a negative number (Envoy, HAProxy: never happened) are None. A leading `+` goes."""
    if raw == b"-":
        return None
    digits = raw[1:] if raw[:1] in {b"+", b"-"} else raw
    if not digits.isdigit() or len(digits) > 18:
        raise BadField("not a whole number")
    return None if raw[:1] == b"-" else int(digits)


def seconds(raw: bytes) -> int | None:
    """Decimal seconds as microseconds; of `0.1, 0.2 : 0.3` (nginx, several upstreams) the sum."""
    if raw in {b"-", b"", b"-1"}:
        return None
    raw = raw.removeprefix(b"+")
    if b"," in raw or b":" in raw:
        parts = [part.strip() for part in raw.replace(b":", b",").split(b",")]
        values = [seconds(part) for part in parts]
        known = [value for value in values if value is not None]
        return sum(known) if known else None
    front, dot, back = raw.partition(b".")
    if raw[:1] == b"-":
        return None
    if not front.isdigit() or len(front) > 12 or (dot and not back.isdigit()):
        raise BadField("not a duration")
    total = int(front) * 1_000_000
    return total + int((back + b"000000")[:6]) if dot else total


def milliseconds(raw: bytes) -> int | None:
    """Milliseconds, perhaps with a fraction or the suffix `ms`, as microseconds."""
    value = seconds(raw.removesuffix(b"ms"))
    return None if value is None else value // 1000


def microseconds(raw: bytes) -> int | None:
    return whole(raw)


def nanoseconds(raw: bytes) -> int | None:
    value = whole(raw)
    return None if value is None else value // 1000


def request(raw: bytes) -> tuple[str | None, str | None, str | None]:
    """A request line as (method, target, protocol).

    A line that is not HTTP (TLS bytes, garbage) has no method and its whole text as target; `-` is nothing.
    A target with spaces inside keeps them. HTTP/0.9 (`GET /path`) has no protocol.
    """
    if raw == b"-":
        return None, None, None
    method, space, after = raw.partition(b" ")
    if space and method and not method.translate(None, TOKEN_BYTES):
        target, gap, protocol = after.rpartition(b" ")
        if protocol.startswith(b"HTTP/"):
            return _decode(method), _decode(target.strip(b" ")) if gap else "", _decode(protocol)
        if after.startswith(b"/") and method.isupper():
            return _decode(method), _decode(after), None
    return None, _decode(raw), None


def _decode(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")


def time(raw: bytes) -> int:
    """Any of the layouts that access logs use, as microseconds since 1970 UTC. No zone means UTC.

    `10/Oct/2000:13:55:36 -0700` with or without zone, fraction, or a space for the first colon;
    ISO 8601; a Unix time in s, ms, us or ns, told apart by its size.
    """
    if raw[2:3] == b"/" and raw[6:7] == b"/":
        return _slashed(raw)
    if raw[4:5] == b"-" and raw[7:8] == b"-":
        return iso(raw)
    return epoch(raw)


def iso(raw: bytes) -> int:
    """ISO 8601, with `T` or a space, any fraction, with or without zone."""
    if len(raw) > 40 or len(raw) < 19:
        raise BadTime("not ISO 8601")
    words = raw.decode("ascii", "replace")
    if words[10:11] not in {"T", " ", "t"}:
        raise BadTime("not ISO 8601")
    head, space, zone = words[11:].partition(" ")
    try:
        found = datetime.fromisoformat(words[:10] + "T" + head.replace(",", ".") + (zone if space else ""))
    except ValueError:
        raise BadTime("not ISO 8601") from None
    return (found.replace(tzinfo=found.tzinfo or EPOCH.tzinfo) - EPOCH) // MICROSECOND


def day(raw: bytes) -> int:
    """`2024-01-31`, midnight UTC."""
    if len(raw) != 10 or raw[4] != 45 or raw[7] != 45 or not (raw[:4] + raw[5:7] + raw[8:]).isdigit():
        raise BadTime("not a date")
    try:
        ordinal = date(int(raw[:4]), int(raw[5:7]), int(raw[8:])).toordinal()
    except ValueError:
        raise BadTime("not a day of the calendar") from None
    return (ordinal - EPOCH_DAY) * 86_400_000_000


def clock(raw: bytes) -> int:
    """`13:55:36`, perhaps with a fraction, as microseconds of the day."""
    digits = raw[0:2] + raw[3:5] + raw[6:8]
    if len(digits) != 6 or not digits.isdigit() or raw[2:3] != b":" or raw[5:6] != b":":
        raise BadTime("not a time of day")
    hour, minute, second = int(raw[0:2]), int(raw[3:5]), int(raw[6:8])
    fraction = raw[9:]
    if (
        hour > 23
        or minute > 59
        or second > 60
        or raw[8:9] not in {b"", b"."}
        or (fraction and not fraction.isdigit())
    ):
        raise BadTime("not a time of day")
    return (hour * 3600 + minute * 60 + second) * 1_000_000 + int((fraction + b"000000")[:6])


def plus(raw: bytes) -> str | None:
    """Text in which `+` stands for a space."""
    return text(raw.replace(b"+", b" "))


def percent(raw: bytes) -> str | None:
    """Percent-encoded text."""
    return text(unquote_to_bytes(raw))


def epoch(raw: bytes) -> int:
    """A Unix time; the unit follows from its size (seconds up to the year 5138)."""
    front, dot, back = raw.partition(b".")
    if not front.isdigit() or len(front) > 19 or (dot and not back.isdigit()):
        raise BadTime("not a Unix time")
    value = int(front)
    if value < 100_000_000_000:
        return value * 1_000_000 + (int((back + b"000000")[:6]) if dot else 0)
    if value < 100_000_000_000_000:
        return value * 1000 + (int((back + b"000")[:3]) if dot else 0)
    return value if value < 100_000_000_000_000_000 else value // 1000


def _slashed(raw: bytes) -> int:
    month = MONTHS.get(raw[3:6])
    if month is None or raw[11:12] not in {b":", b" "} or raw[14:15] != b":" or raw[17:18] != b":":
        raise BadTime("not a date")
    digits = raw[0:2] + raw[7:11] + raw[12:14] + raw[15:17] + raw[18:20]
    if len(digits) != 12 or not digits.isdigit():
        raise BadTime("not a date")
    hour, minute, second = int(raw[12:14]), int(raw[15:17]), int(raw[18:20])
    if hour > 23 or minute > 59 or second > 60:
        raise BadTime("not a time of day")
    try:
        day = date(int(raw[7:11]), month, int(raw[0:2])).toordinal() - EPOCH_DAY
    except ValueError:
        raise BadTime("not a day of the calendar") from None
    stamp = (day * 86400 + hour * 3600 + minute * 60 + second) * 1_000_000
    rest = raw[20:]
    if rest[:1] in {b".", b","}:
        fraction, space, zone = rest[1:].partition(b" ")
        if not fraction.isdigit():
            raise BadTime("not a fraction of a second")
        stamp += int((fraction + b"000000")[:6])
        rest = space + zone
    return stamp - _zone(rest) * 1_000_000


def _zone(raw: bytes) -> int:
    """` +hhmm` in seconds east of UTC; nothing is 0."""
    if raw in {b"", b" Z", b" UTC", b" GMT"}:
        return 0
    if len(raw) != 6 or raw[0] != 32 or raw[1] not in b"+-" or not raw[2:].isdigit():
        raise BadTime("not a time zone")
    hours, minutes = int(raw[2:4]), int(raw[4:6])
    if hours > 23 or minutes > 59:
        raise BadTime("not a time zone")
    east = hours * 3600 + minutes * 60
    return -east if raw[1] == 45 else east


DURATIONS: Final[dict[str, Callable[[bytes], int | None]]] = {
    "duration_s": seconds,
    "duration_ms": milliseconds,
    "duration_us": microseconds,
    "duration_ns": nanoseconds,
}
