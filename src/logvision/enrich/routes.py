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
from logvision.enrich.places import ACTORS, NOWHERE, WORD_BITS, WORD_MASK, WORDS, Actors, Places
from logvision.enrich.segments import DEPTH, Paths, Words
from logvision.enrich.shape import Ints, Mask

__all__ = ["ACTORS", "DEPTH", "OTHER", "REST", "WORDS", "Answers", "Routed", "Routes"]

OTHER: Final = "{other}"
"""The route of a target that is not a path: `*`, an authority, bytes that are no HTTP."""

REST: Final = "{rest}"
"""What follows in a route where a path is no longer told apart."""

FEW: Final = 256
"""Paths below which plain Python is cheaper than numpy."""

_CUT, _DEEP, _SLASH = 1, 2, 4  # how a route ends
_HOW_BITS: Final = 3
_LACK_BITS: Final = 28


class Answers:
    """What was answered to whom: a row per answer, in the order of time."""

    def __init__(self, paths: Ints, clients: Ints, names: pa.StringArray) -> None:
        """`paths` and `clients` are indices, the latter in `names`."""
        self.paths = paths
        self.clients = clients
        self._names = names
        self._actors: Ints | None = None

    def actors(self) -> Ints:
        """Per answer the client as a number that is the same in every batch."""
        if self._actors is None:
            clients, of_row = np.unique(self.clients, return_inverse=True)
            names = self._names.take(pa.array(clients)).to_pylist()
            self._actors = np.array([zlib.crc32(name.encode()) for name in names], np.int64)[of_row]
        return self._actors

    @classmethod
    def none(cls) -> Answers:
        """Nothing was answered."""
        nothing = np.zeros(0, np.int64)
        return cls(nothing, nothing, pa.array([], pa.string()))


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
            ends = self._walk(cut, Answers.none())
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
        how = np.where(paths.deep, _DEEP, 0) + np.where(paths.slash, _SLASH, 0)
        walk = self._walk_few if len(how) < FEW else self._walk_many
        place, lacks, is_cut = walk(paths, answers)
        ends = (place << _LACK_BITS | lacks) << _HOW_BITS | how | np.where(is_cut, _CUT, 0)
        return np.where(paths.length < 0, NOWHERE, ends)

    def _walk_few(self, paths: Paths, answers: Answers) -> tuple[Ints, Ints, Mask]:
        """`_walk_many` without the cost of calling numpy, 0.1 ms a level."""
        words, first, length = paths.words.tolist(), paths.first.tolist(), paths.length.tolist()
        place, lacks, is_cut = [0] * len(length), [0] * len(length), [False] * len(length)
        answered = answers.paths.tolist()
        rows_of: dict[int, list[int]] = {}
        for row, path in enumerate(answered):
            rows_of.setdefault(path, []).append(row)
        find = self._places.find_one
        on = [path for path, segments_of_it in enumerate(length) if segments_of_it > 0]
        level = 0
        while on:
            keys = {path: place[path] << WORD_BITS | words[first[path] + level] for path in on}
            below = {key: find(key) for key in set(keys.values())}
            unsettled = [path for path, key in keys.items() if below[key][1]]
            rows = sorted(row for path in unsettled for row in rows_of.get(path, ()))
            if rows:
                drops = self._places.drops
                self._learn([keys[answered[row]] for row in rows], answers.actors()[rows].tolist())
                again = below if self._places.drops > drops else {keys[path] for path in unsettled}
                below |= {key: find(key) for key in again}
            for path, key in keys.items():
                child = below[key][0]
                if child >= 0:
                    place[path] = child
                else:
                    word = words[first[path] + level]
                    fallback = int(self._words.fallbacks[word])
                    lacks[path] = (word if fallback < 0 else fallback) + 1
                    is_cut[path] = length[path] > level + 1
            level += 1
            on = [path for path in on if length[path] > level and not lacks[path]]
        return np.array(place, np.int64), np.array(lacks, np.int64), np.array(is_cut, np.bool_)

    def _walk_many(self, paths: Paths, answers: Answers) -> tuple[Ints, Ints, Mask]:
        """Per path the place where it ends, number + 1 of the word that it lacks there, is more cut off."""
        place = np.zeros(len(paths.length), np.int64)
        lacks = np.zeros(len(place), np.int64)  # number of a word, plus 1; 0: nothing
        is_cut = np.zeros(len(place), np.bool_)
        on = np.flatnonzero(paths.length > 0)
        level = 0
        while on.size:
            words = paths.words[paths.first[on] + level]
            encoded = pa.array(place[on] << WORD_BITS | words).dictionary_encode()
            of_path = encoded.indices.to_numpy()
            below = self._pass(encoded.dictionary.to_numpy(), on, of_path, len(place), answers)[of_path]
            more = paths.length[on] > level + 1
            ends = below < 0
            if ends.any():
                fallbacks = self._words.fallbacks[words[ends]]
                lacks[on[ends]] = np.where(fallbacks < 0, words[ends], fallbacks) + 1
                is_cut[on[ends & more]] = True
            place[on[~ends]] = below[~ends]
            on = on[~ends & more]
            level += 1
        return place, lacks, is_cut

    def _pass(self, keys: Ints, paths: Ints, of_path: Ints, length: int, answers: Answers) -> Ints:
        """Where distinct places and words lead to; these of `length` paths are there,
        with which of the keys."""
        below, unsettled = self._places.find(keys)
        if not len(answers.paths) or not unsettled.any():
            return below
        drops = self._places.drops
        key_of_path = np.full(length, NOWHERE)
        key_of_path[paths] = np.where(unsettled, np.arange(len(keys)), NOWHERE)[of_path]
        key = key_of_path[answers.paths]
        rows = np.flatnonzero(key >= 0)
        if rows.size:
            # Distinct pairs in the order of time. A placeholder is settled by any one answer.
            counts = self._words.fallbacks[keys & WORD_MASK] >= 0
            pairs = key[rows] << WORD_BITS | answers.actors()[rows] * counts[key[rows]]
            pairs = pa.array(pairs).dictionary_encode().dictionary.to_numpy()
            self._learn(keys[pairs >> WORD_BITS].tolist(), (pairs & WORD_MASK).tolist())
            again = np.flatnonzero(unsettled) if self._places.drops == drops else np.arange(len(keys))
            below[again] = self._places.find(keys[again])[0]
        return below

    def _learn(self, answered: list[int], actors: list[int]) -> None:
        """Learn which keys, as answers ask, were answered to which clients: the first ACTORS of each.

        A word's moment is when it is confirmed, or else when it came: who is busiest is confirmed first.
        """
        taught: dict[int, Actors] = {}
        # A loop over answers, but only those where a place is not settled yet: few after the first batches.
        for key, actor in zip(answered, actors, strict=True):
            who = taught.get(key)
            if who is None:
                taught[key] = (actor,)
            elif len(who) < ACTORS and actor not in who:
                if len(who) == ACTORS - 1:
                    del taught[key]
                taught[key] = (*who, actor)
        self._places.learn(list(taught), list(taught.values()))

    def _text(self, end: int) -> str:
        """The route of where a path ended."""
        if end == NOWHERE:
            return OTHER
        how = end & (1 << _HOW_BITS) - 1
        lacks = (end >> _HOW_BITS) & (1 << _LACK_BITS) - 1
        route = self._places.text(end >> _HOW_BITS + _LACK_BITS)
        if lacks:
            route += self._words.texts[lacks - 1]
        if how & _CUT or (how & _DEEP and not route.endswith(REST)):
            route += f"/{REST}"
        return route + "/" if how & _SLASH or not route else route
