"""The job on Spark between real servers: every line once, incidents as those of the embedded engine."""

from __future__ import annotations

from pathlib import Path

import orjson
import pyarrow as pa
import pytest
from confluent_kafka import Consumer, Producer
from fleets import PARTITIONS, RECENT, Watched, fleet_of, pieces, send

from logvision.app.capture import Capture
from logvision.schema import RECORD
from servers import Kafka, MongoDB, Redis
from servers.ours import Fleet, Job
from spark_captures import generated

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def capture() -> Capture:
    return generated(6_000, start=RECENT)


@pytest.fixture
def fleet(tmp_path: Path, kafka: Kafka, redis_server: Redis, mongodb: MongoDB) -> Fleet:
    return fleet_of(f"whole-{mongodb.kind}", tmp_path, kafka, redis_server, mongodb)


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
    found = watched.holds(whole, tmp_path / "embedded")
    told = {alert["event.id"] for alert in alerts_in(fleet)}
    assert {orjson.loads(incident)["id"] for incident in found.incidents} <= told
