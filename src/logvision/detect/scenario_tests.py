"""The tests that scenarios carry: does each stream of events overflow the bucket, or stay below it.

A stream is a map: `times` events, one `every` so often, and columns of EVENT; `{n}` in a text is the
number of the event, and what is not given is that of an ordinary visitor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

from logvision.detect.behaviour import Behaviour
from logvision.detect.scenarios import Scenario, span_us
from logvision.schema import EVENT, TEXT

START_US: Final = 1_700_000_000_000_000

VISITOR: Final[Mapping[str, Any]] = {
    "source": "test",
    "site": "www.example",
    "method": "GET",
    "target": "/",
    "protocol": "HTTP/1.1",
    "status": 200,
    "bytes": 512,
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
    "client_ip": "203.0.113.9",
    "asn": 64500,
    "kind": "page",
    "score": 0.0,
}


def failures(rules: Sequence[Scenario]) -> list[str]:
    """One sentence for every test that does not come out as its scenario says."""
    wrong = []
    for rule in rules:
        for streams, expected in ((rule.tests.match, True), (rule.tests.passes, False)):
            for stream in streams:
                events, claims = stream_of(stream)
                alerts = Behaviour([rule]).step(events, claims)
                if bool(alerts.num_rows) is not expected:
                    wrong.append(f"{rule.id}: {'stays silent on' if expected else 'fires on'} {dict(stream)}")
    return wrong


def stream_of(stream: Mapping[str, Any]) -> tuple[pa.Table, pa.Array]:
    """The events of a stream, and what is claimed of their crawlers (null: nothing)."""
    given = dict(stream)
    times, every = int(given.pop("times")), span_us(given.pop("every"))
    claim = given.pop("claim", None)
    if every is None:
        raise ValueError(f"no span of time: {stream['every']}")
    rows = []
    for n in range(times):
        row: dict[str, Any] = dict.fromkeys(EVENT.names) | dict(VISITOR)
        row |= {
            name: value.replace("{n}", str(n)) if isinstance(value, str) else value
            for name, value in given.items()
        }
        path, mark, query = str(row["target"]).partition("?")
        derived = {"path": path, "route": path, "query": query if mark else None, "peer_ip": row["client_ip"]}
        row |= {name: value for name, value in derived.items() if name not in given}
        rows.append(row | {"time": START_US + n * every, "position": n})
    plain = pa.schema([f.with_type(pa.string()) if f.type == TEXT else f for f in EVENT])
    return pa.Table.from_pylist(rows, schema=plain).cast(EVENT), pa.array([claim] * times, TEXT)
