"""The real client: who asked, when trusted proxies stand between the client and the server.

Anyone can send X-Forwarded-For, so it is read from right to left and only as far as the addresses
that wrote it are trusted: the same rule as nginx's `real_ip_recursive` and Apache's mod_remoteip.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from logvision import columns
from logvision.enrich import address, tables
from logvision.errors import Problem, SetupError

if TYPE_CHECKING:
    import polars as pl

FORWARDED_READ: Final = 2048
"""Characters of a forwarded text that are read, from its right end: about 40 hops. The rest is the far end
of a chain that nobody has, or an attack on this code."""


class TrustedProxies:
    """The addresses whose X-Forwarded-For is believed."""

    def __init__(self, networks: Sequence[str] = (), presets: Sequence[str] = ()) -> None:
        """Addresses or CIDR blocks, and names of published sets (`presets()`), "private" among them.

        Raises SetupError with one problem per block or name that cannot be used.
        """
        known = presets_known()
        problems = [
            Problem("trusted proxies", repr(name), f"one of {', '.join(sorted(known))}")
            for name in presets
            if name not in known
        ]
        blocks = [block for name in presets for block in known.get(name, ())]
        for block in networks:
            try:
                address.Ranges.of([(block, 0)])
            except ValueError:
                problems.append(
                    Problem(
                        "trusted proxies",
                        repr(block),
                        "an address or block, like 10.0.0.0/8 or 2001:db8::/32",
                    )
                )
            else:
                blocks.append(block)
        if problems:
            raise SetupError(problems)
        self.empty = not blocks
        self._ranges = address.Ranges.of((block, 0) for block in blocks)

    def trusts(self, addresses: address.Addresses) -> npt.NDArray[np.bool_]:
        """Per address: is it a trusted proxy's. False where it is not an address."""
        return self._ranges.find(addresses) >= 0


def presets_known() -> dict[str, list[str]]:
    """The published sets by name: CIDR blocks of the large content delivery networks, and "private"."""
    known: dict[str, list[str]] = {}
    for name, block, _as_of in tables.rows("proxies.tsv", 3):
        known.setdefault(name, []).append(block)
    return known


def resolve(events: pa.Table, proxies: TrustedProxies) -> pa.Table:
    """PARSED rows with `client_ip` added and `forwarded` taken out; rows and order stay.

    `client_ip` is `peer_ip` unless the peer is a trusted proxy. Then the forwarded list is walked from
    its right end past trusted addresses to the first that is not trusted. Where the walk meets
    something that is no address (`unknown`, an obfuscated name, garbage), it ends at the address before:
    what stands further left was not written by anyone trusted. Work is done once per distinct pair of
    peer and list.
    """
    at = events.schema.get_field_index("forwarded")
    forwarded = events.column("forwarded")
    rest = events.remove_column(at)
    if proxies.empty or forwarded.null_count == len(forwarded):
        return rest.append_column("client_ip", rest.column("peer_ip"))

    peers, peer_codes = columns.distinct(events, "peer_ip")
    lists, list_codes = columns.distinct(events, "forwarded")
    trusted_peer = np.append(
        proxies.trusts(address.parse(peers.to_pylist())), False
    )  # the last answers code -1
    asks = (list_codes >= 0) & trusted_peer[peer_codes]
    if not asks.any():
        return rest.append_column("client_ip", rest.column("peer_ip"))

    pairs, pair_of_row = np.unique(
        peer_codes[asks].astype(np.int64) * len(lists) + list_codes[asks], return_inverse=True
    )
    pair_list, list_of_pair = np.unique(pairs % len(lists), return_inverse=True)
    client_of_list = _walk(lists.take(pa.array(pair_list)), proxies)
    clients, by_peer = client_of_list.take(pa.array(list_of_pair)), peers.take(pa.array(pairs // len(lists)))
    both = pa.concat_arrays([peers, pc.coalesce(clients, by_peer)])
    codes = peer_codes.copy()
    codes[asks] = (pair_of_row + len(peers)).astype(np.int32)
    return rest.append_column("client_ip", columns.recode(both, codes))


def _walk(lists: pa.StringArray, proxies: TrustedProxies) -> pa.StringArray:
    """Per forwarded list of a trusted peer the client that it names; null: it names none."""
    # Most lists are one IPv4 address: trusted or not, there is nothing left of it.
    single = address.parse(lists.to_pylist())
    plain = np.zeros(len(lists), np.bool_)
    plain[single.v4_at] = True
    plain &= ~pc.match_substring(lists, ":").to_numpy(zero_copy_only=False).astype(np.bool_)
    if plain.all():
        return lists
    walked = _walk_hops(lists.filter(pa.array(~plain)), proxies)
    return pc.replace_with_mask(lists, pa.array(~plain), walked)


def _walk_hops(lists: pa.StringArray, proxies: TrustedProxies) -> pa.StringArray:
    """`_walk` for lists of any form."""
    import polars as pl  # noqa: PLC0415 - 60 MB that most logs do not need

    text = pl.Series("text", pl.from_arrow(lists), dtype=pl.String)
    cut = text.str.len_chars() > FORWARDED_READ
    text = text.str.tail(FORWARDED_READ)
    # A cut may fall inside an address and make another address of it: drop what stands before the comma.
    text = pl.select(pl.when(cut).then(text.str.replace(r"^[^,]*", "")).otherwise(text)).to_series()
    hops = (
        pl.DataFrame({"list": np.arange(len(lists)), "hop": text.str.split(",")})
        .explode("hop")
        .with_columns(hop=pl.col("hop").str.strip_chars())
        .filter(pl.col("hop") != "")
    )
    addresses = address.parse(_node(hops["hop"]).to_list())
    chain = hops.select(
        "list",
        address=pl.Series(pl.from_arrow(addresses.texts()), dtype=pl.String),
        trusted=pl.Series(proxies.trusts(addresses)),
    ).reverse()
    client = (
        chain.filter(pl.col("address").is_null().cum_sum().over("list") == 0)
        .with_columns(stop=(~pl.col("trusted")).cum_sum().over("list"))
        # Every trusted hop, and the first that is not: the last of these is the client.
        .filter((pl.col("stop") == 0) | ((pl.col("stop") == 1) & ~pl.col("trusted")))
        .group_by("list")
        .agg(pl.col("address").last())
    )
    answer = pl.DataFrame({"list": np.arange(len(lists))}).join(
        client, on="list", how="left", maintain_order="left"
    )
    return answer["address"].to_arrow().cast(pa.string())


def _node(hops: pl.Series) -> pl.Series:
    """The address text inside one hop: plain, with a port, in brackets, or RFC 7239's `for="…";proto=…`."""
    import polars as pl  # noqa: PLC0415

    return pl.select(
        pl.when(hops.str.contains("="))
        .then(hops.str.extract(r'(?i)(?:^|;)\s*for\s*=\s*"?([^";,]*)', 1))
        .otherwise(hops.str.strip_chars('"'))
        .str.strip_chars()
        .str.replace(r"^\[([^\]%]*)(?:%[^\]]*)?\](?::[0-9]{1,5})?$", "$1")
        .str.replace(r"^([0-9.]+):[0-9]{1,5}$", "$1")
        .str.to_lowercase()
    ).to_series()
