"""A filter that names clients chooses their incidents."""

from __future__ import annotations

import pytest

from logvision.app.concerning import concerns
from logvision.lake.queries import parse_filter

CASES = {
    "one": {"actor": "ip:198.51.100.7", "members": []},
    "other": {"actor": "ip:203.0.113.9", "members": []},
    "campaign": {"actor": "agent:abc", "members": ["ip:198.51.100.7", "ip:192.0.2.1"]},
    "network": {"actor": "net:203.0.113.0/24", "members": []},
    "site": {"actor": "site:shop.example", "members": []},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", set(CASES)),
        ("status:404 path:/admin*", set(CASES)),
        ("client:198.51.100.7", {"one", "campaign"}),
        ("client:203.0.113.9", {"other", "network"}),
        ("client:198.51.100.7 client:203.0.113.9", {"one", "other", "campaign", "network"}),
        ("client:203.0.113.0/24", {"other", "network"}),
        ("client:198.51.*", {"one", "campaign"}),
        ("client:*.9", {"other"}),
        ("client:*0.2.*", {"campaign"}),
        ("-client:198.51.100.7", {"other", "campaign", "network", "site"}),
        ("client:*", {"one", "other", "campaign", "network"}),
        ("client:-", {"site"}),
        ('client:"not an address"', set()),
    ],
)
def test_incidents_are_those_of_the_clients_that_a_filter_names(text: str, expected: set[str]) -> None:
    assert {name for name, case in CASES.items() if concerns(parse_filter(text), case)} == expected
