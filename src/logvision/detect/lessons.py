"""Lessons: what the ordinary requests of a batch teach the profiles, chosen so that little teaches much."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from logvision import native
from logvision.columns import Codes, distinct, firsts, hashes, spread
from logvision.detect import network
from logvision.detect.pieces import Pieces
from logvision.detect.profile import BITS, MANY, Key
from logvision.enrich.kept import Memo
from logvision.enrich.request import answered

Ints = npt.NDArray[np.int64]

KNOWN_ENOUGH: Final = 5
"""A route is taught until this many times MANY networks know it; without a query, until MANY do. A query that
showed anything, too little for an attack, always teaches: what is rare among many may still be usual."""

ROUTE_LENGTH: Final = 256
"""Longer routes have no profile."""

MIXER: Final = np.int64(-7046029254386353131)
"""2^64 divided by the golden ratio (Knuth, The Art of Computer Programming, volume 3, 6.4)."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """One lesson is one value of one parameter, sent by one network."""

    keys: list[Key]  # in the order of their first lessons; may hold one twice
    key: Codes  # of each lesson, which of the keys
    traits: npt.NDArray[np.uint64]  # of the value
    network: Ints  # the bit that stands for it

    @classmethod
    def of(cls, events: pa.Table, rows: Ints, attackers: Collection[int]) -> Lessons:
        """What these rows teach, in their order; `attackers`: networks (`narrow`) that teach nothing."""
        clients, client = distinct(events, "client_ip")
        present, of_row = firsts(client[rows])
        narrow, wide = network.numbers(spread(clients, client[rows[present]]))
        routes, route = distinct(events, "route")
        short = np.less_equal(pc.utf8_length(routes).to_numpy(), ROUTE_LENGTH)
        teaches = np.array([number not in attackers for number in narrow.tolist()], bool)
        taught = teaches[of_row] & short[route[rows]]
        rows, of_row = rows[taught], of_row[taught]
        sites, site = distinct(events, "site")
        paths, queries = (
            pc.fill_null(spread(values, codes[rows]), "")
            for values, codes in (distinct(events, name) for name in ("path", "query"))
        )
        pieces = Pieces.of(routes, route[rows], paths, queries)
        # Site, route and name as one number each.
        at = (site[rows].astype(np.int64) + 1) * len(routes) + route[rows]
        first, key = firsts(at[pieces.row] * len(pieces.names) + pieces.name)
        of_key = pieces.row[first]
        # A site that is null (-1) is the last of the texts.
        texts = np.array([*sites.to_pylist(), ""], object)[site[rows[of_key]]]
        templates = routes.take(pa.array(route[rows[of_key]])).to_pylist()
        names = map(pieces.names.__getitem__, pieces.name[first].tolist())
        keys = list(zip(texts.tolist(), templates, names, strict=True))
        return cls(keys, key, pieces.traits, wide[of_row][pieces.row].astype(np.int64) % BITS)


def telling(events: pa.Table, known_by: native.memo.Memo | Memo, most: int) -> Ints:
    """At most so many rows that may teach, one per route and client, in the order in which they are worth it.

    `known_by`: how many networks know each route.
    """
    rows = _clean(events)
    (clients, client), (routes, route), (_, query) = (
        distinct(events, name) for name in ("client_ip", "route", "query")
    )
    steps = np.maximum(known_by.find(routes), 0) // MANY
    at, asking = route[rows], query[rows] >= 0
    step = steps[at]
    doubted: npt.NDArray[np.bool_] = asking & (events["score"].to_numpy()[rows] > 0)
    wanted = doubted | (step < 1) | (asking & (step < KNOWN_ENOUGH))
    worth = np.where(doubted, 0, 1 + step + KNOWN_ENOUGH * ~asking)[wanted]
    rows, at = rows[wanted], at[wanted]
    pair = at.astype(np.int64) * (len(clients) + 1) + client[rows]
    by_worth = np.argsort(worth.astype(np.int16), kind="stable")  # so short, numbers are sorted by radix
    once = by_worth[firsts(pair[by_worth])[0]]
    # Of equal worth in the order of a hash, so that what is cut off is of no one kind: of the texts, for how
    # they are numbered is another thing in every engine.
    kind = hashes(routes, 7)[at[once]] * np.uint64(MIXER) ^ hashes(clients, 7)[client[rows[once]]]
    order = worth[once].astype(np.uint64) << np.uint64(59) | kind >> np.uint64(5)
    best = np.argpartition(order, most)[:most] if most < len(order) else np.arange(len(order))
    return rows[once[best[np.argsort(order[best])]]]


def _clean(events: pa.Table) -> Ints:
    """Rows that may teach: ordinary, answered, by somebody, of a known route."""
    good = answered(events)
    for name, wanted in (("attack", False), ("route", True), ("client_ip", True), ("path", True)):
        good &= (distinct(events, name)[1] >= 0) == wanted
    return np.flatnonzero(good)
