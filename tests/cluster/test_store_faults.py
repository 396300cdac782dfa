"""An engine whose MongoDB or Redis goes away: every line once, the incidents of an undisturbed run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from cli_logs import line
from fleet import Page, run
from logvision.lake.queries import Database, tables
from logvision.lake.queries import Question as Events
from logvision.lake.segments import Lake
from servers import MongoDB, Redis
from servers.process import answers

pytestmark = [pytest.mark.cluster("mongodb", "redis_server"), pytest.mark.slow, pytest.mark.timeout(300)]

LINES = 1_200
ATTACKS = (
    "/?id={n}%27%20UNION%20SELECT%20password%20FROM%20users--",
    "/?name=../../../../etc/passwd&n={n}",
    "/?q=%3Cscript%3Ealert({n})%3C/script%3E",
)


def text(number: int) -> str:
    """One line of a log in which three actors attack and one guesses passwords.

    All of one route, so that what is learned of the site does not hang on where a batch was cut.
    """
    if number % 25 == 7:
        kind = number // 25 % 3
        return line(number, ATTACKS[kind].format(n=number), address=f"198.51.{kind}.1")
    if 270 <= number < 330:  # over the end of a first part of 300
        return line(number, "/", address="192.0.2.9", status=401)
    return line(number)


class Growing:
    """A log that is written in parts, and what becomes of it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "access.log"
        self.path.touch()
        self.data = folder / "data"
        self.written = 0

    def grow(self, upto: int) -> int:
        with self.path.open("a") as file:
            file.write("".join(f"{text(number)}\n" for number in range(self.written, upto)))
        self.written = upto
        return upto

    def rows(self) -> Counter[int]:
        """How often each line stands in the lake; a line's number is its size less 1000."""
        found = Counter[int]()
        with Lake.open(self.data, writer=False) as lake:
            for table in tables(Database(lake), Events()):
                found.update(size - 1000 for size in table.column("bytes").to_pylist())
        return found


@pytest.fixture
def log(tmp_path: Path) -> Growing:
    return Growing(tmp_path)


def undisturbed(log: Growing) -> list[dict[str, Any]]:
    """The incidents of the whole log, read in one go beside SQLite."""
    data = log.path.parent / "undisturbed"
    done = run("scan", log.path, "--data", data)
    assert done.returncode == 0, done.stderr
    found = incidents(data, "sqlite")
    assert [row["actor"] for row in found if "brute_force" in row["attacks"]] == ["ip:192.0.2.9"]
    assert len(found) == 4
    return found


def incidents(data: Path, url: str) -> list[dict[str, Any]]:
    """Every incident as detection left it, without what people decided.

    Of behaviour without id and evidence: both name the events of the batch in which it was noticed.
    """
    done = run("export", "incidents", "--data", data, "--format", "json", LOGVISION_CASEBOOK__URL=url)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(row) for row in done.stdout.splitlines()]
    for row in rows:
        behaviour = "brute_force" in row["attacks"]
        for left in ("status", "note", "revision", "history", *(("id", "evidence") if behaviour else ())):
            del row[left]
    return sorted(rows, key=lambda row: str(row["actor"]))


@pytest.fixture
def url(mongodb: MongoDB, tmp_path: Path) -> Iterator[str]:
    yield f"{mongodb.url}{tmp_path.name}"
    if not answers(mongodb.port):
        mongodb.start()


@pytest.fixture
def watch(log: Growing, url: str, redis_server: Redis) -> Iterator[Callable[[], Page]]:
    """The engine, started as often as it is called."""
    started: list[Page] = []

    def engine() -> Page:
        stores = ["--data", log.data, "--casebook", url, "--live", redis_server.url]
        started.append(Page("watch", log.path, *stores, LOGVISION_LAKE__FLUSH_S="0.2"))
        return started[-1]

    yield engine
    for one in started:
        one.kill()
    if not answers(redis_server.port):
        redis_server.start()


def shows(page: Page, lines: int) -> None:
    page.until(lambda: page.get("api/totals")["requests"] == lines, f"{lines} lines")


def stored(log: Growing, lines: int, page: Page) -> None:
    page.until(lambda: log.rows().total() >= lines, f"{lines} lines in the lake")


def test_mongodb_that_is_gone_for_a_while_costs_nothing_and_the_page_says_so(
    log: Growing, watch: Callable[[], Page], url: str, mongodb: MongoDB
) -> None:
    log.grow(400)
    page = watch()
    shows(page, 400)
    mongodb.kill()
    log.grow(800)
    page.until(lambda: page.failing() >= {"engine", "casebook"}, "the page to say so")
    shows(page, 800)  # from the lake and what is still in memory
    assert page.get("api/totals")["incidents_open"] is None
    assert "casebook" in page.get("readyz", 503)["detail"]
    mongodb.start()
    log.grow(LINES)
    shows(page, LINES)
    page.until(lambda: page.failing() == set(), "all to be well")
    page.end()
    assert log.rows() == Counter(range(LINES))
    assert incidents(log.data, url) == undisturbed(log)


def test_an_engine_killed_while_mongodb_is_gone_goes_on_where_it_stopped(
    log: Growing, watch: Callable[[], Page], url: str, mongodb: MongoDB
) -> None:
    log.grow(300)
    page = watch()
    stored(log, 300, page)
    mongodb.kill()
    log.grow(700)
    page.until(lambda: "casebook" in page.failing(), "the page to say so")
    stored(log, 301, page)  # facts go on into the lake
    page.kill()
    mongodb.start()
    again = watch()
    log.grow(LINES)
    stored(log, LINES, again)
    again.end()
    assert log.rows() == Counter(range(LINES))
    assert incidents(log.data, url) == undisturbed(log)


def test_an_engine_that_starts_while_mongodb_is_gone_says_so_and_waits(
    log: Growing, mongodb: MongoDB, watch: Callable[[], Page], url: str
) -> None:
    log.grow(100)
    page = watch()
    stored(log, 100, page)
    page.end()
    mongodb.kill()
    log.grow(200)
    done = run("scan", log.path, "--data", log.data, LOGVISION_CASEBOOK__URL=url)
    assert done.returncode == 2
    assert done.stderr.startswith("logvision: the casebook at mongodb://127.0.0.1:")
    mongodb.start()
    again = watch()
    stored(log, 200, again)
    assert log.rows() == Counter(range(200))


def test_redis_flushed_and_gone_costs_live_messages_and_nothing_else(
    log: Growing, watch: Callable[[], Page], url: str, redis_server: Redis
) -> None:
    log.grow(300)
    page = watch()
    shows(page, 300)
    with redis.Redis(port=redis_server.port) as client:
        client.flushall()
    log.grow(600)
    shows(page, 600)
    redis_server.kill()
    log.grow(900)
    page.until(lambda: page.failing() == {"live"}, "the page to say so")
    stored(log, 900, page)  # the engine does not wait for it
    redis_server.start()
    log.grow(LINES)
    stored(log, LINES, page)
    page.until(lambda: page.failing() == set(), "all to be well")
    with redis.Redis(port=redis_server.port) as client:
        page.until(lambda: client.hexists("{logvision}:newest", "now"), "counters of now")
    page.end()
    assert log.rows() == Counter(range(LINES))
    assert incidents(log.data, url) == undisturbed(log)
