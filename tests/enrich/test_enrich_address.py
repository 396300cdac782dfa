from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logvision.enrich import address
from logvision.enrich.address import PRIVATE, Ranges


def test_texts_become_addresses_and_canonical_texts_again() -> None:
    texts = [
        "1.2.3.4",
        None,
        "2001:DB8::0:1",
        "x",
        "::ffff:9.8.7.6",
        "01.2.3.4",
        "1.2.3.4 ",
        "1.2.3",
        "::",
        "a\0b",
    ]
    addresses = address.parse(texts)
    assert addresses.texts().to_pylist() == [
        *("1.2.3.4", None, "2001:db8::1", None, "9.8.7.6"),
        *(None, None, None, "::", None),
    ]
    assert addresses.valid().tolist() == [True, False, True, False, True, False, False, False, True, False]


def test_the_narrowest_block_names_an_address() -> None:
    ranges = Ranges.of(
        [("10.0.0.0/8", 0), ("10.1.0.0/16", 1), ("10.1.2.0/24", 2), ("2001:db8::/32", 3), ("::/0", 4)]
    )
    texts = ["9.255.255.255", "10.0.0.0", "10.1.0.0", "10.1.2.3", "10.1.3.0", "10.2.0.0", "11.0.0.0", "x"]
    assert ranges.find(address.parse(texts)).tolist() == [-1, 0, 1, 2, 1, 0, -1, -1]
    assert ranges.find(address.parse(["2001:db8::1", "2001:db9::", "::"])).tolist() == [3, 4, 4]


@pytest.mark.parametrize(
    "text", ["10.1.2.3/8", "10.0.0.0/255.0.0.0", "1.2.3.4", "::1/0", "2001:db8::1.2.3.4/96", "fe80::1%a/9"]
)
def test_a_block_may_be_written_as_the_standard_library_reads_it(text: str) -> None:
    block = ipaddress.ip_network(text, strict=False)
    edges = [str(block.network_address), str(block.broadcast_address)]
    assert (Ranges.of([(text, 7)]).find(address.parse(edges)) == 7).all()


@pytest.mark.parametrize(
    "text", ["x", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/", "010.1.1.1/8", "::/129", "1.2.3.4/8/8", "a\0b"]
)
def test_what_is_no_block_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Ranges.of([(text, 0)])


def test_ranges_of_nothing_find_nothing() -> None:
    assert Ranges.of([]).find(address.parse(["1.2.3.4", "::1"])).tolist() == [-1, -1]


def test_what_nobody_can_own_is_private() -> None:
    texts = [
        "10.1.1.1",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.1.1",
        "172.31.0.1",
        "192.168.0.1",
        "fe80::1",
        "::1",
    ]
    assert (PRIVATE.find(address.parse(texts)) == 0).all()
    assert (PRIVATE.find(address.parse(["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1"])) == -1).all()


BLOCKS = st.one_of(
    st.tuples(st.ip_addresses(v=4), st.integers(0, 32)), st.tuples(st.ip_addresses(v=6), st.integers(0, 128))
).map(lambda pair: ipaddress.ip_network(pair, strict=False))


@settings(deadline=None)  # the machine may be busy
@given(st.lists(BLOCKS, max_size=8, unique=True), st.lists(st.ip_addresses(), max_size=8))
def test_any_blocks_answer_as_a_search_through_all_of_them(
    blocks: list[ipaddress.IPv4Network | ipaddress.IPv6Network],
    asked: list[ipaddress.IPv4Address | ipaddress.IPv6Address],
) -> None:
    # The edges of the blocks are where a mistake would show.
    asked = asked + [b.network_address for b in blocks] + [b.broadcast_address for b in blocks]
    asked = [a for a in asked if getattr(a, "ipv4_mapped", None) is None]
    ranges = Ranges.of((str(block), label) for label, block in enumerate(blocks))
    expected = []
    for one in asked:
        holding = [
            (b.prefixlen, label) for label, b in enumerate(blocks) if b.version == one.version and one in b
        ]
        expected.append(max(holding)[1] if holding else -1)
    assert ranges.find(address.parse([str(a) for a in asked])).tolist() == expected
