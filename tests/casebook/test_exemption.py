"""What an exception speaks of, and what it refuses to be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from logvision.errors import SetupError
from logvision.exemption import Exemption, shape_of

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def made(**scope: Any) -> Exemption:
    return Exemption.made(author="ann", reason="known", created=NOON, **scope)


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        (b"O'Brien 42", "a'a 0"),
        (b"", ""),
        (b"rate(x_total[5m])", "a(a_a[0a])"),
        (b"a  \t b", "a a"),
        ("żÓŁĆ 1".encode(), "~ 0"),
        (b"''--", "''--"),
    ],
)
def test_the_shape_of_a_value_keeps_its_marks_and_forgets_its_words(value: bytes, shape: str) -> None:
    assert shape_of(value) == shape


def test_the_shape_of_a_huge_value_is_bounded() -> None:
    assert len(shape_of(b"'" * 1_000_000)) == 256


def test_everything_given_must_hold_together() -> None:
    narrow = made(rule="verify.sql", route="/s", parameter="q", shape="a'a", site="a", network="192.0.2.0/24")
    assert narrow.about("verify.sql")
    assert not narrow.about("verify.shell")
    assert narrow.is_at("a", "/s", "192.0.2.7")
    for elsewhere in (("b", "/s"), (None, "/s"), ("a", "/x"), ("a", None)):
        assert not narrow.is_at(*elsewhere, "192.0.2.7")
    assert not narrow.is_at("a", "/s", "198.51.100.1")
    assert not narrow.is_at("a", "/s", "a1b2c3")
    assert narrow.covers("q", b"O'Brien")
    assert not narrow.covers("q", b"O''Brien")
    assert not narrow.covers("p", b"O'Brien")
    assert not narrow.covers(None, b"")


def test_what_names_no_parameter_covers_requests_as_a_whole() -> None:
    assert made(rule="model").covers(None, b"")
    assert not made(rule="model", parameter="*").covers(None, b"")


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("sqli-*", "sqli-union-select", True),
        ("sqli-*", "xss-script", False),
        ("*", "", True),
        ("a*a", "a", False),
        ("a*b*c", "a-b-c", True),
        ("a*b*c", "a-c-b", False),
        ("[ab]*", "a", False),
        ("/item/{int}", "/item/{int}", True),
    ],
)
def test_a_star_stands_for_anything_and_nothing_else_does(pattern: str, text: str, fits: bool) -> None:
    assert made(rule=pattern).about(text) is fits


def test_it_holds_until_it_expires_or_is_ended() -> None:
    week = made(rule="model", expires=NOON + timedelta(days=7))
    assert week.holds(NOON + timedelta(days=6))
    assert not week.holds(NOON + timedelta(days=7))
    assert made(rule="model").holds(NOON + timedelta(days=9999))


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(SetupError) as error:
        Exemption.made(author=" ", reason="", created=NOON, expires=NOON, network="home")
    assert [problem.where for problem in error.value.problems] == [
        *("author", "reason", "exception", "expires", "network"),
    ]


def test_an_address_is_a_network_of_one() -> None:
    assert made(rule="model", network="192.0.2.9").network == "192.0.2.9/32"
    assert made(rule="model", network="192.0.2.9/24").network == "192.0.2.0/24"


def test_its_document_gives_it_back() -> None:
    one = made(rule="model", expires=NOON + timedelta(days=7))
    assert Exemption.from_dict(one.to_dict() | {"later_version": 1}) == one
