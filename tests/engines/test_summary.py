"""Totals are what counting by hand gives, and the number of visitors stays bounded in memory."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from logvision.engines import summary
from logvision.engines.summary import Distinct, Summary
from logvision.lake.segments import Counts
from logvision.schema import EVENT, REJECT, TEXT

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def events(rows: list[dict[str, object]]) -> pa.Table:
    filled = [{"time": NOON, "source": "a", "position": i, "score": 0.0, **row} for i, row in enumerate(rows)]
    plain = pa.schema([pa.field(f.name, pa.string() if f.type == TEXT else f.type) for f in EVENT])
    return pa.Table.from_pylist(filled, schema=plain).cast(EVENT)


def rejects(reasons: list[str]) -> pa.Table:
    rows = [
        {"reason": r, "raw": b"x", "size": 1, "source": "a", "position": 100 + i, "read_at": NOON}
        for i, r in enumerate(reasons)
    ]
    plain = pa.schema([pa.field(f.name, pa.string() if f.type == TEXT else f.type) for f in REJECT])
    return pa.Table.from_pylist(rows, schema=plain).cast(REJECT)


def test_every_line_is_counted_in_exactly_one_place() -> None:
    totals = Summary()
    totals.add(
        events(
            [
                {"client_ip": "192.0.2.1", "method": "GET", "status": 200, "bytes": 10},
                {"client_ip": "192.0.2.1", "method": "POST", "status": 404, "bytes": 5, "attack": "sqli"},
                {"client_ip": "192.0.2.2", "method": None, "status": None, "bytes": None},
            ]
        ),
        rejects(["empty", "no_format", "no_format", "directive"]),
        {"a": 700},
    )
    assert totals.sources == {"a": Counts(read=7, events=3, rejects=3, filtered=1, bytes=700)}
    assert dict(totals.status) == {"200": 1, "404": 1, "-": 1}
    assert dict(totals.methods) == {"GET": 1, "POST": 1, "-": 1}
    assert dict(totals.reject_reasons) == {"empty": 1, "no_format": 2}
    assert dict(totals.filter_reasons) == {"directive": 1}
    assert (totals.visitors, totals.traffic, totals.attacks, totals.success) == (2, 15, 1, 1)
    assert (totals.first, totals.last) == (NOON, NOON)


def test_a_late_event_is_counted_as_late_and_as_an_event() -> None:
    totals = Summary()
    totals.add(events([{"source": "a"}, {"source": "b"}, {"source": "b"}]), rejects([]), {}, {"a": 0, "b": 2})
    totals.add(events([{"source": "b"}]), rejects(["empty"]), {}, {"b": 0})
    assert totals.sources == {
        "a": Counts(read=2, events=1, rejects=1),
        "b": Counts(read=3, events=3, late=2),
    }
    assert (totals.total("events"), totals.total("late")) == (4, 2)


def test_visitors_are_exact_until_the_limit_and_within_two_percent_beyond(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(summary, "EXACT_VISITORS", 1_000)
    exact, beyond = Distinct(), Distinct()
    for start in range(0, 1_000, 100):
        exact.add(pa.array([f"v{i}" for i in range(start, start + 150)][:100]))
        beyond.add(pa.array([f"v{i}" for i in range(start * 20, start * 20 + 2_000)]))
    assert exact.count() == 1_000
    assert beyond.count() == pytest.approx(20_000, rel=0.02)
