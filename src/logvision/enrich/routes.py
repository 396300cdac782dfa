"""The routes of a site: which words belong to them, learned from what the site really answers.

A route is a path with its changing parts replaced, as in `/item/{int}`. Shapes (`shape.py`) need no
learning; the tree of `places.py` decides which words stay and which are values of a variable.
"""

from __future__ import annotations

import zlib
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from logvision import native
from logvision.columns import Codes
from logvision.enrich import segments, shape
from logvision.enrich.places import ACTORS, OTHER, WORDS, Places
from logvision.enrich.segments import DEPTH, REST

__all__ = ["ACTORS", "DEPTH", "OTHER", "REST", "WORDS", "Answers", "Routed", "Routes"]

VERSION: Final = 2
"""Of the snapshot."""


class Answers(NamedTuple):
    """What was answered to whom: a row per answer, in the order of time."""

    paths: Codes  # indices of paths
    clients: native.paths.Clients  # numbers of clients, as `numbers` gives them


class Routed(NamedTuple):
    """The routes of distinct paths."""

    routes: pa.StringArray  # some may be alike
    of_path: Codes  # per path the index of its route
    kinds: Codes  # per path the index in shape.KINDS


class Routes:
    """The routes of a site, learned as events pass. Bounded: at most `limit` places are remembered.

    - A segment that no answer ever confirmed is `{slug}` and what follows it `{rest}`. So the number
      of routes is bounded by what the site has, not by what it is asked for.
    - A place with more than WORDS words becomes a variable: only words that ACTORS clients were
      answered for stay. One client alone cannot teach a crowded place anything.
    - A word changes its route at most twice once it is known: to `{slug}` when its place gets crowded,
      and back when it is confirmed. Shapes never change.

    For one thread at a time. A distinct path costs about 0.5 µs, 10 µs without the native core.
    """

    def __init__(self, limit: int = 20_000) -> None:
        self.limit = limit
        """Places that are remembered at most."""
        self._places = native.paths.Places(limit, shape.EXTENSIONS) if native.HERE else Places(limit)

    def __len__(self) -> int:
        return len(self._places)

    def find(self, paths: pa.StringArray, answers: Answers) -> Routed:
        """Routes and kinds of distinct paths (no null), after learning from what was answered."""
        forms = segments.forms(paths)
        routes = self._places.routes(forms.texts, forms.of_path[answers.paths], answers.clients)
        return Routed(routes, forms.of_path, forms.kinds)

    def snapshot(self) -> dict[str, Any]:
        """The whole state as JSON-able values, versioned."""
        places = self._places
        return {"version": VERSION, "limit": self.limit, "full": places.full, "places": places.saved()}

    @classmethod
    def restore(cls, snapshot: dict[str, Any]) -> Routes:
        """The routes of a snapshot. Of another version: empty, for they are soon learned again.

        ValueError: it is no snapshot.
        """
        routes = cls(int(snapshot["limit"]))
        if snapshot["version"] == VERSION:
            routes._places.load(snapshot["places"], bool(snapshot["full"]))
        return routes


def numbers(clients: pa.StringArray) -> native.paths.Clients:
    """Clients as numbers (CRC-32) that are the same in every batch and every process."""
    if native.HERE:
        return native.paths.clients(clients)
    return np.array([zlib.crc32(name.encode()) for name in clients.to_pylist()], np.uint32)
