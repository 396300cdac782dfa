"""Addresses as numbers: text to integers and look-up in sorted ranges, a whole column at a time."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from logvision import native

Indices = npt.NDArray[np.int64]
V4 = npt.NDArray[np.uint32]
V6 = npt.NDArray[np.bytes_]
"""16 bytes, big-endian: numpy orders `S16` as the addresses are ordered, and drops trailing zeros alike."""

_MAPPED: Final = bytes(10) + b"\xff\xff"
"""First 12 bytes of an IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2)."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """A column of addresses. A row that stands in neither `v4_at` nor `v6_at` is not an address."""

    size: int
    v4_at: Indices
    v4: V4
    v6_at: Indices
    v6: V6

    def valid(self) -> npt.NDArray[np.bool_]:
        """Per row: is it an address."""
        mask = np.zeros(self.size, np.bool_)
        mask[self.v4_at] = True
        mask[self.v6_at] = True
        return mask

    def texts(self) -> pa.StringArray:
        """Canonical text (RFC 5952 for IPv6); null where the row is not an address.

        Cost is a Python call per address: for the few that came in another spelling.
        """
        out: list[str | None] = [None] * self.size
        for at, number in zip(self.v4_at.tolist(), self.v4.tolist(), strict=True):
            out[at] = str(ipaddress.IPv4Address(number))
        for at, raw in zip(self.v6_at.tolist(), self.v6.tolist(), strict=True):
            out[at] = str(ipaddress.IPv6Address(raw.ljust(16, b"\0")))
        return pa.array(out, pa.string())


def parse(texts: Sequence[str | None]) -> Addresses:
    """Addresses from their text. An IPv4-mapped IPv6 address counts as the IPv4 address it carries.

    Strict: no port, no zone, no leading zero in IPv4 (it is octal to some readers), no white space.
    A call per text, 0.3 µs: the caller brings distinct ones.
    """
    return of(pa.array(texts, pa.string()).fill_null(""))


def of(texts: pa.StringArray) -> Addresses:
    """`parse` for a column without nulls. With the native core 20 ns a text, where it is canonical."""
    size = len(texts)
    if not native.HERE:
        return _parsed(texts.to_pylist(), np.arange(size), size)
    read = native.addresses.read(texts)
    v4_at, v6_at, odd = (np.flatnonzero(read.kind == kind) for kind in (4, 6, 0))
    rest = _parsed(texts.take(pa.array(odd)).to_pylist(), odd, size)
    return Addresses(
        size,
        np.concatenate([v4_at, rest.v4_at]),
        np.concatenate([read.v4[v4_at], rest.v4]),
        np.concatenate([v6_at, rest.v6_at]),
        np.concatenate([read.v6[v6_at], rest.v6]),
    )


def _parsed(texts: list[str], places: Indices, size: int) -> Addresses:
    """Addresses from their text, each by a call; `places` are theirs in a column of `size`."""
    v4_at: list[int] = []
    v4: list[bytes] = []
    v6_at: list[int] = []
    v6: list[bytes] = []
    for at, text in zip(places.tolist(), texts, strict=True):
        try:
            raw = socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
        except (OSError, ValueError):  # not an address: null by contract (ValueError: a NUL inside)
            continue
        if len(raw) == 4:
            v4_at.append(at)
            v4.append(raw)
        elif raw.startswith(_MAPPED):
            v4_at.append(at)
            v4.append(raw[12:])
        else:
            v6_at.append(at)
            v6.append(raw)
    return Addresses(
        size,
        np.array(v4_at, np.int64),
        np.frombuffer(b"".join(v4), ">u4").astype(np.uint32),
        np.array(v6_at, np.int64),
        np.array(v6, "S16"),
    )


@dataclass(frozen=True, slots=True)
class Ranges:
    """Sorted ranges that do not overlap, ends included, each with a label (an index of the caller's)."""

    v4_start: V4
    v4_end: V4
    v4_label: npt.NDArray[np.int32]
    v6_start: V6
    v6_end: V6
    v6_label: npt.NDArray[np.int32]

    @classmethod
    def of(cls, networks: Iterable[tuple[str, int]]) -> Ranges:
        """Ranges of CIDR blocks with labels. Where blocks nest, the narrower one's label holds.

        Raises ValueError on a text that is not a block.
        """
        v4: list[tuple[int, int, int]] = []
        v6: list[tuple[int, int, int]] = []
        for text, label in networks:
            first, last, version = _block(text.strip())
            (v4 if version == 4 else v6).append((first, last, label))
        flat4, flat6 = _flatten(v4), _flatten(v6)
        return cls(
            np.array([r[0] for r in flat4], np.uint32),
            np.array([r[1] for r in flat4], np.uint32),
            np.array([r[2] for r in flat4], np.int32),
            np.array([r[0].to_bytes(16, "big") for r in flat6], "S16"),
            np.array([r[1].to_bytes(16, "big") for r in flat6], "S16"),
            np.array([r[2] for r in flat6], np.int32),
        )

    def find(self, addresses: Addresses) -> npt.NDArray[np.int32]:
        """Per address the label of the range that holds it; -1: none."""
        found = np.full(addresses.size, -1, np.int32)
        _find(found, addresses.v4_at, addresses.v4, (self.v4_start, self.v4_end, self.v4_label))
        _find(found, addresses.v6_at, addresses.v6, (self.v6_start, self.v6_end, self.v6_label))
        return found


def _find(
    found: npt.NDArray[np.int32],
    at: Indices,
    values: npt.NDArray[Any],
    ranges: tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[np.int32]],
) -> None:
    """Write the labels of one family's addresses into `found`."""
    start, end, label = ranges
    if not at.size or not start.size:
        return
    slot = np.searchsorted(start, values, side="right") - 1
    inside = (slot >= 0) & (values <= end[slot])
    found[at[inside]] = label[slot[inside]]


def _block(text: str) -> tuple[int, int, int]:
    """First and last address of a CIDR block and its version of IP; raises ValueError.

    The shipped lists have thousands: what is plainly written takes a quarter of the time so.
    """
    host, _, length = text.partition("/")
    six = ":" in host
    width = 128 if six else 32
    try:
        raw = socket.inet_pton(socket.AF_INET6 if six else socket.AF_INET, host)
    except OSError:
        raw = None
    if raw is None or not (length.isascii() and length.isdecimal() and int(length) <= width):
        block = ipaddress.ip_network(text, strict=False)
        return int(block.network_address), int(block.broadcast_address), block.version
    free = (1 << (width - int(length))) - 1
    first = int.from_bytes(raw) & ~free
    return first, first | free, 6 if six else 4


def _flatten(blocks: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Nested CIDR blocks to ranges that do not overlap, the narrowest block's label on each."""
    out: list[tuple[int, int, int]] = []
    open_blocks: list[tuple[int, int, int]] = []
    at = 0

    def emit(until: int) -> None:
        nonlocal at
        if open_blocks and at <= until:
            out.append((at, until, open_blocks[-1][2]))
        at = max(at, until + 1)

    for first, last, label in sorted(blocks, key=lambda b: (b[0], -b[1])):
        while open_blocks and open_blocks[-1][1] < first:
            emit(open_blocks[-1][1])
            open_blocks.pop()
        if open_blocks:
            emit(first - 1)
        at = first
        open_blocks.append((first, last, label))
    while open_blocks:
        emit(open_blocks[-1][1])
        open_blocks.pop()
    return out


PRIVATE: Final = Ranges.of(
    (block, 0)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
        "::/127",
        "100::/64",
        "2001:db8::/32",
        "fc00::/7",
        "fe80::/10",
        "ff00::/8",
    )
)
"""Blocks that no one on the Internet can own: private, loopback, link-local, documentation, multicast
(RFC 6890)."""
