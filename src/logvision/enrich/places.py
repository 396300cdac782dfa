"""The tree of routes: places, what leads from one to the next, and how words come and go. Bounded."""

from __future__ import annotations

from itertools import repeat
from typing import Any, Final

import numpy as np
import pyarrow as pa

from logvision.enrich.segments import Words
from logvision.enrich.shape import Ints, Mask

VERSION: Final = 1
"""Of the snapshot."""

WORDS: Final = 64
"""Words that one place of a route may have before it counts as a variable."""

ACTORS: Final = 5
"""Different clients that must have been answered before a word of a crowded place is kept."""

WAITING: Final = 4 * WORDS
"""Words of a crowded place that may be on their way to ACTORS at the same time."""

ROOT: Final = 0
NOWHERE: Final = -1

# Once WORDS are exceeded only words that many clients were answered for stay (crowded); once those are
# too many as well, the first half of them stays for ever (closed).
_ROOMY, _CROWDED, _CLOSED, _GONE = range(4)

WORD_BITS: Final = 32
WORD_MASK: Final = (1 << WORD_BITS) - 1
"""A place and a word in one number: place << WORD_BITS | number of the word."""

Actors = tuple[int, ...]


class Places:
    """Places by number, the root first. At most `limit` of them; for one thread at a time.

    Numbers and tuples of numbers in few large tables, not an object per place: a batch makes nothing
    that the garbage collector has to follow.
    """

    def __init__(self, limit: int, words: Words) -> None:
        self.limit = limit
        self.drops = 0
        """How often places were dropped: what `find` gave before may be gone."""
        self.forgotten = 0
        """How often places were dropped anywhere to make room."""
        self._words = words
        self._full = False
        self._edges = {-1: ROOT}  # (place, word) → place
        self._routes = [""]
        self._parents = [NOWHERE]
        self._sizes = [0]  # children that are words, not placeholders
        self._states = bytearray([_ROOMY])
        self._pending = bytearray([False])  # has fewer than ACTORS clients yet, those of:
        self._actors: dict[int, Actors] = {}
        self._waiting: dict[int, dict[int, Actors]] = {}  # per crowded place: words not confirmed
        self._free: list[int] = []
        self._dropped: list[int] = []

    def __len__(self) -> int:
        return len(self._edges)

    def find(self, keys: Ints) -> tuple[Ints, Mask]:
        """Where each place and word leads, NOWHERE: to no place; and whether learning can change that.

        A call of a dictionary per key, 0.1 µs: the caller brings distinct ones.
        """
        direct = self._look_up(keys)
        known = direct >= 0
        unsettled = known & np.frombuffer(self._pending, np.bool_)[direct]
        lacking = np.flatnonzero(~known)
        if lacking.size:
            places, words = keys[lacking] >> WORD_BITS, keys[lacking] & WORD_MASK
            fallbacks = self._words.fallbacks[words]
            of_words = np.flatnonzero(fallbacks >= 0)
            instead = np.full(lacking.size, NOWHERE)
            instead[of_words] = self._look_up(places[of_words] << WORD_BITS | fallbacks[of_words])
            direct[lacking] = instead
            settled = (instead >= 0) & (np.frombuffer(self._states, np.uint8)[places] == _CLOSED)
            unsettled[lacking] = ~settled & (not self._full)
        return direct, unsettled

    def find_one(self, key: int) -> tuple[int, bool]:
        """`find` for one place and word."""
        direct = self._edges.get(key)
        if direct is not None:
            return direct, bool(self._pending[direct])
        place, fallback = key >> WORD_BITS, int(self._words.fallbacks[key & WORD_MASK])
        instead = NOWHERE if fallback < 0 else self._edges.get(place << WORD_BITS | fallback, NOWHERE)
        settled = instead >= 0 and self._states[place] == _CLOSED
        return instead, not settled and not self._full

    def learn(self, keys: list[int], actors: list[Actors]) -> None:
        """Take in that words were answered at places to clients (hashed, distinct), in the order of time."""
        fallbacks = self._words.fallbacks
        for key, who in zip(keys, actors, strict=True):
            place, word = key >> WORD_BITS, key & WORD_MASK
            child = self._edges.get(key)
            if child is not None:
                if self._pending[child]:
                    self._pend(child, _joined(self._actors[child], who))
            elif self._states[place] != _GONE:
                fallback = int(fallbacks[word])
                if fallback < 0:
                    self._new(place, word)
                elif not self._takes(place, word, who) and (place << WORD_BITS | fallback) not in self._edges:
                    self._new(place, fallback)

    def text(self, place: int) -> str:
        """The route of a place."""
        return self._routes[place]

    def recycle(self) -> None:
        """Between two batches: numbers of places and words that nothing uses any more may be used again."""
        self._free += self._dropped
        self._dropped = []
        in_use = len(self._edges) + sum(map(len, self._waiting.values()))  # words, at most
        if self._words.crowded(in_use):
            used = {key & WORD_MASK for key in self._edges if key >= 0}
            used.update(*self._waiting.values())
            renumbered = self._words.forget(sorted(used))
            self._edges = {
                key >> WORD_BITS << WORD_BITS | renumbered[key & WORD_MASK] if key >= 0 else key: place
                for key, place in self._edges.items()
            }
            self._waiting = {
                place: {renumbered[word]: who for word, who in waiting.items()}
                for place, waiting in self._waiting.items()
            }

    def _look_up(self, keys: Ints) -> Ints:
        return np.fromiter(map(self._edges.get, keys.tolist(), repeat(NOWHERE)), np.int64, len(keys))

    def _takes(self, place: int, word: int, who: Actors) -> bool:
        """Does a place take a word in; if not, what was asked for is its variable."""
        if self._states[place] == _ROOMY:
            if self._sizes[place] < WORDS:
                return self._new(place, word, who)
            self._crowd(place)
        return self._states[place] == _CROWDED and self._confirms(place, word, who) and self._new(place, word)

    def _new(self, place: int, word: int, who: Actors | None = None) -> bool:
        """Make a place, confirmed or with the clients it was answered to; false when there is no room."""
        if len(self._edges) >= self.limit and not self._full:
            self._forget()
        if self._full or self._states[place] == _GONE:
            return False
        route = self._routes[place] + self._words.texts[word]
        if self._free:
            child = self._free.pop()
            self._routes[child], self._parents[child], self._sizes[child] = route, place, 0
            self._states[child] = _ROOMY
        else:
            child = len(self._routes)
            self._routes.append(route)
            self._parents.append(place)
            self._sizes.append(0)
            self._states.append(_ROOMY)
            self._pending.append(False)
        self._edges[place << WORD_BITS | word] = child
        self._sizes[place] += int(self._words.fallbacks[word]) >= 0
        if who is not None:
            self._pend(child, who)
        return True

    def _pend(self, place: int, who: Actors) -> None:
        """Note the clients that a place was answered to, until there are ACTORS."""
        pending = len(who) < ACTORS
        self._pending[place] = pending
        if pending:
            self._actors[place] = who
        else:
            self._actors.pop(place, None)

    def _crowd(self, place: int) -> None:
        """Make a place a variable: words that too few clients were answered for wait outside."""
        self._states[place] = _CROWDED
        out = [(key, child) for key, child in self._children(place) if self._pending[child]]
        self._waiting[place] = {key & WORD_MASK: self._actors[child] for key, child in out}
        self._drop([key for key, _ in out])

    def _confirms(self, place: int, word: int, who: Actors) -> bool:
        """Count clients for a waiting word; true when the word may stay from now on."""
        waiting = self._waiting.setdefault(place, {})
        # What was asked for last stands last.
        have = _joined(waiting.pop(word, ()), who)
        if len(have) >= ACTORS:
            if self._sizes[place] < WORDS:
                return True
            self._close(place)
            return False
        if len(waiting) >= WAITING:
            # Full of words that one client asked for: let them go, busy ones come back soon.
            waiting = {other: others for other, others in waiting.items() if len(others) > 1}
            self._waiting[place] = waiting = waiting if len(waiting) < WAITING else {}
        waiting[word] = have
        return False

    def _close(self, place: int) -> None:
        """Keep the first half of the confirmed words for ever: being first, they are the busiest."""
        self._states[place] = _CLOSED
        self._waiting.pop(place, None)
        words = [key for key, _ in self._children(place) if self._words.fallbacks[key & WORD_MASK] >= 0]
        self._drop(words[WORDS // 2 :])

    def _children(self, place: int) -> list[tuple[int, int]]:
        """What leads on from a place, oldest first. Looks through all there is: seldom needed."""
        return [(key, child) for key, child in self._edges.items() if key >> WORD_BITS == place]

    def _drop(self, keys: list[int]) -> None:
        """Let go of places and all that is below them."""
        if not keys:
            return
        self.drops += 1
        gone = np.zeros(len(self._parents) + 1, np.bool_)  # the last answers NOWHERE
        for key in keys:
            gone[self._edges[key]] = True
            self._sizes[key >> WORD_BITS] -= int(self._words.fallbacks[key & WORD_MASK]) >= 0
        alive = np.append(np.frombuffer(self._states, np.uint8) != _GONE, False)
        parents = np.array([*self._parents, NOWHERE])
        while (below := alive & ~gone & gone[parents]).any():
            gone |= below
        numbers = np.flatnonzero(gone & alive).tolist()
        kept = (~gone).tolist()
        self._edges = {key: place for key, place in self._edges.items() if kept[place]}
        for place in numbers:
            self._states[place] = _GONE
            self._pending[place] = False
            self._actors.pop(place, None)
            self._waiting.pop(place, None)
        self._dropped += numbers

    def _forget(self) -> None:
        """Make room: let go of words that few clients were answered for. No room gained: stop learning."""
        self.forgotten += 1
        for enough in (2, ACTORS):
            few = {place for place, who in self._actors.items() if len(who) < enough}
            top = {place for place in few if not self._under(place, few)}
            self._drop([key for key, place in self._edges.items() if place in top])
            if len(self._edges) <= self.limit * 9 // 10:
                return
        self._full = True

    def _under(self, place: int, others: set[int]) -> bool:
        """Does a place stand below one of others."""
        above = self._parents[place]
        while above != NOWHERE:
            if above in others:
                return True
            above = self._parents[above]
        return False

    def snapshot(self) -> dict[str, Any]:
        """The whole state as JSON-able values, versioned: the tree, oldest words first."""
        texts = self._words.texts
        nodes: dict[int, dict[str, Any]] = {place: {"children": {}} for place in self._edges.values()}
        for key, place in self._edges.items():
            if place != ROOT:
                nodes[key >> WORD_BITS]["children"][texts[key & WORD_MASK][1:]] = nodes[place]
        for place, who in self._actors.items():
            nodes[place]["actors"] = sorted(who)
        for place, node in nodes.items():
            if self._states[place] != _ROOMY:
                node["crowded"] = True
                node["waiting"] = {
                    texts[w][1:]: sorted(who) for w, who in self._waiting.get(place, {}).items()
                }
            if self._states[place] == _CLOSED:
                node["closed"] = True
        return {"version": VERSION, "limit": self.limit, "full": self._full, "root": nodes[ROOT]}

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Take up a snapshot, into places that are empty; one of another version is passed over."""
        if snapshot["version"] != VERSION:
            return
        level = [(ROOT, snapshot["root"])]
        while level:
            below: list[tuple[int, dict[str, Any]]] = []
            for place, node in level:
                texts, waiting = node["children"], node.get("waiting", {})
                numbers = self._words.encode(pa.array([f"/{t}" for t in (*texts, *waiting)], pa.string()))[
                    0
                ].tolist()
                for word, child in zip(numbers, texts.values(), strict=False):
                    who = tuple(child["actors"]) if "actors" in child else None
                    self._new(place, word, who)
                    below.append((self._edges[place << WORD_BITS | word], child))
                if node.get("crowded"):
                    self._states[place] = _CROWDED
                    whose = [tuple(who) for who in waiting.values()]
                    self._waiting[place] = dict(zip(numbers[len(texts) :], whose, strict=True))
                if node.get("closed"):
                    self._states[place] = _CLOSED
            level = below
        self._full = bool(snapshot["full"])


def _joined(actors: Actors, more: Actors) -> Actors:
    """The actors and those of the others that are not among them."""
    new = [actor for actor in more if actor not in actors]
    return (*actors, *new) if new else actors
