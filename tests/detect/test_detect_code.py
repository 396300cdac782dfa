"""Calls put into a program, and code that people only write about."""

from __future__ import annotations

import pytest

from logvision.detect.verify import code


def strength(text: str) -> float:
    return max((piece.strength for piece in code.verify(text)), default=0.0)


@pytest.mark.parametrize(
    "text",
    [
        "';exit(md5('x1'));//",
        '".exit(md5("x1"));#',
        "a;exit(md5('x1'));#",
        ";exit(md5('x1'));//",
        "';print(md5(31337));$a='",
        "'+os.system('id')+'",
        '".gethostbyname(lc("a"."b.example")).“'.replace("“", '"'),
        "'.phpinfo().'",
    ],
)
def test_a_call_after_a_closed_quote_is_an_attack(text: str) -> None:
    assert strength(text) >= 0.5


@pytest.mark.parametrize(
    "text",
    [
        '"Hello " + name()',
        "foo.bar(x)",
        "it's (really) good",
        "array.map(x => x*2)",
        "O'Neil + Sons (UK)",
        "a; b(c)",
    ],
)
def test_code_that_opens_its_own_quotes_is_none(text: str) -> None:
    assert strength(text) < 0.5
