"""The routes of a site: which words belong to them, learned from what the site really answers.

A route is a path with its changing parts replaced, as in `/item/{int}`. Shapes (`shape.py`) need no
learning; this module decides which words stay and which are values of a variable.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow as pa

from logvision.enrich import shape
from logvision.enrich.kept import Kept
from logvision.enrich.shape import Token

VERSION: Final = 1
"""Of the snapshot."""

PATH_READ: Final = 2048
"""Bytes of a path that are read for its route."""

DEPTH: Final = 10
"""Segments of a path that are told apart; what comes after is `{rest}`."""

WORDS: Final = 64
"""Words that one place of a route may have before it counts as a variable."""

ACTORS: Final = 5
"""Different clients that must have been answered before a word of a crowded place is kept."""

WAITING: Final = 4 * WORDS
"""Words of a crowded place that may be on their way to ACTORS at the same time."""

PATHS_KEPT: Final = 65_536
"""Paths whose segments and route are kept: about 40 MB when they are long."""

OTHER: Final = "{other}"
"""The route of a target that is not a path: `*`, an authority, bytes that are no HTTP."""

REST: Final = "{rest}"


@dataclass(slots=True, eq=False)
class _Place:
    """A node of the tree of routes: one segment in the context of those before it."""

    route: str
    children: dict[str, _Place] = field(default_factory=dict)
    # Clients (hashed) that were answered here, until there are ACTORS of them; then null: confirmed.
    actors: set[int] | None = None
    words: int = 0  # children that are words, not placeholders
    # Once WORDS are exceeded only words that many clients were answered for stay (crowded); once those
    # are too many as well, the first half of them stays for ever (closed).
    crowded: bool = False
    closed: bool = False
    waiting: dict[str, set[int]] = field(default_factory=dict)  # of a crowded place: words not confirmed


@dataclass(slots=True, eq=False)
class Path:
    """A distinct path: what never changes of it, and its route as last worked out."""

    segments: tuple[Token, ...] | None  # null: not a path, the route is fixed
    kind: str | None  # page, static or api
    deep: bool = False  # longer than DEPTH
    slash: bool = False  # ends with a slash
    route: str | None = None
    epoch: int = -1  # when the route was worked out for good; -1: learning may change it


MISSING: Final = Path(None, None)
"""What stands for null."""


class Routes:
    """The routes of a site, learned as events pass. Bounded: at most `limit` places are remembered.

    - A segment that no answer ever confirmed is `{slug}` and what follows it `{rest}`. So the number
      of routes is bounded by what the site has, not by what it is asked for.
    - A place with more than WORDS words becomes a variable: only words that ACTORS clients were
      answered for stay. One client alone cannot teach a crowded place anything.
    - A word changes its route at most twice once it is known: to `{slug}` when its place gets crowded,
      and back when it is confirmed. Shapes never change.

    For one thread at a time. A known path costs 0.5 µs, a new one about 5 µs.
    """

    def __init__(self, limit: int = 20_000) -> None:
        self.limit = limit
        self._root = _Place("")
        self._places = 1
        self._full = False
        self._epoch = 0  # how often routes that stood for good may have changed after all
        self._paths = Kept(PATHS_KEPT, _read)

    def __len__(self) -> int:
        return self._places

    def paths(self, texts: Sequence[str | None]) -> list[Path]:
        """Distinct paths, each with its route as it stands now; learns nothing. Null gives `MISSING`."""
        paths = self._paths.answers(texts, MISSING)
        self.renew(paths)
        return paths

    def renew(self, paths: Iterable[Path]) -> None:
        """Work out the routes again that may have changed since."""
        for path in paths:
            if path.epoch != self._epoch and path.segments is not None:
                self._work_out(path, path.segments)

    def open(self, path: Path) -> bool:
        """Can learning still change the route of a path."""
        return path.epoch != self._epoch and path.segments is not None and not self._full

    def learn(self, answered: Iterable[tuple[Path, str]]) -> None:
        """Take in that paths were answered to clients: distinct pairs, in the order of time."""
        # A loop over distinct pairs, of paths that are not settled: few after the first batches.
        for path, client in answered:
            actor = zlib.crc32(client.encode())
            place: _Place | None = self._root
            for token in path.segments or ():
                if place is None:
                    break
                place = self._step(place, token, actor)

    def snapshot(self) -> dict[str, Any]:
        """The whole state as JSON-able values, versioned."""
        return {"version": VERSION, "limit": self.limit, "full": self._full, "root": _dump(self._root)}

    @classmethod
    def restore(cls, snapshot: dict[str, Any]) -> Routes:
        """The routes of a snapshot. Of another version: empty, for they are soon learned again."""
        routes = cls(int(snapshot["limit"]))
        if snapshot["version"] == VERSION:
            routes._full = bool(snapshot["full"])
            routes._root = _load("", snapshot["root"])
            routes._places = _count(routes._root)
        return routes

    def _work_out(self, path: Path, segments: tuple[Token, ...]) -> None:
        place, route, settled = self._root, "", True
        for token in segments:
            child = place.children.get(token.text)
            if child is None and token.fallback is not None:
                child = place.children.get(token.fallback)
                settled = settled and place.closed
            if child is None:
                route += f"/{token.fallback or token.text}"
                if token is not segments[-1]:
                    route += f"/{REST}"
                settled = False
                break
            settled = settled and child.actors is None
            route, place = child.route, child
        if path.deep and not route.endswith(REST):
            route += f"/{REST}"
        path.route = route + "/" if path.slash or not route else route
        path.epoch = self._epoch if settled else -1

    def _step(self, place: _Place, token: Token, actor: int) -> _Place | None:
        """The place after a segment that was answered, made when it is new; null when memory is full."""
        child = place.children.get(token.text)
        if child is not None:
            if child.actors is not None:
                child.actors.add(actor)
                if len(child.actors) >= ACTORS:
                    child.actors = None
            return child
        if token.fallback is None:
            return self._new(place, token.text, None)
        if not place.crowded:
            if place.words < WORDS:
                return self._new(place, token.text, {actor})
            self._crowd(place)
        if not place.closed and self._confirm(place, token.text, actor):
            return self._new(place, token.text, None)
        return place.children.get(token.fallback) or self._new(place, token.fallback, None)

    def _new(self, place: _Place, text: str, actors: set[int] | None) -> _Place | None:
        if self._places >= self.limit and not self._full:
            self._forget()
        if self._full:
            return None
        child = place.children[text] = _Place(f"{place.route}/{text}", actors=actors)
        place.words += not shape.is_placeholder(text)
        self._places += 1
        return child

    def _crowd(self, place: _Place) -> None:
        """Make a place a variable: words that too few clients were answered for wait outside."""
        place.crowded = True
        self._epoch += 1
        for text, child in list(place.children.items()):
            if child.actors is not None:
                place.waiting[text] = child.actors
                self._drop(place, text)

    def _confirm(self, place: _Place, text: str, actor: int) -> bool:
        """Count a client for a waiting word; true when the word may stay from now on."""
        if text not in place.waiting and len(place.waiting) >= WAITING:
            # Full of words that one client asked for: let them go, busy ones come back soon.
            place.waiting = {t: a for t, a in place.waiting.items() if len(a) > 1}
            if len(place.waiting) >= WAITING:
                place.waiting = {}
        actors = place.waiting.setdefault(text, set())
        actors.add(actor)
        if len(actors) < ACTORS:
            return False
        del place.waiting[text]
        if place.words < WORDS:
            return True
        self._close(place)
        return False

    def _close(self, place: _Place) -> None:
        """Keep the first half of the confirmed words for ever: being first, they are the busiest."""
        place.closed = True
        place.waiting = {}
        self._epoch += 1
        for text in [t for t in place.children if not shape.is_placeholder(t)][WORDS // 2 :]:
            self._drop(place, text)

    def _drop(self, place: _Place, text: str) -> None:
        self._places -= _count(place.children.pop(text))
        place.words -= 1

    def _forget(self) -> None:
        """Make room: let go of words that few clients were answered for. No room gained: stop learning."""
        self._epoch += 1
        for enough in (2, ACTORS):
            pending = [self._root]
            while pending:
                place = pending.pop()
                for text, child in list(place.children.items()):
                    if child.actors is not None and len(child.actors) < enough:
                        self._drop(place, text)
                    else:
                        pending.append(child)
            if self._places <= self.limit * 9 // 10:
                return
        self._full = True


def _read(texts: list[str]) -> list[Path]:
    """Paths never seen: segments and kind; vectorised, once per distinct segment."""
    text = pl.Series("path", texts, dtype=pl.String)
    kinds = shape.kinds(text.str.head(PATH_READ))
    # An absolute target ("GET http://host/path", as proxies send) is routed by its path; path
    # parameters (";jsessionid=...") are not part of it.
    text = text.str.head(PATH_READ).str.replace(r"^(?i:https?)://[^/]*", "").str.replace_all(r";[^/]*", "")
    flat = (
        pl.DataFrame({"at": np.arange(len(text)), "segment": text.str.split("/")})
        .explode("segment")
        .filter(pl.col("segment") != "")
    )
    encoded = flat["segment"].to_arrow().cast(pa.string()).dictionary_encode()
    of_segment = shape.tokens(pl.Series("segment", pl.from_arrow(encoded.dictionary), dtype=pl.String))
    tokens = [of_segment[code] for code in encoded.indices.to_pylist()]
    counts = np.bincount(flat["at"].to_numpy(), minlength=len(text)).tolist()
    out: list[Path] = []
    start = 0
    for count, kind, rooted, slash in zip(
        counts,
        kinds.to_list(),
        text.str.starts_with("/").to_list(),
        text.str.ends_with("/").to_list(),
        strict=True,
    ):
        if rooted:
            segments = tuple(tokens[start : start + min(count, DEPTH)])
            out.append(Path(segments, kind, count > DEPTH, slash))
        else:
            out.append(Path(None, kind, route=OTHER))
        start += count
    return out


def _count(place: _Place) -> int:
    return 1 + sum(_count(child) for child in place.children.values())


def _dump(place: _Place) -> dict[str, Any]:
    out: dict[str, Any] = {"children": {t: _dump(c) for t, c in place.children.items()}}
    if place.actors is not None:
        out["actors"] = sorted(place.actors)
    if place.crowded:
        out["crowded"] = True
        out["waiting"] = {t: sorted(a) for t, a in place.waiting.items()}
    if place.closed:
        out["closed"] = True
    return out


def _load(route: str, raw: dict[str, Any]) -> _Place:
    children = {t: _load(f"{route}/{t}", c) for t, c in raw["children"].items()}
    return _Place(
        route,
        children,
        set(raw["actors"]) if "actors" in raw else None,
        sum(not shape.is_placeholder(t) for t in children),
        bool(raw.get("crowded", False)),
        bool(raw.get("closed", False)),
        {t: set(a) for t, a in raw.get("waiting", {}).items()},
    )
