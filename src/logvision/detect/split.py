"""Splitting: the columns of a batch into units, addresses inside addresses included.

The core cuts and decodes ordinary addresses; what takes more is read here, exactly.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from logvision import native
from logvision.detect.canonical import canonicalise
from logvision.detect.nested import add_nested
from logvision.detect.pairs import add_after_semicolons, add_repeated
from logvision.detect.paths import add_paths
from logvision.detect.pile import Pile
from logvision.detect.texts import first, flattened, matching, places, raw_bytes, slices
from logvision.detect.units import EVERY, Ints, Kind, Owners, Units

NEST: Final = 2
"""How deep URLs and JSON inside values are followed."""


def split(owners: Owners, kinds: Kind = EVERY) -> Units:
    """All units of all owners. Paths, names, values and URLs stand once each, whoever uses them.

    `kinds`: of the whole texts as logged and of whole targets, only these are made; no rule asks for others.
    """
    pile = Pile(kinds)
    left = [_targets(pile, owners.targets, np.arange(len(owners.targets)))]
    agents = np.arange(len(owners.agents)) + owners.first_agent
    decoded = canonicalise(owners.agents, query=False)
    pile.add(Kind.AGENT, agents, decoded)
    pile.add(Kind.RAW_AGENT, agents, raw_bytes(owners.agents))
    left.append(_referers(pile, owners.referers, np.arange(len(owners.referers)) + owners.first_referer))
    urls = pa.concat_arrays([some for some, _ in left])
    if len(urls):
        _url_parts(pile, urls, np.concatenate([of for _, of in left]), NEST)
    return pile.units()


_Left = tuple[pa.BinaryArray, Ints]
"""Addresses whose parts are still to be found, and their owners."""


def _targets(pile: Pile, targets: pa.Array, owners: Ints) -> _Left:
    raw = raw_bytes(targets)
    pile.add(Kind.RAW_TARGET, owners, raw)
    if pile.wants(Kind.TARGET):
        pile.add(Kind.TARGET, owners, canonicalise(raw, query=True, deep=False))
    return _addresses(pile, raw, owners)


def _referers(pile: Pile, referers: pa.Array, owners: Ints) -> _Left:
    raw = raw_bytes(referers)
    pile.add(Kind.RAW_REFERER, owners, raw)
    pile.add(Kind.REFERER, owners, canonicalise(raw, query=False))
    return _addresses(pile, raw, owners)


def _addresses(pile: Pile, urls: pa.BinaryArray, owners: Ints) -> _Left:
    """The parts of ordinary addresses, whose owners follow each other; the core leaves the others."""
    if not native.HERE or not len(urls):
        return urls, owners
    found, left = native.decoding.parts(urls, int(owners[0]), NEST)
    for kind, part in zip((Kind.PATH, Kind.NAME, Kind.VALUE, Kind.URL), found, strict=False):
        pile.add(kind, *part)
    return urls.take(pa.array(left)), owners[left]


_ABSOLUTE: Final = r"^(?:[a-zA-Z][a-zA-Z0-9+.-]{1,12}:)?//[^/?#]*"


def _url_parts(pile: Pile, urls: pa.BinaryArray, owners: Ints, depth: int) -> None:
    """Path, names and values of URLs (with or without scheme and host)."""
    flat, offsets = flattened(_without_host(urls))
    starts, ends = offsets[:-1], offsets[1:]
    cut = first(flat, 63, starts, ends)
    add_paths(pile, slices(flat, starts, cut), owners)
    asked = np.flatnonzero(cut + 1 < ends)
    if len(asked):
        _parameters(pile, slices(flat, cut[asked] + 1, ends[asked]), owners[asked], depth)


def _without_host(urls: pa.BinaryArray) -> pa.BinaryArray:
    flat, offsets = flattened(urls)
    following = np.append(flat, np.zeros(2, np.uint8))
    plain = (following[offsets[:-1]] == 47) & (following[offsets[:-1] + 1] != 47)
    if plain.all():
        return urls
    if not plain.any():
        return pc.replace_substring_regex(urls, _ABSOLUTE, "")
    cut = pc.replace_substring_regex(urls.filter(pa.array(~plain)), _ABSOLUTE, "")
    return pc.replace_with_mask(urls, pa.array(~plain), cut)


_SEPARATING: Final = (
    ("&amp;", "&"), ("&lt;", "%3C"), ("&gt;", "%3E"), ("&quot;", "%22"), ("&apos;", "%27"), ("&#", "%26%23")
)  # fmt: skip


def _parameters(pile: Pile, queries: pa.BinaryArray, owners: Ints, depth: int) -> None:
    """Names and values. An HTML entity in a query is a character, not a separator."""
    flat, offsets = flattened(queries)
    entities = ((flat == 59) | (flat == 35)).any()  # ";" or "#"
    if entities and (marked := matching(queries, "&[a-z#]{1,4};|&#")).any():
        plain = queries.filter(pa.array(marked))
        for entity, character in _SEPARATING:
            plain = pc.replace_substring(plain, entity, character)
        queries = pc.replace_with_mask(queries, pa.array(marked), plain)
        flat, offsets = flattened(queries)
    between = np.flatnonzero(flat == 38)
    starts = np.sort(np.concatenate([offsets[:-1], between + 1]), kind="stable")
    ends = np.sort(np.concatenate([between, offsets[1:]]), kind="stable")
    full = starts < ends
    starts, ends = starts[full], ends[full]
    owners = owners[np.searchsorted(offsets, starts, "right") - 1]
    equals = first(flat, 61, starts, ends)
    named = equals < ends
    # A pair without "=" is one value (old-style `?keyword`): its text is what the program reads.
    starts_of_value = np.where(named, equals + 1, starts)
    values = slices(flat, starts_of_value, ends)
    if named.any():
        names = canonicalise(slices(flat, starts[named], equals[named]), query=True)
        pile.add(Kind.NAME, owners[named], names)
        add_repeated(pile, names, values.filter(pa.array(named)), owners[named])
    full = starts_of_value < ends
    if full.any():
        values = values.filter(pa.array(full))
        _values(pile, canonicalise(values, query=True), owners[full], depth)
        add_after_semicolons(pile, values, owners[full])


def _values(pile: Pile, values: pa.BinaryArray, owners: Ints, depth: int) -> None:
    flat, offsets = flattened(values)
    url = np.zeros(len(values), bool)
    slashed = places(offsets, np.flatnonzero((flat[:-1] == 47) & (flat[1:] == 47)))
    if len(slashed):
        some = values.take(pa.array(slashed))
        url[slashed] = matching(some, r"(?i)^\s*(?:[a-z][a-z0-9+.-]{1,12}:)?//[^/\s]")
        url[slashed] &= ~matching(some, r"(?i)^\s*(?:javascript|data|vbscript):")
    plain = np.flatnonzero(~url)
    pile.add(Kind.VALUE, owners[plain], values.take(pa.array(plain)))
    if depth:
        at = np.flatnonzero(url)
        if len(at):
            inner = values.take(pa.array(at))
            pile.add(Kind.URL, owners[at], inner)
            _url_parts(pile, inner, owners[at], depth - 1)
        add_nested(pile, values, owners)
    else:
        at = np.flatnonzero(url)
        pile.add(Kind.URL, owners[at], values.take(pa.array(at)))
