"""The live bus of one process."""

from __future__ import annotations

import secrets
import threading
from collections.abc import AsyncIterator, Mapping
from typing import Any

from logvision.live.base import KINDS, Message, encoded
from logvision.live.ring import KEPT_BYTES, KEPT_MESSAGES, Ring


class MemoryLive:
    """Implements `Live`. An id is this bus's own tag and a number, so a restart is noticed as a gap.

    Publishing costs one JSON encoding and a wake-up per waiting subscriber; it never waits for one.
    """

    problem = None

    def __init__(self, messages: int = KEPT_MESSAGES, size: int = KEPT_BYTES) -> None:
        self._tag = secrets.token_hex(4)
        self._published = 0
        self._ring = Ring(f"{self._tag}-0", messages, size)
        self._lock = threading.Lock()  # ids are appended in their order

    def publish(self, kind: str, data: Mapping[str, Any]) -> str:
        text = encoded(kind, data)
        with self._lock:
            self._published += 1
            message = Message(f"{self._tag}-{self._published}", kind, text)
            self._ring.append(message)
        return message.id

    def flush(self, timeout_s: float) -> bool:
        return True

    def is_cold(self) -> bool:
        return False

    def subscribe(self, after: str | None = None, kinds: frozenset[str] = KINDS) -> AsyncIterator[Message]:
        return self._ring.subscribe(after, kinds)

    def snapshot(self) -> Mapping[str, Message]:
        return self._ring.snapshot()

    def close(self) -> None:
        self._ring.close()
