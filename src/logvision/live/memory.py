"""The live bus of one process: a bounded ring of messages, read by any number of event loops."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import threading
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import orjson

from logvision.live.base import GAP, KINDS, Message

KEPT_MESSAGES: Final = 4_096
KEPT_BYTES: Final = 16 << 20
"""What a browser that lost the connection can catch up with: minutes at ordinary rates."""


class MemoryLive:
    """Implements `Live`. An id is this bus's own tag and a number, so a restart is noticed as a gap.

    Publishing costs one JSON encoding and a wake-up per waiting subscriber; it never waits for one.
    """

    def __init__(self, messages: int = KEPT_MESSAGES, size: int = KEPT_BYTES) -> None:
        self._tag = secrets.token_hex(4)
        self._messages = messages
        self._size = size
        self._ring: deque[Message] = deque()
        self._bytes = 0
        self._first = 0  # number of the oldest kept message
        self._next = 0  # number of the next one
        self._newest: dict[str, Message] = {}
        self._waiting: set[_Subscriber] = set()
        self._closed = False
        self._lock = threading.Lock()

    def publish(self, kind: str, data: Mapping[str, Any]) -> str:
        if kind not in KINDS:
            raise ValueError(f"unknown kind of message: {kind!r}")
        text = orjson.dumps(data, option=orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC).decode()
        with self._lock:
            message = Message(f"{self._tag}-{self._next}", kind, text)
            self._next += 1
            self._ring.append(message)
            self._bytes += len(text)
            self._newest[kind] = message
            while len(self._ring) > self._messages or (self._bytes > self._size and len(self._ring) > 1):
                self._bytes -= len(self._ring.popleft().data)
                self._first += 1
            waiting = list(self._waiting)
        for subscriber in waiting:
            subscriber.wake()
        return message.id

    async def subscribe(
        self, after: str | None = None, kinds: frozenset[str] = KINDS
    ) -> AsyncIterator[Message]:
        subscriber = _Subscriber(asyncio.get_running_loop())
        with self._lock:
            position = self._position(after)
            self._waiting.add(subscriber)
        try:
            while True:
                subscriber.clear()
                messages, position, missed, closed = self._since(position)
                if missed:
                    yield Message(f"{self._tag}-{position - 1}", GAP, "{}")
                for message in messages:
                    if message.kind in kinds:
                        yield message
                if closed:
                    return
                if not messages and not missed:
                    await subscriber.wait()
        finally:
            with self._lock:
                self._waiting.discard(subscriber)

    def _position(self, after: str | None) -> int:
        """Number of the first message wanted; -1: it cannot be told, so there is a gap."""
        if after is None:
            return self._next
        tag, _, number = after.rpartition("-")
        if tag != self._tag or not number.isascii() or not number.isdigit() or int(number) >= self._next:
            return -1
        return int(number) + 1

    def _since(self, position: int) -> tuple[list[Message], int, bool, bool]:
        """Messages from `position` on, the next position, whether some are gone, whether it ended."""
        with self._lock:
            if position < self._first:
                return [], self._next, True, self._closed
            messages = [self._ring[i - self._first] for i in range(position, self._next)]
            return messages, self._next, False, self._closed

    def snapshot(self) -> Mapping[str, Message]:
        with self._lock:
            return dict(self._newest)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            waiting = list(self._waiting)
        for subscriber in waiting:
            subscriber.wake()


class _Subscriber:
    """Lets any thread wake one waiting coroutine."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._event = asyncio.Event()
        self.wait = self._event.wait
        self.clear = self._event.clear

    def wake(self) -> None:
        with contextlib.suppress(RuntimeError):  # its loop was closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._event.set)
