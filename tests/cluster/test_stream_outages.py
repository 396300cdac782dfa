"""A running job loses each of its neighbours: the page says which, and afterwards nothing is missing.

One job and one page for all tests; each sends lines of its own and holds everything that was sent so far
against an undisturbed run.
"""

from __future__ import annotations

import os
import random
import resource
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
import redis
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewPartitions
from fleets import PARTITIONS, RECENT, Running, fleet_of, named

from fleet import Page
from logvision.schema import RECORD
from servers import Kafka, MongoDB, Redis
from servers.ours import Job
from spark_captures import generated

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(600)]

ROWS = 500  # of a batch


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, kafka: Kafka, redis_server: Redis, mongodb: MongoDB
) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("running")
    fleet = fleet_of(f"outages-{mongodb.kind}", folder, kafka, redis_server, mongodb)
    with Job(folder / "job", fleet, rows=ROWS) as job:
        page = Page("serve", *fleet.stores())
        yield Running(job, page, kafka)
        page.kill()


def lines(name: str, seed: int, many: int = 1_200, *, hours: float = 0.0) -> dict[str, pa.Table]:
    """RECORD rows of two servers whose clocks are wrong by so many hours."""
    start = RECENT + timedelta(hours=hours)
    return named(generated(many, sources=2, seed=seed, start=start).records, name)


def test_a_broker_that_is_gone_for_a_while(running: Running, kafka: Kafka, tmp_path: Path) -> None:
    running.send(lines("before", 21))
    running.settles(tmp_path / "before")
    kafka.kill()
    running.misses("kafka")
    assert {row["state"] for row in running.page.get("api/sources")["rows"]} == {"waiting"}
    kafka.start()
    running.send(lines("after", 22))
    running.settles(tmp_path / "after")


def test_mongodb_that_is_gone_for_a_while(running: Running, mongodb: MongoDB, tmp_path: Path) -> None:
    mongodb.kill()
    running.send(lines("mongodb", 23))
    running.misses("casebook", "engine")
    assert running.page.get("api/totals")["incidents_open"] is None
    mongodb.start()
    running.settles(tmp_path)


def test_redis_flushed_and_gone(running: Running, redis_server: Redis, tmp_path: Path) -> None:
    with redis.Redis(port=redis_server.port) as client:
        client.flushall()
    running.send(lines("flushed", 24))
    running.has(running.lines)
    redis_server.kill()
    running.misses("live")
    running.send(lines("gone", 25))
    running.has(running.lines)  # the job does not wait for it
    redis_server.start()
    running.settles(tmp_path)


def test_a_disk_under_the_lake_that_is_full_for_a_while(running: Running, tmp_path: Path) -> None:
    os.truncate(running.job.log, 0)  # what it says must still be told
    limited = (4_000, resource.RLIM_INFINITY)
    before = resource.prlimit(running.job.pid, resource.RLIMIT_FSIZE, limited)
    try:
        running.send(lines("disk", 26))
        running.misses("engine")
        (check,) = [row for row in running.page.get("api/health")["checks"] if row["name"] == "engine"]
        assert check["detail"].startswith("the lake cannot write ")
        assert check["detail"].endswith("File too large")
        assert running.watched.rows() < running.lines
    finally:
        resource.prlimit(running.job.pid, resource.RLIMIT_FSIZE, before)
    running.settles(tmp_path)


def test_poison_partitions_that_are_added_clocks_that_differ_and_lines_out_of_order(
    running: Running, kafka: Kafka, tmp_path: Path
) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.address})
    topic = running.job.fleet.topic
    admin.create_partitions([NewPartitions(topic, PARTITIONS + 2)])[topic].result(30)
    running.send(shuffled(lines("behind", 27, hours=-1.5)), partitions=PARTITIONS + 2, times=2)
    running.send(lines("ahead", 28, hours=1.5), partitions=PARTITIONS + 2)
    running.adds(poison(kafka, topic))
    running.settles(tmp_path)


def test_a_job_that_is_killed_is_missed_and_goes_on_where_it_stopped(
    running: Running, tmp_path: Path
) -> None:
    running.kill()
    running.send(lines("killed", 29))
    running.misses("engine")
    running.start()
    running.settles(tmp_path)


def shuffled(records: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """Times of a log out of order by up to two hundred lines."""
    chance = random.Random(5)
    found = {}
    for source, rows in records.items():
        order = sorted(range(rows.num_rows), key=lambda row: row + chance.uniform(0, 200))
        raw = rows.column("raw").take(pa.array(order))
        found[source] = rows.set_column(rows.schema.get_field_index("raw"), "raw", raw).cast(RECORD)
    return found


def poison(kafka: Kafka, topic: str) -> dict[str, pa.Table]:
    """Send what no shipper sends; as the RECORD rows that should come of it."""
    producer = Producer({"bootstrap.servers": kafka.address, "log_level": 0})
    offsets: list[int] = []
    values = (None, b"", b"\0\xff\xfe", b'{"message": ', b"one\ntwo")
    for value in values:
        producer.produce(
            topic,
            value,
            partition=PARTITIONS,
            headers=[("logvision-source", b"\xff"), ("logvision-place", b"x:y")],
            on_delivery=lambda _, message: offsets.append(message.offset()),
        )
    assert producer.flush(30) == 0
    raw = [(value or b"").replace(b"\n", b"\0") for value in values]
    name = f"kafka:{topic}/{PARTITIONS}"
    rows = pa.table({"raw": raw, "source": [name] * len(raw), "position": sorted(offsets)})
    return {name: rows.cast(RECORD)}
