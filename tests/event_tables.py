"""EVENT tables for tests: only what a test speaks of is given, the rest is ordinary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import pyarrow as pa

from logvision.schema import EVENT

NOON: Final = datetime(2024, 5, 14, 12, tzinfo=UTC)

ORDINARY: Final[Mapping[str, Any]] = {
    "time": NOON,
    "source": "access.log",
    "position": 0,
    "site": "shop.example",
    "method": "GET",
    "target": "/",
    "protocol": "HTTP/1.1",
    "status": 200,
    "bytes": 1000,
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
    "client_ip": "198.51.100.7",
    "kind": "page",
    "score": 0.0,
}


def event(**given: Any) -> dict[str, Any]:
    """One row of EVENT; path, query and route follow from the target, the peer is the client."""
    row = dict.fromkeys(EVENT.names) | dict(ORDINARY) | given
    path, mark, query = row["target"].partition("?")
    for name, value in (("path", path), ("query", query if mark else None), ("route", path)):
        if name not in given:
            row[name] = value
    if "peer_ip" not in given:
        row["peer_ip"] = row["client_ip"]
    return row


def events(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """An EVENT table of rows made by `event`; positions count up where they were not given."""
    numbered = [dict(r) | ({"position": i} if r["position"] == 0 else {}) for i, r in enumerate(rows)]
    plain = pa.schema([f.with_type(pa.string()) if pa.types.is_dictionary(f.type) else f for f in EVENT])
    return pa.Table.from_pylist(numbered, schema=plain).cast(EVENT)
