"""How arrays are handed to the core: by address, so what is handed over must outlive the call."""

from __future__ import annotations

import ctypes
import threading
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]
Words = npt.NDArray[np.uint64]

MOST: Final = np.iinfo(np.int32).max
"""Bytes of all texts of one column."""

_NOTHING: Final = np.zeros(1, np.int32)


def at(array: npt.NDArray[Any]) -> int:
    """The address of an array, which some name must hold until the call is over."""
    assert array.flags.c_contiguous
    address: int = pa.py_buffer(array).address  # `array.ctypes.data` takes eight times as long
    return address


def whole(array: npt.ArrayLike) -> Places:
    """The array as the core reads it: itself, or a copy."""
    return np.ascontiguousarray(array, np.int64)


def arrow(values: pa.Array) -> tuple[int, int]:
    """Addresses of an array's bytes and of its first offset. The array must outlive their use."""
    assert values.type in (pa.string(), pa.binary()), values.type
    _, offsets, data = values.buffers()
    if offsets is None or not len(values):
        return at(_NOTHING), at(_NOTHING)
    return at(_NOTHING) if data is None else data.address, offsets.address + 4 * values.offset


def bytes_of(values: pa.Array) -> int:
    """Bytes of all values of a string or binary array."""
    _, offsets, _ = values.buffers()
    if offsets is None or not len(values):
        return 0
    places = np.frombuffer(offsets, np.int32)
    return int(places[values.offset + len(values)] - places[values.offset])


def room_for(size: int) -> Bytes:
    """A buffer for texts of so many bytes at most. MemoryError: more than the offsets of a column can say."""
    if size > MOST:
        raise MemoryError("more than 2 GiB of text in one batch")
    return np.empty(size, np.uint8)


def binary(out: Bytes, offsets: Codes) -> pa.BinaryArray:
    """The texts in a buffer, not copied; `offsets`, one more than texts, say where they end."""
    return pa.Array.from_buffers(
        pa.binary(), len(offsets) - 1, [None, pa.py_buffer(offsets), pa.py_buffer(out)]
    )


class _Scratch(threading.local):
    """Every thread's own room for what is made of one text, which costs less than a new buffer does."""

    def __init__(self) -> None:
        self.room = ctypes.create_string_buffer(1 << 15)


_SCRATCH: Final = _Scratch()


def scratch(size: int) -> Any:
    """At least so many bytes, until this thread asks again."""
    room = _SCRATCH.room
    return room if size <= len(room) else ctypes.create_string_buffer(size)
