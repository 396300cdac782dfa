"""A fleet under test: captures sent through a real broker, the job's lake looked at as it grows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson
import pyarrow as pa
from confluent_kafka import Producer

from cluster_servers import make_topic
from fleet import Page
from logvision.app.capture import Capture
from logvision.app.stores import open_stores
from logvision.app.verifying import Said, by_embedded, ends_of, gather
from logvision.clock import SystemClock
from logvision.config import Settings
from logvision.lake.catalogue import File
from logvision.lake.segments import Lake
from logvision.schema import RECORD
from logvision.sources.kafka.origin import Origin, to_headers
from servers import Kafka, MongoDB, Redis
from servers.ours import Fleet, Job

PATIENCE_S = 200.0
PARTITIONS: Final = 3
RECENT: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=6)
"""What is older than the lake's days would be let go of while the test runs."""


def fleet_of(name: str, folder: Path, kafka: Kafka, redis_server: Redis, mongodb: MongoDB) -> Fleet:
    """A topic, a topic of alerts, a lake and a casebook of this name's own."""
    topic, alerts = f"{name}-lines", f"{name}-alerts"
    make_topic(kafka, topic, PARTITIONS)
    make_topic(kafka, alerts)
    casebook = f"{mongodb.url}test{abs(hash(name)) % 10**8}"
    return Fleet(kafka.address, topic, folder / "lake", casebook, redis_server.url, alerts)


def send(kafka: Kafka, topic: str, records: Mapping[str, pa.Table], partitions: int, epoch: int = 1) -> None:
    """Send RECORD rows by source as a shipper does, a source to one partition; acknowledged at the end."""
    producer = Producer({"bootstrap.servers": kafka.address, "enable.idempotence": True, "log_level": 0})
    for number, (source, rows) in enumerate(sorted(records.items())):
        lines = zip(rows["raw"].to_pylist(), rows["position"].to_pylist(), strict=True)
        for raw, position in lines:
            headers: Any = to_headers(Origin(source, epoch, position))
            producer.produce(topic, raw, partition=number % partitions, headers=headers)
    assert producer.flush(PATIENCE_S) == 0


def pieces(capture: Capture, rows: int) -> Iterator[dict[str, pa.Table]]:
    """A capture in pieces of about so many rows."""
    for piece in capture.slices(rows):
        yield dict(piece)


def named(records: Mapping[str, pa.Table], name: str) -> dict[str, pa.Table]:
    """The same RECORD rows of sources that have `name` before theirs."""
    return {
        f"{name}-{source}": rows.set_column(
            rows.schema.get_field_index("source"),
            "source",
            pa.array([f"{name}-{source}"] * rows.num_rows),
        ).cast(RECORD)
        for source, rows in records.items()
    }


class Watched:
    """What a job writes, seen from outside. Remembers where each batch ended: compaction forgets."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.ends: dict[int, Mapping[str, int]] = {}

    def rows(self) -> int:
        """Lines in the lake now, events and rejects."""
        if not Lake.exists(self.fleet.lake):
            return 0
        for path in (self.fleet.lake / "events").glob("*.parquet"):  # one that was merged stays two minutes
            first, last = map(int, path.stem.split("-"))
            if first == last and last not in self.ends:
                self.ends[last] = ends_of(File(path, first, last, size=0))
        with Lake.open(self.fleet.lake, writer=False) as lake:
            return sum(file.rows for file in (*lake.catalogue.events, *lake.catalogue.rejects))

    def until(self, wanted: Callable[[], bool], what: str, problem: Callable[[], str]) -> None:
        """Look again and again until it is so."""
        deadline = time.monotonic() + PATIENCE_S
        while not wanted():
            assert time.monotonic() < deadline, f"{what} did not come; {problem()}"
            time.sleep(0.2)

    def said(self) -> Said:
        """Everything that lake and casebook hold."""
        found = Said()
        with open_stores(self.fleet.lake, self.fleet.casebook, writer=False) as stores:
            gather(stores, found)
        return found

    def expected(self, capture: Capture, folder: Path) -> Said:
        """What the embedded engine says of the same lines in the same batches."""
        numbers = sorted(self.ends)
        assert numbers == list(range(len(numbers)))  # every batch was seen
        return by_embedded(Settings(), folder, capture, [self.ends[n] for n in numbers], SystemClock())[0]

    def holds(self, capture: Capture, folder: Path) -> Said:
        """The lake has every line of a capture once, with the verdicts and incidents of an undisturbed run;
        the job must have ended."""
        found, expected = self.said(), self.expected(capture, folder)
        assert len(found.events) + len(found.rejects) == capture.lines
        assert differing(found.events, expected.events) == []
        assert differing(found.rejects, expected.rejects) == []
        assert differing(found.incidents, expected.incidents) == []
        return found


def differing(found: Sequence[bytes], expected: Sequence[bytes]) -> list[dict[str, Any]]:
    """What differs of the first that do, by column: what was found and what was expected."""
    if len(found) != len(expected):
        return [{"count": (len(found), len(expected))}]
    pairs = zip(sorted(found, key=place), sorted(expected, key=place), strict=True)
    rows = [(orjson.loads(one), orjson.loads(other)) for one, other in pairs if one != other][:3]
    return [
        {name: (one[name], other[name]) for name in one if one[name] != other[name]} for one, other in rows
    ]


def place(line: bytes) -> tuple[str, int]:
    """What names an event, a reject or an incident."""
    row: dict[str, Any] = orjson.loads(line)
    return (row["id"], 0) if "id" in row else (row["source"], row["position"])


class Running:
    """A job with a page over what it writes, and every line that was sent to it."""

    def __init__(self, job: Job, page: Page, kafka: Kafka) -> None:
        self.job = job
        self.page = page
        self.watched = Watched(job.fleet)
        self._kafka = kafka
        self._sent: dict[str, list[pa.Table]] = {}
        self._killed = False

    def kill(self) -> None:
        """End the job as a crash does."""
        self._killed = True
        self.job.kill()

    def start(self) -> None:
        """Start the job again."""
        self.job.start()
        self._killed = False

    @property
    def lines(self) -> int:
        """How many were sent."""
        return sum(rows.num_rows for tables in self._sent.values() for rows in tables)

    def send(self, records: Mapping[str, pa.Table], *, partitions: int = PARTITIONS, times: int = 1) -> None:
        """Send RECORD rows by source; `times`: by a shipper that had no answer."""
        for _ in range(times):
            send(self._kafka, self.job.fleet.topic, records, partitions)
        self.adds(records)

    def adds(self, records: Mapping[str, pa.Table]) -> None:
        """These were sent by others."""
        for source, rows in records.items():
            self._sent.setdefault(source, []).append(rows)

    def has(self, lines: int) -> None:
        """Wait until so many lines are in the lake."""
        self.until(lambda: self.watched.rows() >= lines, f"{lines} lines in the lake")

    def misses(self, *checks: str) -> None:
        """Wait until the page, its readiness and its metrics say that this is missing."""
        self.until(lambda: self.page.failing() >= set(checks), f"the page to miss {checks}")
        assert all(check in self.page.get("readyz", 503)["detail"] for check in checks)
        said = self.page.client.get("metrics").text
        assert all(f'logvision_check_ok{{check="{check}"}} 0' in said for check in checks)

    def settles(self, folder: Path) -> None:
        """Wait until all is well; then every line is there once, with the incidents of an undisturbed run."""
        self.has(self.lines)
        self.until(lambda: self.page.client.get("readyz").status_code == 200, "all to be well")
        sent = Capture({source: pa.concat_tables(tables) for source, tables in self._sent.items()})
        expected = self.watched.expected(sent, folder)
        # The casebook takes the last batch a moment after the lake.
        self.watched.until(
            lambda: differing(self.watched.said().incidents, expected.incidents) == [],
            "incidents of an undisturbed run",
            lambda: f"{differing(self.watched.said().incidents, expected.incidents)}",
        )
        found = self.watched.said()
        assert differing(found.events, expected.events) == []
        assert differing(found.rejects, expected.rejects) == []
        assert len(found.events) + len(found.rejects) == self.lines

    def until(self, wanted: Callable[[], bool], what: str) -> None:
        """Look again and again until it is so."""

        def looked() -> bool:
            self.watched.rows()  # each batch must be seen before it is compacted
            assert self.job.running or self._killed, self.job.logged()
            return wanted()

        self.watched.until(looked, what, lambda: f"{self.page.get('api/health')} {self.job.logged()}")
