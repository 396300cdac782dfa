"""How tables lie in Parquet: what is left out, how columns are encoded, how a file comes to stand on disk.

Two columns of EVENT are not stored as they are:

- `target` is left out; it is `path`, or `path + "?" + query` where query is not null.
- `peer_ip` is null where it equals `client_ip` (almost always) and `""` where it is null although
  `client_ip` is not.

`queries` undoes both in SQL, `events` in Arrow.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from logvision import columns, native
from logvision.errors import StoreError
from logvision.schema import EVENT

STORED: tuple[str, ...] = tuple(name for name in EVENT.names if name != "target")
"""Columns of an events file, in order."""

ROW_GROUP = 131_072
"""Rows of a row group: small enough to skip by time, large enough that a dictionary pays."""

COMMIT_LEVEL = 1
"""zstd level of a commit: speed first, compaction follows."""

COMPACT_LEVEL = 9
"""zstd level of compaction; 12 and more cost twice the time for under 2 %."""

DICTIONARY_LIMIT = 1 << 24
"""Largest dictionary page in B; the 1 MB default falls back to plain text on a busy row group."""

SAMPLE = 4096
"""Rows by which the encoding of numbers is chosen."""

STORED_SCHEMA = pa.schema([EVENT.field(name) for name in STORED])

_BOUNDED = (
    *("time", "source", "position", "site", "status", "score", "attack", "outcome"),
    *("grain", "start", "dimension", "reason", "read_at"),
)
"""Columns with statistics, by which row groups need not be read. In the others row groups have values from
a to z, and to find their bounds was a third of the cost of a commit."""

_DELTA = ("time", "position", "start", "read_at")


def stored(events: Sequence[pa.Table]) -> pa.Table:
    """EVENT tables as one table of STORED columns; every text column has one dictionary.

    Raises ValueError when a table is not EVENT: that is a bug of the caller.
    """
    for table in events:
        if not table.schema.equals(EVENT):
            raise ValueError(f"not an EVENT table: {table.schema}")
    rows = pa.concat_tables(events) if events else EVENT.empty_table()
    peers = _peers(rows.select(["peer_ip", "client_ip"]).unify_dictionaries())
    rows = rows.set_column(rows.column_names.index("peer_ip"), EVENT.field("peer_ip"), peers)
    return tidy(rows.select(STORED))


def events(rows: pa.Table) -> pa.Table:
    """The EVENT table of a table of STORED columns: the inverse of `stored`."""
    query = rows.column("query").cast(pa.string())
    path = rows.column("path").cast(pa.string())
    target = pc.if_else(pc.is_null(query), path, pc.binary_join_element_wise(path, query, "?"))
    peer, client = rows.column("peer_ip").cast(pa.string()), rows.column("client_ip").cast(pa.string())
    nothing = pa.scalar(None, pa.string())
    peer = pc.if_else(pc.is_null(peer), client, pc.if_else(pc.equal(peer, ""), nothing, peer))
    whole = {"target": target.dictionary_encode(), "peer_ip": peer.dictionary_encode()}
    return pa.table([whole.get(n, rows.column(n) if n not in whole else None) for n in EVENT.names], EVENT)


def tidy(table: pa.Table) -> pa.Table:
    """The same rows with one chunk a column and dictionaries that hold only values in use.

    One column after the other, so that no more than one stands in memory three times.
    """
    if not table.num_rows:
        return table.unify_dictionaries().combine_chunks()
    made = []
    for field in table.schema:
        column = table.column(field.name)
        if pa.types.is_dictionary(field.type):
            made.append(_used(column.unify_dictionaries().combine_chunks()))
        else:
            made.append(column.combine_chunks())
    return pa.table(made, schema=table.schema)


def cut(table: pa.Table, rows: int) -> Iterator[pa.Table]:
    """A table in slices of at most so many rows; at least one, if an empty one."""
    for at in range(0, max(table.num_rows, 1), rows):
        yield table.slice(at, rows)


def write_groups(groups: Iterable[pa.Table], path: Path, *, level: int, metadata: Mapping[str, str]) -> int:
    """Write tables to `path`, each as a row group, and force it to disk; gives its size in B.

    A failure leaves no file. Raises StoreError.
    """
    writer: Any = None
    try:
        for group in groups:
            if writer is None:
                schema = group.schema.with_metadata(dict(metadata))
                writer = pq.ParquetWriter(path, schema, **_encoding(group, level))
            writer.write_table(
                group.replace_schema_metadata(dict(metadata)), row_group_size=max(group.num_rows, 1)
            )
        if writer is None:
            raise ValueError("nothing to write")
        writer.close()
        return _force(path)
    except OSError as error:
        _give_up(writer, path)
        raise StoreError(f"the lake cannot write {path.name}: {error.strerror or error}") from error


def read(path: Path, schema: pa.Schema) -> pa.Table:
    """The rows of a file, with text as dictionaries where `schema` has it. Raises StoreError."""
    text = [field.name for field in schema if pa.types.is_dictionary(field.type)]
    try:
        with pq.ParquetFile(path, read_dictionary=text) as file:
            return file.read(schema.names)
    except OSError as error:
        raise StoreError(f"the lake cannot read {path.name}: {error.strerror or error}") from error


def groups(path: Path, schema: pa.Schema) -> Iterator[pa.Table]:
    """The same, one row group after the other."""
    text = [field.name for field in schema if pa.types.is_dictionary(field.type)]
    try:
        with pq.ParquetFile(path, read_dictionary=text) as file:
            for number in range(file.num_row_groups):
                yield file.read_row_group(number, schema.names, use_threads=False)
    except OSError as error:
        raise StoreError(f"the lake cannot read {path.name}: {error.strerror or error}") from error


def rename(temporary: Path, final: Path) -> None:
    """Put a written file in its place, for good: the folder is forced to disk too."""
    try:
        temporary.replace(final)
        folder = os.open(final.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise StoreError(f"the lake cannot place {final.name}: {error.strerror or error}") from error


def _encoding(table: pa.Table, level: int) -> dict[str, Any]:
    """How Parquet writes tables such as this one."""
    names = table.column_names
    of_windows = "grain" in names
    delta = [name for name in names if name in _DELTA]
    if "bytes" in names and not of_windows and _varied(table["bytes"]):
        delta.append("bytes")
    # Bytes of a window are all different, and the same in every dimension that has a value for them: a
    # dictionary makes them longer, and eight bytes each are what zstd finds again.
    plain = ("visitors", "raw", *(("bytes",) if of_windows else ()))
    return {
        "compression": "zstd",
        "compression_level": level,
        "dictionary_pagesize_limit": DICTIONARY_LIMIT,
        "use_dictionary": [name for name in names if name not in (*delta, *plain)],
        "write_statistics": [name for name in names if name in _BOUNDED],
        "column_encoding": dict.fromkeys(delta, "DELTA_BINARY_PACKED"),
    }


def _varied(numbers: pa.ChunkedArray) -> bool:
    """Whether most numbers differ, as sizes of pages made anew for everybody do, told by the first of them.

    A dictionary of those takes 3.1 B a row instead of 2.6 and five times as long; of files' sizes, which come
    again and again, 0.5 B instead of 1.2.
    """
    some = numbers.slice(0, SAMPLE)
    return bool(pc.count_distinct(some).as_py() * 2 > len(some))


def _force(path: Path) -> int:
    """Force a file to disk; its size in B."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return os.fstat(file.fileno()).st_size


def _give_up(writer: Any, path: Path) -> None:
    """Leave nothing of an unfinished file; the first error is the one to tell of."""
    with contextlib.suppress(OSError):
        if writer is not None:
            writer.close()
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _peers(rows: pa.Table) -> pa.DictionaryArray:
    """`peer_ip` as stored, of a table with `peer_ip` and `client_ip`."""
    peers, peer = columns.distinct(rows, "peer_ip")
    clients, client = columns.distinct(rows, "client_ip")
    if not rows.num_rows:
        return columns.constant(None, 0)
    values = pa.concat_arrays([clients, peers, pa.array([""])])
    # The same number for the same text, whichever of the two columns it stands in.
    same = values.dictionary_encode().indices.to_numpy().astype(np.int32)
    of_client = np.where(client >= 0, same[np.maximum(client, 0)] if len(clients) else -1, -1)
    of_peer = np.where(peer >= 0, same[len(clients) + np.maximum(peer, 0)] if len(peers) else -1, -1)
    kept = np.where(of_peer == of_client, -1, np.where(of_peer < 0, same[-1], of_peer))
    return columns.text(values.unique(), kept.astype(np.int32))


def _used(chunk: pa.DictionaryArray) -> pa.DictionaryArray:
    """The same values, without dictionary entries that no row uses."""
    used = native.texts.used(chunk) if native.HERE and len(chunk) else _marked(chunk)
    if used is None or used.all():
        return chunk
    renumbered = pa.array(np.cumsum(used, dtype=np.int32) - np.int32(1)).take(chunk.indices)
    return pa.DictionaryArray.from_arrays(renumbered, chunk.dictionary.filter(pa.array(used)), safe=False)


def _marked(chunk: pa.DictionaryArray) -> npt.NDArray[np.bool_]:
    """Per entry of the dictionary: does a row use it."""
    used = np.zeros(len(chunk.dictionary), bool)
    used[pc.drop_null(chunk.indices).to_numpy(zero_copy_only=False)] = True
    return used
