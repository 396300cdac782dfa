"""A lake with its incidents in MongoDB, web processes over it, and the engine's side of the bus."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from cli_logs import mixed
from fleet import Page, run
from logvision.live.redis import RedisLive
from servers import MongoDB, Redis

QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"
os.environ.setdefault("SPARK_SUBMIT_OPTS", QUICK)
"""Spark starts with half of the work; what it runs afterwards is short."""


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, mongodb: MongoDB) -> Path:
    """A data folder whose incidents stand in MongoDB; nobody writes to it."""
    folder = tmp_path_factory.mktemp("lake")
    log = mixed(folder / "access.log")
    done = run("scan", log, "--data", folder / "data", LOGVISION_CASEBOOK__URL=f"{mongodb.url}fleet")
    assert done.returncode == 0, done.stderr
    assert not (folder / "data" / "casebook.sqlite").exists()
    return folder / "data"


@pytest.fixture
def serve(lake: Path, mongodb: MongoDB, redis_server: Redis) -> Iterator[Callable[..., Page]]:
    """One more web process."""
    started: list[Page] = []

    def web(*words: str, **environment: str) -> Page:
        stores = ["--data", str(lake), "--casebook", f"{mongodb.url}fleet", "--live", redis_server.url]
        started.append(Page("serve", *stores, *words, **environment))
        return started[-1]

    yield web
    for one in started:
        one.kill()


@pytest.fixture
def engine(redis_server: Redis) -> Iterator[RedisLive]:
    """The engine's side of the bus."""
    with redis.Redis(port=redis_server.port) as client:
        client.flushall()
    live = RedisLive(redis_server.url)
    yield live
    live.close()
