"""Baselines: the ordinary answers of a site's routes and its page for what is not there.

Learned from the clean events of many networks. A network (an IPv4 /24, an IPv6 /64) fills at most two of
the places that a route has, and nothing is held against an answer before three networks were given it,
so no single attacker teaches what is ordinary. Clients that attack teach nothing.

Cost is that of a bounded sample of each batch, so what was learned depends on the batches' borders: a
route that is asked for hundreds of times in a batch gives a few of its answers. What is learned of a
route that is asked for seldom does not depend on them.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from logvision.columns import Codes, arrivals, distinct, firsts, spread
from logvision.detect.missing import ANYTHING, SHELL, Site, Sizes
from logvision.detect.network import numbers as network_numbers
from logvision.detect.ordinary import NETWORKS, Ordinary

Ints = npt.NDArray[np.int64]

LOOKED_AT: Final = 3072
"""Clean events of a batch that are looked at, evenly spread over it."""

LEARNED: Final = 256
"""Of these, those that teach, as many different routes as possible, each at most PER_ROUTE times."""
PER_ROUTE: Final = 6

ROUTES_KEPT: Final = 4096
SITES_KEPT: Final = 256
"""Bounds of memory: routes over all sites, sites."""

VERSION: Final = 1
"""Of the snapshot."""


class Learned:
    """The ordinary answers of routes and sites; bounded, used by one thread."""

    def __init__(self) -> None:
        # Site, route, name of the first parameter ("": no query) to its answers, longest unused first.
        self._routes: OrderedDict[tuple[str, str, str], Ordinary] = OrderedDict()
        self._sites: OrderedDict[str, Site] = OrderedDict()

    def route(self, site: str, route: str | None, parameter: str) -> Ordinary | None:
        """The ordinary answers of a route asked with this first parameter; None: never asked so."""
        return None if route is None else self._routes.get((site, route, parameter))

    def site(self, name: str) -> Site:
        """What is known of a site; the longest unused goes when there are too many."""
        found = self._sites.get(name)
        if found is None:
            found = self._sites[name] = Site()
            if len(self._sites) > SITES_KEPT:
                self._sites.popitem(last=False)
        else:
            self._sites.move_to_end(name)
        return found

    def learn(self, events: pa.Table, clean: Ints, attackers: Mapping[int, None]) -> None:
        """Take note of the answers to clean rows of `events`; `attackers` are networks that teach nothing."""
        rows = clean[:: max(1, -(-clean.size // LOOKED_AT))]
        if not rows.size:
            return
        status = pc.fill_null(events["status"], 0).to_numpy()[rows]
        sizes = pc.fill_null(events["bytes"], -1).to_numpy()[rows]
        (sites, site), (routes, route), (clients, client) = (
            (values, codes[rows])
            for values, codes in (distinct(events, name) for name in ("site", "route", "client_ip"))
        )
        names = [*(name or "" for name in sites.to_pylist()), ""]  # the last: none
        self._lost(names, site[(status == 404) | (status == 410)])
        narrow, networks = _networks(clients, client)
        redirected = (status >= 301) & (status <= 308) & (status != 304)
        telling = ((status == 200) & (sizes >= 0)) | redirected
        # Whoever signs in is shown a page and then sent on: both are learned.
        spots = route * 2 + redirected
        chosen = _chosen(np.flatnonzero(telling & (route >= 0) & (networks >= 0)), site, spots, networks)
        # LEARNED rows at most.
        alike = _alike(chosen, site, sizes)
        at = rows[chosen]
        methods, method = distinct(events, "method")
        no_body = np.array([*(each == "HEAD" for each in methods.to_pylist()), False])[method[at]]
        queries, query = distinct(events, "query")
        for place, template, asked, network, answered, size, took, shared, head in zip(
            site[chosen].tolist(),
            routes.take(pa.array(route[chosen])).to_pylist(),
            spread(queries, query[at]).to_pylist(),
            narrow[chosen].tolist(),
            status[chosen].tolist(),
            sizes[chosen].tolist(),
            pc.fill_null(events["duration_us"], -1).to_numpy()[at].tolist(),
            alike.tolist(),
            no_body.tolist(),
            strict=True,
        ):
            if not head and network not in attackers:
                self._note((names[place], template, parameter_of(asked)), network, answered, size, took)
                if shared and answered == 200:
                    self.site(names[place]).show(size, template)

    def _lost(self, names: Sequence[str], codes: npt.NDArray[np.int32]) -> None:
        for code in arrivals(codes).tolist():
            self.site(names[code]).misses += int((codes == code).sum())

    def _note(self, key: tuple[str, str, str], network: int, status: int, size: int, took: int) -> None:
        route = self._routes.get(key)
        if route is None:
            route = self._routes[key] = Ordinary()
            if len(self._routes) > ROUTES_KEPT:
                self._routes.popitem(last=False)
        else:
            self._routes.move_to_end(key)
        if status == 200:
            route.note(network, size, took)
        elif len(route.redirected) < NETWORKS and network not in route.redirected:
            route.redirected.append(network)

    def document(self) -> dict[str, Any]:
        """Everything learned, JSON-ready."""
        return {
            "routes": [
                [*k, *map(list, (r.networks, r.sizes, r.durations, r.redirected)), r.at]
                for k, r in self._routes.items()
            ],
            "sites": [
                [name, s.misses, s.sought.document(), s.shells.document()] for name, s in self._sites.items()
            ],
        }

    def take_up(self, document: Mapping[str, Any]) -> None:
        """Go on from a document."""
        self._routes = OrderedDict(
            (
                (site, route, parameter),
                Ordinary(array("q", who), array("q", sizes), array("q", took), array("q", sent), at),
            )
            for site, route, parameter, who, sizes, took, sent, at in document["routes"]
        )
        self._sites = OrderedDict(
            (name, Site(misses, Sizes(ANYTHING, map(tuple, sought)), Sizes(SHELL, map(tuple, shells))))
            for name, misses, sought, shells in document["sites"]
        )


def parameter_of(query: str | None) -> str:
    """The name of the first parameter, as far as it is a name; "": no query."""
    return "" if not query else query[:65].partition("&")[0].partition("=")[0][:64]


_ADDRESS: Final = r"^(?:\d+\.\d+\.\d+|(?:[0-9a-f]*:){3})"


def _networks(clients: pa.StringArray, codes: Codes) -> tuple[Ints, Codes]:
    """The number of the network of each row's client, and a code for it; code -1: not an address."""
    present, place = firsts(codes)
    of_code = clients.take(pa.array(codes[present], mask=codes[present] < 0))
    told = pc.fill_null(of_code, "")
    address = pc.match_substring_regex(told, _ADDRESS).to_numpy(zero_copy_only=False)
    narrow = network_numbers(told)[0].astype(np.int64)
    return narrow[place], np.where(address, firsts(narrow)[1], np.int32(-1))[place]


def _chosen(rows: Ints, *columns: npt.NDArray[np.int32]) -> Ints:
    """LEARNED rows: the first of each network in each route, the routes' firsts before their seconds.

    Routes that one network only asked for come last: a site has thousands of those.
    """
    if not rows.size:
        return rows
    site, route, client = (column[rows].astype(np.int64) + 1 for column in columns)
    spots = site * (int(route.max()) + 1) + route
    once, _ = firsts(spots * (int(client.max()) + 1) + client)
    # Routes in the order of arrival: how texts are numbered is another thing in every engine.
    order = once[np.argsort(firsts(spots[once])[1], kind="stable")]
    ordered = spots[order]
    begins = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    many = np.diff(np.append(begins, order.size))
    rank = np.arange(order.size) - np.repeat(begins, many)
    rank[rank >= PER_ROUTE] = PER_ROUTE + 1
    rank[np.repeat(many == 1, many)] = PER_ROUTE
    taken = order[np.argsort(rank, kind="stable")]
    taken = taken[: min(LEARNED, int((rank <= PER_ROUTE).sum()))]
    return np.sort(rows[taken])


def _alike(rows: Ints, sites: npt.NDArray[np.int32], sizes: Ints) -> npt.NDArray[np.bool_]:
    """Which rows were answered with the size of another row of their site."""
    pairs = (sites[rows].astype(np.int64) << 40) + np.minimum(sizes[rows], (1 << 40) - 1)
    which = firsts(pairs)[1]
    return np.asarray(np.bincount(which)[which] > 1)


def packed(document: Mapping[str, Any]) -> bytes:
    """A document as the bytes of a snapshot."""
    return orjson.dumps({"version": VERSION, **document})


def unpacked(state: bytes) -> Mapping[str, Any] | None:
    """The document of a snapshot; None: of another version, whose knowledge must be learned anew."""
    document: Mapping[str, Any] = orjson.loads(state)
    return document if document.get("version") == VERSION else None
