"""What was asked for: the route a path belongs to, and whether it is a page, a static file or an API call.

A route is a path with its changing parts replaced: `/item/{int}`. Integers, dates and identifiers are
known by their shape. Which words belong to a route is learned from what the site really answers.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from logvision import columns
from logvision.enrich import shape
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


class Routes:
    """The routes of a site, learned as events pass. Bounded: at most `limit` places are remembered.

    - A path teaches only when it was answered (2xx, 304 or a redirect other than "moved permanently",
      which catch-all redirects give to everything) and not to a scanner by its own name.
    - A segment that no answer ever confirmed is `{slug}`, and what follows it `{rest}`. So the number
      of routes is bounded by what the site has, not by what it is asked for.
    - A place with more than WORDS words becomes a variable: only words that ACTORS clients were
      answered for stay. One client alone cannot teach a crowded place anything.
    - A word can change its route twice at most: to `{slug}` when its place gets crowded, and back when it
      is confirmed. Shapes never change.
    """

    def __init__(self, limit: int = 20_000) -> None:
        self.limit = limit
        self._root = _Place("")
        self._places = 1
        self._full = False
        self._reshaped = False

    def template(self, paths: pa.StringArray) -> list[str | None]:
        """The routes of distinct paths as they stand now; learns nothing. Null for null."""
        return self._walk(_split(paths))[0]

    def learn(self, paths: pa.StringArray, at: Iterable[int], clients: Iterable[str]) -> None:
        """Take in that `paths[at[k]]` was answered to `clients[k]`, in this order."""
        self._learn(_split(paths), at, clients)

    def snapshot(self) -> dict[str, Any]:
        """The whole state as JSON-able values; equal states give equal snapshots."""
        return {"version": VERSION, "limit": self.limit, "full": self._full, "root": _dump(self._root)}

    @classmethod
    def restore(cls, snapshot: dict[str, Any]) -> Routes:
        """The routes of a snapshot; an unknown version gives empty routes: they are learned again."""
        routes = cls(int(snapshot.get("limit", 20_000)))
        if snapshot.get("version") == VERSION:
            routes._full = bool(snapshot["full"])
            routes._root = _load("", snapshot["root"])
            routes._places = _count(routes._root)
        return routes

    def _walk(
        self, split: _Split, only: npt.NDArray[np.bool_] | None = None
    ) -> tuple[list[str | None], list[bool]]:
        """Per path its route, and whether more learning could still change it.

        Level by level, and once per distinct pair of place and segment.
        """
        size = split.size
        # A state is a place (null: nothing is known from here on), its route so far, and if it is settled.
        states: list[tuple[_Place | None, str, bool]] = [(self._root, "", True)]
        state = np.zeros(size, np.int64)
        width = max(len(split.tokens), 1)
        for level in range(int(split.lengths.max(initial=0))):
            here = np.flatnonzero(split.lengths > level)
            if only is not None:
                here = here[only[here]]
            keys, of_path = np.unique(
                state[here] * width + split.codes[split.starts[here] + level], return_inverse=True
            )
            following = np.empty(keys.size, np.int64)
            for k, key in enumerate(keys.tolist()):
                before, token = divmod(key, width)
                following[k] = len(states)
                states.append(_follow(states[before], split.tokens[token]))
            state[here] = following[of_path]
        routes: list[str | None] = []
        settled: list[bool] = []
        for s, missing, odd, deep, slash in zip(
            state.tolist(), split.missing, split.odd, split.deep, split.slash, strict=True
        ):
            place, text, sure = states[s]
            if missing:
                routes.append(None)
            elif odd:
                routes.append(OTHER)
            else:
                if deep and not text.endswith(REST):
                    text += f"/{REST}"
                routes.append(text + "/" if slash or not text else text)
            settled.append(sure or missing or odd)
        return routes, settled

    def _learn(self, split: _Split, at: Iterable[int], clients: Iterable[str]) -> None:
        # A loop over distinct pairs of path and client, at most ACTORS per path, of paths not yet settled.
        for path, client in zip(at, clients, strict=True):
            if split.odd[path] or split.missing[path]:
                continue
            actor = zlib.crc32(client.encode())
            place: _Place | None = self._root
            start = split.starts[path]
            for code in split.codes[start : start + split.lengths[path]].tolist():
                place = self._step(place, split.tokens[code], actor)
                if place is None:
                    break

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
            return place.children.get(token.text)
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
        place.crowded = self._reshaped = True
        for text, child in list(place.children.items()):
            if child.actors is not None and not shape.is_placeholder(text):
                place.waiting[text] = child.actors
                self._drop(place, text)

    def _confirm(self, place: _Place, text: str, actor: int) -> bool:
        """Count a client for a waiting word; true when that confirmed it."""
        if text not in place.waiting and len(place.waiting) >= 4 * WORDS:
            # Full of words that one client asked for: let them go, busy ones come back soon.
            place.waiting = {t: a for t, a in place.waiting.items() if len(a) > 1}
            if len(place.waiting) >= 4 * WORDS:
                place.waiting = {}
        actors = place.waiting.setdefault(text, set())
        actors.add(actor)
        if len(actors) < ACTORS:
            return False
        del place.waiting[text]
        if place.words >= WORDS:
            self._close(place)
            return False
        return self._new(place, text, None) is not None

    def _close(self, place: _Place) -> None:
        """Keep the first half of the confirmed words for ever: they are the busiest, being first."""
        place.closed = self._reshaped = True
        place.waiting = {}
        words = [t for t in place.children if not shape.is_placeholder(t)]
        for text in words[WORDS // 2 :]:
            self._drop(place, text)

    def _drop(self, place: _Place, text: str) -> None:
        self._places -= _count(place.children.pop(text))
        place.words -= 1

    def _forget(self) -> None:
        """Make room: drop words that one client alone was answered for; with too little gain, stop learning."""
        self._reshaped = True
        pending = [self._root]
        while pending:
            place = pending.pop()
            for text, child in list(place.children.items()):
                if child.actors is not None and len(child.actors) < 2:
                    self._drop(place, text)
                else:
                    pending.append(child)
        self._full = self._places > self.limit * 9 // 10


def add(events: pa.Table, routes: Routes) -> pa.Table:
    """Rows with `route` and `kind` of `path` added, learning from them first.

    Needs `path`, `status` and `client_ip`; with `bot` there, scanners teach nothing.
    """
    values, codes = columns.distinct(events, "path")
    split = _split(values)
    found, settled = routes._walk(split)
    open_paths = np.append(~np.array(settled, np.bool_), False)  # the last answers code -1
    teaches = open_paths[codes] & _answered(events)
    if teaches.any():
        clients, client_codes = columns.distinct(events, "client_ip")
        rows = np.flatnonzero(teaches & (client_codes >= 0))
        pairs = codes[rows].astype(np.int64) * max(len(clients), 1) + client_codes[rows]
        unique, first = np.unique(pairs, return_index=True)
        by_path = unique // max(len(clients), 1)
        rank = np.arange(unique.size) - np.searchsorted(by_path, by_path, side="left")
        kept = np.sort(first[rank < ACTORS])  # in the order of the rows: the batch cut must not matter
        at = codes[rows[kept]].tolist()
        texts = clients.take(pa.array(client_codes[rows[kept]])).to_pylist()
        routes._reshaped = False
        routes._learn(split, at, texts)
        again = None if routes._reshaped else open_paths[:-1]
        renewed, _ = routes._walk(split, again)
        found = (
            renewed
            if again is None
            else [n if o else f for n, f, o in zip(renewed, found, again, strict=True)]
        )
    route = pa.array(found, pa.string())
    return events.append_column("route", columns.recode(route, codes)).append_column(
        "kind", columns.recode(_kinds(values), codes)
    )


def _answered(events: pa.Table) -> npt.NDArray[np.bool_]:
    """Rows that show that the site has what was asked for."""
    status = pc.fill_null(events.column("status"), 0).to_numpy()
    good = ((status >= 200) & (status < 300)) | np.isin(status, (302, 303, 304, 307))
    if "bot" in events.column_names:
        bots, codes = columns.distinct(events, "bot")
        scanner = np.append(
            pc.starts_with(bots, "scanner:").to_numpy(zero_copy_only=False).astype(np.bool_), False
        )
        good &= ~scanner[codes]
    return good


def _kinds(paths: pa.StringArray) -> pa.StringArray:
    """page, static or api per path; null for null."""
    path = pl.Series(pl.from_arrow(paths), dtype=pl.String).str.tail(PATH_READ)
    extension = path.str.extract(r"\.([A-Za-z0-9]{1,11})$", 1).str.to_lowercase()
    return (
        pl.select(
            pl.when(path.is_null())
            .then(None)
            .when(extension.is_in(list(shape.STATIC)))
            .then(pl.lit("static"))
            .when(path.str.contains(shape.API))
            .then(pl.lit("api"))
            .otherwise(pl.lit("page"))
        )
        .to_series()
        .to_arrow()
        .cast(pa.string())
    )


@dataclass(frozen=True, slots=True)
class _Split:
    """Distinct paths as segments: path i has `lengths[i]` codes from `starts[i]` on."""

    size: int
    tokens: list[Token]
    codes: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    missing: list[bool]  # null
    odd: list[bool]  # not a path
    deep: list[bool]  # longer than DEPTH
    slash: list[bool]  # ends with a slash


def _split(paths: pa.StringArray) -> _Split:
    path = pl.Series("path", pl.from_arrow(paths), dtype=pl.String).str.head(PATH_READ)
    path = path.str.replace(r"^(?i:https?)://[^/]*", "").str.replace_all(r";[^/]*", "")
    frame = pl.DataFrame({"at": np.arange(len(path)), "segment": path.str.split("/")})
    flat = frame.explode("segment").filter(pl.col("segment") != "")
    encoded = flat["segment"].to_arrow().cast(pa.string()).dictionary_encode()
    by_segment = shape.tokens(pl.Series("segment", pl.from_arrow(encoded.dictionary), dtype=pl.String))
    seen: dict[Token, int] = {}
    code_of_segment = np.array([seen.setdefault(t, len(seen)) for t in by_segment], np.int64)
    codes = code_of_segment[encoded.indices.to_numpy()] if len(flat) else np.zeros(0, np.int64)
    counts = np.bincount(flat["at"].to_numpy(), minlength=len(path)).astype(np.int64)
    return _Split(
        len(path),
        list(seen),
        codes,
        np.cumsum(counts) - counts,
        np.minimum(counts, DEPTH),
        path.is_null().to_list(),
        (~path.str.starts_with("/")).fill_null(value=False).to_list(),
        (counts > DEPTH).tolist(),
        path.str.ends_with("/").fill_null(value=False).to_list(),
    )


def _follow(state: tuple[_Place | None, str, bool], token: Token) -> tuple[_Place | None, str, bool]:
    """The state after one more segment."""
    place, route, settled = state
    if place is None:
        return None, route if route.endswith(REST) else f"{route}/{REST}", settled
    child = place.children.get(token.text)
    if child is not None:
        return child, child.route, settled and child.actors is None
    if token.fallback is None:
        return None, f"{place.route}/{token.text}", False
    child = place.children.get(token.fallback)
    return child, f"{place.route}/{token.fallback}", settled and place.closed and child is not None


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
