"""The tree of routes: places, what leads from one to the next, and how words come and go. Bounded.

`native.paths.Places` does the same in the native core.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import pyarrow as pa

from logvision.columns import Codes
from logvision.enrich import shape
from logvision.enrich.segments import DEPTH, REST
from logvision.native.paths import Clients

WORDS: Final = 64
"""Words that one place of a route may have before it counts as a variable."""

ACTORS: Final = 5
"""Different clients that must have been answered before a word of a crowded place is kept."""

WAITING: Final = 4 * WORDS
"""Words of a crowded place that may be on their way to ACTORS at the same time; those of all places together
may be as many as there may be places."""

OTHER: Final = "{other}"
"""The route of a target that is not a path: `*`, an authority, bytes that are no HTTP."""

# Once WORDS are exceeded only words that many clients were answered for stay (crowded); once those are
# too many as well, the first half of them stays for ever (closed). The numbers stand in what is saved.
_ROOMY, _CROWDED, _CLOSED, _OUTSIDE, _GONE = range(5)


class Place:
    """What one word or placeholder leads to, and the words that wait to become a place below it."""

    __slots__ = ("above", "below", "clients", "route", "state", "waiting", "word")

    def __init__(self, word: str, above: Place | None, clients: Sequence[int] = ()) -> None:
        self.word = word  # with the slash before it
        self.above = above
        self.route: str = word if above is None else above.route + word
        self.below: dict[str, Place] = {}
        self.waiting: dict[str, list[int]] = {}  # words that are no place yet, and their clients
        self.clients = list(clients)  # that its word was answered to, fewer than ACTORS; none: enough
        self.state = _ROOMY

    def words(self) -> list[Place]:
        """Children that are words, not placeholders; oldest first."""
        return [place for word, place in self.below.items() if _is_word(word)]

    def all(self) -> Iterator[Place]:
        """This place and all below it, parents first."""
        yield self
        for place in self.below.values():
            yield from place.all()


class Places:
    """The places of one site, at most `limit` of them; for one thread at a time."""

    def __init__(self, limit: int) -> None:
        self.full = False
        """Whether nothing more is learned, for there is no room."""
        self._limit = limit
        self._root = Place("", None)
        self._count = 1
        self._waiting = 0  # words that wait, of all places
        self._forgotten = 0  # how often places were dropped anywhere to make room

    def __len__(self) -> int:
        return self._count

    def routes(self, forms: pa.StringArray, answered: Codes, clients: Clients) -> pa.StringArray:
        """The routes of distinct forms, after learning which of them were answered to whom.

        `answered` are indices of forms, in the order of time, each to one of `clients`. All forms go down the
        tree together, a level at a time, and what was answered is learned before the level is passed.
        """
        texts = forms.to_pylist()
        words = [[f"/{word}" for word in text.removesuffix("/").split("/")[1:]] for text in texts]
        forgotten = self._forgotten
        ends = self._descend(
            words, list(dict.fromkeys(zip(answered.tolist(), clients.tolist(), strict=True)))
        )
        if self._forgotten > forgotten:  # a place that was passed may be gone
            ends = self._descend(words, [])
        return pa.array(map(_route, texts, words, ends), pa.string())

    def saved(self) -> dict[str, list[int]]:
        """Per route of a place, parents and older ones first, its state and, while too few, its clients.

        So are words that wait outside of crowded places.
        """
        saved = {}
        for place in self._root.all():
            saved[place.route] = [place.state, *sorted(place.clients)]
            for word, who in place.waiting.items():
                saved[place.route + word] = [_OUTSIDE, *sorted(who)]
        return saved

    def load(self, places: dict[str, list[int]], full: bool) -> None:
        """Take up what was saved, into a tree that is empty. ValueError: it is not that."""
        known = {"": self._root}
        for route, (state, *who) in places.items():
            above, slash, word = route.rpartition("/")
            depth = route.count("/")
            if above not in known or depth > DEPTH or not _ROOMY <= state <= _OUTSIDE or len(who) >= ACTORS:
                raise ValueError("not the places of a site")
            if state == _OUTSIDE:
                known[above].waiting[slash + word] = who
                continue
            if route:
                known[route] = known[above].below[slash + word] = Place(slash + word, known[above], who)
            known[route].state = state
        self.full, self._count, self._waiting = full, len(known), len(places) - len(known)

    def _descend(self, words: list[list[str]], answers: list[tuple[int, int]]) -> list[tuple[Place, int]]:
        """Where each form ends, and how many of its words lead there."""
        ends = [(self._root, 0)] * len(words)
        going = {form: self._root for form, some in enumerate(words) if some}
        for level in range(DEPTH):
            answers = [answer for answer in answers if answer[0] in going]
            if answers:
                here = ((form, place, words[form][level]) for form, place in going.items())
                self._teach({form: (at, word) for form, at, word in here if self._is_open(at, word)}, answers)
            on: dict[int, Place] = {}
            for form, place in going.items():
                below = _look_up(place, words[form][level])
                if below is not None:
                    ends[form] = below, level + 1
                    if len(words[form]) > level + 1:
                        on[form] = below
            going = on
        return ends

    def _is_open(self, place: Place, word: str) -> bool:
        """Can learning change where a word leads to from a place."""
        child = place.below.get(word)
        if child is not None:
            return bool(child.clients)
        return not self.full and (place.state != _CLOSED or _look_up(place, word) is None)

    def _teach(self, here: dict[int, tuple[Place, str]], answers: list[tuple[int, int]]) -> None:
        """Learn which words were answered where, to the first ACTORS clients of each.

        A word's moment is when it is confirmed, or else when it came: who is busiest is confirmed first.
        """
        taught: dict[tuple[Place, str], list[int]] = {}
        for form, client in answers:
            at = here.get(form)
            if at is None:
                continue
            who = taught.setdefault(at, [])
            # A placeholder is settled by any one answer.
            if len(who) < ACTORS and client not in who and (not who or _is_word(at[1])):
                who.append(client)
                if len(who) == ACTORS:
                    taught[at] = taught.pop(at)
        for (place, word), who in taught.items():
            self._learn(place, word, who)

    def _learn(self, place: Place, word: str, who: list[int]) -> None:
        """Take in that a word was answered at a place to clients."""
        child = place.below.get(word)
        if child is not None:
            if child.clients:
                child.clients = _open(_joined(child.clients, who))
        elif place.state != _GONE:
            if not _is_word(word):
                self._new(place, word)
            elif not self._takes(place, word, who) and _variable(word) not in place.below:
                self._new(place, _variable(word))

    def _takes(self, place: Place, word: str, who: list[int]) -> bool:
        """Does a place take a word in; if not, what was asked for is its variable."""
        if place.state == _ROOMY:
            if len(place.words()) < WORDS:
                return self._new(place, word, who)
            self._crowd(place)
        return place.state == _CROWDED and self._confirms(place, word, who) and self._new(place, word)

    def _new(self, place: Place, word: str, who: Sequence[int] = ()) -> bool:
        """Make a place, confirmed or with the clients it was answered to; false when there is no room."""
        if self._count >= self._limit and not self.full:
            self._forget()
        if self.full or place.state == _GONE:
            return False
        place.below[word] = Place(word, place, _open(who))
        self._count += 1
        return True

    def _crowd(self, place: Place) -> None:
        """Make a place a variable: words that too few clients were answered for wait outside."""
        place.state = _CROWDED
        for child in [child for child in place.below.values() if child.clients]:
            self._drop(child)
            place.waiting[child.word] = child.clients
            self._waiting += 1

    def _confirms(self, place: Place, word: str, who: list[int]) -> bool:
        """Count clients for a waiting word; true when the word may stay from now on."""
        have = _joined(place.waiting.get(word, []), who)
        if word in place.waiting:
            del place.waiting[word]
            self._waiting -= 1
        if len(have) >= ACTORS:
            if len(place.words()) < WORDS:
                return True
            self._close(place)
            return False
        # Full of words that one client asked for: let them go, busy ones come back soon.
        for most in (1, ACTORS):
            if len(place.waiting) >= WAITING:
                self._clear(place, most)
        if self._waiting >= self._limit:
            self._clear_all()
        place.waiting[word] = have
        self._waiting += 1
        return False

    def _clear(self, place: Place, most: int) -> None:
        """Let go of words that wait for a place and were answered to so many clients at most."""
        gone = [word for word, who in place.waiting.items() if len(who) <= most]
        for word in gone:
            del place.waiting[word]
        self._waiting -= len(gone)

    def _clear_all(self) -> None:
        """The same for the words of all places, when they are too many together."""
        for most in (1, ACTORS):
            if self._waiting > self._limit // 2:
                for place in self._root.all():
                    self._clear(place, most)

    def _close(self, place: Place) -> None:
        """Keep the first half of the confirmed words for ever: being first, they are the busiest."""
        place.state = _CLOSED
        self._clear(place, ACTORS)
        for child in place.words()[WORDS // 2 :]:
            self._drop(child)

    def _drop(self, place: Place) -> None:
        """Let go of a place and all that is below it."""
        if place.above is not None:
            del place.above.below[place.word]
        for gone in list(place.all()):
            self._clear(gone, ACTORS)
            gone.state, gone.below = _GONE, {}
            self._count -= 1

    def _forget(self) -> None:
        """Make room: let go of words that few clients were answered for. No room gained: stop learning."""
        self._forgotten += 1
        for enough in (2, ACTORS):
            for place in list(self._root.all()):
                if place.state != _GONE and 0 < len(place.clients) < enough:
                    self._drop(place)
            if self._count <= self._limit * 9 // 10:
                return
        self.full = True


def _is_word(word: str) -> bool:
    return word[1] != "{"


def _variable(word: str) -> str:
    return "/" + shape.variable(word[1:])


def _look_up(place: Place, word: str) -> Place | None:
    """Where a word leads to from a place: to its own, or to that of all words that have none."""
    below = place.below.get(word)
    return place.below.get(_variable(word)) if below is None and _is_word(word) else below


def _open(clients: Sequence[int]) -> list[int]:
    """The clients of a word, as long as they are too few."""
    return list(clients) if len(clients) < ACTORS else []


def _joined(clients: list[int], more: list[int]) -> list[int]:
    """The clients and those of the others that are not among them."""
    return [*clients, *(client for client in more if client not in clients)]


def _route(form: str, words: list[str], end: tuple[Place, int]) -> str:
    """The route of where a form ended."""
    place, known = end
    if not form:
        return OTHER
    route = place.route
    if known == DEPTH:
        route += "".join(words[DEPTH:])
    elif known < len(words):
        lacking = words[known]
        route += _variable(lacking) if _is_word(lacking) else lacking
        if known + 1 < len(words):
            route += f"/{REST}"
    return route + "/" if form.endswith("/") or not route else route
