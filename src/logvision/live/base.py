"""The contract of the live bus: messages with ids from which a subscriber can resume."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

NOW: Final = "now"  # every second: counts of the last second and totals
EVENTS: Final = "events"  # at most 4 a second, at most 50 rows
INCIDENT: Final = "incident"  # an incident document, each time it changes
HEALTH: Final = "health"  # state of the sources
GAP: Final = "gap"  # made for one subscriber: what it missed is gone, load everything again

KINDS: Final = frozenset({NOW, EVENTS, INCIDENT, HEALTH})
"""Kinds that are published. `GAP` comes to every subscriber that needs it, whatever it asked for."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `data` is JSON text, made once however many pages read it."""

    id: str  # opaque; only `subscribe` reads it. Later messages have later ids.
    kind: str
    data: str


class Live(Protocol):
    """One publisher thread, any number of subscribers in any event loop, none of which can slow it."""

    def publish(self, kind: str, data: Mapping[str, Any]) -> str:
        """Put a message on the bus, never blocking, and give its id.

        `data` is JSON-ready (datetimes too: they become ISO 8601 UTC with `Z`). Raises ValueError
        for a kind that is not in KINDS. Thread-safe.
        """
        ...

    def subscribe(self, after: str | None = None, kinds: frozenset[str] = KINDS) -> AsyncIterator[Message]:
        """Messages of these kinds published after the message `after`; None: from now on.

        Order is that of ids. When something after `after` is no longer kept, when `after` is not an
        id of this bus, or when the subscriber reads too slowly, it gets a `GAP` message and then what
        is published after that: it must load anew whatever it shows. Ends when the bus is closed.
        Leaving the iteration (aclose, cancellation) gives everything back.
        """
        ...

    def snapshot(self) -> Mapping[str, Message]:
        """The newest message of each kind, for a page that just opened. Thread-safe."""
        ...

    def close(self) -> None:
        """End all subscriptions; may be called twice."""
        ...
