"""Shippers for tests: whole processes that can be killed; what stands in a topic and in a lake."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import orjson
import pyarrow as pa
from confluent_kafka import Consumer, TopicPartition
from whole_runs import event_rows, line

from logvision.app.capture import Capture
from logvision.app.stores import open_stores
from logvision.app.verifying import Said, by_embedded, gather
from logvision.clock import SystemClock
from logvision.config import Settings
from logvision.schema import RECORD
from logvision.sources.base import Source
from logvision.sources.kafka.reader import KafkaSource
from servers import Kafka

QUICK = (("session.timeout.ms", "6000"), ("topic.metadata.refresh.interval.ms", "300"))
"""A dead reader is missed soon, a new partition found soon."""


def topic_source(kafka: Kafka, topic: str, group: str = "readers") -> Source:
    return KafkaSource(kafka.address, topic, group, QUICK)


ATTACKS = (
    "/?id={n}%27%20UNION%20SELECT%20password%20FROM%20users--",
    "/?name=../../../../etc/passwd&n={n}",
    "/?q=%3Cscript%3Ealert({n})%3C/script%3E",
)
"""What every 25th line asks, in turn, each by an address of its own."""


def write(log: Path, numbers: range, **fields: str) -> None:
    """Append lines; the number of each is its size in bytes, by which it is found again."""
    with log.open("ab") as file:
        file.write(b"".join(text(number, **fields) for number in numbers))


def text(number: int, **fields: str) -> bytes:
    """One line; three of 75 are attacks."""
    if number % 25 != 7:
        return line(number, f"/page/{number}", **fields)
    kind = number // 25 % 3
    return line(number, ATTACKS[kind].format(n=number), address=f"198.51.{kind}.1", **fields)


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


def incidents(data: Path) -> list[dict[str, Any]]:
    """Every incident of a data folder as detection left it.

    Without its examples and its name: all lines are of one second, so which event is the first one, and
    which stand for the others, depends on what comes first.
    """
    said = Said()
    with open_stores(data, writer=False) as stores:
        gather(stores, said)
    return comparable(said)


def undisturbed(logs: Mapping[str, Path], folder: Path) -> list[dict[str, Any]]:
    """The incidents of whole logs, by name of source, read in one go and without a broker."""
    records = {}
    for name, log in logs.items():
        raw = log.read_bytes().splitlines(keepends=True)
        position = np.cumsum([0, *map(len, raw[:-1])])
        lines = [one.rstrip(b"\n") for one in raw]
        records[name] = pa.table([lines, [name] * len(lines), position], schema=RECORD)
    ends = {name: rows["position"][-1].as_py() for name, rows in records.items()}
    return comparable(by_embedded(Settings(), folder, Capture(records), [ends], SystemClock())[0])


def comparable(said: Said) -> list[dict[str, Any]]:
    rows = [orjson.loads(row) for row in said.incidents]
    for row in rows:
        del row["evidence"], row["id"]
        row["rules"].sort()
    return sorted(rows, key=lambda row: str(row["actor"]))


def every(logs: dict[str, int]) -> Counter[tuple[str, int]]:
    """Each of so many lines of these sources once."""
    return Counter({(source, number): 1 for source, lines in logs.items() for number in range(lines)})
