"""Addresses of peers: what Python's own reading of addresses says, in canonical text."""

from __future__ import annotations

import ipaddress

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logvision import native
from logvision.formats import fields

_GROUPS = st.sampled_from(["0", "0", "0", "0000", "1", "00ab", "ffff", "ABCD", "12345", "g", "", "1.2.3.4"])
addresses = st.one_of(
    st.ip_addresses().map(str),
    st.lists(_GROUPS, min_size=1, max_size=10).map(":".join),
    st.lists(st.integers(0, 300).map(str), min_size=3, max_size=5).map(".".join),
    st.text("01:.af2", max_size=24),
    st.from_regex(r"::(?:ffff:)?[0-9]{1,3}(?:\.[0-9]{1,3}){3}", fullmatch=True),
)


@given(addresses.filter(lambda text: text and text.count(":") != 1))
def test_an_address_is_read_as_the_standard_library_reads_it(text: str) -> None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        expected = None
    else:
        mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
        expected = str(mapped or found)

    assert fields.peer(text.encode()) == expected


@pytest.mark.parametrize(
    ("logged", "address"),
    [
        (b"192.0.2.7:443", "192.0.2.7"),
        (b"[2001:DB8::0:1]:443", "2001:db8::1"),
        (b"fe80::1%eth0", "fe80::1"),
        (b"::ffff:192.0.2.7", "192.0.2.7"),
        (b"::1.2.3.4", "::102:304"),
        (b"host.example", None),
        (b"-", None),
    ],
)
def test_ports_brackets_and_zones_go(logged: bytes, address: str | None) -> None:
    assert fields.peer(logged) == address


@settings(deadline=None)  # the first call of many things
@given(st.lists(addresses))
def test_the_core_takes_addresses_that_are_canonical_and_no_others(texts: list[str]) -> None:
    read = native.addresses.read(pa.array(texts, pa.string()))

    for text, kind, number, raw in zip(
        texts, read.kind.tolist(), read.v4.tolist(), read.v6.tolist(), strict=True
    ):
        assert kind == 0 or fields.peer(text.encode()) == text
        if kind:
            packed = number.to_bytes(4, "big") if kind == 4 else raw.ljust(16, b"\0")
            assert packed == ipaddress.ip_address(text).packed


@given(
    st.lists(st.sampled_from([0, 0, 1, 0x10, 0xFFFF]), min_size=8, max_size=8).filter(
        lambda words: any(words[:5])
    )
)
def test_the_core_takes_every_address_that_is_canonical(words: list[int]) -> None:
    address = ipaddress.IPv6Address(b"".join(word.to_bytes(2, "big") for word in words))

    assert native.addresses.read(pa.array([str(address)])).kind == [6]
