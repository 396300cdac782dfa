"""What stands inside the values of parameters: in JSON and in base64."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Final

import numpy as np
import orjson
import pyarrow as pa

from logvision.detect.canonical import canonicalise
from logvision.detect.pile import Pile
from logvision.detect.texts import flattened, matching_of, places
from logvision.detect.units import Ints, Kind


def add_nested(pile: Pile, values: pa.BinaryArray, owners: Ints) -> None:
    """What stands inside JSON and base64; a loop over the few values that look like either."""
    flat, offsets = flattened(values)
    json_like = matching_of(
        values, places(offsets, np.flatnonzero((flat == 123) | (flat == 91))), r"^\s*(?:\{.*[:}]|\[.*\])"
    )
    names: list[tuple[int, bytes]] = []
    inner: list[tuple[int, bytes]] = []
    for i in json_like:
        for name, value in _leaves(values[int(i)].as_py()):
            (names if name else inner).append((int(owners[i]), value))
    long = np.flatnonzero(np.diff(offsets) >= 16)
    # ASCII in base64 has no letter after "f" at the first of every four places: most tokens do.
    base64_like = matching_of(
        values, long, r"^(?:[A-Za-f][A-Za-z0-9+/_ -]{3}){4,}[A-Za-z0-9+/_ -]{0,3}={0,2}$"
    )
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
