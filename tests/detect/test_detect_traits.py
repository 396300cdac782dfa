"""What a value is made of, and whether it looks like one that breaks out of its place."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logvision.detect.traits import (
    CODE,
    FIRST_LENGTH,
    KINDS,
    READ,
    TRAITS,
    breaks_out,
    leaves_text,
    longest,
    named,
    traits,
    traits_of,
)


def test_every_byte_is_of_exactly_one_kind() -> None:
    assert sorted(byte for _, members in KINDS for byte in members) == list(range(256))


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        (b"", []),
        (b"42", ["digits"]),
        (b"O'Brien", ["letters", "quotes"]),
        (b"a[1] = b;", ["letters", "digits", "blanks", "square brackets", "equals signs", "semicolons"]),
        ("zażółć".encode(), ["letters", "other scripts"]),
    ],
)
def test_the_kinds_of_characters_are_named(value: bytes, kinds: list[str]) -> None:
    assert named(traits(value)) == kinds


@settings(suppress_health_check=[HealthCheck.data_too_large])  # long values are what this is about
@given(
    st.lists(st.one_of(st.binary(max_size=40), st.binary(min_size=READ - 2, max_size=READ + 2)), max_size=9)
)
def test_many_values_have_the_traits_that_each_has(values: list[bytes]) -> None:
    assert traits_of(values).tolist() == [traits(value) for value in values]


@pytest.mark.parametrize("value", [b"f(x) == y", b"<b class='x'>", b'rate(a{b="c"}[5m])', b"a[0];"])
def test_marks_of_several_kinds_are_code(value: bytes) -> None:
    assert traits(value) & CODE


@pytest.mark.parametrize("value", [b"", b"O'Brien", b"a=b=c", b"red (large)", b"1,2,3", b"x@y.example"])
def test_a_mark_of_one_kind_is_no_code(value: bytes) -> None:
    assert not traits(value) & CODE


@given(st.binary(max_size=6000))
def test_any_bytes_have_one_length_and_no_bit_beyond_the_last(value: bytes) -> None:
    bits = traits(value)
    assert bits < 1 << TRAITS
    assert (bits >> FIRST_LENGTH).bit_count() == 1
    assert longest(bits) >= 0
    assert breaks_out(value) in (True, False)


@pytest.mark.parametrize(
    "value",
    [
        b"1' or 1=1",
        b"' or 'a'='a",
        b"x') union select 1",
        b"1;-- ",
        b";cat /etc/passwd",
        b"|id",
        b"a(b",
        b"1 or 1=1#",
    ],
)
def test_what_closes_separates_or_comments_out_breaks_out(value: bytes) -> None:
    assert breaks_out(value)


@pytest.mark.parametrize(
    "value",
    [
        b"select * from users where id = 1",
        b"contains(Name,'milk') and Price lt 3",
        b'rate(http_requests_total{job="x"}[5m])',
        b'"exact phrase"',
        b"if (x) { return y[0]; }",
    ],
)
def test_whole_pieces_of_code_do_not_break_out(value: bytes) -> None:
    assert not breaks_out(value)


def test_a_word_in_back_quotes_is_code_that_somebody_looks_for() -> None:
    assert not leaves_text(b"`date`")
    assert leaves_text(b"`date")
    assert leaves_text(b"`cat /etc/passwd`")
