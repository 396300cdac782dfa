"""The newest messages in order, bounded, read by any number of event loops: what every live bus hands out."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Final

from logvision.live.base import GAP, KINDS, Message

KEPT_MESSAGES: Final = 4_096
KEPT_BYTES: Final = 4 << 20
"""What a browser that lost the connection can catch up with: some minutes of a busy page. One that was away
for longer loads anew."""


class Ring:
    """Messages are numbered as they are appended; a subscriber that is older than the oldest has a gap.

    Appending costs a wake-up per waiting subscriber; it never waits for one. Every method but
    `subscribe` may be called from any thread.
    """

    def __init__(self, start: str, messages: int = KEPT_MESSAGES, size: int = KEPT_BYTES) -> None:
        """`start`: the id that stands for "before the first message"."""
        self._messages = messages
        self._size = size
        self._kept: deque[Message] = deque()
        self._numbers: dict[str, int] = {}  # of the kept messages
        self._bytes = 0
        self._first = 0  # number of the oldest kept message
        self._next = 0  # number of the next one
        self._before = start  # id of the message before the oldest kept one
        self._newest: dict[str, Message] = {}
        self._waiting: set[_Subscriber] = set()
        self._closed = False
        self._lock = threading.Lock()

    def append(self, message: Message) -> None:
        """Add the newest message and let go of the oldest beyond the bounds."""
        with self._lock:
            self._kept.append(message)
            self._numbers[message.id] = self._next
            self._next += 1
            self._bytes += len(message.data)
            self._newest[message.kind] = message
            while len(self._kept) > self._messages or (self._bytes > self._size and len(self._kept) > 1):
                self._drop()
        self._wake()

    def remember(self, message: Message) -> None:
        """The newest message of its kind, of which nobody needs to be told any more."""
        with self._lock:
            self._newest[message.kind] = message

    def miss(self, before: str) -> None:
        """Messages were lost: every subscriber has a gap. `before`: id of the one before the next."""
        with self._lock:
            while self._kept:
                self._drop()
            self._next += 1
            self._first = self._next
            self._before = before
        self._wake()

    def knows(self, id_: str) -> bool:
        """Whether a subscriber can go on after this message."""
        with self._lock:
            return id_ == self._before or id_ in self._numbers

    @property
    def end(self) -> str:
        """Id of the newest message."""
        with self._lock:
            return self._end()

    def snapshot(self) -> Mapping[str, Message]:
        """The newest message of each kind."""
        with self._lock:
            return dict(self._newest)

    def close(self) -> None:
        """End all subscriptions."""
        with self._lock:
            self._closed = True
        self._wake()

    async def subscribe(
        self, after: str | None = None, kinds: frozenset[str] = KINDS
    ) -> AsyncIterator[Message]:
        """See `Live.subscribe`."""
        subscriber = _Subscriber(asyncio.get_running_loop())
        with self._lock:
            position = self._position(after)
            self._waiting.add(subscriber)
        try:
            while True:
                subscriber.clear()
                messages, position, gap, closed = self._since(position)
                if gap is not None:
                    yield gap
                for message in messages:
                    if message.kind in kinds:
                        yield message
                if closed:
                    return
                if not messages and gap is None:
                    await subscriber.wait()
        finally:
            with self._lock:
                self._waiting.discard(subscriber)

    def _position(self, after: str | None) -> int:
        """Number of the first message wanted; -1: it cannot be told, so there is a gap."""
        if after is None:
            return self._next
        if after == self._before:
            return self._first
        return self._numbers.get(after, -2) + 1

    def _since(self, position: int) -> tuple[list[Message], int, Message | None, bool]:
        """Messages from `position` on, the next position, a gap if there is one, whether it ended."""
        with self._lock:
            if position < self._first:
                # Whoever comes back with the gap's id has loaded everything up to here.
                return [], self._next, Message(self._end(), GAP, "{}"), self._closed
            messages = [self._kept[i - self._first] for i in range(position, self._next)]
            return messages, self._next, None, self._closed

    def _end(self) -> str:
        return self._kept[-1].id if self._kept else self._before

    def _drop(self) -> None:
        oldest = self._kept.popleft()
        self._numbers.pop(oldest.id, None)
        self._bytes -= len(oldest.data)
        self._before = oldest.id
        self._first += 1

    def _wake(self) -> None:
        with self._lock:
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
