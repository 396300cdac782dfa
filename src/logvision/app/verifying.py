"""Verifying: one capture through both engines, and every difference between what they say."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import orjson
import polars as pl
import pyarrow as pa

from logvision.app import parts
from logvision.app.capture import Capture
from logvision.app.stores import Stores, open_stores
from logvision.casebook.base import Question
from logvision.clock import Clock, SystemClock
from logvision.config import Settings
from logvision.engines.embedded import Embedded, Options
from logvision.incident import Incident, Status
from logvision.lake import storage
from logvision.lake.catalogue import File
from logvision.schema import REJECT

if TYPE_CHECKING:
    from logvision.engines.spark.fold import Fold

ROWS: Final = 50_000
"""Lines of one batch."""

PAGE: Final = 500  # incidents read at a time
SHOWN: Final = 10  # differences that are shown of each kind

Say = Callable[[str], None]

Feed = Callable[[Capture, "Fold"], None]
"""Takes a capture through Spark into a fold, whole."""


@dataclass(slots=True)
class Said:
    """What one engine said of a capture: JSON lines of each kind, in one order."""

    events: list[bytes] = field(default_factory=list)
    rejects: list[bytes] = field(default_factory=list)
    alerts: list[bytes] = field(default_factory=list)  # every change of an incident, in order
    incidents: list[bytes] = field(default_factory=list)  # as they stand at the end


KINDS: Final = ("events", "rejects", "alerts", "incidents")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of thing held side by side."""

    name: str
    embedded: int  # how many
    spark: int
    digests: tuple[str, str]  # of the embedded engine and of Spark
    differences: Sequence[tuple[str, str]]  # the first SHOWN pairs of lines that differ; "": not there

    @property
    def same(self) -> bool:
        return self.digests[0] == self.digests[1]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a verification."""

    lines: int
    kinds: Sequence[Kind]
    left_over: int  # units that the embedded engine had no credit to read: a flood, judged from less

    @property
    def same(self) -> bool:
        return all(kind.same for kind in self.kinds)


def verify(settings: Settings, capture: Capture, feed: Feed, say: Say, clock: Clock | None = None) -> Verdict:
    """Take a capture through Spark, then through the embedded engine in the same order of arrival.

    What is learned on the way (routes, ordinary answers, profiles) depends on the order in which lines
    arrive and on where batches end. Spark's batches are the order; the embedded engine is given the same.
    Nothing is left behind. Raises SetupError, StoreError.
    """
    clock = clock or SystemClock()
    with TemporaryDirectory(prefix="logvision-verify-") as folder:
        say(f"{capture.lines:,} lines through Spark")
        spark, ends = _by_spark(settings, Path(folder) / "spark", capture, feed, clock)
        say(f"{capture.lines:,} lines through the embedded engine, in the same {len(ends)} batches")
        embedded, left_over = by_embedded(settings, Path(folder) / "embedded", capture, ends, clock)
    return Verdict(capture.lines, [_kind(name, embedded, spark) for name in KINDS], left_over)


def _by_spark(
    settings: Settings, folder: Path, capture: Capture, feed: Feed, clock: Clock
) -> tuple[Said, list[Mapping[str, int]]]:
    from logvision.engines.spark.fold import Fold, Places  # noqa: PLC0415 - an extra

    said = Said()

    def told(incidents: Iterable[Incident]) -> None:
        said.alerts += [_line(incident) for incident in incidents]

    with open_stores(folder, writer=True) as stores:
        fold = Fold(
            Places(stores.lake, stores.casebook),
            parts.knowledge(settings),
            parts.state(settings),
            clock=clock,
            pins=settings.formats,
            patient=False,
            on_incidents=told,
        )
        fold.take_up()
        feed(capture, fold)
        fold.save()
        gather(stores, said)
        return said, [ends_of(file) for file in stores.lake.catalogue.events]


def by_embedded(
    settings: Settings, folder: Path, capture: Capture, ends: Sequence[Mapping[str, int]], clock: Clock
) -> tuple[Said, int]:
    """What the embedded engine says when its batches go to these ends, and how many units it left unread."""
    said = Said()
    known = parts.knowledge(settings)
    with open_stores(folder, writer=True) as stores:
        engine = Embedded(
            capture.reader(ends),
            known,
            parts.state(settings),
            clock=clock,
            lake=stores.lake,
            casebook=stores.casebook,
            options=Options(flush_s=3600.0, flush_rows=1, patient=False),
            on_incident=lambda incident: said.alerts.append(_line(incident)),
        )
        engine.run()
        gather(stores, said)
    return said, known.detector.verification.left_over


def ends_of(file: File) -> Mapping[str, int]:
    """The last position of each source after a segment that a job on Spark wrote."""
    positions = file.metadata["positions"]
    return {source: max(pace[2] for pace in paces.values()) for source, paces in positions.items()}


def gather(stores: Stores, said: Said) -> None:
    """Add everything that stands in lake and casebook."""
    for file in stores.lake.catalogue.events:
        said.events += _rows(stores.lake.events(file))
    for file in stores.lake.catalogue.rejects:
        # When a line was read is no part of what was said of it.
        said.rejects += _rows(storage.read(file.path, REJECT).drop_columns(["read_at"]))
    cursor = None
    while True:
        page = stores.casebook.cases(Question(frozenset(Status)), PAGE, cursor)
        said.incidents += [_line(case.incident) for case in page.rows]
        cursor = page.next
        if cursor is None:
            return


def _rows(table: pa.Table) -> list[bytes]:
    """One JSON object a row, in the order of source and position."""
    plain = [pa.string() if pa.types.is_dictionary(f.type) else f.type for f in table.schema]
    if "raw" in table.column_names:
        table = table.set_column(
            table.column_names.index("raw"), "raw", pa.array([r.hex() for r in table["raw"].to_pylist()])
        )
        plain[table.column_names.index("raw")] = pa.string()
    frame = pl.DataFrame(
        pl.from_arrow(table.cast(pa.schema(list(zip(table.column_names, plain, strict=True)))))
    )
    return frame.sort("source", "position").write_ndjson().encode().splitlines()


def _line(incident: Incident) -> bytes:
    return orjson.dumps(incident.to_dict())


def _kind(name: str, embedded: Said, spark: Said) -> Kind:
    one, other = getattr(embedded, name), getattr(spark, name)
    if name in ("events", "rejects", "incidents"):
        one, other = sorted(one, key=_place), sorted(other, key=_place)
    return Kind(name, len(one), len(other), (_digest(one), _digest(other)), _differences(one, other))


def _place(line: bytes) -> tuple[str, int]:
    row: dict[str, Any] = orjson.loads(line)
    return (row["id"], 0) if "id" in row else (row["source"], row["position"])


def _digest(lines: Sequence[bytes]) -> str:
    return hashlib.sha256(b"\n".join(lines)).hexdigest()[:16]


def _differences(one: Sequence[bytes], other: Sequence[bytes]) -> list[tuple[str, str]]:
    """The first lines that differ, place by place; of a length that differs the rest."""
    found: list[tuple[str, str]] = []
    for at in range(max(len(one), len(other))):
        left, right = (lines[at] if at < len(lines) else b"" for lines in (one, other))
        if left != right:
            found.append((left.decode(), right.decode()))
            if len(found) == SHOWN:
                break
    return found
