"""Every scenario as lines of one log, read by a whole scan: one incident each, said rightly; and busy
applications between them, which are none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from whole_runs import AGENT, scan

from logvision.incident import Incident

START = datetime(2024, 3, 4, tzinfo=UTC)
APART = timedelta(days=2)  # so that no story is part of another
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


class Hit(NamedTuple):
    """One request of a story, `at` seconds after it begins."""

    at: float
    target: str
    status: int = 200
    method: str = "GET"
    client: str = ""  # "": that of the story
    agent: str = AGENT
    size: int = 5120


Story = Callable[[], Iterator[Hit]]


def words(status: int, count: int, every: float, form: str = "/{}") -> Iterator[Hit]:
    names = [
        "alpha",
        "bravo",
        "delta",
        "echo",
        "hotel",
        "india",
        "kilo",
        "lima",
        "mike",
        "papa",
        "romeo",
        "tango",
    ]
    return (
        Hit(n * every, form.format(f"{names[n % 12]}{names[n // 12 % 12]}{'s' * (n // 144)}"), status)
        for n in range(count)
    )


def guesses(count: int, every: float, target: str, status: int, **more: str) -> Iterator[Hit]:
    return (Hit(n * every, target, status, "POST", size=900, **more) for n in range(count))  # type: ignore[arg-type]


def spread(count: int, every: float, target: str, status: int, address: str) -> Iterator[Hit]:
    return (
        Hit(n * every, target, status, "POST", address.format(n % 30, n % 30 + 1), size=900)
        for n in range(count)
    )


ATTACKS: dict[str, tuple[Story, str]] = {
    "api-abuse": (
        lambda: (Hit(n / 5, f"/api/v2/users/{n}", 403) for n in range(200)),
        "tried going through names and numbers: 200 requests",
    ),
    "basic-auth-brute-force": (
        lambda: (Hit(n * 1.0, "/private/", 401, size=381) for n in range(60)),
        "tried password guessing: 60 requests within 59 seconds; no password fitted.",
    ),
    "cache-busting": (
        lambda: (Hit(n / 10, f"/shop?view=all&{n}734512") for n in range(120)),
        "tried flooding: 120 requests within 11 seconds; the server held.",
    ),
    "credential-stuffing": (
        lambda: spread(90, 3, "/api/v1/session", 401, "10.{}.{}.7"),
        "30 addresses tried stolen passwords: 90 requests within 4 minutes; no password fitted.",
    ),
    "credential-stuffing-form": (
        lambda: spread(90, 3, "/account/login", 200, "10.{}.{}.7"),
        "30 addresses tried stolen passwords: 90 requests within 4 minutes; no password fitted.",
    ),
    "directory-brute-force": (
        lambda: (Hit(n / 20, f"/{n:x}.css", 404) for n in range(400)),
        "tried going through names and numbers: 400 requests",
    ),
    "fake-crawler": (
        lambda: (Hit(n * 20.0, f"/article/{n}", agent=GOOGLEBOT) for n in range(20)),
        "tried posing as a search engine: 20 requests within 6 minutes.",
    ),
    "flooding": (
        lambda: (Hit(n / 40, "/", 503 if n > 700 else 200) for n in range(1200)),
        "tried flooding: 1200 requests within 29 seconds; the server gave way.",
    ),
    "login-brute-force": (
        lambda: guesses(60, 2, "/api/v1/session", 401),
        "tried password guessing: 60 requests within 118 seconds; no password fitted.",
    ),
    "login-brute-force-slow": (
        lambda: guesses(60, 600, "/signin", 401),
        "tried password guessing: 60 requests within 9 hours; no password fitted.",
    ),
    "login-form-brute-force": (
        lambda: guesses(60, 3, "/user/login", 200),
        "tried password guessing: 60 requests within 2 minutes; no password fitted.",
    ),
    "parameter-brute-force": (
        lambda: (Hit(n / 5, f"/item/view?ref={n * 7919}", 500) for n in range(200)),
        "tried going through names and numbers: 200 requests",
    ),
    "password-spraying-network": (
        lambda: spread(60, 40, "/signin", 401, "198.51.100.{1}"),
        "30 addresses of 198.51.100.0/24 tried stolen passwords: 60 requests within 39 minutes; no password",
    ),
    "probing": (
        lambda: words(404, 60, 1),
        "tried admin and framework paths: 60 requests within 59 seconds; nothing it tried was there.",
    ),
    "probing-slow": (
        lambda: words(404, 60, 600),
        "tried admin and framework paths: 60 requests within 9 hours; nothing it tried was there.",
    ),
    "probing-network": (
        lambda: (
            hit._replace(at=n * 5.0, client=f"192.0.2.{n % 40 + 1}")
            for n, hit in enumerate(words(404, 120, 5))
        ),
        "40 addresses of 192.0.2.0/24",
    ),
    "xmlrpc-brute-force": (
        lambda: guesses(40, 5, "/xmlrpc.php", 200),
        "tried password guessing: 40 requests within 3 minutes",
    ),
    "user-enumeration": (
        lambda: (Hit(n * 2.0, f"/?author={n}", 404) for n in range(1, 13)),
        "tried going through names and numbers: 12 requests within 22 seconds; nothing it tried was there.",
    ),
}
"""By scenario: what is sent, and a part of the sentence that it becomes."""


def photos() -> Iterator[Hit]:
    for n in range(600):
        yield Hit(n / 60, f"/photos/thumb/{n}.jpg", 404 if n % 3 == 0 else 200)


def syncing() -> Iterator[Hit]:
    for n in range(1500):
        yield Hit(n / 4, f"/api/v1/sync?since={1700000000 + n}", 304 if n % 2 else 200)
        if n % 60 == 0:
            yield Hit(n / 4 + 0.05, "/api/v1/token/refresh", 401, "POST")
            yield Hit(n / 4 + 0.06, "/api/v1/token/refresh", 200, "POST")
        if n % 9 == 0:  # what was deleted elsewhere
            yield Hit(n / 4 + 0.1, f"/api/v1/items/{n * 31}", 404)


def scrolling() -> Iterator[Hit]:
    for n in range(400):
        yield Hit(n / 3, f"/api/v1/feed?cursor={n * 97:08x}&_={1700000000000 + n}")
        yield Hit(n / 3 + 0.1, f"/img/{n}.webp", 200)


def office() -> Iterator[Hit]:
    """Sixty people behind one address, of whom a few mistype their password."""
    for n in range(300):
        agent = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/{90 + n % 60}.0.0.0 Safari/537.36"
        yield Hit(n * 4.0, "/account/login", agent=agent)
        if n % 6 == 0:
            yield Hit(n * 4.0 + 1, "/account/login", 200, "POST", agent=agent)
        yield Hit(n * 4.0 + 2, "/account/login", 302, "POST", agent=agent)
        yield Hit(n * 4.0 + 3, f"/article/{n % 40}", agent=agent)


def watching() -> Iterator[Hit]:
    for n in range(2000):
        yield Hit(n * 30.0, "/health", 503 if 900 < n < 960 else 200, agent="Uptime-Check/2.0")


def reading() -> Iterator[Hit]:
    """Somebody whose bookmarks are old, and who searches for code."""
    for n in range(40):
        yield Hit(n * 45.0, f"/article/{n}", 404 if n % 5 == 0 else 200)
        if n % 5 == 1:
            yield Hit(n * 45.0 + 9, f"/search?q=select+{n}+from+dual", 200)


CALM: dict[str, Story] = {
    "a grid of photos": photos,
    "an application that syncs": syncing,
    "an endless page": scrolling,
    "an office": office,
    "a monitor": watching,
    "a reader": reading,
}


@pytest.fixture(scope="module")
def incidents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Incident]]:
    """The incidents that stand by themselves, by the story during which they began."""
    folder = tmp_path_factory.mktemp("scenarios")
    stories = {name: story for name, (story, _) in ATTACKS.items()} | CALM
    lines: list[tuple[datetime, str]] = []
    for number, story in enumerate(stories.values()):
        begin = START + number * APART
        visits = (
            Hit(n * 60.0, target, client=f"100.{n % 100}.{n // 100}.9", size=4000 + n % 7)
            for n, target in enumerate(["/", "/shop?view=all", "/article/7", "/account/login"] * 12)
        )
        for hit in (*visits, *story()):
            at = begin + timedelta(seconds=hit.at)
            lines.append(
                (
                    at,
                    f"{hit.client or f'203.0.{number}.5'} - - [{at:%d/%b/%Y:%H:%M:%S} +0000]"
                    f' "{hit.method} {hit.target} HTTP/1.1" {hit.status} {hit.size} "-" "{hit.agent}"',
                )
            )
    lines.sort(key=lambda pair: pair[0])
    log = folder / "access.log"
    log.write_text("".join(f"{line}\n" for _, line in lines), encoding="utf-8")
    run = scan(log, folder / "data")
    found: dict[str, list[Incident]] = {name: [] for name in stories}
    for incident in run.incidents():
        if incident.part_of is None:
            found[list(stories)[(incident.first_seen - START) // APART]].append(incident)
    return found


@pytest.mark.parametrize("name", ATTACKS)
def test_a_story_of_a_scenario_is_one_incident_with_a_right_sentence(
    name: str, incidents: dict[str, list[Incident]]
) -> None:
    (incident,) = incidents[name]
    assert ATTACKS[name][1] in incident.summary
    assert name in incident.rules


@pytest.mark.parametrize("name", CALM)
def test_busy_applications_are_no_incident(name: str, incidents: dict[str, list[Incident]]) -> None:
    assert [each.summary for each in incidents[name]] == []
