from __future__ import annotations

import importlib.util
import ipaddress
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from logvision.enrich import network
from logvision.enrich.network import Networks, Where
from logvision.errors import SetupError


def build_data() -> ModuleType:
    path = Path(__file__).parents[2] / "build_data.py"
    spec = importlib.util.spec_from_file_location("build_data", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def numbers(first: str, last: str) -> str:
    return f"{int(ipaddress.ip_address(first))},{int(ipaddress.ip_address(last))}"


COUNTRY_V4 = (
    f"{numbers('5.0.0.0', '5.0.0.255')},DE\n{numbers('5.0.1.0', '5.0.1.255')},DE\n"
    f"{numbers('9.0.0.0', '9.0.0.9')},FR\n"
)
COUNTRY_V6 = f"{numbers('2a00:1::', '2a00:1:ffff:ffff:ffff:ffff:ffff:ffff')},SE\n"
NETWORK_V4 = (
    f'{numbers("5.0.0.0", "5.0.0.255")},64500,"Acme, Inc."\n{numbers("5.0.1.0", "5.0.1.255")},64501,\n'
)
NETWORK_V6 = f"{numbers('2a00:1::', '2a00:1:ffff:ffff:ffff:ffff:ffff:ffff')},64502,Nordic\n"


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    path = tmp_path / "networks.npz"
    build_data().write(
        path,
        {"layout": network.LAYOUT},
        (COUNTRY_V4.encode(), COUNTRY_V6.encode()),
        (NETWORK_V4.encode(), NETWORK_V6.encode()),
    )
    return path


def test_addresses_get_country_and_network_from_the_shipped_ranges(shipped: Path) -> None:
    asked = {
        "4.255.255.255": Where(None, None, None),
        "5.0.0.0": Where("DE", 64500, "Acme, Inc."),
        "5.0.0.255": Where("DE", 64500, "Acme, Inc."),
        "5.0.1.7": Where("DE", 64501, None),
        "5.0.2.0": Where(None, None, None),
        "9.0.0.9": Where("FR", None, None),
        "9.0.0.10": Where(None, None, None),
        "255.255.255.255": Where(None, None, "private"),
        "10.0.0.1": Where(None, None, "private"),
        "fd00::1": Where(None, None, "private"),
        "2a00:1::5": Where("SE", 64502, "Nordic"),
        "2a00:2::5": Where(None, None, None),
        "not an address": Where(None, None, None),
    }
    networks = Networks.open(shipped=shipped)
    assert dict(zip(asked, networks.find(list(asked)), strict=True)) == asked
    assert networks.find(list(asked)) == list(asked.values())


def test_the_shipped_ranges_are_read_where_they_lie_on_disk(shipped: Path) -> None:
    arrays = network._mapped(shipped)
    with np.load(shipped) as expected:
        assert set(arrays) == set(expected.files)
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, expected[name])
            assert not array.flags.owndata


def test_ranges_that_lie_at_odd_places_are_read_all_the_same(shipped: Path, tmp_path: Path) -> None:
    odd = tmp_path / "odd.npz"
    with np.load(shipped) as arrays:
        np.savez(odd, **{f"{name}": array for name, array in arrays.items()})
    asked = ["5.0.0.0", "9.0.0.9", "2a00:1::5", "2a00:2::5"]
    assert Networks.open(shipped=odd).find(asked) == Networks.open(shipped=shipped).find(asked)


def test_columns_are_added_to_the_rows(shipped: Path) -> None:
    ips = ["5.0.0.1", None, "10.0.0.1", "5.0.0.1", "9.0.0.1"]
    events = pa.table({"client_ip": pa.array(ips).dictionary_encode()})
    answer = network.add(events, Networks.open(shipped=shipped))
    assert answer.to_pydict() == {
        "client_ip": ips,
        "country": ["DE", None, None, "DE", "FR"],
        "asn": [64500, None, None, 64500, None],
        "network": ["Acme, Inc.", None, "private", "Acme, Inc.", None],
    }
    assert [f.type for f in answer.schema][1:] == [
        *(pa.dictionary(pa.int32(), pa.string()), pa.uint32(), pa.dictionary(pa.int32(), pa.string()))
    ]
    assert network.add(events.slice(0, 0), Networks.open(shipped=shipped)).num_rows == 0


def test_a_tree_that_was_never_built_knows_nothing_and_says_so(tmp_path: Path) -> None:
    networks = Networks.open(shipped=tmp_path / "networks.npz")
    assert networks.find(["5.0.0.1", "10.0.0.1"]) == [Where(None, None, None), Where(None, None, "private")]
    assert networks.attribution() == []


def test_a_file_of_another_layout_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "networks.npz"
    build_data().write(path, {"layout": 99}, (b"", b""), (b"", b""))
    with pytest.raises(SetupError, match=r"got layout 99; expected layout 1: run build_data\.py again"):
        Networks.open(shipped=path)


def test_a_flood_of_addresses_does_not_grow_the_memory(shipped: Path) -> None:
    networks = Networks.open(shipped=shipped)
    for start in range(0, 2 * network.KEPT, network.KEPT // 2):
        networks.find(
            [f"5.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(start, start + network.KEPT // 2)]
        )
        assert len(networks._kept) <= network.KEPT


def test_the_page_is_told_what_it_must_show(shipped: Path) -> None:
    assert [a.url for a in Networks.open(shipped=shipped).attribution()] == [
        *("https://www.routeviews.org/routeviews/", "https://db-ip.com", "https://www.nro.net/")
    ]


def test_an_operators_databases_replace_the_shipped_halves(tmp_path: Path, shipped: Path) -> None:
    country, asn = tmp_path / "country.mmdb", tmp_path / "asn.mmdb"
    write_mmdb(country, {"country": {"iso_code": "AT"}, "registered_country": {"iso_code": "CH"}})
    write_mmdb(asn, {"autonomous_system_number": 64511, "autonomous_system_organization": "Alpine"})
    both = Networks.open(country, asn, shipped)
    # The test databases hold 0.0.0.0/1 and are IPv4 only.
    assert both.find(["5.0.0.1", "200.1.1.1", "2a00:1::5", "10.0.0.1", "x"]) == [
        Where("AT", 64511, "Alpine"),
        Where(None, None, None),
        Where(None, None, None),
        Where(None, None, "private"),
        Where(None, None, None),
    ]
    assert both.attribution() == []
    assert Networks.open(country, None, shipped).find(["5.0.0.1"]) == [Where("AT", 64500, "Acme, Inc.")]
    half = Networks.open(None, asn, shipped)
    assert half.find(["5.0.0.1"]) == [Where("DE", 64511, "Alpine")]
    assert [a.url for a in half.attribution()] == ["https://www.nro.net/"]


@pytest.mark.parametrize(
    ("record", "answer"),
    [
        ({"country_code": "AT"}, Where("AT", None, None)),
        ({"country": "AT", "asn": "AS64511", "as_name": "Alpine"}, Where("AT", 64511, "Alpine")),
        ({"registered_country": {"iso_code": "CH"}}, Where("CH", None, None)),
        ({"country": {"names": "Austria"}, "asn": "none"}, Where(None, None, None)),
        ({"country_code": "Austria", "name": 7}, Where(None, None, None)),
    ],
)
def test_other_layouts_of_database_are_understood(
    tmp_path: Path, record: dict[str, Any], answer: Where
) -> None:
    path = tmp_path / "own.mmdb"
    write_mmdb(path, record)
    assert Networks.open(path, path, tmp_path / "none").find(["5.0.0.1"]) == [answer]


def test_every_database_that_cannot_be_opened_is_told_at_once(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mmdb"
    broken.write_bytes(b"not a database")
    with pytest.raises(SetupError) as error:
        Networks.open(tmp_path / "missing.mmdb", broken)
    assert [p.where for p in error.value.problems] == ["country database", "asn database"]
    assert [p.expected for p in error.value.problems] == ["a MaxMind database file (.mmdb)"] * 2


def write_mmdb(path: Path, record: dict[str, Any]) -> None:
    """A MaxMind database (format 2.0) with one network, 0.0.0.0/1, that has this record."""
    # One node of two 24-bit records: left points into the data section (node count + 16), right to nothing.
    tree = (1 + 16).to_bytes(3, "big") + (1).to_bytes(3, "big")
    metadata = {
        "binary_format_major_version": U16(2),
        "binary_format_minor_version": U16(0),
        "build_epoch": U64(1),
        "database_type": "test",
        "description": {"en": "test"},
        "ip_version": U16(4),
        "languages": ["en"],
        "node_count": 1,
        "record_size": U16(24),
    }
    path.write_bytes(tree + bytes(16) + encoded(record) + b"\xab\xcd\xefMaxMind.com" + encoded(metadata))


class U16(int):
    """An integer of the type that the metadata must have."""


class U64(int):
    """An integer of the type that the metadata must have."""


def encoded(value: Any) -> bytes:
    match value:
        case dict():
            return bytes([7 << 5 | len(value)]) + b"".join(encoded(k) + encoded(v) for k, v in value.items())
        case list():
            return bytes([len(value), 11 - 7]) + b"".join(map(encoded, value))
        case str():
            raw = value.encode()
            head = bytes([2 << 5 | len(raw)]) if len(raw) < 29 else bytes([2 << 5 | 29, len(raw) - 29])
            return head + raw
        case _:
            raw = int(value).to_bytes(8, "big").lstrip(b"\0")
            if isinstance(value, U64):
                return bytes([len(raw), 9 - 7]) + raw
            return bytes([(5 if isinstance(value, U16) else 6) << 5 | len(raw)]) + raw


def test_another_thread_waits_until_what_one_asked_for_is_kept() -> None:
    threads: list[threading.Thread] = []
    answers: list[Where] = []

    def countries(_: object) -> tuple[list[str], np.ndarray[Any, Any]]:
        if not threads:
            threads.append(threading.Thread(target=lambda: answers.extend(networks.find(["9.0.0.1"]))))
            threads[0].start()
            threads[0].join(0.05)
            assert threads[0].is_alive()
        return ["DE"], np.zeros(1, np.int64)

    networks = Networks(countries, lambda _: ([(1, "Acme")], np.zeros(1, np.int64)), ())

    assert networks.find(["5.0.0.1"]) == [Where("DE", 1, "Acme")]
    threads[0].join()
    assert answers == [Where("DE", 1, "Acme")]
