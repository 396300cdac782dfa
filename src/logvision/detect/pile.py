"""The pile: uses of units as they are found, made distinct at the end."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from logvision import native
from logvision.detect.texts import flattened, joined
from logvision.detect.units import Ints, Kind, Units


class Pile:
    """Uses as they are found, made distinct at the end."""

    def __init__(self, wanted: Kind) -> None:
        self.wanted = wanted | Kind.PATH | Kind.NAME | Kind.VALUE | Kind.AGENT | Kind.REFERER | Kind.URL
        self._found: dict[Kind, list[tuple[Ints, pa.BinaryArray]]] = {}

    def add(self, kind: Kind, owners: Ints, texts: pa.BinaryArray) -> None:
        if len(texts) and kind & self.wanted:
            self._found.setdefault(kind, []).append((owners, texts.cast(pa.binary())))

    def units(self) -> Units:
        texts: list[pa.BinaryArray] = []
        kinds, owners, units = [_NONE], [_NONE], [_NONE]
        size = 0
        for kind, found in sorted(self._found.items()):
            owners += [owner for owner, _ in found]
            of_kind = pa.concat_arrays([each for _, each in found])
            if kind & _SHARED:
                of_kind, codes = _distinct(of_kind)
            else:
                codes = np.arange(len(of_kind))
            texts.append(of_kind)
            units.append(codes + size)
            kinds.append(np.full(len(of_kind), int(kind)))
            size += len(of_kind)
        everything = pa.concat_arrays(texts) if texts else pa.array([], pa.binary())
        buffer, ends = joined(everything)
        return Units(
            everything, buffer, ends, np.concatenate(kinds), np.concatenate(owners), np.concatenate(units)
        )


def _distinct(texts: pa.BinaryArray) -> tuple[pa.BinaryArray, Ints]:
    """The distinct texts in order of appearance, and which one each is."""
    if native.HERE:
        flat, offsets = flattened(texts)
        values, codes = native.texts.distinct(flat, offsets[:-1], offsets[1:])
        return values, codes.astype(np.int64)
    encoded = texts.dictionary_encode()
    return encoded.dictionary, encoded.indices.to_numpy().astype(np.int64)


_SHARED: Final = Kind.PATH | Kind.NAME | Kind.VALUE | Kind.URL
"""Kinds of which many owners have the same; the others are as distinct as the columns they come from."""

_NONE: Final = np.zeros(0, np.int64)
