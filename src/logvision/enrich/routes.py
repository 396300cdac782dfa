"""The routes of a site: which words belong to them, learned from what the site really answers.

A route is a path with its changing parts replaced, as in `/item/{int}`. Shapes (`shape.py`) need no
learning; this module decides which words stay and which are values of a variable.
"""

from __future__ import annotations

import zlib
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from logvision.enrich import segments
from logvision.enrich.places import ACTORS, NOWHERE, WORD_BITS, WORDS, Places
from logvision.enrich.segments import DEPTH, Paths, Words
from logvision.enrich.shape import Ints

__all__ = ["ACTORS", "DEPTH", "OTHER", "REST", "WORDS", "Answers", "Routed", "Routes"]

OTHER: Final = "{other}"
"""The route of a target that is not a path: `*`, an authority, bytes that are no HTTP."""

REST: Final = "{rest}"
"""What follows in a route where a path is no longer told apart."""

_CUT, _DEEP, _SLASH = 1, 2, 4  # how a route ends
_HOW_BITS: Final = 3
_LACK_BITS: Final = 28


class Answers(NamedTuple):
    """What was answered to whom: a row per answer, in the order of time."""

    paths: Ints  # index of the path
    clients: Ints  # index in `names`
    names: pa.StringArray


class Routed(NamedTuple):
    """The routes of distinct paths."""

    routes: pa.StringArray
    of_path: Ints  # per path the index of its route
    kinds: Ints  # per path the index in shape.KINDS


class Routes:
    """The routes of a site, learned as events pass. Bounded: at most `limit` places are remembered.

    - A segment that no answer ever confirmed is `{slug}` and what follows it `{rest}`. So the number
      of routes is bounded by what the site has, not by what it is asked for.
    - A place with more than WORDS words becomes a variable: only words that ACTORS clients were
      answered for stay. One client alone cannot teach a crowded place anything.
    - A word changes its route at most twice once it is known: to `{slug}` when its place gets crowded,
      and back when it is confirmed. Shapes never change.

    For one thread at a time. The paths of a batch go down the tree together, a level at a time; a
    distinct path costs about 1 µs, 2 µs when it has a segment that is new.
    """

    def __init__(self, limit: int = 20_000) -> None:
        self._words = Words()
        self._places = Places(limit, self._words)

    def __len__(self) -> int:
        return len(self._places)

    @property
    def limit(self) -> int:
        """Places that are remembered at most."""
        return self._places.limit

    def find(self, paths: pa.StringArray, answers: Answers) -> Routed:
        """Routes and kinds of distinct paths (no null), after learning from what was answered."""
        self._places.recycle()
        cut = segments.cut(paths, self._words)
        forgotten = self._places.forgotten
        ends = self._walk(cut, answers)
        if self._places.forgotten > forgotten:  # a place that was passed may be gone
            nothing = np.zeros(0, np.int64)
            ends = self._walk(cut, Answers(nothing, nothing, answers.names))
        encoded = pa.array(ends).dictionary_encode()
        routes = [self._text(end) for end in encoded.dictionary.to_pylist()]
        return Routed(pa.array(routes, pa.string()), encoded.indices.to_numpy(), cut.kinds)

    def snapshot(self) -> dict[str, Any]:
        """The whole state as JSON-able values, versioned."""
        return self._places.snapshot()

    @classmethod
    def restore(cls, snapshot: dict[str, Any]) -> Routes:
        """The routes of a snapshot. Of another version: empty, for they are soon learned again."""
        routes = cls(int(snapshot["limit"]))
        routes._places.restore(snapshot)
        return routes

    def _walk(self, paths: Paths, answers: Answers) -> Ints:
        """Where each path ends: the place, the word it lacks there and how, packed; NOWHERE: not a path.

        What was answered is learned level by level, before the level is passed.
        """
        place = np.zeros(len(paths.length), np.int64)
        lacks = np.zeros(len(place), np.int64)  # number of a word, plus 1; 0: nothing
        how = np.where(paths.deep, _DEEP, 0) + np.where(paths.slash, _SLASH, 0)
        on = np.flatnonzero(paths.length > 0)
        level = 0
        while on.size:
            words = paths.words[paths.first[on] + level]
            encoded = pa.array(place[on] << WORD_BITS | words).dictionary_encode()
            of_path = encoded.indices.to_numpy()
            below = self._pass(encoded.dictionary.to_numpy(), on, of_path, answers)[of_path]
            more = paths.length[on] > level + 1
            ends = below < 0
            if ends.any():
                fallbacks = self._words.fallbacks[words[ends]]
                lacks[on[ends]] = np.where(fallbacks < 0, words[ends], fallbacks) + 1
                how[on[ends & more]] |= _CUT
            place[on[~ends]] = below[~ends]
            on = on[~ends & more]
            level += 1
        return np.where(paths.length < 0, NOWHERE, (place << _LACK_BITS | lacks) << _HOW_BITS | how)

    def _pass(self, keys: Ints, paths: Ints, of_path: Ints, answers: Answers) -> Ints:
        """Where distinct places and words lead to; these paths are there, with which of the keys."""
        below, unsettled = self._places.find(keys)
        if not len(answers.paths) or not unsettled.any():
            return below
        drops = self._places.drops
        key_of_path = np.full(int(paths[-1]) + 1, NOWHERE)  # the paths are sorted
        key_of_path[paths] = np.where(unsettled, np.arange(len(keys)), NOWHERE)[of_path]
        self._learn(keys, key_of_path, answers)
        again = np.flatnonzero(unsettled) if self._places.drops == drops else np.arange(len(keys))
        below[again] = self._places.find(keys[again])[0]
        return below

    def _learn(self, keys: Ints, key_of_path: Ints, answers: Answers) -> None:
        """Learn what was answered at unsettled places: the first ACTORS clients of each key."""
        near = answers.paths < len(key_of_path)
        key = np.where(near, key_of_path[np.where(near, answers.paths, 0)], NOWHERE)
        rows = np.flatnonzero(key >= 0)
        if not rows.size:
            return
        pairs = key[rows] * len(answers.names) + answers.clients[rows]
        first = rows[np.unique(pairs, return_index=True)[1]]
        first = first[np.lexsort((first, key[first]))]  # by key, then by time
        start = np.flatnonzero(np.diff(key[first], prepend=-1))
        counts = np.minimum(np.diff(start, append=len(first)), ACTORS)
        # A word's moment is when it is confirmed, or else when it came: who is busiest is confirmed first.
        by_time = np.argsort(first[np.where(counts < ACTORS, start, start + counts - 1)])
        start, counts = start[by_time], counts[by_time]
        taught = keys[key[first[start]]]
        worth = self._places.worth(taught, counts)
        start, counts, taught = start[worth], counts[worth], taught[worth]
        at = np.repeat(start - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        clients, of_row = np.unique(answers.clients[first[at]], return_inverse=True)
        names = answers.names.take(pa.array(clients)).to_pylist()
        hashed = np.array([zlib.crc32(name.encode()) for name in names], np.int64)[of_row].tolist()
        stops = np.cumsum(counts).tolist()
        self._places.learn(
            taught.tolist(),
            [tuple(hashed[a:b]) for a, b in zip([0, *stops[:-1]], stops, strict=True)],
        )

    def _text(self, end: int) -> str:
        """The route of where a path ended."""
        if end == NOWHERE:
            return OTHER
        how = end & (1 << _HOW_BITS) - 1
        lacks = (end >> _HOW_BITS) & (1 << _LACK_BITS) - 1
        route = self._places.text(end >> _HOW_BITS + _LACK_BITS)
        if lacks:
            route += f"/{self._words.texts[lacks - 1]}"
        if how & _CUT or (how & _DEEP and not route.endswith(REST)):
            route += f"/{REST}"
        return route + "/" if how & _SLASH or not route else route
