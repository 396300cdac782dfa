"""People: sessions of page views with their assets, think times and referers, drawn as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from logvision.sources.generate import addresses, agents
from logvision.sources.generate.catalogue import Catalogue, Ints
from logvision.sources.generate.phrases import REFERRERS
from logvision.sources.generate.rows import PROTOCOLS, answers, ordinary, texts

PARTS_US = 70 * 1_000_000
"""A page view draws its last part within this time (video segments take a minute)."""
CLICKS_MEAN = 3.4
CLICKS_MOST = 25
LINES_PER_SESSION = 28.6
"""Measured mean over the five sites; turns a rate of lines into a rate of sessions."""


@dataclass(frozen=True, slots=True)
class Visitors:
    """The population of a run: who exists, with which browser, how active."""

    addresses: pl.Series
    agents: pl.Series
    agent: Ints  # of each visitor
    other_agent: Ints  # behind a shared address somebody else sits too

    @staticmethod
    def draw(rng: np.random.Generator, count: int) -> Visitors:
        """`count` visitors; the first are the most active."""
        table = agents.browsers()
        until = agents.weights(table)
        return Visitors(
            addresses=addresses.clients(rng, count),
            agents=pl.Series([text for text, _ in table], dtype=pl.String),
            agent=np.searchsorted(until, rng.random(count)),
            other_agent=np.searchsorted(until, rng.random(count)),
        )


def sessions(
    rng: np.random.Generator, catalogue: Catalogue, visitors: Visitors, starts: Ints, longest: int
) -> pl.DataFrame:
    """Requests, in no order, of sessions that start at `starts` (µs).

    No session has a request later than `longest` µs after its start.
    """
    count = starts.size
    share = np.cumsum([site.share for site in catalogue.sites])
    site = np.searchsorted(share / share[-1], rng.random(count))
    visitor = (rng.random(count) ** 1.3 * visitors.agent.size).astype(np.int64)
    shared = rng.random(count) < np.where(visitor % 11 == 0, 0.5, 0.02)
    agent = np.where(shared, visitors.other_agent[visitor], visitors.agent[visitor])
    came_back = rng.random(count) < 0.45
    source = np.searchsorted(agents.weights(list(REFERRERS)), rng.random(count))

    session, step, pool, times = _clicks(rng, catalogue, site, starts, longest - PARTS_US)
    code = catalogue.pick(rng, pool)
    hosts = catalogue.hosts.gather(catalogue.site[pool])
    origins = "https://" + hosts
    nowhere = pl.Series([""]).gather(np.zeros(pool.size, np.int64))
    targets = texts(rng, catalogue, pool, code, times, nowhere)
    urls = origins + targets
    # The page before is the row before; the first page has what led to the site.
    before = np.where(step == 0, source[session], len(REFERRERS) + np.arange(pool.size) - 1)
    referers = pl.concat([pl.Series([text for text, _ in REFERRERS]), urls]).gather(before)
    status, size, took = answers(rng, catalogue, pool, code, np.zeros(pool.size, np.bool_))

    parts = _parts(rng, catalogue, starts[session], came_back[session], step, pool, code, times)
    row, part_pool, part_code, part_time, warm = parts
    part_urls = urls.gather(row)
    part_status, part_size, part_took = answers(rng, catalogue, part_pool, part_code, warm)
    part_targets = texts(rng, catalogue, part_pool, part_code, part_time, part_urls)

    who = np.concatenate([session, session[row]])
    every_pool = np.concatenate([pool, part_pool])
    version = np.array([0, 0, 0, 0, 0, 0, 1, 1, 2, 2])[visitor[who] % 10]
    return ordinary(
        {
            "time": np.concatenate([times, part_time]),
            "host": catalogue.hosts.gather(catalogue.site[every_pool]),
            "client": visitors.addresses.gather(visitor[who]),
            "method": catalogue.methods.gather(catalogue.method[every_pool]),
            "target": pl.concat([targets, part_targets]),
            "protocol": PROTOCOLS.gather(version),
            "status": np.concatenate([status, part_status]),
            "bytes": np.concatenate([size, part_size]),
            "referer": pl.concat([referers, part_urls]),
            "user_agent": visitors.agents.gather(agent[who]),
            "duration_us": np.concatenate([took, part_took]),
        }
    )


def _clicks(
    rng: np.random.Generator, catalogue: Catalogue, site: Ints, starts: Ints, longest: int
) -> tuple[Ints, Ints, Ints, Ints]:
    """Session, step, pool and time of every page view, by session and step."""
    count = site.size
    clicks = np.minimum(rng.geometric(1 / CLICKS_MEAN, count), CLICKS_MOST)
    most = int(clicks.max(initial=1))
    walked = np.zeros((count, most), np.int64)
    walked[:, 0] = catalogue.enter.step(rng, site)
    for step in range(1, most):
        on = np.flatnonzero(clicks > step)
        walked[on, step] = catalogue.then.step(rng, walked[on, step - 1])
    think = np.clip(rng.lognormal(np.log(17.0), 1.0, (count, most)), 0.8, 280) * 1_000_000
    think[:, 0] = 0
    # After a redirect the browser goes on by itself.
    think[:, 1:][np.isin(catalogue.status[walked[:, :-1]], (301, 302))] = 120_000
    at = starts[:, None] + np.cumsum(think, axis=1).astype(np.int64)
    seen = (np.arange(most)[None, :] < clicks[:, None]) & (at < starts[:, None] + longest)
    session, nth = np.nonzero(seen)
    return session, nth, walked[session, nth], at[session, nth]


def _parts(
    rng: np.random.Generator,
    catalogue: Catalogue,
    begun: Ints,
    came_back: np.ndarray[tuple[int], np.dtype[np.bool_]],
    step: Ints,
    pool: Ints,
    code: Ints,
    times: Ints,
) -> tuple[Ints, Ints, Ints, Ints, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Page row, pool, target, time and warmth of everything that page views draw."""
    rows, pools, codes, at, warmth = [], [], [], [], []
    # A loop over the forty kinds of part, each an array over all page views.
    for draw in catalogue.draws:
        part, drawn = draw.part, draw.pool
        pages = np.flatnonzero(pool == draw.page)
        mean = np.where(step[pages] == 0, part.count, part.count * part.again)
        shared_files = catalogue.cached[drawn] and catalogue.count[drawn] < 64
        if shared_files:
            mean = np.where(came_back[pages], mean * 0.3, mean)
        many = rng.poisson(mean)
        if shared_files:
            many = np.minimum(many, catalogue.count[drawn])
        page = np.repeat(pages, many)
        nth = np.arange(page.size) - np.repeat(np.cumsum(many) - many, many)
        first, count = catalogue.first[drawn], catalogue.count[drawn]
        if shared_files:
            place = nth
        elif part.bound:
            stride = max(1, count // catalogue.count[draw.page])
            place = ((code[page] - catalogue.first[draw.page]) * stride + nth) % count
        else:
            place = (rng.random(page.size) ** catalogue.skew[drawn] * count).astype(np.int64)
        delay = rng.random(page.size) * part.within_ms * 1000
        if drawn_in_order := part.within_ms > 10_000:
            delay = (nth + rng.random(page.size)) * (part.within_ms * 1000 / (part.count + 6))
        rows.append(page)
        pools.append(np.full(page.size, drawn))
        codes.append(first + place)
        at.append(
            # What a first page's visitor typed ahead cannot come before the visitor.
            np.maximum(times[page] + delay.astype(np.int64), begun[page])
            + (0 if part.within_ms < 0 or drawn_in_order else 90_000)
        )
        warmth.append(came_back[page] & (rng.random(page.size) < (0.9 if shared_files else 0.25)))
    return tuple(np.concatenate(each) for each in (rows, pools, codes, at, warmth))  # type: ignore[return-value]
