"""Units: the pieces of a request that are judged by themselves.

A long URL is never judged as a sum: its path, its parameter names and each parameter value stand
alone, and an event is as bad as its worst unit. Units are distinct over the whole batch.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntFlag
from typing import Final

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from logvision import native
from logvision.detect.canonical import canonicalise
from logvision.detect.texts import binary, flattened, joined, places

Ints = npt.NDArray[np.int64]


class Kind(IntFlag):
    """What a unit is. A rule says which kinds it reads; one text may be several."""

    PATH = 1  # decoded path; resolved as well where dots, backslashes or ";" made a difference
    NAME = 2  # parameter name
    VALUE = 4  # parameter value; also a value inside JSON, inside base64, and in a nested URL
    AGENT = 8
    REFERER = 16  # the whole referer; its path and parameters are PATH, NAME and VALUE units too
    URL = 32  # a parameter value that is a URL; its parts are judged as units, itself by its host
    TARGET = 64  # the whole target with plus and %HH decoded, for rules that span parameters
    RAW_TARGET = 128  # as logged
    RAW_AGENT = 256
    RAW_REFERER = 512


UNITS: Final = {
    "path": Kind.PATH,
    "name": Kind.NAME,
    "value": Kind.VALUE,
    "agent": Kind.AGENT,
    "referer": Kind.REFERER,
    "url": Kind.URL,
    "target": Kind.TARGET,
}
"""Names of units in rule files."""

NEST: Final = 2
"""How deep URLs and JSON inside values are followed."""

SEMICOLONS: Final = 50
"""Pairs behind semicolons that are read of one value; the whole value is a unit as well."""


@dataclass(frozen=True, slots=True)
class Owners:
    """Distinct request columns of a batch; a unit belongs to one or more of them.

    Owner ids run over targets, then agents, then referers.
    """

    targets: pa.Array
    agents: pa.Array
    referers: pa.Array

    @property
    def size(self) -> int:
        return len(self.targets) + len(self.agents) + len(self.referers)

    @property
    def first_agent(self) -> int:
        return len(self.targets)

    @property
    def first_referer(self) -> int:
        return len(self.targets) + len(self.agents)


@dataclass(frozen=True, slots=True)
class Units:
    """The units of a batch in order of their kind, and who uses which."""

    texts: pa.BinaryArray  # per unit
    buffer: npt.NDArray[np.uint8]  # all texts, each ended by a line feed
    ends: Ints  # per unit: offset of its line feed
    kind: Ints  # per unit: its Kind, ascending
    owner: Ints  # per use: the owner
    unit: Ints  # per use: the unit

    def __len__(self) -> int:
        return len(self.kind)

    def head(self, kinds: int) -> npt.NDArray[np.uint8]:
        """The texts up to the last unit of the highest of these kinds."""
        last = int(np.searchsorted(self.kind, kinds, "right"))
        return self.buffer[: self.ends[last - 1] + 1] if last else self.buffer[:0]

    def marked(self, table: npt.NDArray[np.bool_], kinds: int) -> npt.NDArray[np.bool_]:
        """Per unit: holds its text a byte of the table (256 flags). False past the highest of these kinds."""
        found = np.zeros(len(self), np.bool_)
        last = int(np.searchsorted(self.kind, kinds, "right"))
        if native.HERE:
            found[:last] = native.marked(self.buffer, self.ends[:last], table)
        else:
            found[np.searchsorted(self.ends, np.flatnonzero(table[self.head(kinds)]))] = True
        return found

    def first_bytes(self) -> npt.NDArray[np.uint8]:
        """Per unit: the first byte of its text; a line feed if it is empty."""
        return self.buffer[np.append(0, self.ends[:-1] + 1)] if len(self) else self.buffer

    @property
    def text(self) -> Ints:
        """Per unit: the number of its text, which is its own."""
        return np.arange(len(self.kind))


EVERY: Final = Kind(1023)


def split(owners: Owners, kinds: Kind = EVERY) -> Units:
    """All units of all owners. Paths, names, values and URLs stand once each, whoever uses them.

    `kinds`: of the whole texts as logged and of whole targets, only these are made; no rule asks for others.
    """
    pile = _Pile(kinds)
    left = [_targets(pile, owners.targets, np.arange(len(owners.targets)))]
    agents = np.arange(len(owners.agents)) + owners.first_agent
    decoded = canonicalise(owners.agents, query=False)
    pile.add(Kind.AGENT, agents, decoded)
    pile.add(Kind.RAW_AGENT, agents, owners.agents.cast(pa.binary()))
    left.append(_referers(pile, owners.referers, np.arange(len(owners.referers)) + owners.first_referer))
    urls = pa.concat_arrays([some for some, _ in left])
    if len(urls):
        _url_parts(pile, urls, np.concatenate([of for _, of in left]), NEST)
    return pile.units()


class _Pile:
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
        values, codes = native.distinct(flat, offsets[:-1], offsets[1:])
        return values, codes.astype(np.int64)
    encoded = texts.dictionary_encode()
    return encoded.dictionary, encoded.indices.to_numpy().astype(np.int64)


_SHARED: Final = Kind.PATH | Kind.NAME | Kind.VALUE | Kind.URL
"""Kinds of which many owners have the same; the others are as distinct as the columns they come from."""

_NONE: Final = np.zeros(0, np.int64)


_Left = tuple[pa.BinaryArray, Ints]
"""Addresses whose parts are still to be found, and their owners."""


def _targets(pile: _Pile, targets: pa.Array, owners: Ints) -> _Left:
    raw = targets.cast(pa.binary())
    pile.add(Kind.RAW_TARGET, owners, raw)
    if Kind.TARGET & pile.wanted:
        pile.add(Kind.TARGET, owners, canonicalise(raw, query=True, deep=False))
    return _addresses(pile, raw, owners)


def _referers(pile: _Pile, referers: pa.Array, owners: Ints) -> _Left:
    raw = referers.cast(pa.binary())
    pile.add(Kind.RAW_REFERER, owners, raw)
    pile.add(Kind.REFERER, owners, canonicalise(raw, query=False))
    return _addresses(pile, raw, owners)


def _addresses(pile: _Pile, urls: pa.BinaryArray, owners: Ints) -> _Left:
    """The parts of ordinary addresses, whose owners follow each other; the core leaves the others."""
    if not native.HERE or not len(urls):
        return urls, owners
    found, left = native.parts(urls, int(owners[0]), NEST)
    for kind, part in zip((Kind.PATH, Kind.NAME, Kind.VALUE, Kind.URL), found, strict=False):
        pile.add(kind, *part)
    return urls.take(pa.array(left)), owners[left]


_ABSOLUTE: Final = r"^(?:[a-zA-Z][a-zA-Z0-9+.-]{1,12}:)?//[^/?#]*"


def _url_parts(pile: _Pile, urls: pa.BinaryArray, owners: Ints, depth: int) -> None:
    """Path, names and values of URLs (with or without scheme and host)."""
    flat, offsets = flattened(_without_host(urls))
    starts, ends = offsets[:-1], offsets[1:]
    cut = _first(flat, 63, starts, ends)
    _paths(pile, _cut(flat, starts, cut), owners)
    asked = np.flatnonzero(cut + 1 < ends)
    if len(asked):
        _parameters(pile, _cut(flat, cut[asked] + 1, ends[asked]), owners[asked], depth)


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


def _first(flat: npt.NDArray[np.uint8], mark: int, starts: Ints, ends: Ints) -> Ints:
    """Where a byte stands first in each of some ascending ranges; a range's end if it does not."""
    if native.HERE:
        return native.first(flat, starts, ends, mark)
    at = np.append(np.flatnonzero(flat == mark), len(flat))
    found: Ints = np.minimum(at[np.searchsorted(at, starts)], ends)
    return found


def _cut(flat: npt.NDArray[np.uint8], starts: Ints, ends: Ints) -> pa.BinaryArray:
    """The texts of ascending ranges that do not overlap."""
    if native.HERE:
        return native.gathered(flat, starts, ends)
    # Every second text of those that lie between all starts and ends in turn.
    bounds = np.append(np.column_stack([starts, ends]).ravel(), len(flat))
    return binary(flat, bounds).take(pa.array(np.arange(0, len(bounds) - 1, 2)))


_STEPPING: Final = np.isin(np.arange(256), list(b"/.;\\\0 "))


def _paths(pile: _Pile, paths: pa.BinaryArray, owners: Ints) -> None:
    decoded = canonicalise(paths, query=False)
    pile.add(Kind.PATH, owners, decoded)
    flat, offsets = flattened(decoded)
    padded = np.append(flat, np.zeros(2, np.uint8))
    slash = np.flatnonzero(flat == 47)
    then, after = padded[slash + 1], padded[slash + 2]
    last = offsets[np.searchsorted(offsets, slash, "right")] if len(slash) else slash
    # "/.name" is a name; "/./", "/..", "/.;" and "/." at the end are steps.
    step = (then == 46) & (_STEPPING[after] | (slash + 2 >= last)) & (slash + 1 < last)
    step |= (then == 47) & (slash + 1 < last)
    odd = np.flatnonzero((flat == 92) | (flat == 59))
    marked = places(offsets, np.concatenate([slash[step], odd]))
    if len(marked):
        # Few paths hold a mark that resolving could change; each is walked by itself.
        resolved = [resolve(decoded[int(i)].as_py())[0] for i in marked]
        pile.add(Kind.PATH, owners[marked], pa.array(resolved, pa.binary()))


def resolve(path: bytes) -> tuple[bytes, int]:
    """Where a path ends once dots, doubled slashes, backslashes and `;parameters` are resolved.

    The number says how many steps it climbs above its root.
    """
    climbed = 0
    kept: list[bytes] = []
    for segment in path.replace(b"\\", b"/").split(b"/"):
        name = segment.split(b";", 1)[0].rstrip(b"\x00 ")
        if name in (b"", b"."):
            continue
        if name == b"..":
            if kept:
                kept.pop()
            else:
                climbed += 1
        else:
            kept.append(name)
    return b"/" + b"/".join(kept), climbed


_SEPARATING: Final = (
    ("&amp;", "&"), ("&lt;", "%3C"), ("&gt;", "%3E"), ("&quot;", "%22"), ("&apos;", "%27"), ("&#", "%26%23")
)  # fmt: skip


def _parameters(pile: _Pile, queries: pa.BinaryArray, owners: Ints, depth: int) -> None:
    """Names and values. An HTML entity in a query is a character, not a separator."""
    marked = _matching(queries, "&[a-z#]{1,4};|&#")
    if marked.any():
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
    equals = _first(flat, 61, starts, ends)
    named = equals < ends
    # A pair without "=" is one value (old-style `?keyword`): its text is what the program reads.
    starts_of_value = np.where(named, equals + 1, starts)
    values = _cut(flat, starts_of_value, ends)
    if named.any():
        names = canonicalise(_cut(flat, starts[named], equals[named]), query=True)
        pile.add(Kind.NAME, owners[named], names)
        _repeated(pile, names, values.filter(pa.array(named)), owners[named])
    full = starts_of_value < ends
    if full.any():
        values = values.filter(pa.array(full))
        _values(pile, canonicalise(values, query=True), owners[full], depth)
        _after_semicolons(pile, values, owners[full])


def _repeated(pile: _Pile, names: pa.BinaryArray, values: pa.BinaryArray, owners: Ints) -> None:
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


def _after_semicolons(pile: _Pile, values: pa.BinaryArray, owners: Ints) -> None:
    """Names and values behind a semicolon, which some programs take for a separator as well."""
    flat, offsets = flattened(values)
    some = _of(values, places(offsets, np.flatnonzero(flat == 59)), r";[\w.\[\]-]{1,40}=")
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


def _values(pile: _Pile, values: pa.BinaryArray, owners: Ints, depth: int) -> None:
    flat, offsets = flattened(values)
    url = np.zeros(len(values), bool)
    slashed = places(offsets, np.flatnonzero((flat[:-1] == 47) & (flat[1:] == 47)))
    if len(slashed):
        some = values.take(pa.array(slashed))
        url[slashed] = _matching(some, r"(?i)^\s*(?:[a-z][a-z0-9+.-]{1,12}:)?//[^/\s]")
        url[slashed] &= ~_matching(some, r"(?i)^\s*(?:javascript|data|vbscript):")
    plain = np.flatnonzero(~url)
    pile.add(Kind.VALUE, owners[plain], values.take(pa.array(plain)))
    if depth:
        at = np.flatnonzero(url)
        if len(at):
            inner = values.take(pa.array(at))
            pile.add(Kind.URL, owners[at], inner)
            _url_parts(pile, inner, owners[at], depth - 1)
        _inside(pile, values, owners, depth)
    else:
        at = np.flatnonzero(url)
        pile.add(Kind.URL, owners[at], values.take(pa.array(at)))


def _inside(pile: _Pile, values: pa.BinaryArray, owners: Ints, depth: int) -> None:
    """What stands inside JSON and base64; a loop over the few values that look like either."""
    flat, offsets = flattened(values)
    json_like = _of(
        values, places(offsets, np.flatnonzero((flat == 123) | (flat == 91))), r"^\s*(?:\{.*[:}]|\[.*\])"
    )
    names: list[tuple[int, bytes]] = []
    inner: list[tuple[int, bytes]] = []
    for i in json_like:
        for name, value in _leaves(values[int(i)].as_py()):
            (names if name else inner).append((int(owners[i]), value))
    long = np.flatnonzero(np.diff(offsets) >= 16)
    # ASCII in base64 has no letter after "f" at the first of every four places: most tokens do.
    base64_like = _of(values, long, r"^(?:[A-Za-f][A-Za-z0-9+/_ -]{3}){4,}[A-Za-z0-9+/_ -]{0,3}={0,2}$")
    for i in base64_like:
        text = unbase64(values[int(i)].as_py())
        if text is not None:
            inner.append((int(owners[i]), text))
    for kind, found in ((Kind.NAME, names), (Kind.VALUE, inner)):
        if found:
            pile.add(
                kind,
                np.array([o for o, _ in found], np.int64),
                canonicalise(pa.array([t for _, t in found], pa.binary()), query=False),
            )


def _leaves(text: bytes) -> Iterable[tuple[bool, bytes]]:
    """(is a name, text) of every key and string in a JSON text; nothing if it is no JSON."""
    try:
        whole = orjson.loads(text)
    except orjson.JSONDecodeError:
        return
    # An explicit stack: depth is the sender's to choose.
    stack = [whole]
    for _ in range(1000):
        if not stack:
            return
        node = stack.pop()
        if isinstance(node, dict):
            for key, value in node.items():
                yield True, key.encode()
                stack.append(value)
        elif isinstance(node, list):
            stack += node
        elif isinstance(node, str):
            yield False, node.encode()


def unbase64(text: bytes) -> bytes | None:
    """What a base64 text says, if that is printable text with something other than words in it."""
    packed = text.replace(b" ", b"+").replace(b"-", b"+").replace(b"_", b"/").rstrip(b"=")
    try:
        decoded = base64.b64decode(packed + b"=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    if not decoded.isascii() or decoded.translate(None, _PRINTABLE):
        return None
    return decoded if decoded.translate(None, _WORDS) or b"--" in decoded else None


_PRINTABLE: Final = bytes(range(32, 127)) + b"\t\r\n"
_WORDS: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _.,-"


def _matching(values: pa.BinaryArray, pattern: str) -> npt.NDArray[np.bool_]:
    """Which values match; RE2 over bytes, linear in their length."""
    found: npt.NDArray[np.bool_] = pc.match_substring_regex(values, pattern).to_numpy(zero_copy_only=False)
    return found


def _of(values: pa.BinaryArray, some: Ints, pattern: str) -> Ints:
    """Those of some values that match."""
    return some[_matching(values.take(pa.array(some)), pattern)] if len(some) else some
