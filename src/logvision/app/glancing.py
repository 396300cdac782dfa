"""A glance: the few numbers that `top` shows, asked of a running LogVision."""

from __future__ import annotations

import http.cookiejar
import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urljoin, urlsplit

from logvision.errors import LogVisionError, Problem, SetupError

ROWS: Final = 8
DIMENSIONS: Final = ("route", "client_ip", "status")
PATIENCE_S: Final = 20.0
ANSWER_LIMIT: Final = 8 << 20  # B; what answers may not be LogVision


@dataclass(frozen=True, slots=True)
class Glance:
    """What happens. Rows are documents of the web API, their text hostile."""

    where: str  # who was asked
    totals: Mapping[str, Any]  # with `rate_now` and `incidents_open`
    tops: Mapping[str, Sequence[Mapping[str, Any]]]  # by DIMENSIONS
    incidents: Sequence[Mapping[str, Any]]  # newest first


class PasswordNeeded(LogVisionError):
    """It answers only after `login`."""


class Remote:
    """Asks the web API of a running LogVision."""

    def __init__(self, url: str) -> None:
        """Raises SetupError for anything but an http or https address."""
        if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
            raise SetupError(Problem("--url", repr(url), "an address such as http://127.0.0.1:8710/"))
        self._url = url if url.endswith("/") else f"{url}/"
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(cookies)

    def login(self, password: str) -> None:
        """Raises SetupError when the password is wrong."""
        self._ask("api/login", {"password": password}, wrong="the password is wrong")

    def glance(self, asked: Mapping[str, str]) -> Glance:
        """`asked` are parameters of the API: from, to, site, q. Raises SetupError when nobody answers,
        PasswordNeeded when a password is needed."""
        query = urlencode(asked)
        limited = urlencode({**asked, "limit": ROWS})
        return Glance(
            where=self._url,
            totals=self._ask(f"api/totals?{query}"),
            tops={name: self._ask(f"api/top/{name}?{limited}")["rows"] for name in DIMENSIONS},
            incidents=self._ask(f"api/incidents?{urlencode({'limit': ROWS, 'status': 'open'})}")["rows"],
        )

    def _ask(self, path: str, body: Mapping[str, Any] | None = None, *, wrong: str | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - the scheme was looked at
            urljoin(self._url, path), data, {"content-type": "application/json"}
        )
        try:
            with self._opener.open(request, timeout=PATIENCE_S) as answer:
                return json.loads(answer.read(ANSWER_LIMIT))
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 401 and wrong is None:
                    raise PasswordNeeded("a password is needed") from None
                said = wrong if error.code == 401 and wrong else _detail(error)
            raise SetupError(Problem("--url", f"{self._url}: {said}", "a LogVision that answers")) from None
        except (urllib.error.URLError, OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise SetupError(Problem("--url", f"{self._url}: {reason}", "a LogVision that answers")) from None


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read(ANSWER_LIMIT))["detail"])
    except (ValueError, KeyError, TypeError):
        return f"{error.code} {error.reason}"
