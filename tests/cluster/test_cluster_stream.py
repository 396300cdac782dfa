"""The job on Spark between real servers: every line once, incidents as those of the embedded engine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pyarrow as pa
import pytest
from confluent_kafka import Consumer, Producer
from fleets import Watched, differing, send

from cluster_servers import make_topic
from logvision.app.capture import Capture
from logvision.schema import RECORD
from servers import Kafka, MongoDB, Redis
from servers.ours import Fleet, Job
from spark_captures import generated

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(600)]

PARTITIONS = 3
RECENT = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=6)
"""What is older than the lake's days would be let go of while the test runs."""


@pytest.fixture(scope="module")
def capture() -> Capture:
    return generated(6_000, start=RECENT)


@pytest.fixture
def fleet(
    request: pytest.FixtureRequest, tmp_path: Path, kafka: Kafka, redis_server: Redis, mongodb: MongoDB
) -> Fleet:
    """A topic, a lake and a casebook of this test's own."""
    name = f"{request.node.name.split('[')[0]}-{mongodb.kind}"
    topic, alerts = f"{name[:60]}-lines", f"{name[:60]}-alerts"
    make_topic(kafka, topic, PARTITIONS)
    make_topic(kafka, alerts)
    casebook = f"{mongodb.url}test{abs(hash(name)) % 10**8}"
    return Fleet(kafka.address, topic, tmp_path / "lake", casebook, redis_server.url, alerts)


def pieces(capture: Capture, rows: int) -> Iterator[dict[str, pa.Table]]:
    for piece in capture.slices(rows):
        yield dict(piece)


def alerts_in(fleet: Fleet) -> list[dict[str, object]]:
    """What the topic of alerts holds."""
    consumer = Consumer(
        {"bootstrap.servers": fleet.brokers, "group.id": "siem", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([fleet.alerts or ""])
    found, quiet = [], 0
    while quiet < 20 or not found:
        message = consumer.poll(0.1)
        quiet = quiet + 1 if message is None else 0
        if message is not None and message.error() is None:
            found.append(orjson.loads(message.value() or b""))
    consumer.close()
    return found


def test_every_line_is_once_in_the_lake_and_incidents_are_those_of_the_embedded_engine(
    capture: Capture, fleet: Fleet, kafka: Kafka, tmp_path: Path
) -> None:
    poison: list[int] = []
    producer = Producer({"bootstrap.servers": kafka.address, "log_level": 0})
    for value, headers in ((None, None), (b"\0\xff", [("logvision-place", b"x")])):
        producer.produce(
            fleet.topic,
            value,
            partition=0,
            headers=headers,  # type: ignore[arg-type]
            on_delivery=lambda _, message: poison.append(message.offset()),
        )
        producer.flush()
    for piece in pieces(capture, 2_000):
        send(kafka, fleet.topic, piece, PARTITIONS)
        send(kafka, fleet.topic, piece, PARTITIONS)  # the shipper had no answer
    name = f"kafka:{fleet.topic}/0"
    strange = pa.table({"raw": [b"", b"\0\xff"], "source": [name] * 2, "position": poison}).cast(RECORD)
    whole = Capture({**capture.records, name: strange})
    watched = Watched(fleet)
    with Job(tmp_path / "job", fleet, rows=2_000) as job:
        watched.until(lambda: watched.rows() >= whole.lines, "every line", job.logged)
    found, expected = watched.said(), watched.expected(whole, tmp_path / "embedded")
    assert len(found.events) + len(found.rejects) == whole.lines
    assert differing(found.events, expected.events) == []
    assert differing(found.rejects, expected.rejects) == []
    assert differing(found.incidents, expected.incidents) == []
    told = {alert["event.id"] for alert in alerts_in(fleet)}
    assert {orjson.loads(incident)["id"] for incident in found.incidents} <= told
