"""Where an address stands on the map and in the Internet: country, autonomous system, network name.

Offline: from the ranges that ship with the package, or from the operator's own MaxMind databases.
"""

from __future__ import annotations

import json
import mmap
import struct
import threading
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from logvision import columns
from logvision.enrich import address, tables
from logvision.enrich.kept import Kept
from logvision.errors import Problem, SetupError

if TYPE_CHECKING:
    import maxminddb

SHIPPED: Final = tables.FOLDER / "networks.npz"
"""The ranges that ship with the package; `build_data.py` makes the file and says its layout."""

LAYOUT: Final = 1

KEPT: Final = 65_536
"""Addresses whose answer is kept: a batch repeats few thousand, 5 million must not be kept."""

SYSTEMS_KEPT: Final = 8192
"""Systems whose name is kept: new addresses are mostly of networks that were met."""

PRIVATE: Final = "private"
"""Name of the network of an address that is nobody's on the Internet."""


class Attribution(NamedTuple):
    """What a page that shows the data must say, and where it must link to."""

    text: str
    url: str


_NRO: Final = Attribution("Registry statistics: NRO (CC BY 4.0)", "https://www.nro.net/")
_SHIPPED_ATTRIBUTIONS: Final = (
    Attribution("Network data: Route Views (CC BY 4.0)", "https://www.routeviews.org/routeviews/"),
    Attribution("IP to ASN Lite by DB-IP (CC BY 4.0)", "https://db-ip.com"),
    _NRO,
)


class Where(NamedTuple):
    """What is known of an address; null: unknown, or it is nobody's."""

    country: str | None
    asn: int | None
    network: str | None


class Networks:
    """Country and network of addresses, for any thread: the engine's, and those that explain lines."""

    def __init__(self, country: _Countries, systems: _Systems, attributions: tuple[Attribution, ...]) -> None:
        self._country = country
        self._systems = systems
        self._attributions = attributions
        self._kept = Kept(KEPT, self._look_up)
        self._lock = threading.Lock()  # the core asks and fills what is kept without the GIL

    @classmethod
    def open(
        cls, country_mmdb: Path | None = None, asn_mmdb: Path | None = None, shipped: Path = SHIPPED
    ) -> Networks:
        """The shipped data, each half replaced by a database of the operator's where one is given.

        Without the shipped file (a source tree that was never built) what it would answer is null.
        Raises SetupError with a problem per database that cannot be opened.
        """
        problems: list[Problem] = []
        own_country = _open_mmdb("country database", country_mmdb, problems)
        own_asn = _open_mmdb("asn database", asn_mmdb, problems)
        if problems:
            raise SetupError(problems)
        needs_shipped = own_country is None or own_asn is None
        ranges = _Shipped.load(shipped) if needs_shipped and shipped.exists() else None
        said: tuple[Attribution, ...] = _SHIPPED_ATTRIBUTIONS if ranges else ()
        if own_asn is not None:
            said = tuple(a for a in said if a is _NRO)
        return cls(
            _mmdb_countries(own_country) if own_country else ranges.countries if ranges else _no_countries,
            _mmdb_systems(own_asn) if own_asn else ranges.systems if ranges else _no_systems,
            said,
        )

    def attribution(self) -> list[Attribution]:
        """What a page that shows country or network must show."""
        return list(self._attributions)

    def find(self, addresses: Sequence[str | None]) -> list[Where]:
        """Answers for distinct addresses, in their order; nothing known where a text is not an address."""
        answers, codes = self.answers(pa.array(addresses, pa.string()).fill_null(""))
        return [answers[code] for code in codes.tolist()]

    def answers(self, addresses: pa.StringArray) -> tuple[list[Where], columns.Codes]:
        """The distinct answers for addresses (no null), and per address which one it has."""
        with self._lock:
            return self._kept.answers(addresses)

    def _look_up(self, texts: pa.StringArray) -> tuple[list[Where], columns.Codes]:
        query = _Query(texts, address.of(texts))
        countries, country = self._country(query)
        systems, system = self._systems(query)
        pairs = country.astype(np.int64) << 32 | system
        pairs[address.PRIVATE.find(query.numbers) >= 0] = -1
        kinds, codes = np.unique(pairs, return_inverse=True)
        found = [
            Where(None, None, PRIVATE) if pair < 0 else Where(countries[pair >> 32], *systems[pair & _LOW])
            for pair in kinds.tolist()
        ]
        return found, codes.astype(np.int32)


_LOW: Final = (1 << 32) - 1
_LINE_END: Final = 10


def add(events: pa.Table, networks: Networks) -> pa.Table:
    """Rows with `country`, `asn` and `network` of `client_ip` added; once per distinct address."""
    values, codes = columns.used(*columns.distinct(events, "client_ip"))
    found, of_value = networks.answers(values)
    codes = columns.through(of_value, codes)
    countries, asns, names = zip(*found, strict=True) if found else ((), (), ())
    return (
        events.append_column("country", columns.recode(pa.array(countries, pa.string()), codes))
        .append_column("asn", columns.spread(pa.array(asns, pa.uint32()), codes))
        .append_column("network", columns.recode(pa.array(names, pa.string()), codes))
    )


@dataclass(frozen=True, slots=True)
class _Query:
    """Distinct addresses as text and as numbers."""

    texts: pa.StringArray
    numbers: address.Addresses


_System = tuple[int | None, str | None]
_Countries = Callable[[_Query], tuple[Sequence[str | None], npt.NDArray[Any]]]
_Systems = Callable[[_Query], tuple[Sequence[_System], npt.NDArray[Any]]]
"""Answers, which may repeat, and per address which one it has."""


def _no_countries(query: _Query) -> tuple[Sequence[str | None], npt.NDArray[Any]]:
    return [None], np.zeros(len(query.texts), np.int64)


def _no_systems(query: _Query) -> tuple[Sequence[_System], npt.NDArray[Any]]:
    return [(None, None)], np.zeros(len(query.texts), np.int64)


class _Shipped:
    """The ranges of `networks.npz`: sorted starts that cover everything, a label each, 0 for none."""

    def __init__(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        self._arrays = arrays
        self._country_of = [text or None for text in _lines(arrays["countries"])]
        self._names = arrays["networks"]
        self._name_ends = np.append(np.flatnonzero(self._names == _LINE_END), len(self._names))
        self._system = lru_cache(SYSTEMS_KEPT)(self._named)

    @classmethod
    def load(cls, path: Path) -> _Shipped:
        arrays = _mapped(path)
        stamp = json.loads(_lines(arrays["stamp"])[0])
        if stamp["layout"] != LAYOUT:
            expected = f"layout {LAYOUT}: run build_data.py again"
            raise SetupError(Problem(str(path), f"layout {stamp['layout']}", expected))
        return cls(arrays)

    def countries(self, query: _Query) -> tuple[Sequence[str | None], npt.NDArray[Any]]:
        return self._country_of, self._labels("country", query.numbers)

    def systems(self, query: _Query) -> tuple[Sequence[_System], npt.NDArray[Any]]:
        labels, of_address = np.unique(self._labels("network", query.numbers), return_inverse=True)
        return [self._system(label) for label in labels.tolist()], of_address

    def _named(self, label: int) -> _System:
        begin = self._name_ends[label - 1] + 1 if label else 0
        text = self._names[begin : self._name_ends[label]].tobytes().decode()
        number, _, name = text.partition("\t")
        return (int(number), name or None) if number else (None, None)

    def _labels(self, kind: str, numbers: address.Addresses) -> npt.NDArray[np.uint32]:
        labels = np.zeros(numbers.size, np.uint32)
        upper = np.ascontiguousarray(numbers.v6).view(">u8").reshape(-1, 2)[:, 0].astype(np.uint64)
        for family, at, values in (("v4", numbers.v4_at, numbers.v4), ("v6", numbers.v6_at, upper)):
            slot = np.searchsorted(self._arrays[f"{kind}_{family}"], values, side="right") - 1
            labels[at] = self._arrays[f"{kind}_{family}_label"][slot]
        return labels


def _mapped(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The arrays of an uncompressed npz file, mapped: of 15 MB a scan looks at few, and processes share them.

    An array whose numbers stand at odd places is copied.
    """
    with path.open("rb") as file, zipfile.ZipFile(file) as archive:
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        members = archive.infolist()
    arrays: dict[str, npt.NDArray[Any]] = {}
    for member in members:
        name, extra = struct.unpack_from("<HH", content, member.header_offset + 26)
        content.seek(member.header_offset + 30 + name + extra)
        np.lib.format.read_magic(content)
        shape, _, kind = np.lib.format.read_array_header_1_0(content)
        array = np.frombuffer(content, kind, shape[0], content.tell())
        arrays[member.filename.removesuffix(".npy")] = np.require(array, requirements="A")
    return arrays


def _lines(raw: npt.NDArray[np.uint8]) -> list[str]:
    return raw.tobytes().decode("utf-8").split("\n")


def _open_mmdb(setting: str, path: Path | None, problems: list[Problem]) -> maxminddb.Reader | None:
    if path is None:
        return None
    import maxminddb  # noqa: PLC0415 - few have databases of their own

    try:
        return maxminddb.open_database(path)
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
        problems.append(Problem(setting, f"{path} ({error})", "a MaxMind database file (.mmdb)"))
        return None


def _records(reader: maxminddb.Reader, query: _Query) -> list[dict[str, Any]]:
    """The record of each address, empty where there is none. A call per address that is new."""
    out: list[dict[str, Any]] = []
    v6_too = reader.metadata().ip_version == 6
    for text, sound in zip(query.texts.to_pylist(), query.numbers.valid().tolist(), strict=True):
        record = reader.get(text) if sound and (v6_too or ":" not in text) else None
        out.append(record if isinstance(record, dict) else {})
    return out


def _mmdb_countries(reader: maxminddb.Reader) -> _Countries:
    """Countries from MaxMind's own layout, or the flat one of free databases."""

    def look_up(query: _Query) -> tuple[Sequence[str | None], npt.NDArray[Any]]:
        out: list[str | None] = []
        for record in _records(reader, query):
            country = record.get("country") or record.get("registered_country") or record.get("country_code")
            code = country.get("iso_code") if isinstance(country, dict) else country
            out.append(code if isinstance(code, str) and len(code) == 2 else None)
        return out, np.arange(len(out))

    return look_up


def _mmdb_systems(reader: maxminddb.Reader) -> _Systems:
    """Autonomous systems from MaxMind's own layout, or IPinfo's."""

    def look_up(query: _Query) -> tuple[Sequence[_System], npt.NDArray[Any]]:
        out: list[_System] = []
        for record in _records(reader, query):
            number = str(record.get("autonomous_system_number", record.get("asn", ""))).removeprefix("AS")
            name = record.get("autonomous_system_organization", record.get("as_name", record.get("name")))
            sound = number.isascii() and number.isdigit() and int(number) < 1 << 32
            out.append((int(number) if sound else None, name if isinstance(name, str) else None))
        return out, np.arange(len(out))

    return look_up
