"""Who may ask, from where, and what every answer carries."""

from __future__ import annotations

import httpx
import pytest
from web_sites import Site

from logvision.clock import SettableClock
from logvision.errors import SetupError
from logvision.web.auth import (
    FAILURES_ALLOWED,
    FAILURES_WINDOW_S,
    SESSION_S,
    Attempts,
    Sessions,
    hash_password,
    is_loopback,
    is_password,
)

pytestmark = pytest.mark.slow

PASSWORD = "correct horse"
HASH = hash_password(PASSWORD)


@pytest.fixture
def guarded(site: Site) -> httpx.Client:
    return site.client(host="0.0.0.0", password_hash=HASH, base_url="http://logs.example")  # noqa: S104


@pytest.mark.parametrize("path", ["/", "/api/meta", "/api/nothing", "/metrics", "/assets/x.js"])
def test_every_answer_carries_the_security_headers(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'self'"
    assert "script-src" not in policy  # so default-src holds: nothing inline, no eval
    assert policy["frame-ancestors"] == "'none'"
    assert policy["object-src"] == policy["base-uri"] == "'none'"
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")


def test_answers_of_the_api_are_kept_by_nobody(client: httpx.Client) -> None:
    assert client.get("/api/meta").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("host", ["127.0.0.1:8710", "localhost", "[::1]:8710", "LOCALHOST:1"])
def test_on_loopback_our_own_names_are_answered(client: httpx.Client, host: str) -> None:
    assert client.get("/api/meta", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8710", "", "evil.example:80"])
def test_on_loopback_a_foreign_name_is_refused(client: httpx.Client, host: str) -> None:
    answer = client.get("/api/meta", headers={"host": host})
    assert (answer.status_code, answer.json()) == (
        400,
        {"detail": "this host name is not one that LogVision listens to"},
    )


def test_a_name_that_is_allowed_is_answered(site: Site) -> None:
    client = site.client(allowed_hosts=("logs.example",))
    assert client.get("/api/meta", headers={"host": "logs.example"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://127.0.0.1:9999"},
    ],
)
def test_another_site_cannot_change_anything(client: httpx.Client, headers: dict[str, str]) -> None:
    address = f"/api/incidents/{1:032x}"
    answer = client.post(address, json={"revision": 1, "status": "closed"}, headers=headers)
    assert answer.status_code == 403
    assert client.get(address).json()["status"] == "open"


def test_the_page_itself_can(client: httpx.Client) -> None:
    headers = {"origin": "http://127.0.0.1:8710", "sec-fetch-site": "same-origin"}
    answer = client.post(
        f"/api/incidents/{1:032x}", json={"revision": 1, "status": "closed"}, headers=headers
    )
    assert answer.status_code == 200


def test_listening_elsewhere_without_a_password_does_not_start(site: Site) -> None:
    with pytest.raises(SetupError, match=r"expected a password \(web\.password_hash\), or 127\.0\.0\.1"):
        site.client(host="0.0.0.0")  # noqa: S104


CLOSED = [
    "/api/meta",
    "/api/totals",
    "/api/events",
    "/api/incidents",
    "/api/stream",
    "/api/export/events",
    "/api/openapi.json",
    "/api/nothing",
    "/metrics",
]


@pytest.mark.parametrize("path", CLOSED)
def test_everything_is_closed_without_the_password(guarded: httpx.Client, path: str) -> None:
    answer = guarded.get(path)
    assert (answer.status_code, answer.json()) == (401, {"detail": "a password is needed"})


def test_probes_and_the_login_page_stay_open(guarded: httpx.Client) -> None:
    assert guarded.get("/healthz").status_code == 200
    assert guarded.get("/").status_code == 503  # the page is not built here; it is not refused


def test_the_password_opens_a_session_and_logging_out_ends_it(guarded: httpx.Client) -> None:
    answer = guarded.post("/api/login", json={"password": PASSWORD})
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert guarded.get("/api/meta").json()["auth_required"] is True
    guarded.post("/api/logout")
    assert guarded.get("/api/meta").status_code == 401


def test_a_forged_or_expired_session_is_none(guarded: httpx.Client, site: Site) -> None:
    guarded.post("/api/login", json={"password": PASSWORD})
    real = guarded.cookies["logvision_session"]
    guarded.cookies.clear()
    for forged in ("", "x", "9999999999.x.", real[:-2], "9" + real, real.replace(".", ".x", 1)):
        answer = guarded.get("/api/meta", headers={"cookie": f"logvision_session={forged}"})
        assert answer.status_code == 401
    site.clock.advance(SESSION_S + 1)
    assert guarded.get("/api/meta", headers={"cookie": f"logvision_session={real}"}).status_code == 401


def test_guessing_is_slowed_down(guarded: httpx.Client, site: Site) -> None:
    for _ in range(FAILURES_ALLOWED):
        wrong = guarded.post("/api/login", json={"password": "wrong"})
        assert (wrong.status_code, wrong.json()) == (401, {"detail": "the password is wrong"})
    waiting = guarded.post("/api/login", json={"password": PASSWORD})
    assert waiting.status_code == 429
    assert int(waiting.headers["retry-after"]) == FAILURES_WINDOW_S
    site.clock.advance(FAILURES_WINDOW_S)
    assert guarded.post("/api/login", json={"password": PASSWORD}).status_code == 200


def test_passwords_are_kept_as_salted_hashes() -> None:
    assert is_password(PASSWORD, HASH)
    assert not is_password("correct horsf", HASH)
    assert hash_password(PASSWORD) != HASH
    assert PASSWORD not in HASH
    for damaged in ("", "scrypt$1$2", HASH[:-3] + "!!!", HASH.replace("scrypt", "plain")):
        assert not is_password(PASSWORD, damaged)


def test_a_session_of_one_process_is_good_in_another_and_ends_with_the_password() -> None:
    clock = SettableClock(1000.0)
    issued = Sessions(HASH, clock).issue()
    assert Sessions(HASH, clock).is_valid(issued)
    assert not Sessions(hash_password("new"), clock).is_valid(issued)


def test_wrong_passwords_of_many_addresses_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logvision.web.auth.ADDRESSES_KEPT", 3)
    attempts = Attempts(SettableClock())
    for number in range(10):
        for _ in range(FAILURES_ALLOWED):
            attempts.failed(f"192.0.2.{number}")
    assert attempts.wait_s("192.0.2.9") > 0
    assert attempts.wait_s("192.0.2.0") == 0
    assert len(attempts._failures) == 3


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104
        ("::", False),
        ("logs.example", False),
        ("", False),
    ],
)
def test_what_is_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_files_of_the_page_are_served_and_nothing_beside_them(site: Site) -> None:
    (site.static / "assets").mkdir(parents=True)
    (site.static / "index.html").write_text("<!doctype html><title>page</title>")
    (site.static / "assets" / "app-1a2b.js").write_text("1")
    (site.static.parent / "secret").write_text("secret")
    client = site.client()
    page = client.get("/incidents/17?q=x")
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-cache")
    assert page.text == "<!doctype html><title>page</title>"
    script = client.get("/assets/app-1a2b.js")
    assert script.headers["content-type"].startswith(("text/javascript", "application/javascript"))
    assert "immutable" in script.headers["cache-control"]
    assert client.get("/assets/none.js").status_code == 404
    for outside in ("/..%2fsecret", "/%2e%2e/secret", "/assets/..%2f..%2fsecret", "/a%00b", "/" + "x" * 5000):
        assert "secret" not in client.get(outside).text


def test_without_a_built_page_it_is_said_how_to_build_it(client: httpx.Client) -> None:
    answer = client.get("/")
    assert (answer.status_code, "its page is not built" in answer.text) == (503, True)
