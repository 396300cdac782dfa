"""A flood from everywhere: what is kept of it is bounded, what is counted of it is right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from whole_runs import line

from event_tables import NOON, event, events
from logvision import columns, pipeline
from logvision.app import found, parts
from logvision.app.found import Found
from logvision.config import load
from logvision.detect.buckets import BUCKETS_KEPT, VALUES_KEPT
from logvision.detect.detector import Detector
from logvision.detect.followed import TRACKS_KEPT
from logvision.engines.summary import METHOD_READ, METHODS, OTHER, Summary
from logvision.enrich import agent, network
from logvision.incident import Incident
from logvision.schema import EVENT, RECORD, REJECT, Attack, Outcome, Severity, Stage
from logvision.windows.dimensions import DIMENSIONS, LARGE_KEPT
from logvision.windows.folder import PARTS, TOGETHER

BATCH = 1 << 16
FLUSH = 1 << 18


def addresses(start: int, rows: int) -> pa.DictionaryArray:
    """That many addresses, none ever given before."""
    numbers = np.arange(start, start + rows, dtype=np.int64) + (11 << 24)
    parts_of = [(numbers >> shift & 255).astype(str) for shift in (24, 16, 8, 0)]
    texts = parts_of[0]
    for part in parts_of[1:]:
        texts = np.char.add(np.char.add(texts, "."), part)
    return columns.text(pa.array(texts.tolist(), pa.string()), np.arange(rows, dtype=np.int32))


def flood(total: int, attack: str | None = None) -> Iterator[pa.Table]:
    """EVENT tables of one request of each of `total` addresses, each with a path and an agent of its own."""
    one = events(
        [
            event(
                position=1, attack=attack, outcome="missed" if attack else None, rules="r" if attack else None
            )
        ]
    )
    for start in range(0, total, BATCH):
        rows = min(BATCH, total - start)
        table = one.take(pa.array(np.zeros(rows, np.int32)))
        numbers = np.arange(start, start + rows, dtype=np.int64)
        codes = np.arange(rows, dtype=np.int32)
        first = int(NOON.timestamp() * 1e6)
        made = {
            "client_ip": addresses(start, rows),
            "path": columns.text(pa.array(np.char.add("/x/", numbers.astype(str)).tolist()), codes),
            "user_agent": columns.text(pa.array(np.char.add("a ", numbers.astype(str)).tolist()), codes),
            "position": pa.array(numbers),
            "time": pa.array(first + numbers * 1_000, EVENT.field("time").type),
        }
        for name, column in made.items():
            table = table.set_column(table.column_names.index(name), EVENT.field(name), column)
        yield table


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("total", [300_000, 5_000_000])
def test_state_stays_within_its_bounds_and_totals_are_right(total: int) -> None:
    state = parts.state(load(None, {}))
    totals = Summary()
    scenarios = len(state.behaviour._rules)
    requests, held, saved, waiting = 0, 0, 0, 0
    for table in flood(total):
        totals.add(table, REJECT.empty_table(), {"access.log": 100 * table.num_rows})
        state.correlate(table)
        state.folder.add(table)
        held = max(held, state.folder.rows)
        waiting += table.num_rows
        if waiting >= FLUSH:
            waiting = 0
            requests += _requests(state.folder.take())
            saved = max(saved, sum(map(len, state.save().values())))
    requests += _requests(state.folder.take())

    assert (totals.total("events"), requests) == (total, total)
    assert totals.visitors == pytest.approx(total, rel=0.02)
    # Every part keeps so many values of a dimension for an hour.
    assert held <= TOGETHER + BATCH + PARTS * len(DIMENSIONS) * LARGE_KEPT
    assert saved <= scenarios * (BUCKETS_KEPT * 7 * 8 + VALUES_KEPT * 2 * 8) + 1_000_000


def _requests(partials: pa.Table) -> int:
    """Requests of the minutes; no window keeps more values than it may."""
    frame = partials.select(["grain", "start", "site", "dimension", "requests"])
    frame = frame.set_column(2, "site", frame.column("site").cast(pa.string()))
    frame = frame.set_column(3, "dimension", frame.column("dimension").cast(pa.string()))
    sizes = frame.group_by(["grain", "start", "site", "dimension"]).aggregate([("requests", "count")])
    assert max(sizes.column("requests_count").to_pylist(), default=0) <= LARGE_KEPT
    return sum(
        row["requests"] for row in frame.to_pylist() if row["grain"] == 60 and row["dimension"] == "all"
    )


@pytest.mark.slow
def test_a_flood_of_attackers_leaves_as_many_tracks_as_are_kept() -> None:
    state = parts.state(load(None, {}))
    collected = Found()
    for table in flood(12_000, attack="sqli"):
        for incident in state.correlate(table):
            collected.add(incident)
    assert len(state.correlator._followed) <= TRACKS_KEPT
    assert len(state.correlator._crowds) <= TRACKS_KEPT


def incident(number: int, **changed: object) -> Incident:
    made = Incident(
        id=f"{number:032x}",
        actor=f"ip:{number}",
        actor_kind="ip",
        site=None,
        stage=Stage.EXPLOIT,
        attacks={Attack.SQLI: 1},
        outcome=Outcome.UNKNOWN,
        severity=Severity.LOW,
        score=0.5 + number / 1e6,
        first_seen=NOON,
        last_seen=NOON + timedelta(seconds=number),
        events=1,
        alerts=1,
    )
    return replace(made, **changed)  # type: ignore[arg-type]


def test_of_very_many_incidents_the_worst_are_kept_and_all_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(found, "KEPT", 10)
    monkeypatch.setattr(found, "TOGETHER", 7)
    collected = Found()
    for number in range(1000):
        collected.add(incident(number))
        collected.add(incident(number, events=2))
    worst = incident(5, severity=Severity.CRITICAL)  # let go before, and now it comes back as the worst
    collected.add(worst)
    for number in range(100):
        collected.add(incident(number + 20, part_of="a campaign"))
    assert collected.count == 900
    assert len(collected._incidents) <= 20
    assert [i.actor for i in collected.worst()[:3]] == ["ip:5", "ip:999", "ip:998"]


@pytest.mark.slow
def test_the_caches_of_enrichment_never_hold_more_than_they_may(
    shipped: Detector, agents: agent.Agents
) -> None:
    known = pipeline.Knowledge(
        formats=parts.Formats({}),
        proxies=parts.TrustedProxies((), ()),
        networks=network.Networks.open(),
        agents=agents,
        routes=parts.Routes(),
        detector=shipped,
        baselines=parts.Baselines(),
    )
    total, step = 100_000, 20_000
    texts = addresses(0, total).dictionary.to_pylist()
    for start in range(0, total, step):
        raw = [
            line(n, f"/p{n}/q{n}/r", address=texts[n], agent=f"Robot{n}/1.0")
            for n in range(start, start + step)
        ]
        records = pa.table(
            [
                pa.array(raw, pa.binary()),
                columns.constant("access.log", step),
                pa.array(range(start, start + step)),
            ],
            schema=RECORD,
        )
        flow = pipeline.run(records, datetime(2024, 5, 14, 13, tzinfo=UTC), known)
        assert (flow.events.num_rows, flow.rejects.num_rows) == (step, 0)
    assert len(known.networks._kept) <= network.KEPT
    assert len(known.agents._kept) <= agent.KEPT
    assert len(known.save()["routes"]) < 4_000_000


def test_methods_that_a_log_invents_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    totals = Summary()
    for start in range(0, 5000, 500):
        rows = [event(position=1 + n, method=f"M{n}") for n in range(start, start + 500)]
        rows += [event(position=10_000 + start + n, method="GET") for n in range(500)]
        totals.add(events(rows), REJECT.empty_table(), {})

    assert len(totals.methods) <= METHODS + 1
    assert totals.methods["GET"] == 5000
    assert totals.methods.total() == 10_000
    assert totals.methods[OTHER] >= 4000


def test_a_method_without_end_is_counted_by_its_beginning() -> None:
    totals = Summary()
    totals.add(events([event(position=1, method="X" * 1_000_000)]), REJECT.empty_table(), {})
    assert dict(totals.methods) == {"X" * METHOD_READ + "…": 1}
