"""A broker's messages as records, column by column; what they mean stands in `sources.kafka.origin`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from logvision import columns
from logvision.schema import RECORD
from logvision.sources.base import LINE_LIMIT
from logvision.sources.kafka.origin import NAME_LIMIT, NUMBERS, PLACE, SOURCE, Pace, name_of, whole

MESSAGE: Final = pa.schema(
    [
        pa.field("topic", pa.string()),
        pa.field("partition", pa.int32()),
        pa.field("offset", pa.int64()),
        pa.field("value", pa.binary()),
        pa.field("headers", pa.list_(pa.struct([("key", pa.string()), ("value", pa.binary())]))),
    ]
)
"""One row is a message, as Spark's Kafka source gives it."""

Paces = Mapping[str, Mapping[str, Sequence[int]]]
"""How far each source was read (`Pace`), by topic/partition: a source may move to another partition when a
topic grows, and what still waits in the former one is no repeat."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Fresh:
    """Messages that were not seen before, as RECORD rows in the order in which they came."""

    records: pa.Table
    paces: dict[str, dict[str, list[int]]]  # of the sources in these messages, after them
    repeats: int  # messages sent again by a shipper that had no answer


@dataclass(frozen=True, slots=True)
class _Origins:
    """Where the line of each message was read."""

    sources: pa.StringArray
    source: columns.Codes
    epoch: Ints
    position: Ints
    size: Ints  # -1: the line is whole


def fresh(messages: pa.Table, after: Paces) -> Fresh:
    """Records of MESSAGE rows that were not seen; messages of one partition in order of offset.

    Cost is per column, but for a step per source and partition, and one per line that was cut short.
    """
    places, place = _places(messages)
    origins = _origins(messages, places, place)
    kept = np.zeros(messages.num_rows, bool)
    position = origins.position.copy()
    paces: dict[str, dict[str, list[int]]] = {}
    group = place.astype(np.int64) * (len(origins.sources) + 1) + origins.source
    for number in np.unique(group).tolist():
        where, which = divmod(number, len(origins.sources) + 1)
        name = origins.sources[which].as_py()
        rows = np.flatnonzero(group == number)
        pace = _pace(after.get(name, {}), places[where].as_py())
        for run in np.split(rows, np.flatnonzero(np.diff(origins.epoch[rows])) + 1):  # one, as a rule
            pace = _run(pace, run, origins, position, kept)
        paces.setdefault(name, {})[places[where].as_py()] = list(pace)
    raw = _whole(messages.column("value"), origins.size)
    records = pa.table(
        [raw, columns.text(origins.sources, origins.source), pa.array(position)], schema=RECORD
    )
    return Fresh(records.filter(pa.array(kept)), paces, int((~kept).sum()))


def concatenated(batches: Iterable[pa.RecordBatch]) -> pa.Table:
    """The messages of one task as one MESSAGE table."""
    some = list(batches)
    if not some:
        return MESSAGE.empty_table()
    return pa.Table.from_batches(some).cast(MESSAGE).combine_chunks()


def _pace(known: Mapping[str, Sequence[int]], place: str) -> Pace:
    """How far a source was read here; one that comes from elsewhere keeps how its positions count."""
    if place in known:
        return Pace(*known[place])
    if not known:
        return Pace(-1, 0, -1)
    epoch, base, _ = max(known.values(), key=lambda pace: pace[2])
    return Pace(epoch, base, -1)


def _run(pace: Pace, rows: Ints, origins: _Origins, position: Ints, kept: npt.NDArray[np.bool_]) -> Pace:
    """Messages of one source, place and epoch, as `origin.Seen` would take them one by one."""
    epoch = int(origins.epoch[rows[0]])
    if pace.epoch != epoch:
        first = int(origins.position[rows[0]])
        base = 0 if pace.epoch < 0 else max(0, pace.highest + 1 - first)
        pace = Pace(epoch, base, pace.highest)
    position[rows] += pace.base
    highest = np.maximum.accumulate(np.concatenate([[pace.highest], position[rows]]))
    kept[rows] = position[rows] > highest[:-1]
    return Pace(epoch, pace.base, int(highest[-1]))


def _places(messages: pa.Table) -> tuple[pa.StringArray, columns.Codes]:
    """Distinct topic/partition and which one each message has."""
    topic, partition = messages.column("topic"), messages.column("partition").cast(pa.string())
    place = pc.binary_join_element_wise(topic, partition, "/").dictionary_encode()
    return columns.distinct(pa.table({"place": place}), "place")


def _origins(messages: pa.Table, places: pa.StringArray, place: columns.Codes) -> _Origins:
    """As `origin.of_message`: headers that make no sense are those of another program."""
    rows = messages.num_rows
    names = [name_of(*_split(where)) for where in places.to_pylist()]
    epoch, size = np.zeros(rows, np.int64), np.full(rows, -1, np.int64)
    position: Ints = messages.column("offset").to_numpy().astype(np.int64, copy=True)
    source = place.astype(np.int32)
    headers = messages.column("headers").combine_chunks()
    if isinstance(headers, pa.ChunkedArray):
        headers = pa.concat_arrays(headers.chunks) if headers.num_chunks else pa.array([], headers.type)
    told_source, told_place = _header(headers, SOURCE, rows), _header(headers, PLACE, rows)
    encoded = told_source.dictionary_encode()
    texts = [_text(value) for value in encoded.dictionary.to_pylist()]
    code = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    readable = np.array([*(text is not None for text in texts), False])[code]
    numbers = _numbers(told_place)
    good = readable & numbers.good
    source[good] = code[good] + len(names)
    epoch[good], position[good], size[good] = numbers.epoch[good], numbers.position[good], numbers.size[good]
    every = [*names, *(text or "" for text in texts)]
    # Two numbers for one name would make two sources of it.
    one = pa.array(every, pa.string()).dictionary_encode()
    return _Origins(one.dictionary, one.indices.to_numpy()[source].astype(np.int32), epoch, position, size)


@dataclass(frozen=True, slots=True)
class _Numbers:
    good: npt.NDArray[np.bool_]
    epoch: Ints
    position: Ints
    size: Ints


def _numbers(told: pa.Array) -> _Numbers:
    """EPOCH:POSITION or EPOCH:POSITION:SIZE of every message, null where there is none."""
    ascii_ = pc.match_substring_regex(told, r"^[0-9]{1,16}:[0-9]{1,16}(:[0-9]{1,16})?$").fill_null(False)
    text = pc.if_else(ascii_, told, pa.scalar(b"0:0", told.type)).cast(pa.string())
    found = pc.extract_regex(text, r"^(?P<epoch>[0-9]+):(?P<position>[0-9]+)(?::(?P<size>[0-9]+))?$")
    size = pc.struct_field(found, "size")
    size = pc.if_else(pc.equal(size, ""), "-1", size)
    epoch, position, sizes = (
        column.cast(pa.int64()).to_numpy()
        for column in (pc.struct_field(found, "epoch"), pc.struct_field(found, "position"), size)
    )
    small = (epoch <= NUMBERS) & (position <= NUMBERS) & (sizes <= NUMBERS)
    return _Numbers(ascii_.to_numpy(zero_copy_only=False) & small, epoch, position, sizes)


def _header(headers: pa.ListArray, name: str, rows: int) -> pa.Array:
    """The value of one header per message; null: not there. Of several the last holds."""
    flat = pc.list_flatten(headers)
    at = np.full(rows, -1, np.int64)
    if len(flat):
        of_row = pc.list_parent_indices(headers).to_numpy()
        named = np.flatnonzero(
            pc.equal(pc.struct_field(flat, "key"), name).fill_null(False).to_numpy(zero_copy_only=False)
        )
        at[of_row[named]] = named
        values = pc.struct_field(flat, "value")
    else:
        values = pa.array([], pa.binary())
    return values.take(pa.array(at, mask=at < 0))


def _whole(values: pa.ChunkedArray, size: Ints) -> pa.Array:
    """The lines as records hold them."""
    values = pc.fill_null(values.combine_chunks(), b"")
    if isinstance(values, pa.ChunkedArray):
        values = pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], pa.binary())
    length, end = pc.binary_length(values).to_numpy(), pc.find_substring(values, b"\n").to_numpy()
    several = (end >= 0) & (end < length - 1)
    odd = np.flatnonzero((size >= 0) | (length > LINE_LIMIT) | several)
    if not odd.size:
        return values
    lines = values.to_pylist()  # a line of a megabyte is among them: rare
    for row in odd.tolist():
        lines[row] = whole(lines[row], int(size[row]) if size[row] >= 0 else None)
    return pa.array(lines, pa.binary())


def _split(place: str) -> tuple[str, int]:
    topic, _, partition = place.rpartition("/")
    return topic, int(partition)


def _text(value: bytes) -> str | None:
    """A source's name; None: it cannot be one."""
    try:
        return value.decode() if 0 < len(value) <= NAME_LIMIT else None
    except UnicodeDecodeError:
        return None
