"""The formats that LogVision knows, in the one order in which they are asked.

The first format that accepts a line has it, whatever was detected before: detection only chooses which
formats are tried in bulk. So a format that can be read in bulk must take no line that one before it accepts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Protocol

from logvision.errors import Problem, SetupError
from logvision.formats.columnar import Plan, plan
from logvision.formats.exact import scan
from logvision.formats.fields import HOST_BYTES
from logvision.formats.ltsv import LtsvFormat
from logvision.formats.objects import JSON, JsonFormat
from logvision.formats.tokens import Field, Token, compile_directive, template_keys, tokens


class Format(Protocol):
    """Something that a line can be."""

    @property
    def name(self) -> str: ...

    @property
    def plan(self) -> Plan | None:
        """How to read it in bulk; None: line by line only."""
        ...

    def read(self, line: bytes) -> dict[str, bytes] | None:
        """Field name (see `row.py`) to raw text, or None: not of this format."""
        ...


@dataclass(frozen=True, slots=True)
class TextFormat:
    """A format given by its tokens."""

    name: str
    tokens: tuple[Token, ...]
    plan: Plan | None = field(repr=False)

    def read(self, line: bytes) -> dict[str, bytes] | None:
        return scan(self.tokens, line)


def text_format(name: str, given: tuple[Token, ...]) -> TextFormat:
    return TextFormat(name, given, plan(given))


def _listed(name: str, given: str) -> TextFormat:
    """A format from a short form: `<field>` among literal text."""
    parts: list[str | Field] = []
    for piece in given.split("<"):
        inner, mark, after = piece.partition(">")
        parts += [Field(inner), after] if mark else [piece]
    return text_format(name, tokens([part for part in parts if part != ""], name))


_HEADS: Final = {
    "": "<peer> <ident> <user>",
    "vhost_": "<host>:<port> <remote> <dash> <user>",
    "site_": "<host> <address> <dash> <user>",
    "virtualmin_": "<peer> <dash> <hostname> <user>",
    "lighttpd_": "<peer> <hostname> <user>",
    "forwarded_": "<forwarded_list> <ident> <user>",
}
"""What may stand before the time of a CLF line. Their fields exclude each other, see docs/formats.md."""

_COMMON: Final = ' [<time>] "<request>" <status> <bytes>'
_BODIES: Final = {
    "combined": _COMMON + ' "<referer>" "<user_agent>"<rest>',
    "common": _COMMON + "<plain_rest>",
    "combined_cut": _COMMON + ' "<referer>" "<cut>',
}

CLF: Final = tuple(
    _listed(prefix + body, head + after) for body, after in _BODIES.items() for prefix, head in _HEADS.items()
)

_BALANCER: Final = (
    "<stamp> <word> <peer_port> <word> <part_s> <part_s> <part_s> <status> <count> <count> <bytes>"
    ' "<request>"'
)
_ALB: Final = "<scheme> " + _BALANCER + ' "<user_agent>" <word> <word> <word> "<trace>" "<site>"<any_rest>'
_ELB: Final = _BALANCER + ' "<user_agent>" <word> <word>'
_S3: Final = (
    '<word> <word> [<time>] <peer> <user> <word> <word> <word> "<request>" <status> <word> <bytes> <count>'
    ' <duration_ms> <count> "<referer>" "<user_agent>"<any_rest>'
)
_HAPROXY: Final = (
    "<peer_port> [<stamp>] <word> <word> <ignore>/<ignore>/<ignore>/<ignore>/<duration_ms> <status> <bytes>"
    " <word> <word> <word> <word> <word> "
)
_ENVOY_END: Final = (
    '<count> <bytes> <duration_ms> <word> "<forwarded>" "<user_agent>" "<ignore>" "<site>" "<ignore>"'
    "<any_rest>"
)
_ENVOY: Final = '[<stamp>] "<request>" <status> <word> ' + _ENVOY_END
_ISTIO: Final = '[<stamp>] "<request>" <status> <word> <word> <word> "<ignore>" ' + _ENVOY_END
_MANAGER_END: Final = (
    '<status> - <method> <word> <site> "<target>" [Client <peer>] [Length <bytes>] [Gzip <word>] '
)
_MANAGER: Final = "[<time>] <ignore> <ignore> " + _MANAGER_END + '[Sent-to <word>] "<user_agent>" "<referer>"'
_MANAGER_OWN: Final = "[<time>] " + _MANAGER_END + '"<user_agent>" "<referer>"'
_SQUID: Final = "<epoch> <padded> <peer> <word>/<status> <bytes> <method> <target> <user> <word> <word>"
_GCS: Final = (
    '"<epoch>","<peer>","<ignore>","<ignore>","<method>","<target>","<status>","<count>","<bytes>","<duration_us>",'
    '"<site>","<referer>","<user_agent>","<ignore>","<ignore>","<ignore>","<ignore>"'
)

OTHERS: Final = (
    _listed("alb", _ALB),
    _listed("elb", _ELB),
    _listed("elb_old", _BALANCER),
    _listed("haproxy", _HAPROXY + '"<request>"'),
    _listed("haproxy_captures", _HAPROXY + '{<ignore>} "<request>"'),
    _listed("envoy", _ENVOY),
    _listed("istio", _ISTIO),
    _listed("nginx_proxy_manager", _MANAGER),
    _listed("nginx_proxy_manager_own", _MANAGER_OWN),
    _listed("s3", _S3),
    _listed("squid", _SQUID),
    _listed("gcs", _GCS),
)

ORDER: Final[tuple[Format, ...]] = (*CLF, *JSON, *OTHERS, LtsvFormat())

_ANY: Final = bytes(range(256))
_DIGITS: Final = b"0123456789"
_FIRST: Final = dict.fromkeys(("peer", "host", "peer_port", "forwarded_list"), HOST_BYTES) | {
    "stamp": _DIGITS,
    "epoch": _DIGITS,
    "scheme": b"hgw",
}


def _first(one: Format) -> bytes:
    """The bytes that a line of this format may begin with."""
    if not isinstance(one, TextFormat):
        return b"{" if isinstance(one, JsonFormat) else _ANY
    token = one.tokens[0]
    return token[:1] if isinstance(token, bytes) else _FIRST.get(token.name, _ANY)


BY_FIRST_BYTE: Final = tuple(tuple(one for one in ORDER if byte in _first(one)) for byte in range(256))
"""ORDER without the formats that a line with this first byte cannot be of."""

DIRECTIVES: Final = {
    "nginx_main": '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent'
    ' "$http_referer" "$http_user_agent" "$http_x_forwarded_for"',
    "nginx_timing": '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent'
    ' "$http_referer" "$http_user_agent" $request_time $upstream_response_time',
    "ingress_nginx": '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent'
    ' "$http_referer" "$http_user_agent" $request_length $request_time [$proxy_upstream_name]'
    " [$proxy_alternative_upstream_name] $upstream_addr $upstream_response_length $upstream_response_time"
    " $upstream_status $req_id",
    "apache_combined_us": '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %D',
    "apache_combined_s": '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %T',
    "combinedio": '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %I %O',
    "vhost_combined_us": '%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i" %D',
}
"""Directives that can be named instead of pasted, where the ending of a line alone would be ambiguous."""


def named(given: str, where: str) -> tuple[Format, ...]:
    """The format of that name, or the one that a pasted directive describes. Raises SetupError."""
    own = tuple(one for one in ORDER if one.name == given)
    if own:
        return own
    if given in DIRECTIVES:
        return (text_format(given, compile_directive(DIRECTIVES[given], where)),)
    if "$" not in given and "%" not in given:
        known = sorted({one.name for one in ORDER} | DIRECTIVES.keys())
        expected = "a pasted nginx log_format or Apache LogFormat line, or one of " + ", ".join(known)
        raise SetupError(Problem(where, repr(given), expected))
    keys = template_keys(given)
    if keys is not None:
        return (JsonFormat("custom_json", keys=keys),)
    return (text_format("custom", compile_directive(given, where)),)


def confidence(name: str) -> float:
    """How sure a format is of what it reads, 0 to 1, by the name that `Formats.known` shows."""
    if name.endswith("+extra"):
        return 0.7  # all of combined, and more that nobody named
    if name.endswith(("_cut", "+duration")):
        return 0.5  # a line without its end; a number without its unit
    if name.rpartition(":")[2] in {"json", "common"}:
        return 0.9
    return 1.0
