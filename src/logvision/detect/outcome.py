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
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from logvision.columns import arrivals, distinct, plain, text
from logvision.detect import network
from logvision.detect.asked import Asked, Reading
from logvision.detect.baselines import Learned, packed, parameter_of, unpacked
from logvision.detect.case import DOORS, REFUSED, SIGN_INS, SOUGHT, UNTOLD, Case, Ground
from logvision.detect.spots import Answer, Spot
from logvision.schema import Attack, Outcome

READ_CLOSELY: Final = 2048
"""Attacks of a batch that are read one by one; beyond them the status speaks alone."""

SPOTS_KEPT: Final = 1024
ATTACKERS_KEPT: Final = 8192
"""Bounds of memory: spots, networks of attackers."""

_CODE: Final = {outcome: number for number, outcome in enumerate(Outcome)}
_ATTACKS: Final = {attack.value: attack for attack in Attack}
_Place = tuple[str, str, str, str]


class Baselines:
    """What outcomes are judged by: ordinary answers, and the answers to attackers; bounded, one thread."""

    def __init__(self) -> None:
        self.learned = Learned()
        self.attackers: OrderedDict[int, None] = OrderedDict()  # networks, as `network.narrow` numbers them
        self.reading = Reading()
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
        attacking = np.zeros(len(clients[0]) + 1, bool)  # the last: no client
        attacking[clients[1][attacks]] = True
        attacking[-1] = False
        mine = attacking[clients[1]] & ~attacked
        sound = np.flatnonzero(mine)[:READ_CLOSELY]
        answered = _statuses(events, sound) == 200
        given = events["bytes"].is_valid().to_numpy()[sound]
        codes[attacks] = _outcomes(events, attacks, sound[answered & given], baselines)
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
    narrow, _ = network.numbers(clients.take(pa.array(present[present >= 0])))
    for number in narrow.tolist():
        baselines.attackers[number] = None
        baselines.attackers.move_to_end(number)


def _statuses(events: pa.Table, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    status: npt.NDArray[np.int64] = pc.fill_null(events["status"], 0).to_numpy()[rows].astype(np.int64)
    return status


def of_status(status: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """What the status alone says, as numbers of `Outcome`; it never says that an attack worked."""
    codes = np.full(status.size, _CODE[Outcome.UNKNOWN], np.int32)
    codes[(status >= 300) & (status < 500) & (status != 304)] = _CODE[Outcome.MISSED]
    codes[np.isin(status, UNTOLD)] = _CODE[Outcome.UNKNOWN]
    codes[np.isin(status, REFUSED)] = _CODE[Outcome.BLOCKED]
    return codes


def _outcomes(
    events: pa.Table,
    attacks: npt.NDArray[np.int64],
    controls: npt.NDArray[np.int64],
    baselines: Baselines,
) -> npt.NDArray[np.int32]:
    """Of the rows of `attacks`. `controls`: rows of the attackers that are no attack, and were answered 200
    with a size."""
    status = _statuses(events, attacks)
    codes = of_status(status)
    names, sites = distinct(events, "site")
    missing = sites[attacks[(status == 404) | (status == 410)]]
    for code in arrivals(missing).tolist():
        name = names[code].as_py() if code >= 0 else ""
        baselines.learned.site(name).misses += int((missing == code).sum())
    # Answers 2xx and redirects to another page first: of the others only a delay can tell more than their
    # status.
    order = np.argsort((status // 100 != 2) & (status != 302) & (status != 303), kind="stable")[:READ_CLOSELY]
    read = np.sort(order)
    cases = _cases(events, attacks[read], baselines)
    sizes = plain(events["bytes"], rows=controls)
    for place, size in zip(_places(events, controls), sizes, strict=True):  # READ_CLOSELY at most
        known = baselines.known_spot(place)
        if known is not None:
            known.control(size)
    for case in cases:
        case.note()
    for spot in {id(case.spot): case.spot for case in cases}.values():
        spot.obeyed |= spot.follows() is True
    for number, case in zip(read.tolist(), cases, strict=True):
        outcome = case.outcome()
        if outcome is not None:
            codes[number] = _CODE[outcome]
    return codes


def _places(events: pa.Table, rows: npt.NDArray[np.int64]) -> list[_Place]:
    clients, sites, routes = (plain(events[name], rows=rows) for name in ("client_ip", "site", "route"))
    parameters = plain(events["query"], parameter_of, rows)
    return [
        (client or "", site or "", route or "", parameter or "")
        for client, site, route, parameter in zip(clients, sites, routes, parameters, strict=True)
    ]


def _cases(events: pa.Table, rows: npt.NDArray[np.int64], baselines: Baselines) -> list[Case]:
    told = ("path", "attack", "query", "method", "status", "bytes", "duration_us")
    routes, targets, paths, *columns = (plain(events[name], rows=rows) for name in ("route", "target", *told))
    asked = baselines.reading.of(targets, paths)
    grounds: dict[tuple[str, str | None, str], Ground] = {}
    cases = []
    for place, route, *row in zip(_places(events, rows), routes, asked, paths, *columns, strict=True):
        at = place[1], route, place[3]
        ground = grounds.get(at)
        if ground is None:
            ground = grounds[at] = Ground.of(baselines.learned, *at)
        cases.append(_case(baselines, place, ground, *row))
    return cases


def _case(
    baselines: Baselines,
    place: _Place,
    ground: Ground,
    asked: Asked,
    path: str | None,
    attack_name: str,
    query: str | None,
    method: str | None,
    status: int | None,
    size: int | None,
    duration_us: int | None,
) -> Case:
    attack = _ATTACKS[attack_name]
    if asked.hidden and attack in (Attack.SCANNER, Attack.PROBE):
        attack = Attack.SENSITIVE
    door = method == "POST" and attack in SIGN_INS and any(word in (path or "").lower() for word in DOORS)
    return Case(
        attack=attack,
        status=status or 0,
        path=path or "",
        query=query or "",
        answer=Answer(-1 if size is None or method == "HEAD" else size, duration_us, asked),
        # Who looks for files has as many places as names: they share one spot.
        spot=baselines.spot(place if query or door or attack not in SOUGHT else (*place[:2], "", "")),
        site=baselines.learned.site(place[1]),
        door=door,
        ground=ground,
    )
