"""Payloads built to break the readers themselves: whatever comes, an answer, and soon."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logvision.detect import Detector
from logvision.detect.carrier import PARAMETERS, weights
from logvision.detect.units import Kind
from logvision.detect.verify import ldap, markup, sql, verify
from logvision.detect.verify.given import HEAD, TAIL
from logvision.detect.verify.sql_tokens import TOKENS, tokens

MARKS = st.sampled_from(
    [
        "'",
        '"',
        "`",
        "(",
        ")",
        "<",
        ">",
        "{",
        "}",
        "[",
        "]",
        "$",
        "%",
        "\\",
        "/*",
        "*/",
        "--",
        "#",
        "$$",
        "::",
        "->",
        "@",
        "|",
        "&",
        ";",
        "=",
        "+",
        "\x00",
        "\xa0",
        "\xe2\x80\x99",
        "select ",
        "union ",
        "or ",
        "1",
        "x",
        "%25",
        "&#x27;",
        "\n",
    ]
)
SOUP = st.lists(MARKS, max_size=60).map("".join)
KINDS = st.sampled_from([Kind.PATH, Kind.NAME, Kind.VALUE, Kind.AGENT, Kind.REFERER, Kind.URL])


@given(st.one_of(st.binary(max_size=300), SOUP.map(lambda text: text.encode("latin-1"))), KINDS)
def test_any_bytes_are_read_in_any_place(text: bytes, kind: Kind) -> None:
    for piece in verify(text, kind):
        assert 0 <= piece.strength <= 1


@given(SOUP, st.sampled_from(["", "'", '"', "`", "$$", "*/"]))
def test_tokens_come_to_an_end(text: str, quote: str) -> None:
    assert len(tokens(text, quote)) <= min(len(text), TOKENS) * 2 + 1


@given(st.binary(max_size=200))
def test_the_parameters_of_any_bytes_are_weighed(target: bytes) -> None:
    assert all(weight >= 1 for weight in weights(target).values())


def test_of_endless_parameters_the_first_are_looked_at() -> None:
    assert len(weights(b"/?" + b"&".join(b"id=%d" % n for n in range(10_000)))) == PARAMETERS


@pytest.mark.parametrize(
    "piece",
    [
        "(",
        "'",
        '"',
        "\\'",
        "`",
        "<",
        "<a ",
        "<a x=",
        "(SELECT ",
        "((1",
        "1 and ",
        "union ",
        "' or ",
        "/*",
        "--\n",
        "$$",
        "::int",
        "->",
        "{fn ",
        "{a ",
        "\xe2\x80\x99",
        "u n i o n ",
        "%a%b",
        "un<>ion ",
        "*)(",
        "/a::b(",
        "a'b\"",
        "case when ",
        "on=",
        "\x01",
        "\x00",
    ],
)
def test_the_longest_text_of_one_piece_costs_milliseconds(piece: str) -> None:
    text = (piece * (HEAD + TAIL))[: HEAD + TAIL]
    began = time.process_time()
    for reader in (sql.verify, markup.verify, ldap.verify):
        reader(text)
    assert time.process_time() - began < 0.2  # ordinarily 2 ms; exponential would be never


def test_a_megabyte_in_a_parameter_is_judged_by_its_ends(detector: Detector) -> None:
    filler = "a" * 1_000_000
    targets = [f"/?id={filler}'%20or%201=1--%20", f"/?id=1'%20or%201=1--%20{filler}", f"/?id={filler}"]
    attacks = detector.judge(targets, [None] * 3, [None] * 3, ["GET"] * 3).column("attack").to_pylist()
    assert attacks[2] is None
    assert attacks[0] is not None or attacks[1] is not None
