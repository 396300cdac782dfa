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
        # As a number, for flags take ten times as long to compare.
        self._wanted = int(wanted) | _ALWAYS
        self._found: dict[int, list[tuple[Ints, pa.BinaryArray]]] = {}

    def wants(self, kind: Kind) -> bool:
        """Whether uses of this kind are kept."""
        return int(kind) & self._wanted != 0

    def add(self, kind: Kind, owners: Ints, texts: pa.BinaryArray) -> None:
        if len(texts) and self.wants(kind):
            self._found.setdefault(int(kind), []).append((owners, texts))

    def units(self) -> Units:
        texts: list[pa.BinaryArray] = []
        kinds, owners, units = [_NONE], [_NONE], [_NONE]
        size = 0
        for kind, found in sorted(self._found.items()):
            owners += [owner for owner, _ in found]
            of_kind = pa.concat_arrays([each for _, each in found]) if len(found) > 1 else found[0][1]
            if kind & _SHARED:
                of_kind, codes = _distinct(of_kind)
            else:
                codes = np.arange(len(of_kind))
            texts.append(of_kind)
            units.append(codes + size)
            kinds.append(np.full(len(of_kind), kind))
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


_ALWAYS: Final = int(Kind.PATH | Kind.NAME | Kind.VALUE | Kind.AGENT | Kind.REFERER | Kind.URL)
"""Kinds that are made whether a rule reads them or not."""

_SHARED: Final = int(Kind.PATH | Kind.NAME | Kind.VALUE | Kind.URL)
"""Kinds of which many owners have the same; the others are as distinct as the columns they come from."""

_NONE: Final = np.zeros(0, np.int64)
