from __future__ import annotations

import ipaddress

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logvision.enrich.client import FORWARDED_READ, TrustedProxies, presets_known, resolve
from logvision.errors import SetupError


def parsed(*rows: tuple[str | None, str | None]) -> pa.Table:
    return pa.table(
        {
            "peer_ip": pa.array([peer for peer, _ in rows], pa.string()).dictionary_encode(),
            "forwarded": pa.array([forwarded for _, forwarded in rows], pa.string()).dictionary_encode(),
            "status": pa.array(range(len(rows)), pa.int16()),
        }
    )


def client_of(peer: str | None, forwarded: str | None, proxies: TrustedProxies) -> str | None:
    return resolve(parsed((peer, forwarded)), proxies).column("client_ip").to_pylist()[0]


PRIVATE = TrustedProxies((), ("private",))


def test_the_list_is_read_only_as_far_as_who_wrote_it_is_trusted() -> None:
    proxies = TrustedProxies(["192.0.2.0/24", "2001:db8:1::/48"], ["private"])
    rows = [
        # peer, forwarded, client
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("198.51.100.9", "203.0.113.7", "198.51.100.9"),  # the peer is not trusted: it may say anything
        ("10.0.0.1", "1.1.1.1, 203.0.113.7, 192.0.2.5", "203.0.113.7"),  # 1.1.1.1 is what the client made up
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),  # all trusted: the far end
        ("10.0.0.1", None, "10.0.0.1"),
        ("2001:db8:1::5", "2001:db8:2::9", "2001:db8:2::9"),
        (None, "203.0.113.7", None),
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
    ]
    answer = resolve(parsed(*[(peer, forwarded) for peer, forwarded, _ in rows]), proxies)
    assert answer.column_names == ["peer_ip", "status", "client_ip"]
    assert answer.column("client_ip").to_pylist() == [client for _, _, client in rows]
    assert answer.column("status").to_pylist() == list(range(len(rows)))
    assert answer.schema.field("client_ip").type == pa.dictionary(pa.int32(), pa.string())


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("203.0.113.7:4711", "203.0.113.7"),
        ("[2001:DB8:0:0::9]:443", "2001:db8::9"),
        ("[2001:db8::9]", "2001:db8::9"),
        ("2001:db8::9", "2001:db8::9"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ('for="[2001:db8::9]:80";proto=https;by=10.0.0.1', "2001:db8::9"),
        ("For=203.0.113.7;proto=http, for=10.9.9.9", "203.0.113.7"),
        ("proto=http;for=203.0.113.7", "203.0.113.7"),
        ('"203.0.113.7"', "203.0.113.7"),
        ("203.0.113.7,,  ,", "203.0.113.7"),
        ("203.0.113.7, unknown, 10.0.0.9", "10.0.0.9"),
        ("203.0.113.7, for=_hidden, 10.0.0.9", "10.0.0.9"),
        ("unknown", "10.0.0.1"),
        ("", "10.0.0.1"),
        ("-", "10.0.0.1"),
        ("999.1.1.1", "10.0.0.1"),
        ("010.1.1.1", "10.0.0.1"),
        ("203.0.113.7 203.0.113.8", "10.0.0.1"),
        ("<script>alert(1)</script>", "10.0.0.1"),
        ("' or 1=1 --", "10.0.0.1"),
        ("fe80::1%eth0", "10.0.0.1"),
    ],
)
def test_a_hop_is_read_in_every_spelling_and_garbage_ends_the_walk(forwarded: str, client: str) -> None:
    assert client_of("10.0.0.1", forwarded, PRIVATE) == client


def test_a_list_of_a_megabyte_is_read_at_its_right_end_alone() -> None:
    assert client_of("10.0.0.1", "6.6.6.6, " * 100_000 + "203.0.113.7, 10.0.0.2", PRIVATE) == "203.0.113.7"


def test_a_cut_inside_an_address_makes_no_other_address_of_it() -> None:
    trusted = ",10.0.0.2" * 100
    padding = " " * (FORWARDED_READ - len("3.0.113.7") - len(trusted))
    assert client_of("10.0.0.1", f"3.0.113.7{padding}{trusted}", PRIVATE) == "3.0.113.7"
    assert client_of("10.0.0.1", f"203.0.113.7{padding}{trusted}", PRIVATE) == "10.0.0.2"


def test_without_trusted_proxies_the_peer_is_the_client() -> None:
    assert client_of("10.0.0.1", "203.0.113.7", TrustedProxies()) == "10.0.0.1"


def test_an_empty_table_has_the_same_columns() -> None:
    assert resolve(parsed(), PRIVATE).column_names == ["peer_ip", "status", "client_ip"]


def test_every_mistake_in_the_set_up_is_told_at_once() -> None:
    with pytest.raises(SetupError) as error:
        TrustedProxies(["10.0.0.0/8", "10.0.0.0/33", "proxy.example"], ["cloudflare", "acme"])
    block = "an address or block, like 10.0.0.0/8 or 2001:db8::/32"
    assert [(p.where, p.got, p.expected) for p in error.value.problems] == [
        ("trusted proxies", "'acme'", "one of akamai, cloudflare, cloudfront, fastly, google, private"),
        ("trusted proxies", "'10.0.0.0/33'", block),
        ("trusted proxies", "'proxy.example'", block),
    ]


@pytest.mark.parametrize(
    ("preset", "inside"),
    [
        ("cloudflare", "104.16.0.1"),
        ("fastly", "151.101.1.1"),
        ("cloudfront", "13.32.0.1"),
        ("akamai", "23.32.0.1"),
        ("google", "130.211.1.1"),
        ("private", "192.168.1.1"),
        ("private", "::1"),
    ],
)
def test_a_preset_trusts_its_operators_networks_and_no_others(preset: str, inside: str) -> None:
    proxies = TrustedProxies((), (preset,))
    assert client_of(inside, "8.8.8.8", proxies) == "8.8.8.8"
    assert client_of("9.9.9.9", "8.8.8.8", proxies) == "9.9.9.9"


def test_every_preset_block_is_written_in_its_shortest_form() -> None:
    for blocks in presets_known().values():
        assert blocks == [str(ipaddress.ip_network(block)) for block in blocks]


HOPS = st.one_of(
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(str),
    st.sampled_from(["10.0.0.1", "10.1.2.3", "192.168.0.9", "unknown", "_x", "1.2.3", "fd00::7"]),
)


def walked(peer: str, hops: list[str]) -> str:
    """The rule, said once more: go left while who spoke last is trusted."""
    trusted = [
        ipaddress.ip_network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8")
    ]
    trusted += [ipaddress.ip_network(n) for n in ("::1/128", "fc00::/7")]
    client = ipaddress.ip_address(peer)
    for hop in reversed(hops):
        if not any(client in network for network in trusted):
            break
        try:
            found = ipaddress.ip_address(hop)
        except ValueError:
            break
        client = getattr(found, "ipv4_mapped", None) or found
    return str(client)


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.tuples(st.sampled_from(["10.0.0.1", "8.8.8.8"]), st.lists(HOPS, max_size=5)), max_size=8))
def test_any_batch_gives_each_row_what_the_rule_gives(rows: list[tuple[str, list[str]]]) -> None:
    answer = resolve(parsed(*[(peer, ", ".join(hops)) for peer, hops in rows]), PRIVATE)
    assert answer.column("client_ip").to_pylist() == [walked(peer, hops) for peer, hops in rows]


@settings(deadline=None)  # the machine may be busy
@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    client = client_of("10.0.0.1", text, PRIVATE)
    assert client is not None
    assert str(ipaddress.ip_address(client)) == client
