"""What an executor does: the messages of one task to judged events, on their way to the driver as bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from logvision import pipeline
from logvision.columns import distinct
from logvision.engines.bundle import Bundle, held
from logvision.engines.spark.messages import Paces, concatenated, fresh
from logvision.formats import Formats

SENT: Final = pa.schema([("said", pa.binary()), ("events", pa.binary()), ("rejects", pa.binary())])
"""One row is a Part. Tables go as Arrow streams of their own: Spark has no dictionary columns."""

SENT_DDL: Final = "said binary, events binary, rejects binary"


@dataclass(frozen=True, slots=True)
class Order:
    """What the driver tells every task of one batch."""

    read_at: datetime
    after: Paces
    formats: Mapping[str, Any]  # snapshot of `Formats`
    pins: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """What came of one task."""

    events: pa.Table  # as after `pipeline.ALONE`
    rejects: pa.Table
    paces: Paces
    log_bytes: Mapping[str, int]  # by source
    repeats: int
    formats: Mapping[str, Any]  # what `Formats` knows of these sources now


def judge(messages: pa.Table, order: Order, known: pipeline.Knowledge) -> Part:
    """Take MESSAGE rows through `pipeline.ALONE`. Pure but for the memories that only save time."""
    new = fresh(messages, order.after)
    known.formats = Formats(order.pins)
    known.formats.restore(order.formats)
    flow = pipeline.through(pipeline.ALONE, pipeline.begin(new.records, order.read_at), known)
    said = known.formats.snapshot()
    said["sources"] = {name: one for name, one in said["sources"].items() if name in new.paces}
    return Part(flow.events, flow.rejects, new.paces, _bytes(new.records), new.repeats, said)


def task(bundle: Bundle, order: Order, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The function of `mapInArrow`: one task's messages to one row of SENT."""
    messages = concatenated(batches)
    if messages.num_rows:
        yield pack(judge(messages, order, held(bundle)))


def pack(part: Part) -> pa.RecordBatch:
    said = {
        "paces": part.paces,
        "log_bytes": part.log_bytes,
        "repeats": part.repeats,
        "formats": part.formats,
    }
    row = [orjson.dumps(said), _stream(part.events), _stream(part.rejects)]
    return pa.RecordBatch.from_arrays([pa.array([value], pa.binary()) for value in row], schema=SENT)


def unpack(said: bytes, events: bytes, rejects: bytes) -> Part:
    """The inverse of `pack`."""
    told = orjson.loads(bytes(said))
    return Part(
        pa.ipc.open_stream(events).read_all(),
        pa.ipc.open_stream(rejects).read_all(),
        told["paces"],
        told["log_bytes"],
        told["repeats"],
        told["formats"],
    )


def _stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    table = table.unify_dictionaries().combine_chunks()
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    said: bytes = sink.getvalue().to_pybytes()
    return said


def _bytes(records: pa.Table) -> dict[str, int]:
    """Log bytes per source, each line with its line end."""
    if not records.num_rows:
        return {}
    names, codes = distinct(records, "source")
    sizes = pc.binary_length(records.column("raw")).to_numpy().astype(np.float64) + 1
    sums = np.bincount(codes, sizes, len(names)).astype(np.int64).tolist()
    return {name: size for name, size in zip(names.to_pylist(), sums, strict=True) if size}
