"""Synthetic addresses: drawn at random inside large, well-spread public networks; they mean nobody.

Host parts are random numbers. The networks are chosen so that a country map shows many countries;
nothing here was taken from a log. Documentation ranges (RFC 5737) have no country and serve only
where a test wants a reserved address.
"""

# ruff: noqa: E501 (tables of networks)

from __future__ import annotations

import ipaddress

import numpy as np
import polars as pl

# First two bytes of access networks, grouped by the country that they are mostly used in, with its weight.
ACCESS: tuple[tuple[float, tuple[str, ...]], ...] = (
    (
        22,
        ("73.162", "98.207", "68.45", "71.197", "24.18", "76.121", "107.77", "174.203", "47.144", "99.24"),
    ),  # US
    (11, ("113.88", "117.136", "183.17", "222.95", "114.222", "123.113", "39.144", "27.38")),  # CN
    (9, ("84.157", "91.38", "79.210", "93.223", "87.122", "46.114")),  # DE
    (8, ("106.51", "49.36", "117.198", "223.187", "103.252", "157.45")),  # IN
    (6, ("86.150", "81.108", "2.98", "90.195", "82.43")),  # GB
    (6, ("177.32", "189.61", "187.20", "179.218", "191.180")),  # BR
    (5, ("90.24", "82.64", "78.192", "109.12")),  # FR
    (5, ("126.75", "133.201", "118.106", "60.94")),  # JP
    (4, ("95.24", "178.140", "46.188", "5.228")),  # RU
    (3, ("70.48", "99.234", "24.114")),  # CA
    (3, ("121.134", "175.194", "211.36")),  # KR
    (2.5, ("79.42", "93.34", "151.46")),  # IT
    (2.5, ("83.45", "88.7", "95.17")),  # ES
    (2.5, ("84.104", "77.162")),  # NL
    (2.5, ("83.7", "89.64", "178.36")),  # PL
    (2, ("1.145", "101.174", "49.180")),  # AU
    (2, ("187.190", "189.203", "201.141")),  # MX
    (2, ("36.68", "114.124", "180.244")),  # ID
    (1.5, ("88.230", "78.180", "176.88")),  # TR
    (1.5, ("1.54", "113.161", "171.224")),  # VN
    (1.5, ("81.231", "78.70")),  # SE
    (1.5, ("41.13", "105.224")),  # ZA
    (1, ("181.46", "190.191")),  # AR
    (1, ("41.190", "105.112")),  # NG
    (1, ("41.33", "156.193")),  # EG
    (1, ("49.145", "112.198")),  # PH
    (1, ("171.97", "49.228")),  # TH
    (1, ("178.197", "85.3")),  # CH
    (1, ("77.119", "84.112")),  # AT
    (1, ("46.118", "93.75")),  # UA
    (1, ("188.24", "86.124")),  # RO
    (1, ("81.241", "84.192")),  # BE
    (1, ("81.99", "85.240")),  # PT
    (0.8, ("176.58", "79.129")),  # GR
    (0.8, ("5.29", "79.177")),  # IL
    (0.8, ("51.36", "94.98")),  # SA
    (0.8, ("186.29", "181.51")),  # CO
    (0.8, ("190.160", "186.79")),  # CL
    (0.8, ("91.155", "84.248")),  # FI
    (0.8, ("80.213", "84.210")),  # NO
    (0.8, ("80.162", "87.49")),  # DK
    (0.8, ("89.176", "90.176")),  # CZ
    (0.8, ("84.0", "94.21")),  # HU
    (0.8, ("111.250", "36.226")),  # TW
    (0.8, ("218.250", "112.118")),  # HK
    (0.8, ("116.86", "121.7")),  # SG
    (0.8, ("175.136", "60.49")),  # MY
    (0.6, ("39.37", "119.155")),  # PK
    (0.6, ("103.108", "37.111")),  # BD
    (0.6, ("41.81", "105.163")),  # KE
    (0.6, ("197.26", "41.230")),  # TN, north Africa
    (0.5, ("122.56", "118.92")),  # NZ
    (0.5, ("86.40", "89.100")),  # IE
    (0.5, ("190.233", "181.64")),  # PE
    (0.5, ("2.176", "5.112")),  # IR
    (0.5, ("94.203", "86.98")),  # AE
)
ACCESS_V6 = (
    "2601:646", "2600:1700", "2607:fb90", "2003:e5", "2a02:8109", "2a01:e0a", "2a00:23c4", "2409:4040", "2409:8a28",
    "240e:3a1", "2804:14c", "2400:4051", "2a02:a210", "2a02:2f0a", "2001:b07", "2405:201", "2a00:1370", "2806:2f0",
)  # fmt: skip
HOSTING = (
    "45.95", "80.94", "91.240", "103.145", "146.70", "159.89", "167.99", "178.128", "185.196", "193.32", "195.178",
    "141.98", "5.188", "77.83", "92.118", "139.59", "206.189", "161.35", "47.236", "43.134", "8.219", "121.36", "34.79",
    "20.115", "3.86", "198.199", "104.248", "51.158", "176.65", "196.251",
)  # fmt: skip
"""First two bytes of networks where rented machines stand: where attacks mostly come from."""


def clients(rng: np.random.Generator, count: int, share_v6: float = 0.22) -> pl.Series:
    """Addresses of visitors in canonical text, distinct but for chance; `share_v6` of them IPv6."""
    networks = [(prefix, weight / len(prefixes)) for weight, prefixes in ACCESS for prefix in prefixes]
    until = np.cumsum([weight for _, weight in networks])
    place = np.searchsorted(until / until[-1], rng.random(count))
    low = rng.integers(0, 1 << 16, count)
    four = pl.DataFrame(
        {"network": pl.Series([n for n, _ in networks]).gather(place), "a": low >> 8, "b": low & 255}
    )
    # No group is 0000, so the text without leading zeros is the canonical one (RFC 5952).
    groups = pl.Series([f"{number:x}" for number in range(1 << 16)])
    six = pl.DataFrame(
        {
            "network": pl.Series(ACCESS_V6).gather(rng.integers(0, len(ACCESS_V6), count)),
            **{str(n): groups.gather(rng.integers(1, 1 << 16, count)) for n in range(6)},
        }
    )
    texts = pl.concat(
        [
            four.select(text=pl.concat_str("network", "a", "b", separator="."))["text"],
            six.select(text=pl.concat_str(pl.all(), separator=":"))["text"],
        ]
    )
    return texts.gather(np.arange(count) + np.where(rng.random(count) < share_v6, count, 0))


def inside(rng: np.random.Generator, network: str, count: int) -> list[str]:
    """Random host addresses of one network in CIDR form, IPv4."""
    net = ipaddress.IPv4Network(network)
    first, size = int(net.network_address), net.num_addresses
    return [str(ipaddress.IPv4Address(first + int(n))) for n in rng.integers(1, max(2, size - 1), count)]


def attacker(rng: np.random.Generator) -> str:
    """One rented machine."""
    prefix = HOSTING[int(rng.integers(len(HOSTING)))]
    return f"{prefix}.{int(rng.integers(1, 255))}.{int(rng.integers(1, 255))}"


def attackers_everywhere(rng: np.random.Generator, count: int) -> list[str]:
    """Machines over many networks: rented ones and captured home connections."""
    homes = clients(rng, count, share_v6=0.0).to_list()
    return [attacker(rng) if rng.random() < 0.3 else home for home in homes]


def neighbours(rng: np.random.Generator, count: int) -> tuple[str, list[str]]:
    """A /24 of rented machines and distinct addresses in it (at most 254)."""
    prefix = ".".join(attacker(rng).split(".")[:3])
    hosts = rng.permutation(np.arange(1, 255))[:count]
    return f"{prefix}.0/24", [f"{prefix}.{int(host)}" for host in hosts]
