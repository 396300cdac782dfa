"""A bounded queue between two threads that can be closed from either end."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Closed(Exception):
    """Nothing will come any more (get), or nobody wants it (put)."""


class Channel(Generic[T]):
    """At most `capacity` items stand between the two threads; a full channel makes the sender wait."""

    def __init__(self, capacity: int) -> None:
        self._items: deque[T] = deque()
        self._capacity = capacity
        self._ended = False
        self._aborted = False
        self._changed = threading.Condition()

    def room(self) -> None:
        """Wait until the only sender can put an item at once. Raises Closed when the channel was aborted."""
        with self._changed:
            self._wait_for_room()

    def put(self, item: T) -> None:
        """Wait for room and put the item. Raises Closed when the channel was aborted meanwhile."""
        with self._changed:
            self._wait_for_room()
            self._items.append(item)
            self._changed.notify_all()

    def _wait_for_room(self) -> None:
        self._changed.wait_for(lambda: self._aborted or len(self._items) < self._capacity)
        if self._aborted:
            raise Closed

    def get(self, timeout: float | None = None) -> T | None:
        """The next item, or None after `timeout` seconds. Raises Closed after the last one."""
        with self._changed:
            self._changed.wait_for(lambda: self._aborted or self._ended or self._items, timeout)
            if self._aborted:
                raise Closed
            if self._items:
                item = self._items.popleft()
                self._changed.notify_all()
                return item
            if self._ended:
                raise Closed
            return None

    def end(self) -> None:
        """The sender has put its last item; what stands in the channel is still taken."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def abort(self) -> None:
        """Nobody may send or take any more: both sides get Closed at once."""
        with self._changed:
            self._aborted = True
            self._items.clear()
            self._changed.notify_all()
