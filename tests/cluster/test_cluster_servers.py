"""The servers that other tests stand on: they start, keep what they should, and stop."""

from __future__ import annotations

import time
from pathlib import Path

import pymongo
import pytest
import redis
from confluent_kafka import Consumer, Producer

from cluster_servers import make_topic
from servers import Kafka, MongoDB, Redis, ServerError
from servers.process import answers

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


def test_a_broker_keeps_what_it_took_over_a_stop_and_a_start(kafka: Kafka) -> None:
    settings = {"bootstrap.servers": kafka.address}
    make_topic(kafka, "kept")
    producer = Producer(settings)
    producer.produce("kept", b"a line")
    assert producer.flush(30) == 0
    kafka.stop()
    assert not answers(kafka.port)
    kafka.start()
    consumer = Consumer({**settings, "group.id": "any", "auto.offset.reset": "earliest"})
    consumer.subscribe(["kept"])
    message = next(found for _ in range(300) if (found := consumer.poll(0.1)) is not None)
    consumer.close()
    assert message.value() == b"a line"


def test_redis_comes_back_empty_on_the_same_port(redis_server: Redis) -> None:
    with redis.Redis.from_url(redis_server.url) as client:
        client.set("a", "b")
        assert client.get("a") == b"b"
    redis_server.kill()
    redis_server.start()
    with redis.Redis.from_url(redis_server.url) as client:
        assert client.get("a") is None


def test_mongodb_keeps_documents_when_it_is_killed(mongodb: MongoDB) -> None:
    with pymongo.MongoClient[dict[str, object]](mongodb.url) as client:
        client.trial.lines.insert_one({"_id": 1, "text": "a line"})
    mongodb.kill()
    mongodb.start()
    with pymongo.MongoClient[dict[str, object]](mongodb.url) as client:
        assert list(client.trial.lines.find()) == [{"_id": 1, "text": "a line"}]


def test_a_server_that_hangs_still_stops(tmp_path: Path, redis_server: Redis) -> None:
    with Redis(tmp_path) as server:
        server.pause()
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 30
        assert not answers(server.port)


def test_a_server_does_not_start_on_a_taken_port(tmp_path: Path, redis_server: Redis) -> None:
    server = Redis(tmp_path)
    server.port = redis_server.port
    with pytest.raises(ServerError, match="something listens"):
        server.start()
    assert answers(redis_server.port)


def test_a_server_that_cannot_start_says_what_it_logged(tmp_path: Path, redis_server: Redis) -> None:
    server = Redis(tmp_path)
    server.port = 70_000
    with pytest.raises(ServerError, match=r"while starting: (?s:.*)must be between"):
        server.start()
