"""Judged events as alerts: one for what one actor did of one class by one set of rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from logvision.columns import distinct, spread
from logvision.detect import story
from logvision.schema import ALERT, EVIDENCE_KEPT, TEXT, Attack, Outcome

Ints = npt.NDArray[np.int64]

GAP: Final = timedelta(hours=6)
"""Quiet for longer than this, what was no incident yet is forgotten."""

ATTACKS: Final = {attack.value: attack for attack in Attack}
OUTCOMES: Final = {outcome.value: outcome for outcome in Outcome}
"""By their text: a look-up is a quarter of a call of the class."""

_TEXTS: Final = ("client_ip", "site", "attack", "rules", "outcome", "source")


def alerts_of(events: pa.Table) -> pa.Table:
    """Attack events as ALERT rows: one per actor, site, class and set of rules, in order of arrival.

    An actor quiet for longer than GAP begins another row. Evidence is the first events and the newest,
    in order of arrival. Cost is that of the attack events alone.
    """
    rows = np.flatnonzero(distinct(events, "attack")[1] >= 0)
    if not rows.size:
        return ALERT.empty_table()
    attacks = events.select([*_TEXTS, "time", "score", "position"]).take(pa.array(rows))
    texts = {name: distinct(attacks, name) for name in _TEXTS}
    codes = {name: of_row for name, (_, of_row) in texts.items()}
    times = attacks["time"].cast(pa.int64()).to_numpy()
    group, firsts = _grouped(codes, times)
    order = np.argsort(group, kind="stable")
    begins = np.flatnonzero(np.diff(group[order], prepend=-1))
    sizes = np.diff(np.append(begins, order.size))
    outcomes = [*texts["outcome"][0].to_pylist(), None]  # the last answers code -1
    worst = np.array([story.WORST.index(OUTCOMES[o]) if o else 2 for o in outcomes])[codes["outcome"]]
    told = {name: spread(values, of_row[firsts]).to_pylist() for name, (values, of_row) in texts.items()}
    actors = [
        f"site:{site or '-'}" if client is None else f"ip:{client}"
        for client, site in zip(told["client_ip"], told["site"], strict=True)
    ]
    done = {
        "detector": ["classifier" if rules is None else "signature" for rules in told["rules"]],
        "rule": [rules or "classifier" for rules in told["rules"]],
        "attack": told["attack"],
        "severity": [story.GRADE[ATTACKS[attack]].value for attack in told["attack"]],
        "score": np.maximum.reduceat(attacks["score"].to_numpy()[order], begins),
        "actor": actors,
        "site": told["site"],
        "outcome": [
            story.WORST[number].value for number in np.maximum.reduceat(worst[order], begins).tolist()
        ],
        "first_seen": np.minimum.reduceat(times[order], begins),
        "last_seen": np.maximum.reduceat(times[order], begins),
        "events": sizes,
        "evidence": _evidence_of(attacks, order, begins, sizes),
        "explanation": [
            f"{story.NAMES[ATTACKS[a]][:1].upper()}{story.NAMES[ATTACKS[a]][1:]}:"
            f" {count} {'request' if count == 1 else 'requests'}."
            for a, count in zip(told["attack"], sizes.tolist(), strict=True)
        ],
    }
    return table_of(done)


def table_of(told: Mapping[str, Any]) -> pa.Table:
    """ALERT rows from columns by name, lists or arrays; microseconds may stand for times."""
    return pa.table([_as(told[field.name], field.type) for field in ALERT], schema=ALERT)


def evidence_at(events: pa.Table, rows: Ints, sizes: Ints) -> pa.ListArray:
    """`ALERT.evidence`: rows of events, of one alert after the other; `sizes`: how many each has."""
    shown = events.select(["source", "position"]).take(pa.array(rows))
    places = pa.StructArray.from_arrays(
        [shown["source"].cast(pa.string()).combine_chunks(), shown["position"].combine_chunks()],
        fields=list(ALERT.field("evidence").type.value_type),
    )
    offsets = pa.array(np.append(0, np.cumsum(sizes)), pa.int32())
    return pa.ListArray.from_arrays(offsets, places, type=ALERT.field("evidence").type)


def _grouped(codes: Mapping[str, npt.NDArray[np.int32]], times: Ints) -> tuple[Ints, Ints]:
    """A number for each row's alert, in order of arrival, and the first row of each."""
    clients, sites = codes["client_ip"].astype(np.int64), codes["site"].astype(np.int64)
    actor = np.where(clients >= 0, clients, int(clients.max()) + 2 + sites)
    actor -= actor.min()
    order = np.argsort(actor, kind="stable")
    quiet = np.abs(np.diff(times[order], prepend=times[order[0]])) > GAP // timedelta(microseconds=1)
    quiet &= np.diff(actor[order], prepend=actor[order[0]]) == 0
    stretch = np.empty(order.size, np.int64)
    stretch[order] = np.cumsum(quiet)
    group = actor
    for part in (sites, codes["attack"], codes["rules"], stretch):
        low, width = int(part.min()), int(part.max()) - int(part.min()) + 1
        group = group * width + (part - low)
        _, group = np.unique(group, return_inverse=True)
    _, firsts = np.unique(group, return_index=True)
    arrival = np.argsort(firsts)
    number = np.empty(arrival.size, np.int64)
    number[arrival] = np.arange(arrival.size)
    return number[group], firsts[arrival]


def _evidence_of(attacks: pa.Table, order: Ints, begins: Ints, sizes: Ints) -> pa.ListArray:
    """The first rows of each group, and the newest."""
    half = EVIDENCE_KEPT // 2
    place = np.arange(order.size) - np.repeat(begins, sizes)
    kept = (place < half) | (place >= np.repeat(sizes, sizes) - half)
    return evidence_at(attacks, order[kept], np.minimum(sizes, 2 * half))


def _as(values: Any, kind: pa.DataType) -> pa.Array:
    if isinstance(values, pa.Array):
        return values
    return pa.array(values, pa.string()).dictionary_encode() if kind == TEXT else pa.array(values, kind)
