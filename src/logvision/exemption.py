"""Exceptions that people make: what no longer counts as evidence, where, for how long, and why.

The type is named `Exemption`, for Python has exceptions of its own; people read "exception".
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final, Self

from logvision.errors import Problem, SetupError
from logvision.incident import from_iso, iso

MARK: Final = "except:"
"""Before an exception's id in EVENT.rules: this event counted as an attack but for that exception."""

SHAPE_READ: Final = 256
"""Bytes of a value that its shape is made of."""

TEXT_LIMIT: Final = 1_000  # characters of each text of an exception

PATH: Final = "{path}"
USER_AGENT: Final = "{user_agent}"
REFERER: Final = "{referer}"
"""What is no parameter of the query, where a parameter is named."""


@dataclass(frozen=True, slots=True)
class Exemption:
    """One exception. What is null holds for any; everything that is given must hold together.

    `rule`, `route`, `parameter`, `shape` and `site` are whole texts in which `*` stands for anything.
    """

    id: str
    author: str
    reason: str
    created: datetime
    expires: datetime | None = None  # of event time; null: never
    rule: str | None = None  # id as in EVENT.rules, also verify.sql, model
    route: str | None = None  # as in EVENT.route
    parameter: str | None = None  # its decoded name; or {path}, {user_agent}, {referer}
    shape: str | None = None  # as `shape_of` says
    site: str | None = None
    network: str | None = None  # client address or network, CIDR
    ended: datetime | None = None  # somebody took it back
    ended_by: str | None = None

    @classmethod
    def made(cls, *, author: str, reason: str, created: datetime, **scope: Any) -> Self:
        """A new one with an id of its own. Raises SetupError with every mistake."""
        problems = list(_problems(author, reason, created, scope))
        if problems:
            raise SetupError(problems)
        if scope.get("network") is not None:
            scope["network"] = str(ipaddress.ip_network(scope["network"], strict=False))
        said = repr((author, reason, iso(created), sorted(scope.items(), key=lambda each: each[0])))
        return cls(
            blake2b(said.encode(), digest_size=6).hexdigest(),
            author,
            reason,
            created.astimezone(UTC),
            **scope,
        )

    def holds(self, at: datetime) -> bool:
        """Whether it is in force for an event of this time."""
        return self.ended is None and (self.expires is None or at < self.expires)

    def about(self, rule: str) -> bool:
        """Whether it speaks of this rule."""
        return _fits(self.rule, rule)

    def is_at(self, site: str | None, route: str | None, client: str) -> bool:
        """Whether it speaks of this place and this client; `client`: an address, or what is none."""
        return self.is_about(site, route) and (self.network is None or _within(client, self.network))

    def is_about(self, site: str | None, route: str | None) -> bool:
        """Whether it speaks of this place, whoever asks there."""
        return _fits(self.site, site) and _fits(self.route, route)

    def covers(self, parameter: str | None, value: bytes) -> bool:
        """Whether it speaks of such a value. `parameter` null: of a request as a whole."""
        if parameter is None:
            return self.parameter is None and self.shape is None
        return _fits(self.parameter, parameter) and (self.shape is None or _fits(self.shape, shape_of(value)))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            name: iso(value) if isinstance(value, datetime) else value
            for name in self.__slots__
            for value in [getattr(self, name)]
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        known: dict[str, Any] = {name: value for name, value in document.items() if name in cls.__slots__}
        for name in ("created", "expires", "ended"):
            if known.get(name) is not None:
                known[name] = from_iso(known[name])
        return cls(**known)


def shape_of(value: bytes) -> str:
    """The shape of a value: each run of letters as `a`, of digits as `0`, of blanks as a blank, of bytes
    beyond ASCII as `~`; each other character as itself. `O'Brien 42` is `a'a 0`."""
    shape = value[:SHAPE_READ].translate(_CLASSES)
    kept = [byte for i, byte in enumerate(shape) if byte not in _RUNS or not i or byte != shape[i - 1]]
    return bytes(kept).decode("latin-1")


_RUNS: Final = b"a0 ~"
_CLASSES: Final = bytes(
    ord("a") if chr(byte).isalpha() and byte < 128
    else ord("0") if chr(byte).isdigit() and byte < 128
    else ord(" ") if byte <= 32
    else ord("~") if byte >= 127
    else byte
    for byte in range(256)
)  # fmt: skip


def _fits(pattern: str | None, text: str | None) -> bool:
    """Whether a text fits a pattern in which `*` stands for anything; linear in both."""
    if pattern is None:
        return True
    if text is None:
        return False
    first, *rest = pattern.split("*")
    if not rest:
        return text == pattern
    if not text.startswith(first) or len(text) < len(first) + len(rest[-1]) or not text.endswith(rest[-1]):
        return False
    at, end = len(first), len(text) - len(rest[-1])
    for part in rest[:-1]:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def _within(client: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(client) in ipaddress.ip_network(network)
    except ValueError:  # what is no address (any more: see `lake.anonymise`) is in no network
        return False


def _problems(author: str, reason: str, created: datetime, scope: Mapping[str, Any]) -> Iterable[Problem]:
    for name, text in (("author", author), ("reason", reason)):
        if not text.strip():
            yield Problem(name, "nothing", "who makes the exception, and why")
    if not any(scope.get(name) for name in ("rule", "route", "parameter", "shape")):
        yield Problem("exception", "one of everything", "a rule, a route, a parameter or a shape")
    for name in ("author", "reason", "rule", "route", "parameter", "shape", "site", "network"):
        given = {"author": author, "reason": reason, **scope}.get(name)
        if given is not None and len(given) > TEXT_LIMIT:
            yield Problem(name, f"{len(given)} characters", f"at most {TEXT_LIMIT}")
    expires = scope.get("expires")
    if expires is not None and expires <= created:
        yield Problem("expires", iso(expires), "a time to come")
    network = scope.get("network")
    if network is not None:
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError:
            yield Problem("network", repr(network), "an address or a network, e.g. 192.0.2.0/24")
