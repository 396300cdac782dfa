"""Shipping: log files into a Kafka topic, acknowledged before their positions are written down."""

from __future__ import annotations

import fcntl
import os
import signal
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Final

import orjson

from logvision.app.watching import on_signals
from logvision.clock import Clock, SystemClock
from logvision.errors import Problem, SetupError
from logvision.sources.base import Batch, Position, Reader, Source
from logvision.sources.kafka.sender import KafkaTarget, Sender

READ_BYTES: Final = 1 << 20
POLL_S: Final = 0.02  # pause when the logs have nothing new
SAVE_S: Final = 1.0  # positions are written this often: what is younger is sent again after a crash
RETRY_S: Final = 1.0  # before a lost broker, or a refused line, is tried again
FLUSH_S: Final = 30.0  # for answers, when asked to end

Say = Callable[[str], None]


@dataclass(slots=True)
class Positions:
    """The position file: how far each log was acknowledged, and in which partition it stands for ever."""

    path: Path
    topic: str
    epoch: int  # when it was made, Unix time in ms: positions of one epoch never repeat
    resume: dict[str, Position] = field(default_factory=dict)
    partitions: dict[str, int] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path, topic: str, clock: Clock) -> Positions:
        """Raises SetupError for a file that is none, or that belongs to another topic."""
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            return cls(path, topic, int(clock.now() * 1000))
        except OSError as error:
            raise SetupError(Problem(str(path), error.strerror or "unreadable", "a file")) from None
        try:
            told = orjson.loads(text)
            made = cls(path, told["topic"], told["epoch"], told["resume"], told["partitions"])
        except (ValueError, KeyError, TypeError):
            raise SetupError(Problem(str(path), "something else", "positions that `ship` wrote")) from None
        if made.topic != topic:
            raise SetupError(Problem(str(path), f"positions of topic {made.topic}", f"those of {topic}"))
        return made

    def save(self) -> None:
        """Whole or not at all, and on the disk when this returns."""
        scratch = self.path.with_name(f"{self.path.name}.new")
        told = {
            "topic": self.topic,
            "epoch": self.epoch,
            "resume": self.resume,
            "partitions": self.partitions,
        }
        with scratch.open("wb") as file:
            file.write(orjson.dumps(told))
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(self.path)


@contextmanager
def held(state: Path) -> Iterator[None]:
    """Nobody else ships by this position file meanwhile. Raises SetupError."""
    try:
        state.parent.mkdir(parents=True, exist_ok=True)
        lock = state.with_name(f"{state.name}.lock").open("wb")
    except OSError as error:
        raise SetupError(Problem(str(state), error.strerror or "not writable", "a place to write")) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SetupError(Problem(str(state), "in use by another `ship`", "one each")) from None
        yield


def ship(
    source: Source, target: KafkaTarget, state: Path, host: str, say: Say, stop: Event | None = None
) -> int:
    """Run until a signal comes, `stop` is set or a finite source has ended; lines that were acknowledged.

    `host` stands before the path in the name of each source: `web1:/var/log/nginx/access.log`. Raises
    SetupError before anything is read.
    """
    clock = SystemClock()
    stop = stop or Event()
    with ExitStack() as stack:
        stack.enter_context(on_signals(stop.set, signal.SIGINT, signal.SIGTERM))
        stack.enter_context(held(state))
        positions = Positions.load(state, target.topic, clock)
        positions.save()  # an epoch must be known before its first line is sent
        shipper = Shipper(positions, target, host, say, stop)
        stack.callback(shipper.close)
        reader = source.open(positions.resume)
        stack.callback(reader.close)
        shipper.run(reader)
    return shipper.lines


class Shipper:
    """Reads, sends, takes answers, writes positions down: one thread."""

    def __init__(self, positions: Positions, target: KafkaTarget, host: str, say: Say, stop: Event) -> None:
        self._positions = positions
        self._target = target
        self._prefix = f"{host}:" if host else ""
        self._say = say
        self._stop = stop
        self._said: str | None = None
        self._sender = Sender(target, positions.epoch)
        self._done = 0
        self._count = 0
        self._changed = False
        self._save_at = 0.0

    @property
    def lines(self) -> int:
        """Lines that were acknowledged."""
        return self._done + self._sender.lines

    def run(self, reader: Reader) -> None:
        """Until the end, or until asked to stop; what was read by then is flushed."""
        while not self._stop.is_set():
            batches = reader.read(READ_BYTES)
            for batch in batches:
                self._send(batch)
            self._take(0.0 if batches else POLL_S)
            if reader.finished and not batches:
                while not self._stop.is_set() and self._sender.unacknowledged():
                    self._sender.flush(RETRY_S)
                    self._take(0.0)
                break
        self._sender.flush(FLUSH_S)
        self._take(0.0, save=True)

    def close(self) -> None:
        self._sender.close()

    def _send(self, batch: Batch) -> None:
        """Once the topic is known, and not before; what is not sent when asked to stop is read again."""
        while not self._count and not self._stop.is_set():
            self._count = self._sender.partitions(RETRY_S)
            self._mend()
        if self._count:
            self._hand_over(batch)

    def _hand_over(self, batch: Batch) -> None:
        """To the sender; one that is broken already keeps it for the next one."""
        source, partitions = batch.source, self._positions.partitions
        # Chosen once: a log stays in order when partitions are added. A topic made anew may have fewer.
        if self._count and partitions.get(source, self._count) >= self._count:
            partitions[source] = zlib.crc32((self._prefix + source).encode()) % self._count
            self._save()
        self._sender.send(self._prefix + source, batch, partitions.get(source, 0), self._stop.is_set)

    def _take(self, seconds: float, *, save: bool = False) -> None:
        """Take answers, mend what is broken, write positions down when they are due."""
        self._sender.poll(seconds)
        acknowledged = self._sender.acknowledged()
        if acknowledged:
            self._positions.resume.update(acknowledged)
            self._changed = True
        if self._sender.problem is not None:
            self._mend()
        elif self._sender.alone and not self._sender.unacknowledged():
            self._done += self._sender.lines
            self._sender.close()
            self._sender = Sender(self._target, self._positions.epoch, self._sender.short)
        else:
            self._tell("no broker can be reached; lines wait" if self._sender.unreachable else None)
        now = time.monotonic()
        if self._changed and (save or now >= self._save_at):
            self._save_at = now + SAVE_S
            self._save()

    def _save(self) -> None:
        try:
            self._positions.save()
        except OSError as error:  # what was acknowledged since is sent again, and dropped by who reads
            self._say(f"{self._positions.path} cannot be written: {error.strerror}")
        else:
            self._changed = False

    def _mend(self) -> None:
        """A new connection in place of one that is of no use, and on it what was not acknowledged."""
        while not self._stop.is_set() and self._sender.problem is not None:
            broken = self._sender
            self._tell(broken.problem)
            unacknowledged = broken.unacknowledged()
            self._done += broken.lines
            broken.close()
            self._stop.wait(RETRY_S)
            self._sender = Sender(self._target, self._positions.epoch, broken.short, broken.too_large)
            self._count = self._sender.partitions(RETRY_S) if unacknowledged else 0
            for batch in unacknowledged:
                self._hand_over(batch)

    def _tell(self, problem: str | None) -> None:
        if problem != self._said:
            self._say(problem or "sending again")
            self._said = problem
