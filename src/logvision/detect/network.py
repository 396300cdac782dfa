"""Networks of clients as numbers, so that what one network does counts once: a CRC-32 of the network's text.

Of an IPv4 address both networks are its /24. What is no address (any more: see `lake.anonymise`) is a
network of its own.
"""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from logvision import native
from logvision.detect.behaviour import network_of as wide_of

Numbers = npt.NDArray[np.uint32]


def narrow(client: str) -> int:
    """The number of the /64 of an IPv6 address in canonical text, the /24 of an IPv4 address."""
    text = ":".join(client.split(":")[:4]) if ":" in client else client.rpartition(".")[0] or client
    return zlib.crc32(text.encode())


def wide(client: str) -> int:
    """The number of the /48 of an IPv6 address in canonical text, the /24 of an IPv4 address."""
    return zlib.crc32((wide_of(client) or "").encode())


def numbers(clients: pa.StringArray) -> tuple[Numbers, Numbers]:
    """`narrow` and `wide` of every client (no null). Cost: 0.2 µs each, without the native core 3 µs."""
    if native.HERE:
        return native.addresses.networks(clients)
    texts = clients.to_pylist()
    return np.array([*map(narrow, texts)], np.uint32), np.array([*map(wide, texts)], np.uint32)
