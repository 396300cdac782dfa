"""Pairs of a query as some programs read them: names that stand twice, and what follows a semicolon."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from logvision.detect.canonical import canonicalise
from logvision.detect.pile import Pile
from logvision.detect.texts import flattened, matching_of, places
from logvision.detect.units import Ints, Kind

SEMICOLONS: Final = 50
"""Pairs behind semicolons that are read of one value; the whole value is a unit as well."""


def add_repeated(pile: Pile, names: pa.BinaryArray, values: pa.BinaryArray, owners: Ints) -> None:
    """Values of a name that a request gives twice, as some programs read them: joined by a comma.

    A payload cut over two of them is none in either. `name[]` is a list by its own account.
    """
    code = names.dictionary_encode().indices.to_numpy().astype(np.int64)
    key = owners * len(names) + code
    order = np.argsort(key, kind="stable")
    again = np.flatnonzero(key[order][1:] == key[order][:-1]) + 1
    # Few requests repeat a name; a loop over these.
    together: dict[int, list[int]] = {}
    for at in again.tolist():
        first, other = int(order[at - 1]), int(order[at])
        together.setdefault(int(key[other]), [first]).append(other)
    lists = [each for each in together.values() if not names[each[0]].as_py().endswith(b"[]")]
    if lists:
        joint = [b",".join(values[i].as_py() for i in each) for each in lists]
        owned = np.array([owners[each[0]] for each in lists], np.int64)
        pile.add(Kind.VALUE, owned, canonicalise(pa.array(joint, pa.binary()), query=True))


def add_after_semicolons(pile: Pile, values: pa.BinaryArray, owners: Ints) -> None:
    """Names and values behind a semicolon, which some programs take for a separator as well."""
    flat, offsets = flattened(values)
    some = matching_of(values, places(offsets, np.flatnonzero(flat == 59)), r";[\w.\[\]-]{1,40}=")
    names: list[bytes] = []
    behind: list[bytes] = []
    owned: list[int] = []
    for i in some.tolist():
        for pair in values[i].as_py().split(b";", SEMICOLONS + 1)[1 : SEMICOLONS + 1]:
            name, equals, value = pair.partition(b"=")
            if equals:
                names.append(name)
                behind.append(value)
                owned.append(int(owners[i]))
    for kind, found in ((Kind.NAME, names), (Kind.VALUE, behind)):
        pile.add(kind, np.array(owned, np.int64), canonicalise(pa.array(found, pa.binary()), query=True))
