"""The filter language: what it means, and that no text of it ever becomes SQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from event_tables import NOON, event, events
from logvision.lake.queries.filter import Clause, Filter, FilterError, Term, Test, clause, parse_filter
from logvision.lake.queries.question import Question, question

WORDS = st.text(max_size=40) | st.sampled_from(
    [
        "status:404",
        "-bot:search*",
        "path:*",
        'q"',
        '"',
        "a:b",
        "-",
        "status:4xx",
        "asn:>=1",
        "client:10.0.0.0/8",
    ]
)


def term(text: str) -> Term:
    (only,) = parse_filter(text).terms
    return only


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("status:404", Term("status", Test.EQUAL, 404)),
        ("status:4xx", Term("status", Test.CLASS, 4)),
        ("status:>=500", Term("status", Test.AT_LEAST, 500)),
        ("score:>0.5", Term("score", Test.ABOVE, 0.5)),
        ("path:/admin*", Term("path", Test.STARTS, "/admin")),
        ("path:*.php", Term("path", Test.ENDS, ".php")),
        ("path:*admin*", Term("path", Test.CONTAINS, "admin")),
        ('path:"/a *b"', Term("path", Test.EQUAL, "/a *b")),
        ('ua:"say \\"hi\\" \\\\"', Term("user_agent", Test.EQUAL, 'say "hi" \\')),
        ("attack:*", Term("attack", Test.PRESENT)),
        ("referer:-", Term("referer", Test.ABSENT)),
        ('referer:"-"', Term("referer", Test.EQUAL, "-")),
        ("country:cn", Term("country", Test.EQUAL, "CN")),
        ("-bot:search*", Term("bot", Test.STARTS, "search", negated=True)),
        ("client:203.0.113.7", Term("client_ip", Test.EQUAL, "203.0.113.7")),
        ("client:203.0.113.0/24", Term("client_ip", Test.STARTS, "203.0.113.")),
        ("client:2001:db8::1", Term("client_ip", Test.EQUAL, "2001:db8::1")),
        ("union", Term("target", Test.CONTAINS, "union")),
        ('-"or 1=1"', Term("target", Test.CONTAINS, "or 1=1", negated=True)),
    ],
)
def test_a_term_means(text: str, meant: Term) -> None:
    assert term(text) == meant


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("colour:red", "unknown field 'colour'"),
        ("status:abc", "status needs a number"),
        ("status:", "nothing stands after 'status'"),
        ('path:"/a', "a quotation mark is not closed"),
        ("client:10.0.0.0/13", "IPv4 one of /8, /16 or /24"),
        ("client:x/24", "'x/24' is not a network"),
        ("a\0b", "no log line can hold"),
        ("x" * 2001, "longer than 2000 characters"),
        ("x " * 51, "more than 50 terms"),
        ("status:1e400", "status needs a number"),
        ("status:²", "status needs a number"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(FilterError, match=sentence.replace("(", "\\(")):
        parse_filter(text)


@given(st.lists(WORDS, max_size=8).map(" ".join))
@example('path:"\'; drop table x; --"')
def test_any_text_is_a_filter_or_a_clean_error_and_never_sql(text: str) -> None:
    try:
        found = parse_filter(text)
    except FilterError:
        return
    made = clause(found)
    # Only what this module itself wrote may stand in the SQL: no literal, no text of the filter.
    allowed = set("abcdefghijklmnopqrstuvwxyz_\"()?,|='<> /%") | set("1")
    assert set(made.sql.replace("// 100", "")) <= allowed
    assert made.sql.count("?") == len(made.parameters)
    assert "'" not in made.sql.replace("' '", "")


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(["/a?x=1", "/b", "/a b", "/%27", "/é"]), min_size=1), WORDS)
def test_every_filter_runs(targets: list[str], text: str) -> None:
    try:
        made = clause(parse_filter(text))
    except FilterError:
        return
    with duckdb.connect() as connection:
        connection.register("hot", events([event(target=t, position=i + 1) for i, t in enumerate(targets)]))
        connection.execute(f"select count(*) from hot where {made.sql}", list(made.parameters)).fetchall()  # noqa: S608


ROWS = [
    event(position=1, target="/a?x=1", status=404, bot="search:Bot", rules="sqli-1 xss-2", attack="sqli"),
    event(position=2, target="/admin/b", status=500, country="CN", method="POST", bytes=None),
    event(position=3, target="/c%20union", status=200, client_ip="203.0.113.7", asn=64496),
    event(position=4, target="/d", status=None, referer="https://a.example/", site="blog.example", score=0.9),
]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [1, 2, 3, 4]),
        ("status:404", [1]),
        ("status:404 status:500", [1, 2]),
        ("status:>=400 status:<500", [1]),
        ("-status:404", [2, 3, 4]),  # what has no status is not 404 either
        ("status:-", [4]),
        ("status:*", [1, 2, 3]),
        ("-bot:search*", [2, 3, 4]),
        ("path:/admin* status:5xx", [2]),
        ("path:/a", [1]),
        ("target:/a?x=1", [1]),
        ("a?x", [1]),
        ("x=1", [1]),
        ("UNION", []),
        ("union", [3]),
        ("rule:xss-2", [1]),
        ("rule:xss", []),
        ("rule:xss*", [1]),
        ("rule:*-1", [1]),
        ("client:203.0.113.0/24", [3]),
        ("country:cn method:post", [2]),
        ("attack:*", [1]),
        ("-attack:*", [2, 3, 4]),
        ("score:>0.5", [4]),
        ("asn:64496", [3]),
        ("path:*", [1, 2, 3, 4]),
    ],
)
def test_a_filter_finds(text: str, found: list[int]) -> None:
    made = clause(parse_filter(text))
    with duckdb.connect() as connection:
        connection.register("hot", events(ROWS))
        sql = f"select position from hot where {made.sql} order by 1"  # noqa: S608
        assert [p for (p,) in connection.execute(sql, list(made.parameters)).fetchall()] == found


def test_no_filter_is_true() -> None:
    assert clause(Filter()) == Clause("true")


NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "meant"),
    [
        (None, None, Question()),
        ("now-15m", "now", Question(NOW - timedelta(minutes=15), NOW)),
        ("now-7d", None, Question(NOW - timedelta(days=7))),
        ("2026-01-31T12:00:00Z", None, Question(datetime(2026, 1, 31, 12, tzinfo=UTC))),
        ("2026-01-31T12:00:00+02:00", None, Question(datetime(2026, 1, 31, 10, tzinfo=UTC))),
        (None, "2026-01-31", Question(end=datetime(2026, 1, 31, tzinfo=UTC))),
    ],
)
def test_a_time_range_means(start: str | None, end: str | None, meant: Question) -> None:
    assert question(start, end, None, None, now=NOW) == meant


def test_an_hour_ago_and_longer_begins_with_its_minute() -> None:
    now = NOW + timedelta(seconds=59, microseconds=7)
    assert question("now-1h", "now", None, None, now=now) == Question(NOW - timedelta(hours=1), now)
    assert question("now-59m", None, None, None, now=now) == Question(now - timedelta(minutes=59))


@pytest.mark.parametrize("text", ["yesterday", "now-", "now-1y", "now-1000000000d", "0000-00-00", "now+1h"])
def test_what_is_no_time_is_said(text: str) -> None:
    with pytest.raises(FilterError, match="is not a time such as"):
        question(text, None, None, None, now=NOW)


def test_a_range_must_not_end_before_it_begins() -> None:
    with pytest.raises(FilterError, match="ends before it begins"):
        question("now", "now-1h", None, None, now=NOON)
