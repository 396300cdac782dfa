"""JSON lines: one object a line, from nginx, Caddy, Traefik, Envoy, Cloudflare, Google Cloud and others.

Keys are known by their meaning, whatever program wrote them. nginx without `escape=json` writes `\\xHH`,
which is not JSON: such a line is repaired so that the text keeps its `\\xHH`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import orjson

KEYS: Final[dict[str, str]] = {
    key: name
    for name, keys in {
        "time": "time time_local time_iso8601 iso8601 msec @timestamp timestamp ts datetime date_time date"
        " start_time startutc starttime edgestarttimestamp time_iso request_start eventtime",
        "peer": "remote_addr client_ip clientip remote_ip remoteip client ip remote_address remote_host"
        " clienthost downstream_remote_address_without_port downstream_remote_address client_addr"
        " c_ip src_ip host_ip source_ip ip_address x_real_ip http_x_real_ip",
        "user": "remote_user user clientusername user_name username auth_user",
        "method": "method request_method requestmethod http_method clientrequestmethod verb",
        "target": "request_uri requestpath clientrequesturi uri_path_query url requesturl original_path",
        "path": "uri path request_path url_path document_uri uri_path clientrequestpath",
        "query": "args query query_string request_query querystring uri_query url_query",
        "request": "request request_line http_request requestline",
        "protocol": "protocol server_protocol requestprotocol http_version clientrequestprotocol proto"
        " httpversion",
        "status": "status status_code response_code responsecode downstreamstatus edgeresponsestatus"
        " http_status response_status statuscode sc_status",
        "bytes": "bytes_sent body_bytes_sent bytes size downstreamcontentsize edgeresponsebytes response_size"
        " responsesize body_sent sc_bytes bytes_out response_bytes",
        "referer": "http_referer referer http_referrer referrer request_referer clientrequestreferer",
        "user_agent": "http_user_agent user_agent useragent agent request_user-agent user-agent"
        " clientrequestuseragent http_user-agent ua",
        "site": "host http_host vhost server_name requesthost clientrequesthost authority virtual_host"
        " servername site domain",
        "forwarded": "http_x_forwarded_for x_forwarded_for xff proxy_add_x_forwarded_for "
        "request_x-forwarded-for x-forwarded-for forwarded_for",
        "duration_s": "request_time requesttime request_duration response_time responsetime elapsed",
        "duration_ms": "request_time_ms duration_ms elapsed_ms latency_ms response_time_ms took"
        " edgetimetofirstbytems",
        "duration_us": "request_time_us duration_us",
    }.items()
    for key in keys.split()
}
"""Lower-case key to field. The first key of an object that says something stands."""

GCP: Final = {
    "requestMethod": "method",
    "requestUrl": "target",
    "status": "status",
    "responseSize": "bytes",
    "userAgent": "user_agent",
    "remoteIp": "peer",
    "referer": "referer",
    "protocol": "protocol",
}
CADDY: Final = {"method": "method", "uri": "target", "host": "site", "proto": "protocol"}
DIALECTS: Final = (
    # name, keys that only it has
    ("caddy_json", frozenset({"request", "ts"})),
    ("traefik_json", frozenset({"RequestMethod", "RequestPath"})),
    ("cloudflare_json", frozenset({"ClientRequestMethod", "ClientIP"})),
    ("envoy_json", frozenset({"start_time", "response_code"})),
    ("gcp_json", frozenset({"httpRequest"})),
)
INNER: Final = {"caddy_json": "request", "gcp_json": "httpRequest"}
"""Dialects that keep the request in an object of its own."""


class BadObject(ValueError):
    """Looks like JSON and is not, or lacks what a request needs."""


@dataclass(frozen=True, slots=True)
class JsonFormat:
    """Objects with the keys above; `dialect` restricts it to one program's."""

    name: str
    dialect: str | None = None
    keys: Mapping[str, str] | None = None  # an operator's own keys, nothing else counts
    plan: None = None

    def read(self, line: bytes) -> dict[str, bytes] | None:
        """Field name to raw text; None when the line is no object of this dialect. Raises BadObject."""
        if line[:1] != b"{":
            return None
        given, dialect = _load(line)
        if given is None:
            if self.dialect is None:
                raise BadObject("not JSON")
            return None
        values: dict[str, bytes] = {}
        if self.dialect is not None:
            if dialect != self.dialect:
                return None
            values = READERS[self.dialect](given)
        elif self.keys is not None:
            for key, name in self.keys.items():
                _put(values, name, given.get(key))
        elif dialect is not None:
            return None
        else:
            values = _flat(given)
        if "time" not in values or not ("target" in values or "path" in values or "request" in values):
            raise BadObject("no time or no request in it")
        return values


@lru_cache(maxsize=1)  # every dialect asks for the same line in turn
def _load(line: bytes) -> tuple[Mapping[str, Any] | None, str | None]:
    """The object and its dialect; None when the line is no object."""
    try:
        given = orjson.loads(line)
    except orjson.JSONDecodeError:
        try:
            words = line.decode("utf-8", "backslashreplace")
            given = orjson.loads(_repaired(words))
        except orjson.JSONDecodeError:
            return None, None
    return (given, _dialect(given)) if isinstance(given, dict) else (None, None)


def _repaired(words: str) -> str:
    """`\\xHH`, which JSON does not know, with its backslash escaped; escapes that JSON knows are left."""
    pieces = words.split("\\\\")
    return "\\\\".join(piece.replace("\\x", "\\\\x") for piece in pieces)


def _dialect(given: Mapping[str, Any]) -> str | None:
    for name, keys in DIALECTS:
        if keys <= given.keys() and isinstance(given.get(INNER.get(name, "")), dict) == (name in INNER):
            return name
    return None


def _raw(value: Any) -> bytes | None:
    """A JSON value as the bytes that a text log would hold; None for what says nothing."""
    if isinstance(value, str):
        return (value.replace("\0", "\\x00") if "\0" in value else value).encode() or None
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return b"%d" % value
    if isinstance(value, float):
        return (f"{value:.9f}".rstrip("0").rstrip(".") or "0").encode()
    if isinstance(value, list):
        return b", ".join(part for part in map(_raw, value) if part) or None
    return None


def _put(values: dict[str, bytes], name: str, value: Any) -> None:
    raw = _raw(value)
    if raw is not None and (name not in values or values[name] == b"-"):
        values[name] = raw


def _flat(given: Mapping[str, Any]) -> dict[str, bytes]:
    values: dict[str, bytes] = {}
    for key, value in given.items():
        name = KEYS.get(key) or KEYS.get(key.lower())
        if name is not None and values.get(name, b"-") == b"-" and (raw := _raw(value)) is not None:
            values[name] = raw
    if "request" in values and ("target" in values or "path" in values) and b" " not in values["request"]:
        del values["request"]
    return values


def _caddy(given: Mapping[str, Any]) -> dict[str, bytes]:
    request = given["request"]
    values: dict[str, bytes] = {}
    _put(values, "time", given["ts"])
    for key, name in CADDY.items():
        _put(values, name, request.get(key))
    _put(values, "peer", request.get("client_ip") or request.get("remote_ip") or request.get("remote_addr"))
    _put(values, "user", given.get("user_id"))
    _put(values, "status", given.get("status"))
    _put(values, "bytes", given.get("size"))
    _put(values, "duration_s", given.get("duration"))
    headers = request.get("headers")
    if isinstance(headers, dict):
        for key, name in (
            ("User-Agent", "user_agent"),
            ("Referer", "referer"),
            ("X-Forwarded-For", "forwarded"),
        ):
            _put(values, name, headers.get(key))
    return values


def _traefik(given: Mapping[str, Any]) -> dict[str, bytes]:
    values: dict[str, bytes] = {}
    for key, name in (
        ("StartUTC", "time"),
        ("time", "time"),
        ("ClientHost", "peer"),
        ("ClientAddr", "peer"),
        ("ClientUsername", "user"),
        ("RequestMethod", "method"),
        ("RequestPath", "target"),
        ("RequestProtocol", "protocol"),
        ("RequestHost", "site"),
        ("DownstreamStatus", "status"),
        ("DownstreamContentSize", "bytes"),
        ("Duration", "duration_ns"),
        ("request_Referer", "referer"),
        ("request_User-Agent", "user_agent"),
        ("request_X-Forwarded-For", "forwarded"),
    ):
        _put(values, name, given.get(key))
    return values


def _envoy(given: Mapping[str, Any]) -> dict[str, bytes]:
    values = _flat({key: value for key, value in given.items() if key != "duration"})
    if "path" in values and "target" not in values:
        values["target"] = values.pop("path")
    _put(values, "duration_ms", given.get("duration"))
    return values


def _gcp(given: Mapping[str, Any]) -> dict[str, bytes]:
    request = given["httpRequest"]
    values: dict[str, bytes] = {}
    _put(values, "time", given.get("timestamp") or given.get("receiveTimestamp"))
    for key, name in GCP.items():
        _put(values, name, request.get(key))
    latency = request.get("latency")
    _put(values, "duration_s", latency.removesuffix("s") if isinstance(latency, str) else latency)
    return values


READERS: Final[dict[str, Callable[[Mapping[str, Any]], dict[str, bytes]]]] = {
    "caddy_json": _caddy,
    "traefik_json": _traefik,
    "cloudflare_json": _flat,
    "envoy_json": _envoy,
    "gcp_json": _gcp,
}

JSON: Final = (*(JsonFormat(name, name) for name, _ in DIALECTS), JsonFormat("json"))
