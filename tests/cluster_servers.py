"""Fixtures of real servers; see `deploy/servers`. Ask for one and the test runs where that can run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from servers import Kafka, MongoDB, Redis, SecureKafka, Server


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A broker of this test module. A test makes topics of its own; who stops it starts it again."""
    yield from _running(Kafka(tmp_path_factory.mktemp("kafka")))


@pytest.fixture
def secure_kafka(tmp_path: Path) -> Iterator[SecureKafka]:
    """A broker with a listener for TLS and passwords."""
    yield from _running(SecureKafka(tmp_path / "kafka"))


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """An empty Redis of this test module."""
    yield from _running(Redis(tmp_path_factory.mktemp("redis")))


@pytest.fixture(scope="module", params=MongoDB.kinds() or ["none"])
def mongodb(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoDB]:
    """A MongoDB-compatible server of this test module: each kind that can run here."""
    yield from _running(MongoDB(tmp_path_factory.mktemp("mongodb"), request.param))


S = TypeVar("S", bound=Server)


def _running(server: S) -> Iterator[S]:
    with server:
        yield server


def make_topic(kafka: Kafka, name: str, partitions: int = 1, limit: int = 1_048_588) -> None:
    """Make a topic that takes messages of up to `limit` bytes; it is there when this returns."""
    admin = AdminClient({"bootstrap.servers": kafka.address})
    topic = NewTopic(name, partitions, 1, config={"max.message.bytes": str(limit)})
    admin.create_topics([topic])[name].result(30)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """What the servers logged stands with a failure."""
    outcome = yield
    report = outcome.get_result()
    for name, server in getattr(item, "funcargs", {}).items():
        if report.failed and isinstance(server, Server):
            report.sections.append((f"log of {name}", server.logged()))
