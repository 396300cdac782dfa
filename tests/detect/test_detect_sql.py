"""SQL in every place a value can stand in, and text that only looks like it."""

from __future__ import annotations

import pytest

from logvision.detect.verify import sql
from logvision.detect.verify.sql_tokens import tokens


def strength(text: str) -> float:
    return max((piece.strength for piece in sql.verify(text)), default=0.0)


@pytest.mark.parametrize(
    "text",
    [
        "1` WHERE 2647=2647 AND MAKE_SET(1946=1946,2434)-- oADM",
        "1$$ AND 5091=5091#",
        "1*/ OR NOT 7936=7936#",
        '1"="1" AND ELT(1551=6881,6881) AND "1"="1',
        "(8621=8621)*2935",
        "2/1 or 345=345",
        "x\xe2\x80\x99 or \xe2\x80\x981\xe2\x80\x99=\xe2\x80\x991",
        "1' and unistr(password)::bool--",
        'OR \'{"b":2}\'::jsonb <@ \'{"a":1, "b":2}\'::jsonb',
        "1 uni on sel ect 1,2,3 from users",
        "1 UNIunionON SELselectECT 1,2",
        "0 unmasterion semasterlect top 1 a,b frmasterom c",
        "1 a<>nd 1=2 un<>ion sel<>ect 1,2,3#",
        "1#x\nunion#y\nselect 1,2",
        "9 or {if length((select username from user where id=1))>0}",
        "SET @c = CONCAT(b'01010011',b'01100101');PREPARE s FROM @c;EXECUTE s;",
        "'+or+round(pi(),1)+true = version()",
        "\\' or 1=1 -- ",
        "group by userid having 1=1--",
        "'),NULL) waitfor delay '0:0:20' /*",
        "7') A ND 6746 I N (SE LE CT (CH AR(113)+C HAR(112)",
        "x O R DER B Y 3941-- ab",
        "x/*!0AND 5424=3286",
        "x'/*!0UNION/*!0ALL/*!0SELECT 1,2",
        "x AND EXTRACTVALUE 1.e(4040 1.e,CONCAT 1.e(0x5c 1.e,user 1.e) 1.e)",
        "x ORDER BY 9-- ab",
        "'or(glob 1)--",
    ],
)
def test_sql_is_read_wherever_it_stands(text: str) -> None:
    assert strength(text) >= 0.5


@pytest.mark.parametrize(
    "text",
    [
        "O'Brien and Sons",
        "rock 'n' roll or blues",
        "how to use `or` in ruby",
        "if(A1=1, 2, 3)",
        "sum(rate(http_requests_total[5m])) by (job) > 10",
        "SELECT name FROM customers ORDER BY name",
        "a <-> b or c -> d",
        "C# or F#",
        "the union select committee",
        "men's and women's shoes = 50% off",
        "src/a nd src/b, in order by name",
        "a typo: o r, b y, an d, the n",
        "orders by 3 - see note",
    ],
)
def test_text_that_only_looks_like_sql_is_no_proof(text: str) -> None:
    assert strength(text) < 0.5


def test_tokens_are_one_letter_each_in_every_place() -> None:
    assert tokens("1 and 2=2") == "1&1=1"
    assert tokens("x' or 'a'='a", "'") == "s&s=s"
    assert tokens("x*/ or 1=1#", "*/") == "s&1=1c"
    assert tokens("1::int ->> 'a'") == "1=s"
    assert tokens("{fn sleep(3)}") == "(T(1))"
