"""What a site knows of itself, held against the verdicts of a whole batch: see `context` for one request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from logvision.columns import Codes, distinct, firsts, plain, recode, spread
from logvision.detect.context import BESIDE, Asked, Look, look_where_it_tells
from logvision.detect.detector import Detector
from logvision.detect.pieces import ROUTE
from logvision.detect.profile import MANY
from logvision.detect.profiles import Profiles
from logvision.detect.units import Ints
from logvision.exemption import Exemption
from logvision.schema import EVENT, TIME

LOOKS: Final = 1024
PER_ROW: Final = 1 / 256
"""Second looks of a running engine: so many at once, and one more for each 256 rows that came. Beyond it the
first verdict stands, so a flood of distinct attacks costs little more."""

AT_ONCE: Final = 512  # requests that are looked at together

_COLUMNS: Final = ("target", "site", "route", "method", "user_agent", "referer")
_OF_REQUEST: Final = ("target", "site", "route", "method", "status", "user_agent", "referer")


@dataclass(slots=True)
class Looks:
    """Second looks that an engine may still spend; what is not used is kept up to LOOKS."""

    credit: float = LOOKS


@dataclass(frozen=True, slots=True)
class Site:
    """What the second look goes by. `looks` null: everything is looked at, whatever the cost."""

    profiles: Profiles
    exemptions: tuple[Exemption, ...] = ()
    looks: Looks | None = None

    def at(
        self, time: datetime | None, site: str | None, route: str | None, client: str | None
    ) -> tuple[Exemption, ...]:
        """The exceptions in force for an event; `time` None: those that were not ended."""
        return tuple(
            each
            for each in self.exemptions
            if each.holds(time or each.created) and each.is_at(site, route, client or "")
        )


def reconsider(events: pa.Table, detector: Detector, site: Site) -> pa.Table:
    """EVENT rows judged again where profiles or exceptions may speak: score, attack and rules.

    An event that counts as ordinary because of an exception names it in `rules` (`except:ID`).
    Rows that nothing speaks about are as they were. Requests that exceptions may be about come first. Cost:
    0.2 ms for each distinct request that is looked at, 0.1 µs a suspicious row.
    """
    if site.looks is not None:
        site.looks.credit = min(LOOKS, site.looks.credit + events.num_rows * PER_ROW)
    rows = np.flatnonzero(events["score"].to_numpy() >= np.float32(BESIDE))
    if not rows.size or not (site.exemptions or len(site.profiles)):
        return events
    first, of_row = _distinct(events, rows, site.exemptions)
    most = len(first) if site.looks is None else int(site.looks.credit)
    given = (distinct(events, "target")[1] >= 0)[rows[first]]
    chosen = list(islice((n for n in _in_question(events, rows[first], site) if given[n]), most))
    asked = _asked(events, rows[first[chosen]], site) if chosen else []
    if site.looks is not None:
        site.looks.credit -= len(asked)
    looks = [
        found
        for start in range(0, len(asked), AT_ONCE)
        for found in look_where_it_tells(asked[start : start + AT_ONCE], detector, site.profiles)
    ]
    told = {number: found for number, found in zip(chosen, looks, strict=True) if found and found.notes}
    if not told:
        return events
    which = np.full(len(first), -1)
    which[list(told)] = np.arange(len(told))
    look = which[of_row]
    return _changed(events, rows[look >= 0], look[look >= 0], list(told.values()), detector.threshold)


def _asked(events: pa.Table, rows: Ints, site: Site) -> list[Asked]:
    """Rows as requests, each with the exceptions that are in force for it."""
    asked = [Asked(*row) for row in zip(*_plain(events, _OF_REQUEST, rows), strict=True)]
    if site.exemptions:
        places = zip(*_plain(events, ("time", "site", "route", "client_ip"), rows), strict=True)
        for each, place in zip(asked, places, strict=True):
            each.exemptions = site.at(*place)
    return asked


def _plain(events: pa.Table, names: Sequence[str], rows: Ints) -> list[list[Any]]:
    return [plain(events[name], rows=rows) for name in names]


def _distinct(events: pa.Table, rows: Ints, exemptions: Sequence[Exemption]) -> tuple[Ints, Codes]:
    """The first of the rows with each distinct request, and per row which one it is: requests are the same
    when no exception tells them apart."""
    told_apart = any(each.network is not None for each in exemptions)
    names = (*_COLUMNS, *(["client_ip"] if told_apart else []))
    columns: list[npt.NDArray[Any]] = [distinct(events, name)[1][rows] for name in names]
    columns.append(events["status"].fill_null(-1).to_numpy()[rows])
    ends = {each.expires for each in exemptions if each.expires is not None}
    columns += [pc.less(events["time"], pa.scalar(end, TIME)).to_numpy()[rows] for end in sorted(ends)]
    # Polynomial hashing of the codes, which no sender chooses, modulo 2 ** 64.
    key = np.zeros(len(rows), np.uint64)
    for column in columns:
        key = key * np.uint64(0x9E3779B97F4A7C15) + (column.astype(np.int64) + 2).astype(np.uint64)
    return firsts(key)


def _in_question(events: pa.Table, rows: Ints, site: Site) -> Iterator[int]:
    """Numbers of these rows' requests at places of which something is known: first those that an exception
    may be about, then the others, each in the order of arrival."""
    (sites, site_code), (routes, route_code) = (distinct(events, name) for name in ("site", "route"))
    site_code, route_code = site_code[rows], route_code[rows]
    once, of_request = firsts(site_code.astype(np.int64) * (len(routes) + 1) + route_code)
    places = list(
        zip(
            spread(sites, site_code[once]).to_pylist(),
            spread(routes, route_code[once]).to_pylist(),
            strict=True,
        )
    )
    excepted = np.array([any(each.is_about(*place) for each in site.exemptions) for place in places], bool)
    arrived = site.profiles.networks([(at or "", route or "", ROUTE) for at, route in places])
    settled = arrived >= MANY
    for group in (excepted[of_request], (settled & ~excepted)[of_request]):
        yield from np.flatnonzero(group).tolist()


def _changed(events: pa.Table, rows: Ints, look: Ints, looks: Sequence[Look], threshold: float) -> pa.Table:
    """The verdicts of looks put in the place of the first ones; `look`: which of them each row got."""
    score = events["score"].to_numpy().copy()
    score[rows] = np.array([found.verdict.score for found in looks], np.float32)[look]
    columns = {"score": pa.array(score)}
    said = zip(*(found.said(threshold) for found in looks), strict=True)
    for name, texts in zip(("attack", "rules"), said, strict=True):
        values, codes = distinct(events, name)
        fresh = pa.array(texts, pa.string())
        codes = codes.copy()
        codes[rows] = np.where(fresh.is_valid(), len(values) + np.arange(len(looks)), -1)[look]
        columns[name] = recode(pa.concat_arrays([values, fresh]), codes)
    for name, column in columns.items():
        events = events.set_column(events.schema.get_field_index(name), EVENT.field(name), column)
    return events
