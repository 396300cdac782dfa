"""Prometheus hears of every partition how many lines of it wait to be read."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import httpx
import pytest
from confluent_kafka import Producer
from shippers import topic_source
from whole_runs import Watched, line, until

from cluster_servers import make_topic
from servers import Kafka

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


def fill(kafka: Kafka, topic: str, *lines: int) -> None:
    """A topic with so many lines in each of its partitions."""
    make_topic(kafka, topic, len(lines))
    producer = Producer({"bootstrap.servers": kafka.address, "log_level": 0})
    for partition, count in enumerate(lines):
        for number in range(count):
            producer.produce(topic, line(number, f"/page/{number}").rstrip(), partition=partition)
    assert producer.flush(30) == 0


def test_what_was_not_read_yet_is_counted_by_partition(kafka: Kafka) -> None:
    fill(kafka, "waiting", 300, 200, 0)
    with closing(topic_source(kafka, "waiting").open({})) as reader:
        read = 0

        def told() -> bool:
            nonlocal read
            read += sum(batch.records.num_rows for batch in reader.read(1))
            return len(reader.status()[0].waiting_rows) == 3

        until(told, "all partitions")
        waiting = dict(reader.status()[0].waiting_rows)
        assert waiting.keys() == {"waiting/0", "waiting/1", "waiting/2"}
        assert 0 < sum(waiting.values()) == 500 - read
        assert waiting["waiting/2"] == 0


def test_a_watch_says_it_in_its_metrics(kafka: Kafka, tmp_path: Path) -> None:
    fill(kafka, "metered", 30, 20)
    with Watched(Path(), tmp_path / "data", source=topic_source(kafka, "metered")) as run:

        def lags() -> set[str]:
            answer = httpx.get(f"{run.url}metrics", trust_env=False)
            return {row for row in answer.text.splitlines() if row.startswith("logvision_read_lag_rows{")}

        wanted = {f'logvision_read_lag_rows{{partition="metered/{number}"}} 0' for number in (0, 1)}
        run.until(lambda: lags() == wanted, "the metrics")
