"""A fleet under test: captures sent through a real broker, the job's lake looked at as it grows."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
from confluent_kafka import Producer

from logvision.app.capture import Capture
from logvision.app.stores import open_stores
from logvision.app.verifying import Said, by_embedded, ends_of, gather
from logvision.clock import SystemClock
from logvision.config import Settings
from logvision.lake.segments import Lake
from logvision.live.base import HEALTH
from logvision.live.redis import RedisLive
from logvision.sources.kafka.origin import Origin, to_headers
from servers import Kafka
from servers.ours import Fleet

PATIENCE_S = 200.0


def send(kafka: Kafka, topic: str, records: Mapping[str, pa.Table], partitions: int, epoch: int = 1) -> None:
    """Send RECORD rows by source as a shipper does, a source to one partition; acknowledged at the end."""
    producer = Producer({"bootstrap.servers": kafka.address, "enable.idempotence": True, "log_level": 0})
    for number, (source, rows) in enumerate(sorted(records.items())):
        lines = zip(rows["raw"].to_pylist(), rows["position"].to_pylist(), strict=True)
        for raw, position in lines:
            headers: Any = to_headers(Origin(source, epoch, position))
            producer.produce(topic, raw, partition=number % partitions, headers=headers)
    assert producer.flush(PATIENCE_S) == 0


class Watched:
    """What a job writes, seen from outside. Remembers where each batch ended: compaction forgets."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.ends: dict[int, Mapping[str, int]] = {}

    def rows(self) -> int:
        """Lines in the lake now, events and rejects."""
        if not Lake.exists(self.fleet.lake):
            return 0
        with Lake.open(self.fleet.lake, writer=False) as lake:
            for file in lake.catalogue.events:
                if file.last is not None and file.first == file.last:
                    self.ends.setdefault(file.last, ends_of(file))
            return sum(file.rows for file in (*lake.catalogue.events, *lake.catalogue.rejects))

    def until(self, wanted: Callable[[], bool], what: str, problem: Callable[[], str]) -> None:
        """Look again and again until it is so."""
        deadline = time.monotonic() + PATIENCE_S
        while not wanted():
            assert time.monotonic() < deadline, f"{what} did not come; {problem()}"
            time.sleep(0.2)

    def said(self) -> Said:
        """Everything that lake and casebook hold; the job must have ended."""
        found = Said()
        with open_stores(self.fleet.lake, self.fleet.casebook, writer=False) as stores:
            gather(stores, found)
        return found

    def expected(self, capture: Capture, folder: Path) -> Said:
        """What the embedded engine says of the same lines in the same batches."""
        numbers = sorted(self.ends)
        assert numbers == list(range(len(numbers)))  # every batch was seen
        return by_embedded(Settings(), folder, capture, [self.ends[n] for n in numbers], SystemClock())[0]


def differing(found: Sequence[bytes], expected: Sequence[bytes]) -> list[dict[str, Any]]:
    """What differs of the first that do, by column: what was found and what was expected."""
    pairs = zip(sorted(found, key=place), sorted(expected, key=place), strict=True)
    rows = [(orjson.loads(one), orjson.loads(other)) for one, other in pairs if one != other][:3]
    return [
        {name: (one[name], other[name]) for name in one if one[name] != other[name]} for one, other in rows
    ]


def place(line: bytes) -> tuple[str, int]:
    """What names an event, a reject or an incident."""
    row: dict[str, Any] = orjson.loads(line)
    return (row["id"], 0) if "id" in row else (row["source"], row["position"])


class Page:
    """What a page hears of the job's health."""

    def __init__(self, url: str) -> None:
        self._live = RedisLive(url)
        self._live.snapshot()  # which makes it listen

    def check(self, name: str) -> tuple[bool, str] | None:
        """Whether a part of the job is well, and what is said of it; None: nothing was told yet."""
        told = self._live.snapshot().get(HEALTH)
        if told is None:
            return None
        rows = {row["name"]: row for row in orjson.loads(told.data)["checks"]}
        return rows[name]["ok"], rows[name]["detail"]

    def is_ill(self, name: str) -> bool:
        check = self.check(name)
        return check is not None and not check[0]

    def close(self) -> None:
        self._live.close()
