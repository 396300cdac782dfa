"""What visitors ordinarily send: a profile per site, route and parameter, learned from clean traffic.

A profile says of each trait of values (`traits.py`) how many networks (an IPv4 /24, an IPv6 /48) have shown
it, as linear counting over a bitmap (Whang, Vander-Zanden, Taylor, 1990). One network sets one bit however
much it sends, so nobody teaches a profile alone; nothing is called normal before MANY networks agree.
Requests that count as attacks, and whatever networks that attacked send, teach nothing.

Memory is bounded: at most `limit` profiles. When they are full, those that the fewest networks know go
first, so a flood of made-up names drives out made-up names.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from logvision import native
from logvision.detect.lessons import ROUTE_LENGTH, Lessons, telling
from logvision.detect.pieces import ROUTE
from logvision.detect.profile import WORDS, Key, Profile, networks
from logvision.detect.traits import TRAITS
from logvision.enrich.kept import Memo, memo

LIMIT: Final = 8192  # profiles kept

CREDIT: Final = 4096
PER_ROW: Final = 1 / 32
"""Requests that teach: the first CREDIT, then one in 32 rows; what a batch does not use is kept for later,
up to CREDIT. Learning one costs 2 to 3 µs. A client teaches once per route and batch, for a network sets
one bit however much it sends; routes that few networks know come first; what many know is not taught on."""

VERSION: Final = 1
"""Of the snapshot."""


class Profiles:
    """All profiles; taught by one thread, read by any."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._rows: dict[Key, int] = {}
        self._seen = np.zeros((64, TRAITS, WORDS), np.uint64)  # per profile, trait: bitmap of networks
        self._requests = np.zeros(64, np.int64)
        self._tick = np.zeros(64, np.int64)  # when each was last taught, in requests taught in all
        self._taught = 0
        self._credit = float(CREDIT)
        self._known_by = self._no_routes()

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, site: str | None, route: str, name: str) -> Profile | None:
        """The profile of a parameter; None: never seen. Cost: 20 µs."""
        rows, seen, requests = self._rows, self._seen, self._requests
        row = rows.get((site or "", route, name))
        if row is None:
            return None
        every = int(networks(np.bitwise_or.reduce(seen[row])))
        return Profile(every, int(requests[row]), tuple(networks(seen[row]).tolist()))

    def networks(self, keys: Sequence[Key]) -> npt.NDArray[np.int64]:
        """How many networks are known to have used each parameter; 0: never seen. Cost: 1 µs each."""
        rows, seen = self._rows, self._seen
        at = np.array([rows.get(key, -1) for key in keys], np.int64)
        return np.where(at < 0, 0, networks(np.bitwise_or.reduce(seen[at], axis=-2)))

    def learn(self, events: pa.Table, attackers: Collection[int]) -> None:
        """Be taught by the ordinary, answered requests of a judged table.

        `attackers`: networks, numbered as in `network.narrow`, that teach nothing. Cost: see PER_ROW.
        """
        self._credit = min(CREDIT, self._credit + events.num_rows * PER_ROW)
        rows = telling(events, self._known_by, int(self._credit))
        if rows.size:
            self._credit -= rows.size
            self._note(Lessons.of(events, rows, attackers))

    def _note(self, lessons: Lessons) -> None:
        known = self._rows.get
        rows = [row if (row := known(key)) is not None else self._row(key) for key in lessons.keys]
        if len(self._rows) > self._limit:
            self._forget()
            rows = [self._rows.get(key, -1) for key in lessons.keys]
        self._taught += len(lessons.key)
        at = np.array(rows, np.int64)[lessons.key]
        kept = np.flatnonzero(at >= 0)
        at = at[kept]
        np.add.at(self._requests, at, 1)
        self._tick[at] = self._taught
        _teach(self._seen, at, lessons.traits[kept], lessons.network[kept])
        self._count_routes(dict(zip(lessons.keys, rows, strict=True)))

    def _no_routes(self) -> native.memo.Memo | Memo:
        """Networks by route, at whatever site; with room for all profiles and those of one lesson."""
        return memo(2 * (self._limit + CREDIT), 4 * ROUTE_LENGTH)

    def _count_routes(self, rows: Mapping[Key, int]) -> None:
        known = {route: row for (_, route, name), row in rows.items() if name == ROUTE and row >= 0}
        counts = networks(np.bitwise_or.reduce(self._seen[[*known.values()]], axis=-2))
        routes = pa.array([*known], pa.string())
        self._known_by.keep(routes, np.arange(len(routes)), counts.astype(np.int32))

    def _row(self, key: Key) -> int:
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = len(self._rows)
            if row >= len(self._requests):
                self._resize(2 * len(self._requests))
        return row

    def _resize(self, size: int) -> None:
        def grown(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
            fresh = np.zeros((size, *array.shape[1:]), array.dtype)
            fresh[: len(array)] = array[:size]
            return fresh

        self._seen, self._requests, self._tick = map(grown, (self._seen, self._requests, self._tick))

    def _forget(self) -> None:
        """Keep seven eighths of `limit`: those that the most networks know, of equals the latest taught."""
        size = len(self._rows)
        any_trait = np.bitwise_count(np.bitwise_or.reduce(self._seen[:size], axis=1)).sum(axis=1)
        order = np.lexsort((-self._tick[:size], -any_trait.astype(np.int64)))
        kept = np.sort(order[: self._limit * 7 // 8])
        names = list(self._rows)
        # Made anew and swapped: another thread may be reading the former ones.
        self._seen, self._requests, self._tick = self._seen[kept], self._requests[kept], self._tick[kept]
        self._rows = dict(zip(map(names.__getitem__, kept.tolist()), range(len(kept)), strict=True))
        self._known_by = self._no_routes()
        self._count_routes(self._rows)

    def merge(self, other: Profiles) -> None:
        """Take in what another process learned: associative and commutative while `limit` is not reached."""
        names = list(other._rows)
        for key in names:
            self._row(key)
        at = np.array([self._rows[key] for key in names], np.int64)
        size = len(names)
        self._seen[at] |= other._seen[:size]
        self._requests[at] += other._requests[:size]
        self._tick[at] = np.maximum(self._tick[at], other._tick[:size])
        self._taught = max(self._taught, other._taught)
        if len(self._rows) > self._limit:
            self._forget()

    def known(self) -> Iterator[Key]:
        """Every key, in no order that means anything."""
        return iter(list(self._rows))

    def snapshot(self) -> bytes:
        """Everything, as portable bytes: the same knowledge gives the same bytes. Cost: milliseconds."""
        order = sorted(self._rows)
        at = np.array([self._rows[key] for key in order], np.int64)
        head = {
            "version": VERSION,
            "limit": self._limit,
            "shape": [len(order), TRAITS, WORDS],
            "keys": order,
            "requests": self._requests[at].tolist(),
            "tick": self._tick[at].tolist(),
            "taught": self._taught,
            "credit": self._credit,
        }
        seen = self._seen[at].astype("<u8").tobytes()
        return orjson.dumps(head) + b"\n" + zlib.compress(seen, 1)

    @classmethod
    def restore(cls, state: bytes) -> Self:
        """The profiles of a snapshot. Of another version, or other traits: empty, to be learned again."""
        head, _, body = state.partition(b"\n")
        given = orjson.loads(head)
        made = cls(int(given.get("limit", LIMIT)))
        if given["version"] != VERSION or given["shape"][1:] != [TRAITS, WORDS]:
            return made
        seen = np.frombuffer(zlib.decompress(body), "<u8").astype(np.uint64).reshape(given["shape"])
        made._rows = {(site, route, name): row for row, (site, route, name) in enumerate(given["keys"])}
        made._seen = seen
        made._requests = np.array(given["requests"], np.int64)
        made._tick = np.array(given["tick"], np.int64)
        made._taught, made._credit = given["taught"], given["credit"]
        made._resize(max(64, len(made._rows)))
        made._count_routes(made._rows)
        return made


def _teach(
    seen: npt.NDArray[np.uint64],
    rows: npt.NDArray[np.int64],
    traits: npt.NDArray[np.uint64],
    network: npt.NDArray[np.int64],
) -> None:
    """Set the bit of each network in the traits of its profile."""
    if native.HERE:
        native.pieces.teach(seen, rows, traits, network)
        return
    for trait in range(TRAITS):
        shown = (traits >> np.uint64(trait) & np.uint64(1)).astype(bool)
        one = np.uint64(1) << (network[shown] % 64).astype(np.uint64)
        np.bitwise_or.at(seen, (rows[shown], trait, network[shown] // 64), one)
