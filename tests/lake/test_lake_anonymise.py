"""Anonymised events and rejects hold no whole address."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_tables import event, events
from lake_folders import reject
from logvision.errors import SetupError
from logvision.lake.anonymise import Anonymiser, hashing, key_of, truncate, truncating
from logvision.schema import EVENT, REJECT

ADDRESSES = st.ip_addresses(v=4) | st.ip_addresses(v=6)


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("203.0.113.7", "203.0.113.0"),
        ("2001:db8:1:2::3", "2001:db8:1::"),
        ("::ffff:203.0.113.7", "::"),
        ("unix:", "*"),
        ("", "*"),
    ],
)
def test_truncation_keeps_the_network(address: str, kept: str) -> None:
    assert truncate(address) == kept


@given(ADDRESSES)
def test_truncating_twice_is_truncating_once(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    assert truncate(truncate(str(address))) == truncate(str(address))


@given(ADDRESSES, ADDRESSES)
def test_hashes_are_equal_exactly_where_addresses_are(one: object, other: object) -> None:
    replace = hashing(b"key").replace
    assert (replace(str(one)) == replace(str(other))) == (one == other)
    assert str(one) not in replace(str(one))
    assert hashing(b"another").replace(str(one)) != replace(str(one))


@pytest.mark.parametrize("how", [truncating(), hashing(b"key")])
def test_both_addresses_of_an_event_are_replaced_and_nothing_else(how: Anonymiser) -> None:
    rows = [
        event(position=1, client_ip="203.0.113.7", peer_ip="10.0.0.9"),
        event(position=2, client_ip=None, peer_ip=None),
    ]
    found = how.events(events(rows))
    assert found.schema.equals(EVENT)
    expected = [
        rows[0] | {"client_ip": how.replace("203.0.113.7"), "peer_ip": how.replace("10.0.0.9")},
        rows[1],
    ]
    assert found.to_pylist() == events(expected).to_pylist()


def test_addresses_in_raw_rejected_lines_are_struck_out() -> None:
    raw = b"203.0.113.7 2001:db8::1 \xff GET /a.b"
    found = truncating().rejects(reject(raw))
    assert found.schema.equals(REJECT)
    said = found.column("raw")[0].as_py()
    assert b"203" not in said
    assert b"db8" not in said
    assert b"\xff GET " in said


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    key = key_of(tmp_path / "data")
    assert (len(key), key_of(tmp_path / "data")) == (32, key)
    assert (tmp_path / "data" / "anonymise.key").stat().st_mode & 0o077 == 0
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError):
        key_of(tmp_path / "file")
