"""What every source keeps to, whichever kind it is."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from confluent_kafka import Producer

from cluster_servers import make_topic
from logvision import schema
from logvision.sources.base import Batch, Positions, Reader, Source
from logvision.sources.file import FileSource
from logvision.sources.kafka.origin import Origin, to_headers
from logvision.sources.kafka.reader import KafkaSource
from logvision.sources.stdin import StdinSource
from logvision.sources.syslog import SyslogReader, SyslogSource
from servers import Kafka

LINES = [b"203.0.113.%d one\n" % number for number in range(100)]
LIMIT = 1 << 20


@dataclass
class Case:
    """One kind of source that has LINES to give."""

    source: Source
    fill: Callable[[Reader], None] = lambda reader: None  # what is pushed once it is open
    replays: bool = True  # can be asked again for what was not committed
    finite: bool = False
    cleanup: ExitStack = field(default_factory=ExitStack)


def _plain(folder: Path) -> Case:
    (folder / "access.log").write_bytes(b"".join(LINES))
    return Case(FileSource((str(folder / "access.log"),), follow=False), finite=True)


def _archive(folder: Path) -> Case:
    (folder / "access.log.gz").write_bytes(gzip.compress(b"".join(LINES)))
    return Case(FileSource((str(folder / "access.log.gz"),), follow=False), finite=True)


def _followed(folder: Path) -> Case:
    (folder / "access.log.1").write_bytes(b"".join(LINES[:50]))
    (folder / "access.log").write_bytes(b"".join(LINES[50:]))
    return Case(FileSource((str(folder / "access.log"),)))


def _stdin(folder: Path) -> Case:
    return Case(StdinSource(io.BytesIO(b"".join(LINES))), replays=False, finite=True)


def _syslog_udp(folder: Path) -> Case:
    def fill(reader: Reader) -> None:
        assert isinstance(reader, SyslogReader)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for line in LINES:
                sender.sendto(line, ("127.0.0.1", reader.port))

    return Case(SyslogSource("127.0.0.1", 0, tcp=False), fill, replays=False)


def _syslog_tcp(folder: Path) -> Case:
    def fill(reader: Reader) -> None:
        assert isinstance(reader, SyslogReader)
        with socket.create_connection(("127.0.0.1", reader.port)) as connection:
            connection.sendall(b"".join(LINES))

    return Case(SyslogSource("127.0.0.1", 0, udp=False), fill, replays=False)


def _kafka(broker: Kafka, name: str, headers: Callable[[int], list[tuple[str, bytes]]]) -> Case:
    """A topic of its own with LINES in its one partition."""
    make_topic(broker, name)
    producer = Producer({"bootstrap.servers": broker.address})
    for number, line in enumerate(LINES):
        producer.produce(name, line, headers=headers(number))
    assert producer.flush(30) == 0
    return Case(KafkaSource(broker.address, name, group=name))


def _kafka_shipped(broker: Kafka, name: str) -> Case:
    return _kafka(broker, name, lambda number: to_headers(Origin("web1:/access.log", 7, number * 30)))


def _kafka_foreign(broker: Kafka, name: str) -> Case:
    return _kafka(broker, name, lambda number: [])


CASES = [_plain, _archive, _followed, _stdin, _syslog_udp, _syslog_tcp]
BROKERED = [_kafka_shipped, _kafka_foreign]


@pytest.fixture(
    params=[*CASES, *(pytest.param(make, marks=pytest.mark.cluster) for make in BROKERED)],
    ids=lambda make: make.__name__.strip("_"),
)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    if request.param in BROKERED:
        made = request.param(request.getfixturevalue("kafka"), tmp_path.name)
    else:
        made = request.param(tmp_path)
    with made.cleanup:
        yield made


def start(case: Case, resume: Positions) -> Reader:
    reader = case.source.open(resume)
    case.cleanup.callback(reader.close)
    return reader


def drain(reader: Reader, lines: int, limit: int = LIMIT) -> list[Batch]:
    """Batches until so many lines came, or nothing more within twenty seconds."""
    batches: list[Batch] = []
    until = time.monotonic() + 20
    while sum(batch.records.num_rows for batch in batches) < lines and time.monotonic() < until:
        batches += reader.read(limit)
    return batches


def raws(batches: list[Batch]) -> list[bytes]:
    return [raw.rstrip(b"\n") for batch in batches for raw in batch.records["raw"].to_pylist()]


BARE = [line.rstrip(b"\n") for line in LINES]


def test_it_gives_every_line_once_in_order_at_rising_positions(case: Case) -> None:
    reader = start(case, {})
    case.fill(reader)
    batches = drain(reader, len(LINES))
    assert raws(batches) == BARE
    positions = [at for batch in batches for at in batch.records["position"].to_pylist()]
    assert positions == sorted(set(positions))
    assert {batch.source for batch in batches} == {status.source for status in reader.status()}


def test_batches_are_record_tables_of_one_source_with_a_json_position(case: Case) -> None:
    reader = start(case, {})
    case.fill(reader)
    for batch in drain(reader, len(LINES)):
        batch.records.validate(full=True)
        assert batch.records.schema == schema.RECORD
        assert set(batch.records["source"].to_pylist()) == {batch.source}
        assert json.loads(json.dumps(batch.resume)) == batch.resume
        assert batch.bytes >= sum(map(len, batch.records["raw"].to_pylist()))


def test_one_turn_gives_a_source_at_most_once_and_returns_soon(case: Case) -> None:
    reader = start(case, {})
    case.fill(reader)
    began = time.monotonic()
    batches = reader.read(LIMIT)
    assert time.monotonic() - began < 1.0  # promised is 0.1; the machine may be busy
    assert len({batch.source for batch in batches}) == len(batches)


def test_it_goes_on_after_the_last_committed_position(case: Case) -> None:
    reader = start(case, {})
    case.fill(reader)
    first = drain(reader, 1, limit=500)
    committed = {batch.source: batch.resume for batch in first}
    last = max(at for batch in first for at in batch.records["position"].to_pylist())
    reader.read(500)  # read and never committed
    reader.close()
    again = start(case, committed)
    case.fill(again)
    expected = BARE[len(raws(first)) :] if case.replays else []
    rest = drain(again, len(expected))
    assert raws(rest)[: len(expected)] == expected
    names = set(committed) & {batch.source for batch in rest}
    assert all(
        at > last for batch in rest if batch.source in names for at in batch.records["position"].to_pylist()
    )


def test_a_finite_source_finishes_and_an_endless_one_does_not(case: Case) -> None:
    reader = start(case, {})
    case.fill(reader)
    drain(reader, len(LINES))
    reader.read(LIMIT)
    assert reader.finished is case.finite
    assert {status.state for status in reader.status()} == {"finished" if case.finite else "following"}
    if case.finite:
        assert reader.read(LIMIT) == []


def test_the_status_counts_what_was_read(case: Case) -> None:
    reader = start(case, {})
    case.fill(reader)
    batches = drain(reader, len(LINES))
    (status,) = reader.status()
    assert status.read_bytes == sum(batch.bytes for batch in batches)
    assert status.last_read is not None


def test_options_are_comparable_and_printable_and_closing_twice_is_harmless(case: Case) -> None:
    assert "Source(" in repr(case.source)
    assert case.source == case.source
    if not isinstance(case.source, StdinSource):  # the stream given by a test cannot be pickled
        assert pickle.loads(pickle.dumps(case.source)) == case.source  # noqa: S301 - our own bytes
    reader = start(case, {})
    reader.close()
    reader.close()
