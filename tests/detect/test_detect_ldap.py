"""LDAP filters and XPath: who leaves their place, and whole filters that pages send themselves."""

from __future__ import annotations

import pytest

from logvision.detect.verify import ldap


def strength(text: str) -> float:
    return max((piece.strength for piece in ldap.verify(text)), default=0.0)


@pytest.mark.parametrize(
    "text",
    [
        "admin)(|(password=*))",
        "*)(uid=*))(|(uid=*",
        "value)(gidNumber<=100",
        "*))\x00",
        "admin)(&)",
        ")(nosuchvalue=a))",
        "' or count(/*)=1 or 'a'='b",
        "x'] | //user/*[contains(*,'",
    ],
)
def test_a_value_that_closes_what_it_did_not_open_is_an_attack(text: str) -> None:
    assert strength(text) >= 0.7


@pytest.mark.parametrize(
    "text",
    [
        "(&(objectClass=person)(sn=Smith))",
        "f(x)(y=2)",
        "smile :)",
        "a) first b) second",
        "(a)(b)",
        "x" * 5000 + ")(",
    ],
)
def test_balanced_text_and_prose_are_none(text: str) -> None:
    assert strength(text) < 0.5
