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
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Self
from urllib.parse import unquote_to_bytes

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from logvision.columns import distinct, hashes
from logvision.detect import baselines
from logvision.detect.behaviour import network_of
from logvision.detect.traits import READ, TRAITS, traits_of

MANY: Final = 30
"""Networks that must have been seen before a profile or one of its traits counts for normal."""

LIMIT: Final = 8192  # profiles kept
WORDS: Final = 2  # of 64 bits: the bitmap of a trait
BITS: Final = 64 * WORDS

CREDIT: Final = 4096
PER_ROW: Final = 1 / 32
"""Requests that teach: the first CREDIT, then one in 32 rows; what a batch does not use is kept for later,
up to CREDIT. Learning one costs 10 to 15 µs. A client teaches once per route and batch, for a network sets
one bit however much it sends; routes that few networks know come first; what many know is not taught on."""

KNOWN_ENOUGH: Final = 5
"""A route is taught until this many times MANY networks know it; without a query, until MANY do."""

PARAMETERS: Final = 32  # of one request that are learned
NAME_LENGTH: Final = 64
ROUTE_LENGTH: Final = 256
"""Longer names and routes have no profile."""

LONGEST: Final = 4 * READ
"""Characters of a value that are decoded: what is longer is of the largest length and no more is asked."""

ROUTE: Final = ""
"""The name under which a route's own requests are counted: who came here at all."""

VERSION: Final = 1
"""Of the snapshot."""

_TEACHES: Final = np.isin(np.arange(600), (*range(200, 300), 302, 303, 304, 307))

MIXER: Final = np.int64(-7046029254386353131)
"""2^64 divided by the golden ratio (Knuth, The Art of Computer Programming, volume 3, 6.4)."""

Key = tuple[str, str, str]
"""Site ("": the log has none), route, name of the parameter."""


class Piece(NamedTuple):
    """One parameter of a request: its name (`{n}`: the n-th variable of its route), its value."""

    name: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of one parameter. Counts are of networks, exact while few, never above `most()`."""

    networks: int
    requests: int  # that were looked at
    counts: tuple[int, ...]  # per trait

    def usual(self, least: int) -> int:
        """The traits that at least so many networks have shown."""
        return sum(1 << bit for bit, count in enumerate(self.counts) if count >= least)


def most() -> int:
    """The largest number of networks that a profile can tell: above it, it says this."""
    return _COUNTS[BITS]


_COUNTS: Final = [round(-BITS * float(np.log(max(BITS - ones, 0.5) / BITS))) for ones in range(BITS + 1)]
"""Networks by the number of bits that are set."""


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
        self._known_by: dict[str, int] = {}  # networks by route, at whatever site

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, site: str | None, route: str, name: str) -> Profile | None:
        """The profile of a parameter; None: never seen. Cost: 20 µs."""
        rows, seen, requests = self._rows, self._seen, self._requests
        row = rows.get((site or "", route, name))
        if row is None:
            return None
        ones = np.bitwise_count(seen[row]).sum(axis=1)
        any_trait = int(np.bitwise_count(np.bitwise_or.reduce(seen[row], axis=0)).sum())
        return Profile(_COUNTS[any_trait], int(requests[row]), tuple(_COUNTS[n] for n in ones.tolist()))

    def learn(self, events: pa.Table, attackers: Collection[int]) -> None:
        """Be taught by the ordinary, answered requests of a judged table.

        `attackers`: networks, numbered as in `baselines`, that teach nothing. Cost: see PER_ROW.
        """
        self._credit = min(CREDIT, self._credit + events.num_rows * PER_ROW)
        rows = _telling(events, self._known_by)[: int(self._credit)]
        if not rows.size:
            return
        self._credit -= rows.size
        picked = events.select(_READ).take(pa.array(rows))
        keys: list[Key] = []
        values: list[bytes] = []
        networks: list[int] = []
        texts = [picked[name].cast(pa.string()).to_pylist() for name in _READ]
        teachers = {client: _bit_of(client) for client in set(texts[-1])}
        for client in list(teachers):
            if baselines.network_of(client) in attackers:
                del teachers[client]
        for site, route, path, query, client in zip(*texts, strict=True):
            network = teachers.get(client)
            if network is None or len(route) > ROUTE_LENGTH:
                continue
            at = site or ""
            keys.append((at, route, ROUTE))
            values.append(b"")
            taught = pieces(path, query, route)
            keys += [(at, route, name) for name, _ in taught]
            values += [value for _, value in taught]
            networks += [network] * (1 + len(taught))
        self._note(keys, traits_of(values), networks)

    def _note(self, keys: Sequence[Key], values: npt.NDArray[np.uint64], networks: Sequence[int]) -> None:
        if not keys:
            return
        at = np.array([self._row(key) for key in keys])
        if len(self._rows) > self._limit:
            self._forget()
            at = np.array([self._rows.get(key, -1) for key in keys])
        self._taught += len(keys)
        kept = np.flatnonzero(at >= 0)
        rows, network = at[kept], np.array(networks, np.int64)[kept]
        bits = values[kept]
        np.add.at(self._requests, rows, 1)
        self._tick[rows] = self._taught
        for trait in range(TRAITS):
            shown = (bits >> np.uint64(trait) & np.uint64(1)).astype(bool)
            one = np.uint64(1) << (network[shown] % 64).astype(np.uint64)
            np.bitwise_or.at(self._seen, (rows[shown], trait, network[shown] // 64), one)
        self._count_routes(dict(zip(keys, at.tolist(), strict=True)))

    def _count_routes(self, rows: Mapping[Key, int]) -> None:
        for (_, route, name), row in rows.items():
            if name == ROUTE and row >= 0:
                self._known_by[route] = self._networks(row)

    def _networks(self, row: int) -> int:
        return _COUNTS[int(np.bitwise_count(np.bitwise_or.reduce(self._seen[row], axis=0)).sum())]

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
        self._rows = {names[old]: new for new, old in enumerate(kept.tolist())}
        self._known_by = {}
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


_READ: Final = ["site", "route", "path", "query", "client_ip"]


def _bit_of(client: str) -> int:
    """The bit that stands for the network of an address."""
    return zlib.crc32((network_of(client) or "").encode()) % BITS


def _telling(events: pa.Table, known_by: Mapping[str, int]) -> npt.NDArray[np.int64]:
    """Rows that may teach, one per route and client, in the order in which they are worth it."""
    rows = _clean(events)
    (clients, client), (routes, route), (_, query) = (
        distinct(events, name) for name in ("client_ip", "route", "query")
    )
    steps = np.array([known_by.get(each, 0) // MANY for each in routes.to_pylist()] + [0])
    asking = query[rows] >= 0
    wanted = steps[route[rows]] < np.where(asking, KNOWN_ENOUGH, 1)
    rows, asking = rows[wanted], asking[wanted]
    worth = steps[route[rows]] + KNOWN_ENOUGH * ~asking
    pair = route[rows].astype(np.int64) * (len(clients) + 1) + client[rows]
    by_worth = np.argsort(worth, kind="stable")
    once = by_worth[np.sort(np.unique(pair[by_worth], return_index=True)[1])]
    # Of equal worth in the order of a hash, so that what is cut off is of no one kind: of the texts, for how
    # they are numbered is another thing in every engine.
    kind = hashes(routes, 7)[route[rows[once]]] * np.uint64(MIXER) ^ hashes(clients, 7)[client[rows[once]]]
    best: npt.NDArray[np.int64] = rows[once[np.lexsort((kind, worth[once]))]]
    return best


def _clean(events: pa.Table) -> npt.NDArray[np.int64]:
    """Rows that may teach: ordinary, answered, by somebody, of a known route."""
    status = pc.fill_null(events["status"], 0).to_numpy()
    good = _TEACHES[np.clip(status, 0, len(_TEACHES) - 1)]
    for name, wanted in (("attack", False), ("route", True), ("client_ip", True), ("path", True)):
        good &= (distinct(events, name)[1] >= 0) == wanted
    bots, codes = distinct(events, "bot")
    scanner = [text is not None and text.startswith("scanner:") for text in bots.to_pylist()]
    good &= ~np.array([*scanner, False])[codes]
    return np.flatnonzero(good)


def pieces(path: str, query: str | None, route: str) -> list[Piece]:
    """The parameters of a request, decoded once, as a clean one means them."""
    found = [Piece(name, _decoded(value)) for name, value in variables(path, route)]
    for pair in (query or "").split("&", PARAMETERS)[:PARAMETERS]:
        name, equals, value = pair.partition("=")
        if equals and name and len(name) <= NAME_LENGTH:
            found.append(Piece(_decoded(name).decode("utf-8", "replace"), _decoded(value.replace("+", " "))))
    return found


def variables(path: str, route: str) -> list[tuple[str, str]]:
    """The segments of a path that its route does not fix, as (`{n}`, text as logged)."""
    if "{" not in route:
        return []
    found: list[tuple[str, str]] = []
    for template, segment in zip(route.split("/"), path.split("/"), strict=False):
        if template == "{rest}":
            break
        if "{" in template:
            found.append((f"{{{len(found) + 1}}}", segment))
    return found


def _decoded(text: str) -> bytes:
    text = text[:LONGEST]
    return unquote_to_bytes(text) if "%" in text else text.encode()
