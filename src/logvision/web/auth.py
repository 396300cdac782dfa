"""Passwords and sessions: scrypt, signed cookies that any process of the fleet can check, slow guessing."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import secrets
import threading
from collections import OrderedDict
from typing import Final

from logvision.clock import Clock

COOKIE: Final = "logvision_session"
SESSION_S: Final = 7 * 86_400

FAILURES_ALLOWED: Final = 5  # wrong passwords of one address ...
FAILURES_WINDOW_S: Final = 60.0  # ... within this time; then it waits
ADDRESSES_KEPT: Final = 10_000  # of those who guessed wrong

_N, _R, _P = 1 << 15, 8, 1  # 32 MB and about 0.1 s a try; RFC 7914


def hash_password(password: str, salt: bytes | None = None) -> str:
    """The text to keep of a password: `scrypt$n$r$p$salt$hash`. Random salt unless given."""
    salt = secrets.token_bytes(16) if salt is None else salt
    made = _scrypt(password, salt, _N, _R, _P)
    return f"scrypt${_N}${_R}${_P}${base64.b64encode(salt).decode()}${base64.b64encode(made).decode()}"


def new_password() -> str:
    """A password for an operator who set none: 96 random bits in 16 characters."""
    return secrets.token_urlsafe(12)


def is_password(password: str, kept: str) -> bool:
    """Whether `kept` was made of this password; takes the same time either way."""
    try:
        name, n, r, p, salt, hashed = kept.split("$")
        wanted = base64.b64decode(hashed, validate=True)
        made = _scrypt(password, base64.b64decode(salt, validate=True), int(n), int(r), int(p))
    except (ValueError, binascii.Error):
        return False
    return name == "scrypt" and hmac.compare_digest(made, wanted)


def is_loopback(host: str) -> bool:
    """Whether listening on `host` reaches this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Sessions:
    """Signed sessions. The key comes from the password's hash, so a new password ends them all."""

    def __init__(self, password_hash: str, clock: Clock) -> None:
        self._key = hashlib.sha256(b"logvision session " + password_hash.encode()).digest()
        self._clock = clock

    def issue(self) -> str:
        """A cookie value good for SESSION_S."""
        body = f"{int(self._clock.now()) + SESSION_S}.{secrets.token_urlsafe(9)}"
        return f"{body}.{self._sign(body)}"

    def is_valid(self, value: str) -> bool:
        body, _, signature = value.rpartition(".")
        if not body or not hmac.compare_digest(signature.encode(), self._sign(body).encode()):
            return False
        return int(body.partition(".")[0]) > self._clock.now()

    def _sign(self, body: str) -> str:
        signed = hmac.new(self._key, body.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(signed).decode().rstrip("=")


class Attempts:
    """Counts wrong passwords per address, the oldest forgotten first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: OrderedDict[str, list[float]] = OrderedDict()

    def wait_s(self, address: str) -> float:
        """Seconds until this address may try again; 0: now."""
        with self._lock:
            recent = self._recent(address)
            return (
                recent[0] + FAILURES_WINDOW_S - self._clock.monotonic()
                if len(recent) >= FAILURES_ALLOWED
                else 0.0
            )

    def failed(self, address: str) -> None:
        with self._lock:
            self._failures[address] = [*self._recent(address), self._clock.monotonic()]
            self._failures.move_to_end(address)
            if len(self._failures) > ADDRESSES_KEPT:
                self._failures.popitem(last=False)

    def succeeded(self, address: str) -> None:
        with self._lock:
            self._failures.pop(address, None)

    def _recent(self, address: str) -> list[float]:
        since = self._clock.monotonic() - FAILURES_WINDOW_S
        return [at for at in self._failures.get(address, []) if at > since]


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=256 << 20, dklen=32)
