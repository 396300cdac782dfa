"""Alerts with what their evidence tells: the form in which incidents take them up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from itertools import islice
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from logvision.columns import distinct, plain
from logvision.detect.alerts import ATTACKS, OUTCOMES
from logvision.detect.tracks import Finding
from logvision.incident import Evidence
from logvision.schema import Attack, Outcome, Severity

Ints = npt.NDArray[np.int64]

TARGET_KEPT: Final = 1024
AGENT_KEPT: Final = 256
"""Characters of a target, and of an agent or referer, that a track keeps: 4096 actors who send megabytes must
not fill the memory. The event itself has all of it."""


def findings_of(alerts: pa.Table, events: pa.Table) -> Iterator[Finding]:
    """Alerts with the details of their evidence, in the order in which their first evidence arrived."""
    if not alerts.num_rows:
        return
    alert, row = _at_hand(alerts["evidence"].combine_chunks(), events)
    first = np.full(alerts.num_rows, events.num_rows)
    first[alert[::-1]] = row[::-1]
    order = np.argsort(first, kind="stable")
    shown = np.argsort(np.argsort(order)[alert], kind="stable")
    sizes = np.bincount(alert, minlength=alerts.num_rows)[order].tolist()
    rows = rows_of(events, row[shown])
    told = (plain(alerts[name], read, order) for name, read in _OF_ALERT.items())
    for size, *alert_told in zip(sizes, *told, strict=True):
        detector, actor, site, rule, attack, severity, score, outcome, begun, ended, count = alert_told
        own = list(islice(rows, size))
        behaviour = detector == "behaviour"
        yield Finding(
            actor=actor,
            site=site,
            rule=rule,
            attack=attack,
            severity=severity,
            score=score,
            outcome=outcome,
            first_seen=begun,
            last_seen=ended,
            events=count,
            behaviour=behaviour,
            digest=f"{rule} {begun.isoformat() if behaviour else attack}",
            evidence=tuple([row.evidence(attack, outcome) for row in own]),
            clients=_distinct([row.client_ip for row in own]),
            routes=_distinct([row.route for row in own]),
            agents=_distinct([row.told.user_agent for row in own]),
            countries=_distinct([row.country for row in own]),
        )


def _fared(attack: Attack, outcome: Outcome, status: int | None) -> Outcome:
    """How an event of an alert fared that does not say so itself; the alert says how the best of them did."""
    if attack is Attack.FLOOD and status is not None and status >= 500:
        return Outcome.WORKED
    if attack is Attack.FLOOD:
        return Outcome.BLOCKED if status in (403, 429) else Outcome.MISSED
    gone = status in (404, 410) and outcome in (Outcome.WORKED, Outcome.UNKNOWN)
    return Outcome.MISSED if gone else outcome


def _at_hand(evidence: pa.ListArray, events: pa.Table) -> tuple[Ints, Ints]:
    """Which alert and which row of `events` belong together, in order of both."""
    alert = pc.list_parent_indices(evidence).to_numpy()
    places = pc.list_flatten(evidence)
    wanted = places.field("position").to_numpy()
    names, codes = distinct(events, "source")
    source = pc.fill_null(pc.index_in(places.field("source"), names), -1).to_numpy()
    positions = events["position"].to_numpy()
    row = np.full(alert.size, -1, np.int64)
    for code in np.unique(source).tolist():
        mine, rows = np.flatnonzero(source == code), np.flatnonzero(codes == code)
        if code < 0 or not rows.size:
            continue
        given = positions[rows]
        if (given[1:] < given[:-1]).any():  # seldom: a source is read in its order
            order = np.argsort(given, kind="stable")
            rows, given = rows[order], given[order]
        at = np.minimum(np.searchsorted(given, wanted[mine]), rows.size - 1)
        row[mine] = np.where(given[at] == wanted[mine], rows[at], -1)
    known = np.flatnonzero(row >= 0)
    order = known[np.lexsort((row[known], alert[known]))]
    return alert[order], row[order]


class Row(NamedTuple):
    """What of an event an incident tells; long texts are cut."""

    client_ip: str | None
    route: str | None
    country: str | None
    told: Evidence  # as the event itself says it

    def evidence(self, attack: Attack, outcome: Outcome) -> Evidence:
        """As evidence of an alert, which says what the event itself does not."""
        told = self.told
        if told.attack is not None and told.outcome is not None:
            return told
        # `dataclasses.replace` would take four times as long.
        return Evidence(
            *(told.source, told.position, told.time, told.method, told.target, told.status, told.bytes),
            told.score,
            told.attack or attack,
            told.rules,
            told.outcome or _fared(attack, outcome, told.status),
            *(told.user_agent, told.referer),
        )


_READ: Final[Mapping[str, Callable[[str], Any]]] = {
    "attack": ATTACKS.__getitem__,
    "rules": lambda rules: tuple(rules.split()),
    "outcome": OUTCOMES.__getitem__,
    "target": lambda text: text[:TARGET_KEPT],
    "user_agent": lambda text: text[:AGENT_KEPT],
    "referer": lambda text: text[:AGENT_KEPT],
}
"""How texts are taken up that are not kept as they are."""

_WHO: Final = ("client_ip", "route", "country")
_TOLD: Final = tuple(field.name for field in fields(Evidence))
_SEVERITIES: Final = {severity.value: severity for severity in Severity}
_OF_ALERT: Final[Mapping[str, Callable[[str], Any] | None]] = {
    **dict.fromkeys(("detector", "actor", "site", "rule")),
    "attack": ATTACKS.__getitem__,
    "severity": _SEVERITIES.__getitem__,
    "score": None,
    "outcome": OUTCOMES.__getitem__,
    **dict.fromkeys(("first_seen", "last_seen", "events")),
}
"""What of an alert is told, and how texts are taken up."""


def rows_of(events: pa.Table, rows: Ints) -> Iterator[Row]:
    """Some rows of EVENT, one by one."""
    columns = {name: plain(events[name], _READ.get(name), rows) for name in (*_WHO, *_TOLD)}
    columns["rules"] = [rules or () for rules in columns["rules"]]
    told = map(Evidence, *(columns[name] for name in _TOLD))
    return map(Row, *(columns[name] for name in _WHO), told)


def _distinct(values: Iterable[str | None]) -> tuple[str, ...]:
    found = dict.fromkeys(values)
    found.pop(None, None)
    return tuple(found)  # type: ignore[arg-type]
