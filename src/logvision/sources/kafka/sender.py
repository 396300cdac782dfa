"""Lines into a topic: acknowledged by every replica, in order within a source."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from logvision.schema import RAW_KEPT
from logvision.sources.base import LINE_LIMIT, Batch, Position
from logvision.sources.kafka.client import Settings, connect, shown, text
from logvision.sources.kafka.identity import GONE, Identity
from logvision.sources.kafka.origin import Origin, to_headers

ROOM_S: Final = 0.1  # wait for room in the queue, between two looks at whether to stop

PROPERTIES: Final[dict[str, Any]] = {
    "enable.idempotence": True,  # with it acks=all, and order and no repeats over retries
    "message.timeout.ms": 0,  # a broker that is lost is waited for
    "compression.type": "zstd",
    "linger.ms": 20,  # lines that come together travel together
    "queue.buffering.max.kbytes": 65_536,
    "queue.buffering.max.messages": 200_000,
    # The longest line with its headers; what compresses fits into a broker's default of 1 MiB.
    "message.max.bytes": LINE_LIMIT + 65_536,
}

TOO_LARGE: Final = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE})


@dataclass(frozen=True, slots=True, repr=False)
class KafkaTarget:
    """Where to send: printable without secrets."""

    brokers: str  # host:port, several by comma
    topic: str
    settings: Settings = ()

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={shown(name, value)}" for name, value in self.settings)
        return f"KafkaTarget({self.brokers!r}, {self.topic!r}, settings=({settings}))"


@dataclass(slots=True)
class _Parcel:
    """One batch on its way."""

    batch: Batch
    left: int  # lines without an answer


@dataclass(slots=True)
class Sender:
    """One connection. Once `problem` is set it is of no use: what was not acknowledged is sent by a new one.

    Used by one thread; answers are taken inside `send`, `poll` and `flush`.
    """

    target: KafkaTarget
    epoch: int
    short: set[tuple[str, int]] = field(default_factory=set)
    """Lines (source, position) that the broker finds too large: only their beginning is sent."""
    alone: bool = False  # each line travels by itself, so that a refusal tells which one is too large
    too_large: bool = False  # lines were refused together
    problem: str | None = None
    unreachable: bool = False  # no broker answers at the moment
    lines: int = 0  # of batches that were acknowledged whole
    _flight: dict[str, deque[_Parcel]] = field(default_factory=dict)
    _producer: Producer = field(init=False)
    _identity: Identity = field(init=False)
    _id: str | None = None  # of the topic that lines are sent to

    def __post_init__(self) -> None:
        """Raises SetupError for properties that the client does not know."""
        ours = {**PROPERTIES, "bootstrap.servers": self.target.brokers}
        if self.alone:
            ours["batch.num.messages"] = 1
        self._producer = connect(Producer, ours, self.target.settings, error_cb=self._failed)
        self._identity = Identity(self.target.brokers, self.target.topic, self.target.settings)

    def partitions(self, patience_s: float) -> int:
        """How many partitions the topic has; 0: not known, and `problem` says why."""
        try:
            found = self._producer.list_topics(self.target.topic, timeout=patience_s)
            topic = found.topics[self.target.topic]
            if topic.error is not None:
                self.problem = f"topic {self.target.topic}: {text(topic.error)}"
                return 0
            self._id = self._identity.ask(patience_s)
        except KafkaException as error:
            self.problem = f"{self.target.brokers}: {text(error)}"
            return 0
        return len(topic.partitions)

    def send(self, source: str, batch: Batch, partition: int, give_up: Callable[[], bool]) -> None:
        """Hand over a batch under the name by which the topic shall know its source.

        Waits while too much is on its way, until `give_up()` is true or there is a `problem`; the batch then
        counts as not acknowledged.
        """
        parcel = _Parcel(batch, batch.records.num_rows)
        self._flight.setdefault(batch.source, deque()).append(parcel)
        key = source.encode()
        raws, positions = batch.records["raw"].to_pylist(), batch.records["position"].to_pylist()
        for raw, position in zip(raws, positions, strict=True):
            answer = _Answer(self, parcel, source, position)
            line, size = self._line(source, position, raw)
            headers = to_headers(Origin(source, self.epoch, position, size))
            while self.problem is None and not give_up():
                try:
                    self._producer.produce(
                        self.target.topic, line, key, partition, on_delivery=answer, headers=[*headers]
                    )
                except BufferError:
                    self.poll(ROOM_S)
                except KafkaException as error:
                    self.problem = text(error)
                else:
                    break
            else:
                return
        self._producer.poll(0)

    def poll(self, seconds: float) -> None:
        """Take answers, for so long if there is none."""
        self._producer.poll(seconds)
        id_ = self._identity.heard(time.monotonic())
        if id_ not in (None, GONE, self._id):
            if self._id is not None and self.problem is None:
                self.problem = f"topic {self.target.topic} was made anew"
            self._id = id_

    def flush(self, seconds: float) -> bool:
        """Wait for all answers; False when some did not come in time."""
        until = time.monotonic() + seconds
        while len(self._producer) and self.problem is None and time.monotonic() < until:
            self.poll(ROOM_S)
        return not len(self._producer)

    def acknowledged(self) -> dict[str, Position]:
        """Batch's source to where it goes on: all of it up to there is kept by the brokers."""
        found: dict[str, Position] = {}
        for source, parcels in self._flight.items():
            while parcels and parcels[0].left == 0:
                batch = parcels.popleft().batch
                found[source] = batch.resume
                self.lines += batch.records.num_rows
        return found

    def unacknowledged(self) -> list[Batch]:
        """What a new sender has to send, in order within each source."""
        return [parcel.batch for parcels in self._flight.values() for parcel in parcels]

    def close(self) -> None:
        """Forget what was not acknowledged."""
        self._producer.purge()
        self._producer.flush(1.0)

    def _line(self, source: str, position: int, raw: bytes) -> tuple[bytes, int | None]:
        """What is sent of a line, and its size when that is only its beginning."""
        if len(raw) >= LINE_LIMIT or (source, position) in self.short:
            return raw[:RAW_KEPT], len(raw)
        return raw.removesuffix(b"\n").removesuffix(b"\r"), None

    def _failed(self, error: KafkaError) -> None:
        if error.fatal():
            self.problem = text(error)
        elif error.code() == KafkaError._ALL_BROKERS_DOWN:
            self.unreachable = True

    def _answered(self, error: KafkaError | None, parcel: _Parcel, source: str, position: int) -> None:
        if error is None:
            parcel.left -= 1
            self.unreachable = False
            return
        if error.code() in TOO_LARGE and self.alone:
            self.short.add((source, position))
        self.too_large |= error.code() in TOO_LARGE
        if self.problem is None:
            self.problem = text(error)


class _Answer:
    """Called by the client once the brokers keep a line, or never will."""

    __slots__ = ("_parcel", "_position", "_sender", "_source")

    def __init__(self, sender: Sender, parcel: _Parcel, source: str, position: int) -> None:
        self._sender, self._parcel, self._source, self._position = sender, parcel, source, position

    def __call__(self, error: KafkaError | None, _message: Message) -> None:
        self._sender._answered(error, self._parcel, self._source, self._position)
