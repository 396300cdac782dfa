from __future__ import annotations

import pyarrow as pa
import pytest

from logvision.enrich import tables
from logvision.enrich.crawlers import Crawlers


@pytest.mark.parametrize(
    ("bot", "client_ip", "claim"),
    [
        ("search:Googlebot", "66.249.66.1", "verified"),
        ("search:Googlebot", "2001:4860:4801:10::1", "verified"),
        ("search:Googlebot", "66.102.9.1", "unknown"),  # Google's, but not a crawler's
        ("search:Googlebot", "45.33.32.156", "fake"),
        ("search:Googlebot", "10.1.2.3", "unknown"),  # the address was lost before the log
        ("search:Googlebot", "104.16.0.1", "unknown"),  # a proxy's
        ("search:Googlebot", None, "unknown"),
        ("search:Googlebot", "not an address", "unknown"),
        ("search:Bingbot", "157.55.39.7", "verified"),
        ("search:Bingbot", "45.33.32.156", "fake"),
        ("search:Applebot", "17.241.219.5", "verified"),
        ("search:YandexBot", "5.255.253.1", "verified"),
        ("ai:GPTBot", "20.171.206.9", "verified"),
        ("ai:GPTBot", "45.33.32.156", "unknown"),  # its list changes from week to week
        ("social:facebookexternalhit", "45.33.32.156", "unknown"),  # telephones say so as well
        ("tool:curl", "45.33.32.156", "unknown"),
        (None, "45.33.32.156", None),
    ],
)
def test_a_claim_is_held_against_what_the_operator_publishes(
    bot: str | None, client_ip: str | None, claim: str | None
) -> None:
    answer = CRAWLERS.claims(pa.array([bot], pa.string()), pa.array([client_ip], pa.string()))
    assert answer.to_pylist() == [claim]


def test_claims_are_given_per_row_of_dictionary_columns() -> None:
    bots = pa.array(["search:Googlebot", None, "search:Bingbot", "search:Googlebot"]).dictionary_encode()
    ips = pa.array(["66.249.66.1", "66.249.66.1", "66.249.66.1", "8.8.4.4"]).dictionary_encode()
    answer = CRAWLERS.claims(bots, ips)
    assert answer.to_pylist() == ["verified", None, "fake", "fake"]
    assert CRAWLERS.claims(bots.slice(0, 0), ips.slice(0, 0)).to_pylist() == []


def test_every_listed_crawler_has_its_name_from_the_table_of_bots() -> None:
    named = {name for _, name, _ in tables.rows("bots.tsv", 3)}
    assert {bot for bot, *_ in tables.rows("crawlers.tsv", 4)} - named == set()


CRAWLERS = Crawlers()
