"""Many texts as one buffer of bytes with offsets: the form in which they are looked at all at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from logvision import native

Ints = npt.NDArray[np.int64]


def flattened(values: pa.BinaryArray) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The bytes of all values without gaps, and len + 1 offsets into them."""
    width = np.int64 if pa.types.is_large_binary(values.type) else np.int32
    offsets = np.frombuffer(values.buffers()[1], width)[values.offset : values.offset + len(values) + 1]
    offsets = offsets.astype(np.int64)
    data = values.buffers()[2]
    flat = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    return flat[offsets[0] : offsets[-1]], offsets - offsets[0]


def raw_bytes(values: pa.Array) -> pa.BinaryArray:
    """The texts of a string or binary array as bytes, not copied."""
    return values.view(pa.binary()) if values.type == pa.string() else values.cast(pa.binary())


def binary(flat: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> pa.BinaryArray:
    """A binary array from its bytes and len + 1 offsets."""
    return pa.Array.from_buffers(
        pa.binary(),
        len(offsets) - 1,
        [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(np.ascontiguousarray(flat))],
    )


def places(offsets: npt.NDArray[np.int64], at: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The values that these bytes lie in, ascending, each once."""
    held = np.zeros(len(offsets) - 1, bool)
    held[np.searchsorted(offsets, at, "right") - 1] = True
    return np.flatnonzero(held)


def joined(values: pa.BinaryArray) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """All values in one buffer, each ended by a line feed, and the offset of each end.

    A line feed inside a value stands as a vertical tab, so that no value can look like two.
    """
    if not len(values):
        return np.zeros(0, np.uint8), np.zeros(0, np.int64)
    if native.HERE:
        return native.units.joined(values)
    ended = pc.binary_join_element_wise(values, b"", b"\n")
    flat, offsets = flattened(ended)
    ends = offsets[1:] - 1
    if len(marks := np.flatnonzero(flat == 10)) > len(ends):
        flat = flat.copy()
        flat[marks] = 11
        flat[ends] = 10
    return flat, ends


def first(flat: npt.NDArray[np.uint8], mark: int, starts: Ints, ends: Ints) -> Ints:
    """Where a byte stands first in each of some ascending ranges; a range's end if it does not."""
    if native.HERE:
        return native.texts.first(flat, starts, ends, mark)
    at = np.append(np.flatnonzero(flat == mark), len(flat))
    found: Ints = np.minimum(at[np.searchsorted(at, starts)], ends)
    return found


def slices(flat: npt.NDArray[np.uint8], starts: Ints, ends: Ints) -> pa.BinaryArray:
    """The texts of ascending ranges that do not overlap."""
    if native.HERE:
        return native.texts.gathered(flat, starts, ends)
    # Every second text of those that lie between all starts and ends in turn.
    bounds = np.append(np.column_stack([starts, ends]).ravel(), len(flat))
    return binary(flat, bounds).take(pa.array(np.arange(0, len(bounds) - 1, 2)))


def matching(values: pa.BinaryArray, pattern: str) -> npt.NDArray[np.bool_]:
    """Which values match; RE2 over bytes, linear in their length."""
    found: npt.NDArray[np.bool_] = pc.match_substring_regex(values, pattern).to_numpy(zero_copy_only=False)
    return found


def matching_of(values: pa.BinaryArray, some: Ints, pattern: str) -> Ints:
    """Those of some values that match."""
    return some[matching(values.take(pa.array(some)), pattern)] if len(some) else some
