"""Forms of paths and the tree of routes in the core: what `enrich/segments.py` and `enrich/places.py` say."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from logvision.native.arrays import Codes, arrow, at, bytes_of, room_for
from logvision.native.library import CORE, KEY
from logvision.native.texts import distinct

Clients = npt.NDArray[np.uint32]

_LONGER: Final = 80
"""Bytes that a form may be longer than its path, and a route than its form."""

_SAVED: Final = np.dtype(
    [("above", "i4"), ("clients", "u4", 4), ("state", "u1"), ("count", "u1"), ("size", "u1"), ("word", "S65")]
)


def forms(
    paths: pa.StringArray,
    of_bytes: npt.NDArray[np.uint16],
    extensions: npt.NDArray[np.bytes_],
    of_extensions: npt.NDArray[np.uint8],
) -> tuple[pa.StringArray, Codes, Codes]:
    """The distinct forms of paths; per path which one it has, and its kind. Some 0.2 µs a path.

    The tables are those of `enrich/shape.py`.
    """
    data, offsets = arrow(paths)
    out = np.empty(bytes_of(paths) + _LONGER * len(paths), np.uint8)
    ends, kinds = np.zeros(len(paths) + 1, np.int64), np.empty(len(paths), np.int32)
    tables = (at(of_bytes), at(extensions), at(of_extensions), len(extensions))
    CORE.lv_forms(data, offsets, len(paths), *tables, at(out), at(ends[1:]), at(kinds))
    texts, of_path = distinct(out, ends[:-1], ends[1:])
    return texts.view(pa.string()), of_path, kinds  # ASCII alone


def clients(names: pa.StringArray) -> Clients:
    """CRC-32 of every text."""
    data, offsets = arrow(names)
    out = np.empty(len(names), np.uint32)
    CORE.lv_crcs(data, offsets, len(names), at(out))
    return out


class Places:
    """`enrich.places.Places` in the core. For one thread at a time."""

    def __init__(self, limit: int, extensions: npt.NDArray[np.bytes_]) -> None:
        """`extensions`: those of `enrich/shape.py`."""
        self._extensions = extensions  # outlives the tree
        self._tree = CORE.lv_places_new(limit, KEY, at(extensions), len(extensions))
        if not self._tree:
            raise MemoryError
        self._free = CORE.lv_places_free

    def __del__(self) -> None:
        if getattr(self, "_tree", None):
            self._free(self._tree)

    def __len__(self) -> int:
        return int(CORE.lv_places_count(self._tree))

    @property
    def full(self) -> bool:
        """Whether nothing more is learned."""
        return bool(CORE.lv_places_full(self._tree))

    def routes(self, forms: pa.StringArray, answered: Codes, clients: Clients) -> pa.StringArray:
        """The routes of distinct forms, after learning which of them were answered to whom."""
        data, offsets = arrow(forms)
        answered, clients = np.ascontiguousarray(answered, np.int32), np.ascontiguousarray(clients, np.uint32)
        out = room_for(bytes_of(forms) + _LONGER * len(forms))
        ends = np.empty(len(forms) + 1, np.int32)
        answers = (at(answered), at(clients), len(answered))
        if CORE.lv_places_routes(self._tree, data, offsets, len(forms), *answers, at(out), at(ends)) < 0:
            raise MemoryError
        return pa.StringArray.from_buffers(len(forms), pa.py_buffer(ends), pa.py_buffer(out))

    def saved(self) -> dict[str, list[int]]:
        """What `enrich.places.Places.saved` says."""
        rows = np.zeros(CORE.lv_places_saved(self._tree), _SAVED)
        if CORE.lv_places_save(self._tree, at(rows)) < 0:
            raise MemoryError
        routes: list[str] = []
        places: dict[str, list[int]] = {}
        columns = (rows[name].tolist() for name in ("above", "word", "state", "count", "clients"))
        for above, word, state, count, who in zip(*columns, strict=True):
            routes.append(routes[above] + word.decode() if routes else "")
            places[routes[-1]] = [state, *sorted(who[:count])]
        return places

    def load(self, places: dict[str, list[int]], full: bool) -> None:
        """Take up what was saved, into a tree that is empty. ValueError: it is not that."""
        numbers = {route: number for number, route in enumerate(places)}
        rows = np.zeros(len(places), _SAVED)
        for number, (route, (state, *who)) in enumerate(places.items()):
            above, slash, word = route.rpartition("/")
            text = (slash + word).encode()
            parent, size = numbers.get(above, -1) if route else -1, min(len(text), 255)
            try:
                rows[number] = (parent, (*who, 0, 0, 0, 0)[:4], state, len(who), size, text)
            except OverflowError as error:
                raise ValueError("not the places of a site") from error
        if CORE.lv_places_load(self._tree, at(rows), len(rows), full) < 0:
            raise ValueError("not the places of a site")
