"""The contract of the live bus: messages with ids from which a subscriber can resume."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import orjson

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


def encoded(kind: str, data: Mapping[str, Any]) -> str:
    """The JSON text of a message to publish. Raises ValueError for a kind that is not in KINDS."""
    if kind not in KINDS:
        raise ValueError(f"unknown kind of message: {kind!r}")
    return orjson.dumps(data, option=orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC).decode()


class Live(Protocol):
    """Any number of publishers and subscribers, in any thread and event loop, none of which can slow another.

    What is published here is a convenience: facts stand in the lake and in the casebook. A bus that
    is lost costs messages, which are counted, and never makes a publisher wait.
    """

    @property
    def problem(self) -> str | None:
        """Why nothing comes through right now; None: all is well. Thread-safe."""
        ...

    def publish(self, kind: str, data: Mapping[str, Any]) -> str | None:
        """Put a message on the bus, never blocking; its id, or None where a server gives it later.

        `data` is JSON-ready (datetimes too: they become ISO 8601 UTC with `Z`). Raises ValueError
        for a kind that is not in KINDS. Thread-safe.
        """
        ...

    def flush(self, timeout_s: float) -> bool:
        """Wait until what this process published is there for every subscriber; False: it took too long."""
        ...

    def is_cold(self) -> bool:
        """Whether the bus forgot everything. Told once to one of all processes, which then fills it again."""
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
        """The newest message of each kind, for a page that just opened. Thread-safe, no waiting."""
        ...

    def close(self) -> None:
        """End all subscriptions; may be called twice."""
        ...
