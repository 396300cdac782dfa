"""Exports: events and incidents as JSON lines, CSV or Parquet, in chunks, under own or ECS names."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from logvision.schema import EVENT, REJECT


class Format(StrEnum):
    """How an export is written."""

    JSON = "json"  # JSON lines
    CSV = "csv"
    PARQUET = "parquet"


SUFFIX: Final = {Format.JSON: "jsonl", Format.CSV: "csv", Format.PARQUET: "parquet"}
MEDIA_TYPE: Final = {
    Format.JSON: "application/x-ndjson",
    Format.CSV: "text/csv; charset=utf-8",
    Format.PARQUET: "application/vnd.apache.parquet",
}

ECS: Final = {
    "time": "@timestamp",
    "source": "log.file.path",
    "position": "log.offset",
    "site": "url.domain",
    "client_ip": "client.ip",
    "peer_ip": "source.ip",
    "user": "user.name",
    "method": "http.request.method",
    "target": "url.original",
    "path": "url.path",
    "query": "url.query",
    "protocol": "http.version",
    "status": "http.response.status_code",
    "bytes": "http.response.bytes",
    "referer": "http.request.referrer",
    "user_agent": "user_agent.original",
    "agent": "user_agent.name",
    "os": "user_agent.os.name",
    "device": "user_agent.device.name",
    "duration_us": "event.duration",
    "country": "client.geo.country_iso_code",
    "asn": "client.as.number",
    "network": "client.as.organization.name",
    "attack": "threat.technique.name",
    "rules": "rule.id",
    "outcome": "event.outcome",
    "score": "event.risk_score",
    "first_seen": "event.start",
    "last_seen": "event.end",
    "severity": "log.level",
    "summary": "message",
    "id": "event.id",
    "reason": "error.type",
    "raw": "event.original",
    "read_at": "event.ingested",
}
"""Own names to those of the Elastic Common Schema 8; all others get the prefix `logvision.`."""

_ECS_OUTCOME: Final = {"blocked": "failure", "missed": "failure", "worked": "success", "unknown": "unknown"}

_ECS_UNITS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "protocol": lambda text: text.removeprefix("HTTP/"),
    "duration_us": lambda duration: 1000 * duration,
    "score": lambda score: round(100 * score, 2),
    "outcome": _ECS_OUTCOME.get,
}

ROWS_AT_ONCE: Final = 4096

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
"""First characters by which a spreadsheet takes a cell for a formula or a command."""

INCIDENT: Final = pa.schema(
    [
        *(
            (name, pa.string())
            for name in ("id", "actor", "actor_kind", "site", "stage", "attacks", "outcome")
        ),
        ("severity", pa.string()),
        ("score", pa.float64()),
        *((name, pa.string()) for name in ("first_seen", "last_seen")),  # ISO 8601
        *((name, pa.int64()) for name in ("events", "alerts")),
        *((name, pa.string()) for name in ("rules", "routes", "agents", "countries", "members")),
        ("member_count", pa.int64()),
        *((name, pa.string()) for name in ("summary", "advice", "part_of")),
        ("active", pa.bool_()),
        *((name, pa.string()) for name in ("status", "note")),
        ("revision", pa.int64()),
    ]
)
"""Columns of incidents in CSV and Parquet: lists joined by one space, `attacks` as class:count."""


def events(tables: Iterable[pa.Table], format_: Format, *, ecs: bool = False) -> Iterator[bytes]:
    """The bytes of an export of tables with EVENT's columns, which are never held all at once."""
    plain = (_plain(table, EVENT) for table in chain([EVENT.empty_table()], tables))
    if format_ is Format.PARQUET:
        yield from _parquet(_renamed(table, ecs) for table in plain)
        return
    yield from _text(_rows(plain), format_, EVENT.names, ecs=ecs)


def incidents(
    documents: Iterable[Mapping[str, Any]], format_: Format, *, ecs: bool = False
) -> Iterator[bytes]:
    """The bytes of an export of incident documents (`Case.to_dict`), of which CSV and Parquet leave
    evidence and history out."""
    if format_ is Format.JSON:
        yield from _text(documents, format_, [], ecs=ecs)
        return
    flat = (_flat_incident(document) for document in documents)
    if format_ is Format.CSV:
        yield from _text(flat, format_, INCIDENT.names, ecs=ecs)
        return
    yield from _parquet([_renamed(pa.Table.from_pylist(list(flat), schema=INCIDENT), ecs)])


def rejects(tables: Iterable[pa.Table], format_: Format, *, ecs: bool = False) -> Iterator[bytes]:
    """The bytes of an export of tables with REJECT's columns, `raw` as text."""
    plain = (_plain(table, REJECT) for table in chain([REJECT.empty_table()], tables))
    if format_ is Format.PARQUET:
        yield from _parquet(_renamed(table, ecs) for table in plain)
        return
    yield from _text(_rows(plain), format_, REJECT.names, ecs=ecs)


def _rows(tables: Iterable[pa.Table]) -> Iterator[dict[str, Any]]:
    """Rows one by one; as Python objects a few thousand at a time, for they are ten times the size."""
    for table in tables:
        for batch in table.to_batches(max_chunksize=ROWS_AT_ONCE):
            yield from batch.to_pylist()


def _text(
    rows: Iterable[Mapping[str, Any]], format_: Format, names: Sequence[str], *, ecs: bool
) -> Iterator[bytes]:
    """JSON lines, or CSV with a head of `names`. One row at a time: a person waits for it, no pipeline."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    if format_ is Format.CSV:
        writer.writerow(_ecs_name(name) if ecs else name for name in names)
    for row in rows:
        said = _as_ecs(row) if ecs else row
        if format_ is Format.JSON:
            yield orjson.dumps(said, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z)
            continue
        writer.writerow([_cell(value) for value in said.values()])
        if buffer.tell() > 1 << 16:
            yield _drained(buffer)
    if buffer.tell():
        yield _drained(buffer)


def _drained(buffer: io.StringIO) -> bytes:
    said = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return said


def _cell(value: Any) -> Any:
    """A CSV cell that no spreadsheet runs: a text that looks like a formula gets a leading apostrophe."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, list):
        value = " ".join(str(part) for part in value)
    if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA):
        return "'" + value
    return value


def _parquet(tables: Iterable[pa.Table]) -> Iterator[bytes]:
    """A Parquet file, given out as it grows."""
    sink = _Sink()
    writer: Any = None
    for table in tables:
        if writer is None:
            writer = pq.ParquetWriter(sink, table.schema, compression="zstd")
        writer.write_table(table)
        yield sink.drain()
    if writer is not None:
        writer.close()
        yield sink.drain()


class _Sink(io.RawIOBase):
    """A file that is read while it is written; knows how long it has become."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._length = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._length += len(part)
        return len(part)

    def tell(self) -> int:
        return self._length

    def drain(self) -> bytes:
        said = b"".join(self._parts)
        self._parts = []
        return said


def _plain(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Text columns as plain strings, so that dictionaries of many batches need not agree."""
    written = [pa.string() if pa.types.is_dictionary(f.type) or f.name == "raw" else f.type for f in schema]
    return rows.cast(pa.schema(list(zip(schema.names, written, strict=True))))


def _renamed(table: pa.Table, ecs: bool) -> pa.Table:
    return table.rename_columns([_ecs_name(name) for name in table.column_names]) if ecs else table


def _ecs_name(name: str) -> str:
    return ECS.get(name, f"logvision.{name}")


def _as_ecs(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row under ECS names and in ECS units (duration in ns, risk 0 to 100, version without HTTP/)."""
    return {
        _ecs_name(name): value if value is None or name not in _ECS_UNITS else _ECS_UNITS[name](value)
        for name, value in row.items()
    }


def _flat_incident(document: Mapping[str, Any]) -> dict[str, Any]:
    """An incident document in the columns of INCIDENT."""
    flat: dict[str, Any] = {}
    for name in INCIDENT.names:
        value = document[name]
        if name == "attacks":
            value = " ".join(f"{attack}:{count}" for attack, count in value.items())
        flat[name] = " ".join(value) if isinstance(value, list) else value
    return flat
