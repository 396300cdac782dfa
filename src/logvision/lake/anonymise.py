"""Anonymisation of client addresses before anything is kept.

The engine applies it to judged events before they are folded, shown or committed, so neither the
lake nor rollups, incidents or the page ever hold a whole address. Country and network were looked up
before. `truncate` keeps the /24 of IPv4 and the /48 of IPv6; `hash` replaces the address by a keyed
BLAKE2 digest, the same for the same address as long as the key is the same.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from logvision import columns
from logvision.errors import Problem, SetupError

ADDRESSES: Final = ("client_ip", "peer_ip")
HASHED: Final = "anon-"  # what a hashed address begins with: nothing can take it for an address

_ADDRESS_LIKE: Final = "[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]*[0-9A-Fa-f]"
"""In a raw rejected line: takes times and versions too, for what is not an address is no loss there."""


@dataclass(frozen=True, slots=True)
class Anonymiser:
    """One way to make addresses unrecognisable: `replace` on each distinct address."""

    replace: Callable[[str], str]

    def events(self, events: pa.Table) -> pa.Table:
        """The same events with addresses replaced. Cost is per distinct address."""
        for name in ADDRESSES:
            values, codes = columns.distinct(events, name)
            used = np.unique(codes[codes >= 0])
            texts: list[str | None] = [None] * len(values)
            for code in used.tolist():  # once per distinct address of the batch
                texts[code] = self.replace(values[code].as_py())
            made = columns.recode(pa.array(texts, pa.string()), codes)
            events = events.set_column(events.column_names.index(name), events.schema.field(name), made)
        return events

    def rejects(self, rejects: pa.Table) -> pa.Table:
        """The same rejects with everything like an address struck out of the raw lines."""
        struck = pc.replace_substring_regex(rejects.column("raw"), pattern=_ADDRESS_LIKE, replacement="*")
        return rejects.set_column(rejects.column_names.index("raw"), rejects.schema.field("raw"), struck)


def truncating() -> Anonymiser:
    """Keeps the network: 203.0.113.7 becomes 203.0.113.0, 2001:db8:1:2::3 becomes 2001:db8:1::."""
    return Anonymiser(truncate)


def hashing(key: bytes) -> Anonymiser:
    """Keeps only that two requests came from one address."""

    def replace(address: str) -> str:
        return HASHED + hashlib.blake2b(address.encode(), key=key, digest_size=8).hexdigest()

    return Anonymiser(replace)


def truncate(address: str) -> str:
    """The network of an address; what is no address becomes `*`."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "*"
    prefix = 24 if found.version == 4 else 48
    return str(ipaddress.ip_network((found, prefix), strict=False).network_address)


def key_of(folder: Path) -> bytes:
    """The key of a data folder, made at first use and readable by its owner alone.

    Raises SetupError when it can be neither read nor made.
    """
    path = folder / "anonymise.key"
    try:
        if not path.exists() or not path.stat().st_size:
            folder.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_bytes(secrets.token_bytes(32))
        return path.read_bytes()
    except OSError as error:
        raise SetupError(Problem(str(path), error.strerror or str(error), "a readable key")) from error
