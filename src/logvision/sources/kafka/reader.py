"""A topic as a source: read in a consumer group, positions committed with the segment."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from logvision.clock import Clock, SystemClock
from logvision.errors import SourceError
from logvision.sources.base import Batch, Positions, SourceStatus
from logvision.sources.kafka.client import Settings, connect, shown, text
from logvision.sources.kafka.identity import GONE, Identity
from logvision.sources.kafka.ledger import Ledger, durable

TURN_S: Final = 0.04  # longest turn of `read` while messages come
WAIT_S: Final = 0.01  # for the first message of a turn
ROWS: Final = 2_000  # messages taken from the client at a time
SHARE_S: Final = 1.0  # between two commits to the group
ASK_S: Final = 10.0  # for the group's offsets, when partitions are assigned
SETTLE_S: Final = 30.0  # for a segment with what was read of a partition that another reader shall have

CONNECTING: Final = "connecting"

PROPERTIES: Final[dict[str, Any]] = {
    "enable.auto.commit": False,
    "auto.offset.reset": "earliest",
    "partition.assignment.strategy": "cooperative-sticky",
    # A lake that is lost for hours must not hand on partitions whose lines wait in memory.
    "max.poll.interval.ms": 86_400_000,
    "topic.metadata.refresh.interval.ms": 10_000,  # new partitions are found this soon
    "statistics.interval.ms": 1_000,
    "queued.max.messages.kbytes": 16_384,
}


@dataclass(frozen=True, slots=True, repr=False)
class KafkaSource:
    """The partitions of one topic that the group gives to this reader.

    A partition goes on after the last segment that holds lines of it, or after what the group has committed
    where that is further (another reader had it meanwhile). `history` False: a partition that nobody has read
    starts at its end.
    """

    brokers: str  # host:port, several by comma
    topic: str
    group: str = "logvision"
    settings: Settings = ()
    history: bool = True
    clock: Clock = field(default_factory=SystemClock, compare=False)

    def open(self, resume: Positions) -> KafkaReader:
        """Raises SetupError for properties that the client does not know. Brokers are waited for."""
        return KafkaReader(self, resume)

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={shown(name, value)}" for name, value in self.settings)
        return f"KafkaSource({self.brokers!r}, {self.topic!r}, group={self.group!r}, settings=({settings}))"


@dataclass(slots=True)
class _Assigned:
    """One partition that this reader has now."""

    shared: int  # what the group knows to be read; negative: nothing
    first: int  # lines given before it was assigned are no business of this assignment
    high: int | None = None  # offset that the next message written will have
    gone: int = 0  # messages that the broker deleted before they were read


class KafkaReader:
    """Used by one thread, but for `status` and `committed`. Callbacks of the client run inside `read`."""

    def __init__(self, options: KafkaSource, resume: Positions) -> None:
        self._options = options
        self._ledger = Ledger(options.topic)
        self._ledger.take_up(resume)
        self._assigned: dict[int, _Assigned] = {}
        self._revoked: set[int] = set()  # in this turn
        self._problem: str | None = CONNECTING
        self._broken: str | None = None  # the client is of no use any more
        self._closing = False
        self._last_read: dict[str, float] = {}
        self._durable: dict[int, tuple[int, str]] = {}
        self._share_at = 0.0
        self._settled = threading.Condition()
        self._identity = Identity(options.brokers, options.topic, options.settings)
        self._id: str | None = None  # of the topic that the client has met; null: of none yet
        self._anew = False  # it has met another one since
        self._from_start = options.history  # what nobody has read is; always of a topic that was made anew
        self._consumer = self._connect()

    def _connect(self) -> Consumer:
        options = self._options
        ours = {**PROPERTIES, "bootstrap.servers": options.brokers, "group.id": options.group}
        consumer = connect(Consumer, ours, options.settings, error_cb=self._failed, stats_cb=self._measured)
        consumer.subscribe([options.topic], on_assign=self._comes, on_revoke=self._goes, on_lost=self._lost)
        return consumer

    def read(self, limit: int) -> list[Batch]:
        if self._closing:
            return []
        id_ = self._identity.heard(self._options.clock.monotonic())
        if id_ is not None:
            self._meets(id_)
        if self._broken is not None or self._anew:
            self._reconnect()
        self._share(wait=False)
        self._revoked.clear()
        clock = self._options.clock
        deadline = clock.monotonic() + TURN_S
        messages: list[Message] = []
        size = 0
        while size < limit:
            room = 1 + int((limit - size) / self._ledger.mean)
            found = self._consumer.consume(min(ROWS, room), 0 if messages else WAIT_S)
            messages += found
            size += sum(map(len, found))
            if not found or clock.monotonic() > deadline:
                break
        if self._broken is not None:
            raise SourceError(self._broken)
        if self._anew:
            return []  # what was read is read again, from the beginning of the topic
        batches = self._ledger.batches(
            (message.partition(), message.offset(), message.value(), message.headers())  # type: ignore[misc]
            for message in messages
            if self._is_ours(message)
        )
        for batch in batches:
            self._last_read[batch.source] = clock.now()
            self._problem = None
        return batches

    @property
    def finished(self) -> bool:
        return False

    def committed(self, positions: Positions) -> None:
        """The group is told, and the partitions of these positions may go to another reader."""
        found = durable(self._options.topic, positions, self._ledger.id)
        with self._settled:
            self._durable.update(found)
            self._settled.notify_all()

    def status(self) -> list[SourceStatus]:
        names = list(self._ledger.home) or [f"kafka:{self._options.topic}"]
        lags = {f"{self._options.topic}/{number}": self._lag(number) for number in list(self._assigned)}
        waiting = {partition: lag for partition, lag in lags.items() if lag is not None}
        return [self._status(name, waiting) for name in names]

    def close(self) -> None:
        if not self._closing:
            self._share(wait=True)
            self._closing = True
            self._consumer.close()

    def _meets(self, id_: str) -> None:
        """Take note of which topic there is: the client of one would not find into another of its name."""
        self._anew |= self._id not in (None, id_)
        if id_ == GONE:
            self._problem = f"there is no topic {self._options.topic}"
            return
        self._id = id_
        if self._ledger.belongs(id_):
            self._from_start = True
            with self._settled:
                self._durable.clear()

    def _reconnect(self) -> None:
        """A new client in place of one that is of no use; partitions go on where they were read to."""
        self._closing = True
        self._consumer.close()
        self._assigned.clear()
        self._closing, self._broken, self._id, self._anew = False, None, None, False
        self._consumer = self._connect()

    def _is_ours(self, message: Message) -> bool:
        """False for errors, and for a partition that has gone to another reader, which reads it again."""
        error = message.error()
        if error is not None:
            self._failed(error)
            return False
        return message.partition() in self._assigned and message.partition() not in self._revoked

    def _comes(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Partitions are assigned to this reader."""
        try:
            id_ = self._identity.ask(ASK_S)
            stored = consumer.committed(partitions, timeout=ASK_S)
        except KafkaException as error:
            self._broken = f"the group's offsets are not known: {text(error)}"
            return
        if id_ is not None:
            self._meets(id_)
        if self._anew:
            return
        fallback = OFFSET_BEGINNING if self._from_start else OFFSET_END
        starts = []
        for found in stored:
            start = self._ledger.start(found.partition, found.offset, found.metadata)
            self._assigned[found.partition] = _Assigned(found.offset, start or 0)
            starts.append(TopicPartition(found.topic, found.partition, fallback if start is None else start))
        self._problem = None
        consumer.incremental_assign(starts)

    def _goes(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Partitions go to another reader: once segments hold what was read of them, and not before."""
        numbers = {partition.partition for partition in partitions}
        self._revoked |= numbers
        if not self._closing:
            with self._settled:
                self._settled.wait_for(lambda: not any(map(self._unsettled, numbers)), SETTLE_S)
            self._share(wait=True)
        for number in numbers:
            self._assigned.pop(number, None)

    def _lost(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """The group has given partitions away already."""
        for partition in partitions:
            self._revoked.add(partition.partition)
            self._assigned.pop(partition.partition, None)

    def _unsettled(self, partition: int) -> bool:
        """True when lines of it were given to the engine that no segment holds yet."""
        found = self._assigned.get(partition)
        given = self._ledger.given.get(partition, 0)
        return found is not None and max(found.first, self._durable.get(partition, (0, ""))[0]) < given

    def _share(self, *, wait: bool) -> None:
        """Tell the group what is durable."""
        now = self._options.clock.monotonic()
        if not wait and now < self._share_at:
            return
        self._share_at = now + SHARE_S
        with self._settled:
            news = {
                number: found
                for number, found in self._durable.items()
                if number in self._assigned and found[0] > self._assigned[number].shared
            }
        offsets = [
            TopicPartition(self._options.topic, number, offset, metadata=note)
            for number, (offset, note) in news.items()
        ]
        if not offsets:
            return
        try:
            if wait:
                self._consumer.commit(offsets=offsets, asynchronous=False)
            else:
                self._consumer.commit(offsets=offsets, asynchronous=True)
        except KafkaException as error:
            self._problem = f"the group could not be told what was read: {text(error)}"
            return
        for number, (offset, _) in news.items():
            self._assigned[number].shared = offset

    def _failed(self, error: KafkaError) -> None:
        if error.fatal():
            self._broken = text(error)
        elif error.code() == KafkaError._ALL_BROKERS_DOWN:
            if self._problem in (None, CONNECTING):  # why, was said before
                self._problem = self._unreachable()
        elif error.code() != KafkaError._TRANSPORT:  # one connection of several
            self._problem = text(error)

    def _unreachable(self) -> str:
        return f"no broker of {self._options.brokers} can be reached"

    def _measured(self, statistics: str) -> None:
        """What the client tells each second: is a broker there, how far do the partitions reach."""
        told = orjson.loads(statistics)
        up = any(broker["state"] == "UP" for broker in told["brokers"].values() if broker["nodeid"] >= 0)
        if up and (self._assigned or self._problem in (CONNECTING, self._unreachable())):
            self._problem = None
        elif not up and self._problem is None:
            self._problem = self._unreachable()
        known = told["topics"].get(self._options.topic, {}).get("partitions", {})
        for number, partition in self._assigned.items():
            found = known.get(str(number))
            if found is None or found["hi_offset"] < 0:
                continue
            partition.high = found["hi_offset"]
            after = self._ledger.next.get(number)
            if after is not None and after < found["lo_offset"] <= partition.high:
                partition.gone = found["lo_offset"] - after

    def _status(self, source: str, waiting: Mapping[str, int]) -> SourceStatus:
        number = self._ledger.home.get(source)
        assigned = self._assigned.get(number) if number is not None else None
        state, detail = "following", ""
        if self._problem is not None:
            state, detail = "waiting", self._problem
        elif assigned is None:
            state, detail = "waiting", "the group has given its partition to no reader here"
        elif assigned.gone:
            detail = f"the broker deleted {assigned.gone} messages before they were read"
        return SourceStatus(
            source,
            "kafka",
            state,
            detail,
            read_bytes=self._ledger.read_bytes.get(source, 0),
            lag_bytes=self._lag_bytes(number),
            last_read=self._last_read.get(source),
            extra={
                "topic": self._options.topic,
                "partition": number,
                "lag": self._lag(number),
                "repeats": self._ledger.repeats,
            },
            waiting_rows=waiting,
        )

    def _lag(self, partition: int | None) -> int | None:
        """Messages of a partition that wait to be read; None: not known."""
        assigned = None if partition is None else self._assigned.get(partition)
        if partition is None or assigned is None or assigned.high is None:
            return None
        # Of what nobody has read yet, all waits; whoever wants no history has not heard of an end yet.
        start = self._ledger.next.get(partition, 0 if self._from_start else None)
        return None if start is None else max(0, assigned.high - start)

    def _lag_bytes(self, partition: int | None) -> int | None:
        """One source's share of it, estimated."""
        lag = self._lag(partition)
        if lag is None or partition is None:
            return None
        sharing = list(self._ledger.home.values()).count(partition)
        return int(lag * self._ledger.mean / max(1, sharing))
