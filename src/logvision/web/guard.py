"""The guard in front of every request: host name, origin, session, and security headers on every answer."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from logvision.web.auth import COOKIE, Sessions, is_loopback

CSP: Final = "; ".join(
    [
        "default-src 'self'",
        # Charts and menus place themselves by style attributes; no script can come of it.
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)

HEADERS: Final = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}

LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN: Final = frozenset({"/api/login", "/api/logout"})
ALIVE: Final = "/healthz"
METRICS: Final = "/metrics"
CLOSED: Final = ("/api/", METRICS)


class Guard:
    """ASGI middleware. `sessions` None: no password is asked."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        host: str,
        allowed_hosts: Iterable[str],
        sessions: Sessions | None,
        metrics_token: str | None = None,
    ) -> None:
        """`metrics_token`: opens METRICS beside a session."""
        self._app = app
        self._sessions = sessions
        self._bearer = None if metrics_token is None else f"Bearer {metrics_token}".encode()
        allowed = {name.lower() for name in allowed_hosts}
        # On loopback the Host header must be ours: a name of somebody else's that resolves to
        # 127.0.0.1 would otherwise read this page (DNS rebinding).
        self._hosts = allowed | LOOPBACK_NAMES if is_loopback(host) or allowed else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith(CLOSED):
                    headers.setdefault("cache-control", "no-store")
            await send(message)

        refusal = self._refusal(HTTPConnection(scope))
        await (refusal or self._app)(scope, receive, send_guarded)

    def _measures(self, path: str, headers: Headers) -> bool:
        """Whether a monitoring system asks for what it may have."""
        given = headers.get("authorization", "").encode()
        return path == METRICS and self._bearer is not None and hmac.compare_digest(given, self._bearer)

    def _refusal(self, request: HTTPConnection) -> JSONResponse | None:
        headers, path = request.headers, request.url.path
        if path == ALIVE:  # asked by address, by whoever restarts us; it tells nothing
            return None
        if self._hosts is not None and _host_name(headers.get("host", "")) not in self._hosts:
            return _refuse(400, "this host name is not one that LogVision listens to")
        if request.scope["method"] not in SAFE and not _same_origin(headers):
            return _refuse(403, "the request comes from another site")
        if self._sessions and path not in OPEN and path.startswith(CLOSED):
            cookie = request.cookies.get(COOKIE, "")
            if not self._sessions.is_valid(cookie) and not self._measures(path, headers):
                return _refuse(401, "a password is needed")
        return None


def _host_name(host: str) -> str:
    """The name in a Host header, without its port."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()


def _same_origin(headers: Headers) -> bool:
    """Whether a page of ours, or no page at all, sent this."""
    site = headers.get("sec-fetch-site")
    if site is not None and site not in {"same-origin", "none"}:
        return False
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc.lower() == headers.get("host", "").lower()


def _refuse(status: int, sentence: str) -> JSONResponse:
    return JSONResponse({"detail": sentence}, status)
