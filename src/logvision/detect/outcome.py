"""Outcome: how an attack went, read from its answer against what the site answers ordinarily.

A status alone never proves that an attack worked: many sites answer 200 to whatever is asked. So an
answer is held against the ordinary answers of its route, against the page that the site gives for what
is not there, and against the same client's other answers. When that does not tell, it is unknown.

An attack is judged knowing all of its own batch and what came before; so the first requests of a
campaign may be unknown where batches are small, and told where they are large. That, and the sample
that teaches the baselines, is all that depends on how events were cut into batches.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from logvision.columns import arrivals, distinct, plain, text
from logvision.detect import carrier
from logvision.detect.asked import Asked, read
from logvision.detect.baselines import Learned, Ordinary, Site, network_of, packed, parameter_of, unpacked
from logvision.detect.spots import Answer, Shape, Spot
from logvision.schema import Attack, Outcome

READ_CLOSELY: Final = 2048
"""Attacks of a batch that are read one by one; beyond them the status speaks alone."""

SPOTS_KEPT: Final = 1024
ATTACKERS_KEPT: Final = 8192
"""Bounds of memory: spots, networks of attackers."""

BROKEN: Final = 2
"""Errors 5xx to injected queries that show that the queries are run."""

REFUSED: Final = (400, 401, 403, 405, 406, 407, 418, 429, 431, 444, 451, 494, 495, 496, 497, 501)
"""Answers of a server, or of a firewall before it, that would not even look."""

UNTOLD: Final = (408, 425, 499)
"""Answers 4xx that say nothing of what the server did."""

FILES: Final = frozenset({Attack.SENSITIVE, Attack.WEBSHELL, Attack.CVE})
"""Classes whose path is what they are after."""

READS: Final = frozenset({Attack.TRAVERSAL, Attack.RFI, Attack.XXE})
"""Classes that make a page give another file than its own."""

SOUGHT: Final = FILES | READS | {Attack.PROBE, Attack.SCANNER}
"""Classes that ask for many things which are not there: from them the page for that is learned."""

SIGN_INS: Final = frozenset({Attack.SCANNER, Attack.PROBE, Attack.BRUTE_FORCE, Attack.STUFFING})
"""Classes that send passwords; an injection sent to a page that takes them is judged as anywhere."""

INTERPRETED: Final = frozenset(
    {
        *(Attack.RCE, Attack.PHP, Attack.JAVA, Attack.CODE, Attack.SSTI, Attack.SSI, Attack.SSRF),
        *READS,
    }
)
"""Classes whose success shows as an answer that other payloads do not get."""

QUERIES: Final = frozenset({Attack.SQLI, Attack.NOSQLI, Attack.LDAP, Attack.GRAPHQL, Attack.SCANNER})
"""Classes whose success shows as more data than the page ordinarily gives, or as a condition obeyed."""

DOORS: Final = ("login", "logon", "signin", "sign-in", "sign_in", "/auth", "session", "/token", "password")
"""What the path of a page that takes passwords has in it."""

_READ: Final = [
    *("site", "route", "path", "query", "method", "target", "status", "bytes", "duration_us", "attack"),
    "client_ip",
]
_CODE: Final = {outcome: number for number, outcome in enumerate(Outcome)}
_ATTACKS: Final = {attack.value: attack for attack in Attack}
_Place = tuple[str, str, str, str]


class Baselines:
    """What outcomes are judged by: ordinary answers, and the answers to attackers; bounded, one thread."""

    def __init__(self) -> None:
        self.learned = Learned()
        self.attackers: OrderedDict[int, None] = OrderedDict()  # networks
        # Client, site, route, first parameter; longest unused first.
        self._spots: OrderedDict[_Place, Spot] = OrderedDict()

    def spot(self, place: _Place) -> Spot:
        """The spot of a place, made when it is not there; `forget` keeps them few."""
        found = self._spots.get(place)
        if found is None:
            found = self._spots[place] = Spot()
        else:
            self._spots.move_to_end(place)
        return found

    def known_spot(self, place: _Place) -> Spot | None:
        """The spot of a place; None: nobody attacked there."""
        return self._spots.get(place)

    def forget(self) -> None:
        """Drop what is longest unused and too much; never in the middle of a batch, which would tear it."""
        while len(self._spots) > SPOTS_KEPT:
            self._spots.popitem(last=False)
        while len(self.attackers) > ATTACKERS_KEPT:
            self.attackers.popitem(last=False)

    def snapshot(self) -> bytes:
        """Everything that a restart needs."""
        spots = [[*place, spot.document()] for place, spot in self._spots.items()]
        return packed(self.learned.document() | {"attackers": list(self.attackers), "spots": spots})

    def restore(self, state: bytes) -> None:
        """Go on from a snapshot; from one of another version nothing is taken."""
        given = unpacked(state)
        if given is not None:
            self.learned.take_up(given)
            self.attackers = OrderedDict.fromkeys(given["attackers"])
            self._spots = OrderedDict((tuple(place), Spot.of(spot)) for *place, spot in given["spots"])


def judge(events: pa.Table, baselines: Baselines) -> pa.Table:
    """Events with `outcome` set (null where `attack` is null); the clean ones teach the baselines.

    Cost is that of a bounded sample of the clean rows and of READ_CLOSELY attacks.
    """
    attacked = events["attack"].is_valid().to_numpy()
    attacks = np.flatnonzero(attacked)
    codes = np.full(events.num_rows, -1, np.int32)
    clients = distinct(events, "client_ip") if attacks.size else None
    if clients is not None:
        _mark(baselines, *clients, attacks)
    baselines.learned.learn(events, np.flatnonzero(~attacked), baselines.attackers)
    if clients is not None:
        mine = np.isin(clients[1], np.unique(clients[1][attacks])) & ~attacked & (clients[1] >= 0)
        codes[attacks] = _outcomes(
            events.select(_READ).take(pa.array(attacks)),
            events.select(_READ).take(pa.array(np.flatnonzero(mine)[:READ_CLOSELY])),
            baselines,
        )
        baselines.forget()
    column = text(pa.array([o.value for o in Outcome], pa.string()), codes)
    if "outcome" in events.column_names:
        return events.set_column(events.schema.get_field_index("outcome"), "outcome", column)
    return events.append_column("outcome", column)


def _mark(
    baselines: Baselines, clients: pa.StringArray, codes: npt.NDArray[np.int32], rows: npt.NDArray[np.int64]
) -> None:
    """Remember the networks of attackers: their clean requests teach nothing."""
    present = arrivals(codes[rows])
    for client in clients.take(pa.array(present[present >= 0])).to_pylist():
        network = network_of(client)
        baselines.attackers[network] = None
        baselines.attackers.move_to_end(network)


def of_status(status: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """What the status alone says, as numbers of `Outcome`; it never says that an attack worked."""
    codes = np.full(status.size, _CODE[Outcome.UNKNOWN], np.int32)
    codes[(status >= 300) & (status < 500) & (status != 304)] = _CODE[Outcome.MISSED]
    codes[np.isin(status, UNTOLD)] = _CODE[Outcome.UNKNOWN]
    codes[np.isin(status, REFUSED)] = _CODE[Outcome.BLOCKED]
    return codes


def _outcomes(attacks: pa.Table, controls: pa.Table, baselines: Baselines) -> npt.NDArray[np.int32]:
    status = pc.fill_null(attacks["status"], 0).to_numpy().astype(np.int64)
    codes = of_status(status)
    names, sites = distinct(attacks, "site")
    missing = sites[(status == 404) | (status == 410)]
    for code in arrivals(missing).tolist():
        name = names[code].as_py() if code >= 0 else ""
        baselines.learned.site(name).misses += int((missing == code).sum())
    # Answers 2xx and redirects to another page first: of the others only a delay can tell more than their
    # status.
    order = np.argsort((status // 100 != 2) & (status != 302) & (status != 303), kind="stable")[:READ_CLOSELY]
    read = np.sort(order)
    cases = _cases(attacks.take(pa.array(read)), baselines)
    for place, row_status, size in zip(
        _places(controls), plain(controls["status"]), plain(controls["bytes"]), strict=True
    ):  # READ_CLOSELY at most
        known = baselines.known_spot(place)
        if known is not None and row_status == 200 and size is not None:
            known.control(size)
    for case in cases:
        case.note()
    shapes: dict[int, Shape] = {}
    followed: set[int] = set()
    for number, case in zip(read.tolist(), cases, strict=True):
        if id(case.spot) not in followed:
            followed.add(id(case.spot))
            case.spot.obeyed |= case.spot.follows() is True
        outcome = case.outcome(shapes)
        if outcome is not None:
            codes[number] = _CODE[outcome]
    return codes


def _places(rows: pa.Table) -> list[_Place]:
    clients, sites, routes, queries = (plain(rows[n]) for n in ("client_ip", "site", "route", "query"))
    return [
        (client or "", site or "", route or "", parameter_of(query))
        for client, site, route, query in zip(clients, sites, routes, queries, strict=True)
    ]


def _cases(rows: pa.Table, baselines: Baselines) -> list[_Case]:
    asked = read(plain(rows["target"]), rows["path"].cast(pa.string()))
    told = ("attack", "route", "path", "query", "method", "status", "bytes", "duration_us")
    return [
        _case(place, wish, baselines, *row)
        for place, wish, *row in zip(_places(rows), asked, *(plain(rows[n]) for n in told), strict=True)
    ]


def _case(
    place: _Place,
    asked: Asked,
    baselines: Baselines,
    attack_name: str,
    route: str | None,
    path: str | None,
    query: str | None,
    method: str | None,
    status: int | None,
    size: int | None,
    duration_us: int | None,
) -> _Case:
    attack = _ATTACKS[attack_name]
    if asked.hidden and attack in (Attack.SCANNER, Attack.PROBE):
        attack = Attack.SENSITIVE
    site, learned = place[1], baselines.learned
    door = method == "POST" and attack in SIGN_INS and any(word in (path or "").lower() for word in DOORS)
    return _Case(
        attack=attack,
        status=status or 0,
        path=path or "",
        query=query or "",
        answer=Answer(-1 if size is None or method == "HEAD" else size, duration_us, asked),
        # Who looks for files has as many places as names: they share one spot.
        spot=baselines.spot(place if query or door or attack not in SOUGHT else (*place[:2], "", "")),
        site=learned.site(site),
        # A path that ends in a variable is nobody's in particular.
        door=door,
        own=route is not None and not route.rstrip("/").rpartition("/")[2].startswith("{"),
        route=learned.route(site, route, place[3]),
        bare=learned.route(site, route, ""),
        home=learned.route(site, "/", ""),
    )


@dataclass(frozen=True, slots=True)
class _Case:
    """One attack with everything that it is judged by."""

    attack: Attack
    status: int
    path: str
    query: str
    answer: Answer
    spot: Spot
    site: Site
    door: bool  # a password was sent to a page that takes them
    own: bool  # the route is a path of its own, not one variable among many
    route: Ordinary | None
    bare: Ordinary | None  # the same route without a query
    home: Ordinary | None

    def note(self) -> None:
        """Let the spot and the site know, before any case of the batch is judged."""
        if not self.spot.left:
            self.spot.left = carrier.sought(f"{self.path}?{self.query}") is None
        if self.door:
            self.spot.try_door(self.status)
        elif self.status in (400, 404, 422):
            self.spot.refused += 1
        elif self.status in (500, 502, 503):
            self.spot.broken += 1
        elif 200 <= self.status < 300 and self.answer.size >= 0:
            self.spot.note(self.answer)
            if self.attack in SOUGHT and not self._known_path():
                self.site.seek(self.answer.size, self.answer.asked.name)

    def outcome(self, shapes: MutableMapping[int, Shape]) -> Outcome | None:
        """How it went; None: what the status says. `shapes`: those of spots that were looked at, by `id`."""
        waited = self._waited()
        if self.door:
            outcome: Outcome | None = self._sign_in()
        elif waited:
            outcome = Outcome.WORKED
        elif 300 <= self.status < 400:
            outcome = self._redirect()
        elif not 200 <= self.status < 300:
            outcome = None
        elif self.answer.size < 0:
            outcome = Outcome.UNKNOWN
        elif self._nothing() or (waited is False and not self.spot.obeyed):
            outcome = Outcome.MISSED
        else:
            shape = shapes.get(id(self.spot))
            if shape is None:
                shape = shapes[id(self.spot)] = self.spot.shape()
            outcome = self._by_class(shape)
        return outcome

    def _sign_in(self) -> Outcome | None:
        """Nearly all of many passwords are wrong: the answer that most get says so, and another one that a
        sign-in may have says that this one was right."""
        if self.status in REFUSED:
            return Outcome.MISSED if self.status in (400, 401) else Outcome.BLOCKED
        if not 200 <= self.status < 400:
            return None
        usual = self.spot.wrong_password()
        if usual is None:
            return Outcome.UNKNOWN
        return Outcome.MISSED if self.status == usual else Outcome.WORKED

    def _by_class(self, shape: Shape) -> Outcome:
        """Of an answer 2xx with a size."""
        if self.attack in FILES and not (self.own and self.bare is not None):
            return self._file()
        if self.attack in QUERIES:
            return self._query(shape)
        if self.attack in INTERPRETED or self.attack in FILES:
            return self._interpreted(shape)
        if self.attack is Attack.XSS and shape.common(self.answer) and not shape.slope:
            return Outcome.MISSED  # the page does not repeat what it was sent
        return Outcome.UNKNOWN

    def _known_path(self) -> bool:
        """Whether ordinary visitors are given this very path."""
        return self.path == "/" or (
            self.own and any(r is not None and r.known for r in (self.route, self.bare))
        )

    def _nothing(self) -> bool:
        """Whether it was given the page for what is not there."""
        tells = self.attack in FILES or self.attack in QUERIES or self.attack in INTERPRETED
        return (tells or not self._known_path()) and self.site.anything(self.answer.size)

    def _waited(self) -> bool | None:
        """Whether the answer took as long as the payload asked; None: it did not ask, or no times."""
        asked, took = self.answer.asked.delay_s, self.answer.duration_us
        if asked is None or took is None or self.status in REFUSED:
            return None
        usual = self.spot.quick_us()
        if usual is None and self.route is not None:
            usual = self.route.median_us()
        waited = took - (500_000 if usual is None else usual) >= 850_000 * asked
        if waited:
            self.spot.obeyed = True
        return waited

    def _redirect(self) -> Outcome | None:
        """A redirect to another site looks like any other; only a place that never redirects tells."""
        if self.attack is not Attack.REDIRECT or self.status not in (302, 303, 307):
            return Outcome.UNKNOWN if self.attack is Attack.REDIRECT else None
        never = self.route is not None and self.route.known and not self.route.redirects
        return Outcome.WORKED if never else Outcome.UNKNOWN

    def _file(self) -> Outcome:
        """Something that is nobody's to read, under a path that no visitor is given."""
        size = self.answer.size
        if size == 0:
            return Outcome.MISSED if self.attack is Attack.SENSITIVE else Outcome.UNKNOWN
        # Single-page applications answer their first page to every path.
        if self.home is not None and any(abs(size - s) <= 16 for s in self.home.sizes):
            return Outcome.MISSED
        return Outcome.WORKED if self.site.tells() else Outcome.UNKNOWN

    def _query(self, shape: Shape) -> Outcome:
        size, ordinary = self.answer.size, self._ordinary()
        if self.spot.obeyed or (
            # What breaks on some queries and answers others runs them.
            self.answer.asked.data and self.spot.broken >= BROKEN and not self.spot.like_control(size)
        ):
            return Outcome.WORKED
        given = [a.bounds()[1] for a in (self.route, self.bare) if a is not None and a.known]
        most = max([*self.spot.controls, *given], default=0)
        if shape.common(self.answer) or self.spot.follows() is False:
            return Outcome.MISSED
        if ordinary is False and size > 1.25 * most and self.attack is not Attack.SCANNER:
            return Outcome.WORKED
        return Outcome.MISSED if ordinary else Outcome.UNKNOWN

    def _interpreted(self, shape: Shape) -> Outcome:
        size, ordinary = self.answer.size, self._ordinary()
        if self.attack in READS and shape.names < 2:
            # The same size for the same file, however it was written, is what success looks like.
            return self._other(ordinary)
        if self.spot.obeyed:
            return Outcome.WORKED
        if shape.common(self.answer) or self.spot.like_control(size):
            return Outcome.MISSED
        unlike = shape.middle is not None and abs(shape.residual(self.answer) - shape.middle) > max(
            512, 4 * self.answer.asked.length
        )
        other = unlike and (self.attack is not Attack.RCE or not ordinary)
        other |= ordinary is not True and (
            shape.apart or (self.attack is Attack.SSRF and self.spot.refused > 0)
        )
        if other and not self._searched():
            return Outcome.WORKED
        return Outcome.MISSED if ordinary else Outcome.UNKNOWN

    def _searched(self) -> bool:
        """Whether it is all that somebody may look for, where every question is answered otherwise."""
        return not self.spot.left

    def _other(self, ordinary: bool | None) -> Outcome:
        if ordinary:
            return Outcome.MISSED
        told = ordinary is False or self.spot.refused > 0 or (self.route is None and self.site.tells())
        told = told and self.answer.size > 0 and not self._searched()
        return Outcome.WORKED if told else Outcome.UNKNOWN

    def _ordinary(self) -> bool | None:
        """Whether the route ordinarily answers so; None: not known."""
        for answers in (self.route, self.bare):
            if answers is not None and (given := answers.gives(self.answer.size)) is not None:
                return given
        return None


__all__: Sequence[str] = ["Baselines", "judge", "of_status"]
