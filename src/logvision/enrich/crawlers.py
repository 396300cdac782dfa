"""Is a crawler who it says it is: its address held against what the operators publish."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from logvision import columns
from logvision.enrich import address, tables
from logvision.enrich.client import presets_known


class Claim(StrEnum):
    """What the address says about the name."""

    VERIFIED = "verified"  # the operator's own addresses
    FAKE = "fake"  # certainly not: the operator publishes all of them
    UNKNOWN = "unknown"


_CLAIMS: Final = pa.array(list(Claim), pa.string())
_UNKNOWN: Final = list(Claim).index(Claim.UNKNOWN)
_OF_KIND: Final = {
    "published": list(Claim).index(Claim.VERIFIED),
    "sample": list(Claim).index(Claim.VERIFIED),
    "operator": _UNKNOWN,
}


class Crawlers:
    """The published addresses of crawlers (data/crawlers.tsv)."""

    def __init__(self) -> None:
        blocks: dict[str, list[tuple[str, int]]] = {}
        complete: set[str] = set()
        for bot, kind, block, _as_of in tables.rows("crawlers.tsv", 4):
            blocks.setdefault(bot, []).append((block, _OF_KIND[kind]))
            if kind == "published":
                complete.add(bot)
        self._ranges = {bot: address.Ranges.of(of_bot) for bot, of_bot in blocks.items()}
        self._outside = {
            bot: list(Claim).index(Claim.FAKE) if bot in complete else _UNKNOWN for bot in blocks
        }
        # Behind a proxy that is not trusted, or in a private network, the crawler's own address is lost.
        proxies = [block for of_set in presets_known().values() for block in of_set]
        self._hidden = address.Ranges.of((block, 0) for block in proxies)

    def claims(self, bots: pa.Array, client_ips: pa.Array) -> pa.DictionaryArray:
        """A `Claim` per pair of `EVENT.bot` (class:name) and `EVENT.client_ip`, text arrays of one length.

        Null where `bot` is null. Unknown for bots that are in no list, for rows without a public
        address and for the addresses of the large proxies. Cost is per distinct address.
        """
        pairs = pa.table({"bot": _text(bots), "client_ip": _text(client_ips)})
        names, bot_codes = columns.distinct(pairs, "bot")
        ips, ip_codes = columns.distinct(pairs, "client_ip")
        addresses = address.parse(ips.to_pylist())
        public = addresses.valid()
        for ranges in (address.PRIVATE, self._hidden):
            public &= ranges.find(addresses) < 0
        out = np.where(bot_codes < 0, -1, _UNKNOWN).astype(np.int32)
        # A loop over the bots that are listed: some thirty at most.
        for code, name in enumerate(names.to_pylist()):
            bot = name.partition(":")[2]
            if bot not in self._ranges:
                continue
            found = self._ranges[bot].find(addresses)
            verdict = np.where(found < 0, self._outside[bot], found)
            verdict = np.append(np.where(public, verdict, _UNKNOWN), _UNKNOWN)  # the last: no address
            rows = bot_codes == code
            out[rows] = verdict[ip_codes[rows]]
        return columns.text(_CLAIMS, out)


def _text(values: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    return values if pa.types.is_dictionary(values.type) else pc.dictionary_encode(values)
