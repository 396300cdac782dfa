"""The ticker counts every event and shows a bounded sample, attacks first."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from logvision.clock import SettableClock
from logvision.live.base import EVENTS, NOW
from logvision.live.memory import MemoryLive
from logvision.live.ticker import ROWS, Ticker
from logvision.schema import EVENT, REJECT, TEXT


def events(count: int, attacks: frozenset[int] = frozenset()) -> pa.Table:
    rows = [
        {
            "time": datetime(2026, 5, 1, tzinfo=UTC),
            "source": "a",
            "position": i,
            "status": 200 if i % 2 == 0 else 503,
            "bytes": 10,
            "score": 0.9 if i in attacks else 0.0,
            "attack": "sqli" if i in attacks else None,
        }
        for i in range(count)
    ]
    plain = pa.schema([pa.field(f.name, pa.string() if f.type == TEXT else f.type) for f in EVENT])
    return pa.Table.from_pylist(rows, schema=plain).cast(EVENT)


def last(live: MemoryLive, kind: str) -> Any:
    return json.loads(live.snapshot()[kind].data)


def test_a_small_batch_is_shown_whole() -> None:
    live, clock = MemoryLive(), SettableClock(100.0)
    Ticker(live, clock).add(events(3), REJECT.empty_table())
    assert [row["id"] for row in last(live, EVENTS)["rows"]] == ["a@0", "a@1", "a@2"]
    assert last(live, EVENTS)["sampled"] is False


def test_a_large_batch_is_sampled_and_its_attacks_are_in_the_sample() -> None:
    live, clock = MemoryLive(), SettableClock(100.0)
    Ticker(live, clock).add(events(5_000, frozenset({17, 4_001})), REJECT.empty_table())
    said = last(live, EVENTS)
    assert (said["total_new"], said["sampled"]) == (5_000, True)
    assert len(said["rows"]) <= ROWS
    assert {17, 4_001} <= {row["position"] for row in said["rows"]}


def test_rows_come_at_most_four_times_a_second_and_counts_once() -> None:
    live, clock = MemoryLive(), SettableClock(100.0)
    ticker = Ticker(live, clock)
    said: list[str] = []
    for _ in range(101):
        before = dict(live.snapshot())
        ticker.add(events(10), REJECT.empty_table())
        said += [kind for kind, message in live.snapshot().items() if before.get(kind) != message]
        clock.advance(0.01)
    assert said.count(EVENTS) <= 5
    assert said.count(NOW) == 1


def test_the_counts_of_a_second_and_the_totals_agree_with_what_came() -> None:
    live, clock = MemoryLive(), SettableClock(100.0)
    ticker = Ticker(live, clock)
    for attacks in (frozenset({1}), frozenset[int]()):
        ticker.add(events(4, attacks), REJECT.empty_table())
        clock.advance(1.0)
        ticker.tick()
    said = last(live, NOW)
    assert {k: said[k] for k in ("rate", "requests", "attacks", "bytes", "success", "errors")} == {
        "rate": 4.0,
        "requests": 4,
        "attacks": 0,
        "bytes": 40,
        "success": 2,
        "errors": 2,
    }
    assert said["totals"] == {
        "requests": 8,
        "attacks": 1,
        "bytes": 80,
        "success": 4,
        "errors": 4,
        "rejects": 0,
        "other": 4,
    }
