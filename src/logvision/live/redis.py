"""The live bus of a fleet: a Redis stream that any process publishes to and any web process reads.

Two threads stand between Redis and the rest, so that a Redis that is slow or gone is felt by nobody:
one sends what was published from a bounded queue, one mirrors the stream into a `Ring`, from which
subscribers are served. An id is the stream's own, so a browser may come back to another process.

Each entry names the one before it. A reader that finds another name there than the last it has read
knows that something between is gone: trimmed, flushed, or lost in a failover.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from logvision.errors import Problem, SetupError, without_secrets
from logvision.live.base import KINDS, Message, encoded
from logvision.live.ring import KEPT_BYTES, KEPT_MESSAGES, Ring
from logvision.metrics import Metrics

STREAM: Final = "{logvision}:live"
NEWEST: Final = "{logvision}:newest"  # hash: kind to id and data of its newest message
BYTES: Final = "{logvision}:bytes"  # of the data in the stream
WARM: Final = "{logvision}:warm"  # there as long as somebody has filled the bus since it was empty
START: Final = "0-0"  # the id before the first

WAITING: Final = 1_024  # messages kept for a Redis that is lost; the oldest go first
BATCH: Final = 64
BLOCK_MS: Final = 500  # an idle reader looks this often whether the stream is still the same
CONNECT_S: Final = 1.0
ANSWER_S: Final = 3.0  # longer than BLOCK_MS
RETRY_S: Final = 0.5
CATCH_UP_S: Final = 1.0  # how long a subscriber with an unknown id waits for the mirror

# Reading the last id, adding, and trimming are one step, whoever else publishes.
_PUBLISH: Final = """
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local before = last[1] and last[1][1] or '0-0'
local id = redis.call('XADD', KEYS[1], '*', 'before', before, 'kind', ARGV[1], 'data', ARGV[2])
redis.call('HSET', KEYS[2], ARGV[1], id .. ' ' .. ARGV[2])
local size = redis.call('INCRBY', KEYS[3], #ARGV[2])
local length = redis.call('XLEN', KEYS[1])
while length > tonumber(ARGV[3]) or (size > tonumber(ARGV[4]) and length > 1) do
  local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
  length = length - 1
  redis.call('XTRIM', KEYS[1], 'MAXLEN', '=', length)
  size = redis.call('DECRBY', KEYS[3], #first[2][6])
end
return id
"""

_Lost = (redis.RedisError, OSError)


class RedisLive:
    """Implements `Live`. Processes that never subscribe, such as Spark's, never read the stream."""

    def __init__(
        self,
        url: str,
        metrics: Metrics | None = None,
        messages: int = KEPT_MESSAGES,
        size: int = KEPT_BYTES,
        waiting: int = WAITING,
    ) -> None:
        """`url`: redis://, rediss:// or unix://. `waiting`: messages kept while Redis is lost.

        A Redis that does not answer yet is waited for. Raises SetupError for a URL that is none, and
        when Redis refuses us.
        """
        self.name = without_secrets(url)
        try:
            pool = redis.ConnectionPool.from_url(
                url,
                decode_responses=True,
                socket_connect_timeout=CONNECT_S,
                socket_timeout=ANSWER_S,
                retry=Retry(NoBackoff(), 0),
            )
            self._redis = redis.Redis.from_pool(pool)  # closing it closes its connections
            self._redis.ping()
        except ValueError as error:
            raise SetupError(
                Problem("live.url", f"{self.name}: {error}", "redis://host:port/number")
            ) from None
        except (redis.AuthenticationError, redis.ResponseError) as error:
            raise SetupError(
                Problem("live.url", f"{self.name}: {error}", "a Redis that lets us in")
            ) from None
        except _Lost as error:
            self._problem: str | None = self._lost(error)
        else:
            self._problem = None
        self._publish = self._redis.register_script(_PUBLISH)
        self._bounds = (messages, size)
        self._queue: deque[tuple[str, str]] = deque()
        self._waiting = waiting
        self._sending = 0  # messages that are on their way
        self._asking = 0  # threads of others that wait for an answer of Redis
        self._ring = Ring(START, messages, size)
        self._filled = False
        self._closed = False
        self._threads: dict[str, threading.Thread] = {}
        self._changed = threading.Condition()  # of everything above
        metrics = metrics or Metrics()
        self._sent = metrics.counter("logvision_live_sent_messages_total", "Messages that Redis took")
        self._dropped = metrics.counter(
            "logvision_live_dropped_messages_total", "Live messages that were too old when Redis came back"
        )
        metrics.gauge("logvision_live_connected", "Whether Redis answers", lambda: float(not self._problem))

    @property
    def problem(self) -> str | None:
        return self._problem

    def publish(self, kind: str, data: Mapping[str, Any]) -> None:
        text = encoded(kind, data)
        with self._changed:
            self._queue.append((kind, text))
            self._drop()
            self._start("send", self._send)
            self._changed.notify_all()

    def flush(self, timeout_s: float) -> bool:
        with self._changed:
            if not self._changed.wait_for(lambda: not self._queue and not self._sending, timeout_s):
                return False
        return "mirror" not in self._threads or self._catch_up(timeout_s)

    def is_cold(self) -> bool:
        try:
            return bool(self._redis.set(WARM, "1", nx=True))
        except _Lost:
            return False

    async def subscribe(
        self, after: str | None = None, kinds: frozenset[str] = KINDS
    ) -> AsyncIterator[Message]:
        if not self._filled or (after is not None and not self._ring.knows(after)):
            # Another process may have shown it before it came to this one.
            await asyncio.to_thread(self._catch_up, CATCH_UP_S)
        async with contextlib.aclosing(cast(Any, self._ring.subscribe(after, kinds))) as messages:
            async for message in messages:
                yield message

    def snapshot(self) -> Mapping[str, Message]:
        with self._changed:
            self._start("mirror", self._mirror)
        return self._ring.snapshot()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            threads = list(self._threads.values())
            self._changed.notify_all()
        self._ring.close()
        for thread in threads:
            thread.join()
        with self._changed:
            self._changed.wait_for(lambda: not self._asking)
        self._redis.close()

    def _start(self, name: str, target: Any) -> None:
        """Start a thread at its first use; called with the lock held."""
        if name not in self._threads and not self._closed:
            thread = threading.Thread(target=target, name=f"logvision-live-{name}", daemon=True)
            self._threads[name] = thread
            thread.start()

    def _send(self) -> None:
        """Send what waits, until closed and all is sent, or closed and Redis is lost."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._closed)
                batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
                self._sending = len(batch)
            if not batch:
                return
            problem = self._sent_batch(batch)
            with self._changed:
                self._sending = 0
                if problem is not None:
                    self._queue.extendleft(reversed(batch))
                    self._drop()
                self._problem = problem
                self._changed.notify_all()
                if problem is not None and self._changed.wait_for(lambda: self._closed, RETRY_S):
                    return

    def _drop(self) -> None:
        """Let the oldest go, down to the bound; what is on its way counts once it failed. Lock held."""
        dropped = max(0, len(self._queue) - self._waiting)
        for _ in range(dropped):
            self._queue.popleft()
        if dropped:
            self._dropped.add(dropped)

    def _sent_batch(self, batch: list[tuple[str, str]]) -> str | None:
        """Why the batch was not sent; a batch that was sent in part is sent again, which a page bears."""
        try:
            for kind, text in batch:
                self._publish(keys=[STREAM, NEWEST, BYTES], args=[kind, text, *self._bounds])
        except _Lost as error:
            return self._lost(error)
        self._sent.add(len(batch))
        return None

    def _mirror(self) -> None:
        """Follow the stream into the ring until closed."""
        while not self._closed:
            try:
                if self._filled:
                    self._read()
                else:
                    self._fill()
                problem = None
            except _Lost as error:
                problem = self._lost(error)
            with self._changed:
                self._problem = problem
                self._changed.notify_all()
                if problem is not None:
                    self._changed.wait_for(lambda: self._closed, RETRY_S)

    def _fill(self) -> None:
        """Take over what the stream holds; nobody is subscribed yet."""
        newest = cast("dict[str, str]", self._redis.hgetall(NEWEST))
        for kind, kept in newest.items():
            id_, _, data = kept.partition(" ")
            self._ring.remember(Message(id_, kind, data))
        entries = cast("list[tuple[str, dict[str, str]]]", self._redis.xrange(STREAM))
        if entries:
            self._ring.miss(entries[0][1]["before"])
        self._take(entries)
        self._filled = True

    def _read(self) -> None:
        """Wait for what is new."""
        found = cast(
            "list[tuple[str, list[tuple[str, dict[str, str]]]]]",
            self._redis.xread({STREAM: self._ring.end}, count=BATCH, block=BLOCK_MS),
        )
        if found:
            for _, entries in found:
                self._take(entries)
        elif _order(self._end()) < _order(self._ring.end):
            # The stream is another one, with older ids: flushed while the clock went back, or restored.
            # One that has a newer id has grown since it was read.
            self._ring.miss(START)

    def _take(self, entries: list[tuple[str, dict[str, str]]]) -> None:
        for id_, fields in entries:
            if fields["before"] != self._ring.end:
                self._ring.miss(fields["before"])
            self._ring.append(Message(id_, fields["kind"], fields["data"]))

    def _end(self) -> str:
        """Id of the newest entry of the stream."""
        last = cast("list[tuple[str, Any]]", self._redis.xrevrange(STREAM, count=1))
        return last[0][0] if last else START

    def _catch_up(self, timeout_s: float) -> bool:
        """Wait until the mirror holds what the stream holds now; at once when Redis is lost."""
        with self._changed:
            if self._closed:
                return False
            self._start("mirror", self._mirror)
            self._asking += 1
        try:
            end = _order(self._end())
        except _Lost:
            return False
        finally:
            with self._changed:
                self._asking -= 1
                self._changed.notify_all()
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._holds(end), timeout_s)
            return self._holds(end)

    def _holds(self, end: tuple[int, int]) -> bool:
        """Whether the mirror has come as far as this id; called with the lock held."""
        return self._filled and _order(self._ring.end) >= end

    def _lost(self, error: Exception) -> str:
        return f"Redis at {self.name} does not answer: {error}"


def _order(id_: str) -> tuple[int, int]:
    first, _, second = id_.partition("-")
    return int(first), int(second)
