"""Shippers for tests: whole processes that can be killed; what stands in a topic and in a lake."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import ClassVar

from confluent_kafka import Consumer, TopicPartition
from whole_runs import event_rows, line

from logvision.sources.base import Source
from logvision.sources.kafka.reader import KafkaSource
from servers import Kafka

QUICK = (("session.timeout.ms", "6000"), ("topic.metadata.refresh.interval.ms", "300"))
"""A dead reader is missed soon, a new partition found soon."""


def topic_source(kafka: Kafka, topic: str, group: str = "readers") -> Source:
    return KafkaSource(kafka.address, topic, group, QUICK)


def write(log: Path, numbers: range, **fields: str) -> None:
    """Append lines; the number of each is its size in bytes, by which it is found again."""
    with log.open("ab") as file:
        file.write(b"".join(line(number, f"/page/{number}", **fields) for number in numbers))


class Shipper:
    """`logvision ship` as a process of its own."""

    running: ClassVar[set[Shipper]] = set()

    def __init__(self, kafka: Kafka, topic: str, state: Path, *words: str | Path, host: str = "web1") -> None:
        self._command = [sys.executable, "-m", "logvision", "ship", *map(str, words)]
        if "--kafka" not in words:
            self._command += ["--kafka", kafka.address]
        self._command += ["--topic", topic, "--state", str(state), "--host", host]
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> Shipper:
        self._process = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True)
        self.running.add(self)
        return self

    def announced(self) -> None:
        """Wait until it has begun."""
        assert self._process is not None
        assert self._process.stderr is not None
        assert "ships to" in self._process.stderr.readline()

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.communicate()
        self.running.discard(self)

    def end(self) -> str:
        """Ask it to end; what it said."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> str:
        """Until it ends by itself; what it said."""
        assert self._process is not None
        _, said = self._process.communicate(timeout=60)
        self.running.discard(self)
        assert self._process.returncode == 0, said
        return said


def once(kafka: Kafka, topic: str, state: Path, *words: str | Path, host: str = "web1") -> str:
    """Ship what is there; what it said."""
    return Shipper(kafka, topic, state, "--once", *words, host=host).start().wait()


def messages(kafka: Kafka, topic: str) -> int:
    """How many messages ever came into a topic."""
    consumer = Consumer({"bootstrap.servers": kafka.address, "group.id": "counting"})
    partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
    ends = [
        consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=30) for number in partitions
    ]
    consumer.close()
    return sum(high for _, high in ends)


def lake_counts(*folders: Path) -> Counter[tuple[str, int]]:
    """How often each line stands in these lakes, by source and number."""
    found: Counter[tuple[str, int]] = Counter()
    for folder in folders:
        if (folder / "events").is_dir():
            found.update((row["source"], row["bytes"]) for row in event_rows(folder))
    return found


def every(logs: dict[str, int]) -> Counter[tuple[str, int]]:
    """Each of so many lines of these sources once."""
    return Counter({(source, number): 1 for source, lines in logs.items() for number in range(lines)})
