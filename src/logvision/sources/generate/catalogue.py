"""The sites as arrays: every target and pool numbered, the walk from page to page as tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from logvision.sources.generate.site import Part, Site

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Walk:
    """Choices out of a state: `pool[state]` lists what may come, `until[state]` its cumulated shares."""

    pool: Ints
    until: Floats

    def step(self, rng: np.random.Generator, state: Ints) -> Ints:
        """The pool that each walker goes to from its state."""
        draw = rng.random(state.size)
        place = (draw[:, None] > self.until[state]).sum(axis=1)
        follows: Ints = self.pool[state, place]
        return follows


@dataclass(frozen=True, slots=True)
class Draw:
    """A part in numbers: page pool `page` draws pool `pool`."""

    page: int
    pool: int
    part: Part


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Arrays by pool number (`site` … `fresh_share`) and by target number (`size`, `has_query`)."""

    sites: tuple[Site, ...]
    number: dict[tuple[str, str], int]  # (site name, pool name) to pool number
    targets: pl.Series
    size: Ints
    has_query: Flags
    site: Ints
    first: Ints
    count: Ints
    skew: Floats
    us: Floats
    method: Ints
    status: Ints
    cached: Flags
    steady: Flags
    fresh: Ints
    fresh_share: Floats
    enter: Walk  # by site number
    then: Walk  # by pool number
    draws: tuple[Draw, ...]
    hosts: pl.Series
    methods: pl.Series

    def pick(self, rng: np.random.Generator, pools: Ints) -> Ints:
        """A target of each pool, popular ones more often."""
        place = (rng.random(pools.size) ** self.skew[pools] * self.count[pools]).astype(np.int64)
        return self.first[pools] + place


METHODS = ("GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND")


def compile_sites(sites: tuple[Site, ...], rng: np.random.Generator) -> Catalogue:
    """Number everything and draw the ordinary size of every target."""
    pools = [(site, place, pool) for place, site in enumerate(sites) for pool in site.pools]
    number = {(site.name, pool.name): n for n, (site, _, pool) in enumerate(pools)}
    counts = np.array([len(pool.targets) for _, _, pool in pools], np.int64)
    targets = [target for _, _, pool in pools for target in pool.targets]
    middle = np.repeat([pool.size for _, _, pool in pools], counts)
    alike = np.repeat(
        [pool.status in (302, 301, 404) or len(pool.targets) < 3 for _, _, pool in pools], counts
    )
    spread = np.exp(rng.normal(0.0, 0.35, middle.size))
    pages = [(site, page) for site in sites for page in site.pages]
    width = max(len(page.then) for _, page in pages)
    then = _empty(len(pools), width)
    for site, page in pages:
        here = number[site.name, page.pool]
        _fill(then, here, [(number[site.name, name], weight) for name, weight in page.then.items()])
    enter = _empty(len(sites), max(len(site.pages) for site in sites))
    for place, site in enumerate(sites):
        _fill(enter, place, [(number[site.name, page.pool], page.enter) for page in site.pages])
    return Catalogue(
        sites=sites,
        number=number,
        targets=pl.Series(targets, dtype=pl.String),
        size=np.where(alike, middle, middle * spread).astype(np.int64),
        has_query=np.array(["?" in target for target in targets]),
        site=np.array([place for _, place, _ in pools], np.int64),
        first=np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64),
        count=counts,
        skew=np.array([pool.skew for _, _, pool in pools]),
        us=np.array([pool.ms * 1000 for _, _, pool in pools]),
        method=np.array([METHODS.index(pool.method) for _, _, pool in pools], np.int64),
        status=np.array([pool.status for _, _, pool in pools], np.int64),
        cached=np.array([pool.cached for _, _, pool in pools]),
        steady=np.array([pool.steady for _, _, pool in pools]),
        fresh=np.array([pool.fresh for _, _, pool in pools], np.int64),
        fresh_share=np.array([pool.fresh_share for _, _, pool in pools]),
        enter=enter,
        then=then,
        draws=tuple(
            Draw(number[site.name, page.pool], number[site.name, part.pool], part)
            for site, page in pages
            for part in page.parts
        ),
        hosts=pl.Series([site.host for site in sites], dtype=pl.String),
        methods=pl.Series(METHODS, dtype=pl.String),
    )


def _empty(states: int, width: int) -> Walk:
    # A state without choices leads to pool 0 of its table; no page is such a state.
    return Walk(np.zeros((states, width), np.int64), np.ones((states, width)))


def _fill(walk: Walk, state: int, choices: list[tuple[int, float]]) -> None:
    sums = np.cumsum([weight for _, weight in choices])
    walk.until[state, : len(choices)] = sums / sums[-1]
    walk.pool[state, : len(choices)] = [pool for pool, _ in choices]
