"""Where an address stands on the map and in the Internet: country, autonomous system, network name.

Offline: from the ranges that ship with the package, or from the operator's own MaxMind databases.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import maxminddb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from logvision import columns
from logvision.enrich import address, tables
from logvision.errors import Problem, SetupError

SHIPPED: Final = tables.FOLDER / "networks.npz"
"""The ranges that ship with the package; `build_data.py` makes the file and says its layout."""

LAYOUT: Final = 1

MMDB_KEPT: Final = 65_536
"""Addresses whose MaxMind answer is kept: a batch repeats few thousand, 5 million must not be kept."""

_T = TypeVar("_T")

PRIVATE: Final = "private"
"""Name of the network of an address that is nobody's on the Internet."""


class Attribution(NamedTuple):
    """What a page that shows the data must say, and where it must link to."""

    text: str
    url: str


_SHIPPED_ATTRIBUTIONS: Final = (
    Attribution("Network data: Route Views (CC BY 4.0)", "https://www.routeviews.org/routeviews/"),
    Attribution("IP to ASN Lite by DB-IP (CC BY 4.0)", "https://db-ip.com"),
    Attribution("Registry statistics: NRO (CC BY 4.0)", "https://www.nro.net/"),
)


@dataclass(frozen=True, slots=True)
class _Found:
    """Answers per distinct address."""

    country: pa.DictionaryArray
    asn: pa.UInt32Array
    network: pa.DictionaryArray


class Networks:
    """Country and network of addresses. Shared by batches; may be used by one thread at a time."""

    def __init__(
        self,
        country: Callable[[_Query], pa.DictionaryArray],
        network: Callable[[_Query], tuple[pa.UInt32Array, pa.DictionaryArray]],
        attributions: tuple[Attribution, ...],
    ) -> None:
        self._country = country
        self._network = network
        self._attributions = attributions

    @classmethod
    def open(cls, country_mmdb: Path | None = None, asn_mmdb: Path | None = None) -> Networks:
        """The shipped data, each half replaced by a database of the operator's where one is given.

        Without the shipped file (a source tree that was never built) what it would answer is null.
        Raises SetupError with a problem per database that cannot be opened or is of another kind.
        """
        problems: list[Problem] = []
        readers: dict[str, maxminddb.Reader | None] = {}
        for setting, path in (("country database", country_mmdb), ("asn database", asn_mmdb)):
            readers[setting] = None
            if path is None:
                continue
            try:
                readers[setting] = maxminddb.open_database(path)
            except (OSError, maxminddb.InvalidDatabaseError) as error:
                problems.append(Problem(setting, f"{path} ({error})", "a MaxMind database file (.mmdb)"))
        if problems:
            raise SetupError(problems)
        shipped = None
        if SHIPPED.exists() and (country_mmdb is None or asn_mmdb is None):
            shipped = _Shipped.load(SHIPPED)
        own_country, own_asn = readers["country database"], readers["asn database"]
        country = _MmdbCountry(own_country) if own_country else shipped.country if shipped else _no_country
        network = _MmdbNetwork(own_asn) if own_asn else shipped.network if shipped else _no_network
        said: tuple[Attribution, ...] = ()
        if shipped:
            said += _SHIPPED_ATTRIBUTIONS if own_asn is None else _SHIPPED_ATTRIBUTIONS[-1:]
        return cls(country, network, said)

    def attribution(self) -> list[Attribution]:
        """What a page that shows country or network must show."""
        return list(self._attributions)

    def find(self, addresses: pa.StringArray) -> _Found:
        """Answers for a column of distinct addresses; null where an address is null or not one."""
        query = _Query(addresses, address.parse(addresses))
        private = address.PRIVATE.find(query.numbers) >= 0
        asn, network = self._network(query)
        country = self._country(query)
        if private.any():
            at = pa.array(private)
            nothing = pa.scalar(None, pa.string())
            country = pc.if_else(at, nothing, country.cast(pa.string())).dictionary_encode()
            asn = pc.if_else(at, pa.scalar(None, pa.uint32()), asn)
            network = pc.if_else(at, pa.scalar(PRIVATE), network.cast(pa.string())).dictionary_encode()
        return _Found(country, asn, network)


def add(events: pa.Table, networks: Networks) -> pa.Table:
    """Rows with `country`, `asn` and `network` of `client_ip` added; once per distinct address."""
    values, codes = columns.distinct(events, "client_ip")
    found = networks.find(values)
    return (
        events.append_column("country", columns.recode(found.country, codes))
        .append_column("asn", columns.spread(found.asn, codes))
        .append_column("network", columns.recode(found.network, codes))
    )


@dataclass(frozen=True, slots=True)
class _Query:
    """Distinct addresses as text and as numbers."""

    texts: pa.StringArray
    numbers: address.Addresses


def _no_country(query: _Query) -> pa.DictionaryArray:
    return columns.constant(None, query.numbers.size)


def _no_network(query: _Query) -> tuple[pa.UInt32Array, pa.DictionaryArray]:
    return pa.nulls(query.numbers.size, pa.uint32()), columns.constant(None, query.numbers.size)


class _Shipped:
    """The ranges of `networks.npz`: sorted starts that cover everything, a label each, 0 for none."""

    def __init__(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        self._arrays = arrays
        self._countries = pa.array(_lines(arrays["countries"]), pa.string())
        both = [line.partition("\t") for line in _lines(arrays["networks"])]
        self._asns = np.array([int(number or 0) for number, _, _ in both], np.uint32)
        # Several systems may carry one name: a name is one dictionary entry.
        names = pa.array([name for _, _, name in both], pa.string()).dictionary_encode()
        self._names = names.dictionary
        self._name_of = names.indices.to_numpy().astype(np.int32)

    @classmethod
    def load(cls, path: Path) -> _Shipped:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        stamp = json.loads(_lines(arrays["stamp"])[0])
        if stamp["layout"] != LAYOUT:
            expected = f"layout {LAYOUT}: run build_data.py again"
            raise SetupError(Problem(str(path), f"layout {stamp['layout']}", expected))
        return cls(arrays)

    def country(self, query: _Query) -> pa.DictionaryArray:
        labels = self._labels("country", query.numbers)
        return columns.text(self._countries, np.where(labels == 0, -1, labels).astype(np.int32))

    def network(self, query: _Query) -> tuple[pa.UInt32Array, pa.DictionaryArray]:
        labels = self._labels("network", query.numbers)
        none = labels == 0
        asn = pa.array(self._asns[labels], pa.uint32(), mask=none)
        used, codes = np.unique(np.where(none, -1, self._name_of[labels]), return_inverse=True)
        names = self._names.take(pa.array(used[used >= 0]))
        return asn, columns.text(names, (codes - int((used < 0).any())).astype(np.int32))

    def _labels(self, kind: str, numbers: address.Addresses) -> npt.NDArray[np.uint32]:
        labels = np.zeros(numbers.size, np.uint32)
        upper = np.ascontiguousarray(numbers.v6).view(">u8").reshape(-1, 2)[:, 0].astype(np.uint64)
        for family, at, values in (("v4", numbers.v4_at, numbers.v4), ("v6", numbers.v6_at, upper)):
            slot = np.searchsorted(self._arrays[f"{kind}_{family}"], values, side="right") - 1
            labels[at] = self._arrays[f"{kind}_{family}_label"][slot]
        return labels


def _lines(raw: npt.NDArray[np.uint8]) -> list[str]:
    return raw.tobytes().decode("utf-8").split("\n")


class _MmdbCountry:
    """Countries from a MaxMind database: its own layout, or the flat one of free databases."""

    def __init__(self, reader: maxminddb.Reader) -> None:
        def look_up(text: str) -> str | None:
            record = reader.get(text)
            if not isinstance(record, dict):
                return None
            country = record.get("country") or record.get("registered_country") or record.get("country_code")
            code = country.get("iso_code") if isinstance(country, dict) else country
            return code if isinstance(code, str) and len(code) == 2 else None

        self._look_up = lru_cache(MMDB_KEPT)(look_up)

    def __call__(self, query: _Query) -> pa.DictionaryArray:
        return pa.array(_each(query, self._look_up), pa.string()).dictionary_encode()


class _MmdbNetwork:
    """Autonomous systems from a MaxMind database, in its own layout or IPinfo's."""

    def __init__(self, reader: maxminddb.Reader) -> None:
        def look_up(text: str) -> tuple[int | None, str | None]:
            record = reader.get(text)
            if not isinstance(record, dict):
                return None, None
            number = record.get("autonomous_system_number", record.get("asn"))
            name = record.get("autonomous_system_organization", record.get("as_name", record.get("name")))
            digits = str(number).removeprefix("AS")
            sound = digits.isascii() and digits.isdigit() and int(digits) < 1 << 32
            return int(digits) if sound else None, name if isinstance(name, str) else None

        self._look_up = lru_cache(MMDB_KEPT)(look_up)

    def __call__(self, query: _Query) -> tuple[pa.UInt32Array, pa.DictionaryArray]:
        found = _each(query, self._look_up)
        asn = pa.array([pair and pair[0] for pair in found], pa.uint32())
        return asn, pa.array([pair and pair[1] for pair in found], pa.string()).dictionary_encode()


def _each(query: _Query, look_up: Callable[[str], _T]) -> list[_T | None]:
    """An answer per address; null where it is not one. A call per distinct address, most from memory."""
    valid = query.numbers.valid().tolist()
    return [look_up(t) if ok else None for t, ok in zip(query.texts.to_pylist(), valid, strict=True)]
