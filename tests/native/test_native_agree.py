"""The native core gives what the pure paths give, whatever bytes it is fed."""

from __future__ import annotations

import struct
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_tables import event, events
from examples import examples
from logvision import columns, native
from logvision.detect import canonical, decoding, lessons, network
from logvision.detect.asked import Reading
from logvision.detect.classifier import Classifier, scorable
from logvision.detect.detector import MODEL_FILE
from logvision.detect.pieces import Pieces
from logvision.detect.profiles import Profiles
from logvision.detect.quiet import Quiet
from logvision.detect.split import split
from logvision.detect.texts import joined
from logvision.detect.units import Owners
from logvision.detect.verify import sql_tokens
from logvision.formats import columnar, fields, vectors
from logvision.formats.catalogue import ORDER
from logvision.formats.lines import trimmed
from logvision.formats.readings import Part
from logvision.formats.wrappers import peel, suspects
from logvision.lake import storage
from logvision.sources.lines import _after_newlines
from logvision.windows import visitors
from native_paths import without_core

texts = st.lists(
    st.one_of(st.sampled_from([b"", b"-", b"GET / HTTP/1.1"]), st.binary(max_size=40)), max_size=60
)
CLIENTS = ("192.0.2.1", "198.51.100.7", "2001:db8::1", "2001:db8:0:1::2")
CLF = b"10/Oct/2000:13:55:36 -0700"
LINES = (
    b'203.0.113.9 - - [10/Oct/2000:13:55:36 -0700] "GET /a?b=1 HTTP/1.0" 200 23 "-" "curl/8"',
    b'example.com:80 203.0.113.9 - frank [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 404 - "/" "a" 0.01',
    b'203.0.113.9 - - [10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.0" 200 23',
    b"2023-05-02 17:42:15 203.0.113.7 GET /a.aspx id=1&b=?2 200 Mozilla/5.0+(X11) 46",
)


@st.composite
def spoiled(draw: st.DrawFn, whole: bytes) -> bytes:
    """The text with up to two places replaced, removed or added to."""
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(whole)))
        whole = whole[:at] + draw(st.binary(max_size=2)) + whole[at + draw(st.integers(0, 2)) :]
    return whole


def slices(values: list[bytes]) -> vectors.Slices:
    return vectors.of_array(pa.array(values, pa.binary()))


def same(call: Any, *arguments: Any) -> None:
    """The core and the pure path answer alike."""
    found = call(*arguments)
    with without_core():
        expected = call(*arguments)
    for one, other in zip(found, expected, strict=True):
        if isinstance(one, pa.Array):
            assert one.equals(other)
        else:
            np.testing.assert_array_equal(one, other)


def test_the_core_is_in_use_here() -> None:
    """Every other test here would say nothing without it."""
    assert native.STATE == "in use"


@settings(deadline=None)  # the first call of many things
@given(texts)
def test_distinct_values_and_codes(values: list[bytes]) -> None:
    same(vectors.encode, slices(values))


@given(texts)
def test_values_are_distinct_in_order_of_appearance(values: list[bytes]) -> None:
    found, codes = vectors.encode(slices(values))

    assert found.to_pylist() == list(dict.fromkeys(values))
    assert [found[code].as_py() for code in codes.tolist()] == values


def test_many_distinct_values_outgrow_the_first_table() -> None:
    values = [b"/%d" % (n % 40_000) for n in range(100_000)]

    found, codes = vectors.encode(slices(values))

    assert found.to_pylist() == values[:40_000]
    assert codes.tolist() == [n % 40_000 for n in range(100_000)]


@given(st.lists(st.one_of(spoiled(CLF), st.binary(max_size=30)), min_size=1, max_size=30))
def test_times(values: list[bytes]) -> None:
    def known(lines: vectors.Slices) -> tuple[Any, ...]:
        found, good = vectors.clf_times(lines)
        return found[good], good

    same(known, slices(values))


@given(st.lists(spoiled(CLF), min_size=1, max_size=20))
def test_a_time_is_what_the_exact_reader_says(values: list[bytes]) -> None:
    found, good = vectors.clf_times(slices(values))

    for value, number, fine in zip(values, found.tolist(), good.tolist(), strict=True):
        if fine:
            assert number == fields.time(value)


_EDGES = st.sampled_from(
    [b"", b"\n", b"\r\n", b"\r", b"#", b" ", b"\0", b"\xef\xbb\xbf", b"a", b"0123456789"]
)


@given(st.lists(st.lists(_EDGES, max_size=5).map(b"".join), min_size=1, max_size=20))
def test_trimmed_lines_and_those_to_be_looked_at(values: list[bytes]) -> None:
    lines = slices([*values, b"whole\n"])
    for one, other in zip(native.lines.trimmed(*lines, 8), trimmed(*lines, 8), strict=True):
        np.testing.assert_array_equal(one, other)


@given(st.lists(st.sampled_from([b"", b"a", b"0123456789" * 5]), max_size=60).map(b"\n".join))
def test_ends_of_lines(given: bytes) -> None:
    same(lambda: (_after_newlines(np.frombuffer(given, np.uint8)),))


_WRAPPED = (
    b'{"log":"GET\\n","stream":"stdout","time":"2024-01-01T00:00:00Z"}',
    b"<34>Oct 11 22:14:15 host nginx: GET /",
    b"Oct 11 22:14:15 host nginx: GET /",
    b"2024-01-01T00:00:00.0Z stdout F GET /",
    b"web-1  | GET /",
    *(b"x" * size + b" | GET /" for size in (61, 62, 63, 64)),
    b"[pod/web-0/nginx] GET /",
)


@given(st.lists(st.one_of(*(spoiled(one) for one in _WRAPPED)).filter(len), min_size=1, max_size=10))
def test_a_wrapped_line_is_suspected(values: list[bytes]) -> None:
    wrapped = {row for row, line in enumerate(values) if peel(line) is not None}

    assert wrapped <= set(suspects(slices(values)).tolist())
    with without_core():
        assert wrapped <= set(suspects(slices(values)).tolist())


@given(st.lists(st.one_of(st.integers(0, 10**20).map(lambda n: b"%d" % n), st.binary(max_size=4))))
def test_integers(values: list[bytes]) -> None:
    def known(lines: vectors.Slices) -> tuple[Any, ...]:
        found, has, good = vectors.integers(lines)
        return found[has], has, good

    same(known, slices(values))


@given(st.lists(spoiled(b"GET /a?b=c HTTP/1.1"), min_size=1, max_size=30))
def test_request_lines(values: list[bytes]) -> None:
    found = vectors.requests(slices(values))

    expected = [fields.request(value) for value in values]
    for column, at in ((found.method, 0), (found.target, 1), (found.protocol, 2)):
        distinct, codes = column
        got = [None if code < 0 else distinct[code].as_py() for code in codes.tolist()]
        assert got == [one[at] for one in expected]


@given(texts)
def test_first_places(values: list[bytes]) -> None:
    buffer, starts, ends = slices(values)
    same(lambda: (vectors.first(buffer, 63, starts, ends),))


FORMS = [
    *rb"% %2 %25 %2525 %u0041 %uff1c %ud800 %c0%af %26lt; + ; a 41 # /* */ /*!50000 /**/".split(),
    *rb"\ \" \x41 \u00e9 \u & &# &#60; &#x3c &#x110000; &lt; &NewLine;".split(),
    *(b"\n", b"\xc0\xaf", b"\xef\xbc\x9c", b"\xe2\x88\x95", b"\xca\xbc", b"\xcd\xbe", b"\xfc", "😀".encode()),
]
encoded = st.lists(st.one_of(st.sampled_from(FORMS), st.binary(max_size=4)), max_size=12).map(b"".join)


@examples(400)
@given(st.lists(encoded, max_size=8), st.booleans())
def test_canonical_forms_are_those_of_the_exact_reading(values: list[bytes], query: bool) -> None:
    found = canonical.canonicalise(pa.array(values, pa.binary()), query=query)

    assert found.to_pylist() == [canonical.canonical_text(value, query=query) for value in values]
    assert found.to_pylist() == [decoding.decode_text(value, query=query) for value in values]


@given(st.lists(encoded, max_size=8), st.booleans())
def test_plus_and_percent_alone_are_decoded_alike(values: list[bytes], query: bool) -> None:
    given_values = pa.array(values, pa.binary())
    same(lambda: (canonical.canonicalise(given_values, query=query, deep=False),))


@given(texts)
def test_joined_texts(values: list[bytes]) -> None:
    same(joined, pa.array(values, pa.binary()))


ADDRESSES = [
    *rb"/ ? & = a b=1 // http:// HTTPS://h.x/ javascript:// data: ftp: %2F%2F %26 %3D .. . # + []".split(),
    *rb"n=1&n=2 n[]=1&n[]=2 ; ;a=b &amp; &#60; &lt [1] QWxhZGRpbjpvcGVuIHNlc2FtZQ== xxxxxxxxxxxxxxxx".split(),
    *(
        b"u=http%3A%2F%2Fx%2Fp%3Fq%3D1",
        b"u=http://x/p?u=http%3A%2F%2Fy%2Fp%3Fu%3D%252F%252Fz%252F%253Fk%253Dv",
    ),
    *(b"\xc3\xa9", b"\xff", b" ", b"/*x*/", b"%u002f", b"/a?b=<script>&c=1", b"/x/../etc/passwd", b"/?q=a'b"),
    *(b"\\", b"%00", b"%0b", b'{"a":1}', b'?j=%7b%0a"a":"b<c"}', b'?j=+[[],"x y"]', b"?q={{7*7}}"),
]
addresses = st.lists(st.one_of(st.sampled_from(ADDRESSES), st.binary(max_size=2)), max_size=12).map(b"".join)


@examples(400)
@given(st.lists(addresses, max_size=8), st.lists(addresses.map(b"/?".__add__), max_size=8))
def test_units_their_marks_and_their_scores(targets: list[bytes], referers: list[bytes]) -> None:
    model = Classifier.open(MODEL_FILE)

    def scored() -> list[list[tuple[Any, ...]]]:
        """Kind, text, marked and score of every unit, and what units each owner has."""
        units = split(
            Owners(pa.array(targets, pa.binary()), pa.array([], pa.string()), pa.array(referers, pa.binary()))
        )
        scores = model.score(units)
        texts = list(zip(units.kind.tolist(), units.texts.to_pylist(), strict=True))
        found = dict(zip(scores.units.tolist(), scores.scores.round(3).tolist(), strict=True))
        marked = set(scorable(units).tolist())
        each = [(*text, number in marked, found.get(number, 0.0)) for number, text in enumerate(texts)]
        uses = [(o, *texts[u]) for o, u in zip(units.owner.tolist(), units.unit.tolist(), strict=True)]
        return [sorted(each), sorted(uses)]

    each, uses = scored()
    with without_core():
        other_each, other_uses = scored()

    assert uses == other_uses
    assert [one[:3] for one in each] == [one[:3] for one in other_each]
    np.testing.assert_allclose([one[3] for one in each], [one[3] for one in other_each], atol=2e-3)


SQL = [
    *("'", '"', "`", "$$", "*/", "#", "--", "/*", "\n", "0x1f", "1e5", ".5", "²", "¼", "é", "\xa0", "or1"),
    *(
        "and22",
        "sleep(",
        "sleep ( if(",
        "polygon(a",
        "polygon((1",
        "x'",
        "N'",
        "::int",
        "@@",
        "@a",
        "@>",
        "<@",
    ),
    *("@@ ", "?|", "&&", "||", "!", "<=>", "!=", "->>", "#>", "86UNION", "1or", "1order", "3unionall", "a#b"),
    *(
        "b#¼",
        "replace(",
        "mod (",
        "insert",
        "\\",
        "\\'",
        ".",
        "{fn a1(",
        "{`x`1",
        "{ d 1",
        "}",
        "{",
        "CONCAT(",
    ),
    *("select", "\0", "\x0b", "(", ")", ",", ";"),
]
sql = st.lists(
    st.one_of(st.sampled_from(SQL), st.text(st.characters(max_codepoint=255), max_size=3)), max_size=14
)


@examples(600)
@given(sql.map("".join), st.sampled_from(["", "'", '"', "`", "$$", "*/"]))
def test_sql_is_cut_into_the_same_tokens(text: str, quote: str) -> None:
    found = sql_tokens.tokens(text, quote)
    with without_core():
        expected = sql_tokens.tokens(text, quote)

    assert found == expected


@pytest.mark.parametrize(
    "word", sorted(sql_tokens.WORDS | dict.fromkeys(sql_tokens.FUNCTIONS | sql_tokens.ATTACK_FUNCTIONS))
)
def test_every_word_of_sql_is_known_to_the_core(word: str) -> None:
    for text in (word, f"{word.upper()}(", f"{word}(1", f"{word}(a", f"{word}x", word[:-1]):
        found = sql_tokens.tokens(text)
        with without_core():
            assert found == sql_tokens.tokens(text)


def test_no_more_tokens_are_read_than_show_an_injection() -> None:
    text = "or1 " * (sql_tokens.TOKENS + 5)
    found = sql_tokens.tokens(text)
    with without_core():
        assert found == sql_tokens.tokens(text) == "&1" * sql_tokens.TOKENS


def rows_of(part: Part) -> list[dict[str, Any]]:
    """A part as its rows: the order of distinct values is of no account."""
    columns: dict[str, list[Any]] = {"row": part.rows.tolist()}
    for name, (values, codes) in part.text.items():
        columns[name] = [None if code < 0 else values[code].as_py() for code in codes.tolist()]
    for name, (numbers, known) in part.numbers.items():
        columns[name] = [n if k else None for n, k in zip(numbers.tolist(), known.tolist(), strict=True)]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


@pytest.mark.parametrize("name", [one.name for one in ORDER if one.plan is not None])
@settings(max_examples=30, deadline=None)
@given(lines=st.lists(st.sampled_from(LINES).flatmap(spoiled), min_size=1, max_size=20))
def test_lines_of_every_format_are_cut_alike(name: str, lines: list[bytes]) -> None:
    plan = next(one.plan for one in ORDER if one.name == name)
    assert isinstance(plan, columnar.Plan)
    given_lines = slices(lines)

    found = rows_of(columnar.split(plan, given_lines))
    with without_core():
        expected = rows_of(columnar.split(plan, given_lines))

    assert found == expected


@given(st.lists(st.integers(-3, 3)))
def test_first_rows_of_integers(keys: list[int]) -> None:
    first, which = columns.firsts(np.array(keys, np.int64))

    assert [keys[row] for row in first.tolist()] == list(dict.fromkeys(keys))
    assert [keys[first[number]] for number in which.tolist()] == keys
    same(columns.firsts, np.array(keys, np.int64))


@examples(100)
@given(st.lists(st.integers(0, 99)), st.lists(st.integers(0, 99)))
def test_what_is_known_to_be_ordinary(learned: list[int], asked: list[int]) -> None:
    quiet = Quiet(0)
    for each in crowded(learned):
        quiet.learn(np.array([each]))
    same(lambda: [quiet.knows(crowded(asked))])
    assert quiet.knows(crowded(learned[-1:])).all()


def crowded(numbers: list[int]) -> npt.NDArray[np.uint64]:
    """Hashes of which every tenth has the same place among the ordinary ones."""
    return np.array([number % 10 + (number // 10 << 40) for number in numbers], np.uint64)


@given(st.lists(st.text("ab+%2Cé\u20ac") | st.binary(max_size=8).map(quote)))
def test_what_targets_ask_for(targets: list[str]) -> None:
    same(lambda: [Reading().of(targets, targets)])


ADDRESSES = st.one_of(
    st.ip_addresses().map(str),
    st.text("0:.1a", max_size=9),
    st.lists(st.sampled_from(("", "0", "1", "0a")), max_size=8).map(":".join),
)


@given(st.lists(ADDRESSES))
def test_networks_of_clients(clients: list[str]) -> None:
    same(network.numbers, pa.array(clients, pa.string()))


ODD = st.text("a0/&=+%{}2Gé'\0", max_size=20)
PATHS = st.lists(st.sampled_from(("", "a", "7", "b%20c", "%C3%A9")) | ODD, max_size=5).map("/".join)
ROUTES = st.lists(st.sampled_from(("", "a", "{int}", "x-{int}.html", "{rest}")), max_size=5).map("/".join)
PAIRS = st.tuples(ODD | st.just("n" * 65), st.sampled_from(("", "=", "==")), ODD | st.just("%41" * 5000))
QUERIES = st.lists(PAIRS.map("".join), max_size=40).map("&".join)


@settings(deadline=None)
@given(st.lists(st.tuples(PATHS, QUERIES, ROUTES), max_size=6))
def test_pieces_of_requests(requests: list[tuple[str, str, str]]) -> None:
    def told() -> tuple[list[tuple[int, str, int]]]:
        paths, queries, routes = (pa.array([r[n] for r in requests], pa.string()) for n in range(3))
        found = Pieces.of(routes, np.arange(len(requests), dtype=np.int32), paths, queries)
        names = [found.names[name] for name in found.name.tolist()]
        return (list(zip(found.row.tolist(), names, found.traits.tolist(), strict=True)),)

    same(told)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.tuples(QUERIES, st.sampled_from(CLIENTS)), min_size=1, max_size=5), max_size=4))
def test_profiles_are_taught_alike(batches: list[list[tuple[str, str]]]) -> None:
    def learned() -> tuple[bytes]:
        made = Profiles(limit=40)
        for batch in batches:
            made.learn(events(event(target=f"/a?{query}", client_ip=client) for query, client in batch), ())
        return (made.snapshot(),)

    # Which of a batch's requests come first follows from hashes that are others without the core.
    with patch.object(lessons, "hashes", lambda values, _: np.arange(len(values), dtype=np.uint64)):
        same(learned)


@given(st.lists(texts, max_size=8))
def test_a_memo_answers_what_it_was_told_last(batches: list[list[bytes]]) -> None:
    memo, told = native.memo.Memo(10_000), dict[bytes, int]()
    for batch in batches:
        distinct = pa.array(dict.fromkeys(batch), pa.binary())
        codes = memo.find(distinct)
        assert codes.tolist() == [told.get(value, -1) for value in distinct.to_pylist()]
        new = np.flatnonzero(codes < 0)
        numbers = np.arange(len(new), dtype=np.int32) + len(told)
        memo.keep(distinct, new, numbers)
        told.update((distinct[i].as_py(), n) for i, n in zip(new.tolist(), numbers.tolist(), strict=True))


def test_a_memo_is_bounded_in_number_and_in_bytes() -> None:
    memo = native.memo.Memo(1000, size=16)
    for start in range(0, 20_000, 500):
        values = pa.array([b"%032d" % n for n in range(start, start + 500)], pa.binary())
        memo.keep(values, np.arange(500), np.arange(500, dtype=np.int32))

    assert len(memo) <= 1000 * 16 // 32
    assert (memo.find(values)[-100:] >= 0).all()


@pytest.mark.parametrize("key", [0, 1, 2**64 - 1, 10419806382780655203])
def test_texts_made_to_collide_do_not(key: int) -> None:
    constants = (0xA0761D6478BD642F, 0xE7037ED1A0B428DB)  # of the hash: factors that would become zero
    numbers = [b"%d" % n for n in range(300_000)]
    made = [struct.pack("<QQ", one, n) for one in constants for n in range(50_000)]
    made += [struct.pack("<QQQ", one, n, n) for one in constants for n in range(50_000)]

    for values in (numbers, made):
        hashes = native.texts.hashes(pa.array(values, pa.binary()), key)
        assert len(np.unique(hashes)) == len(values)
        assert np.bincount((hashes % 1024).astype(np.int64)).max() < 2 * len(values) / 1024


@given(texts, st.integers(0, 2**64 - 1))
def test_equal_texts_have_equal_hashes(values: list[bytes], key: int) -> None:
    hashes = native.texts.hashes(pa.array(values, pa.binary()), key).tolist()

    assert len(set(hashes)) == len(set(values))
    assert hashes == [native.texts.hashes(pa.array([value], pa.binary()), key)[0] for value in values]


@examples(50)
@given(
    st.lists(st.text(max_size=70), min_size=1, max_size=40, unique=True),
    st.integers(visitors.FEW, 3 * visitors.FEW),
)
def test_a_sketch_of_many_texts_has_the_same_registers(values: list[str], size: int) -> None:
    texts = pa.array([f"{values[number % len(values)]} {number // len(values)}" for number in range(size)])
    made = visitors.of(texts)
    with without_core():
        exact = visitors.of(texts)
    count = slice(8, 16)  # DataSketches lists the first texts, which makes its count of them exact
    assert made[: count.start] + made[count.stop :] == exact[: count.start] + exact[count.stop :]
    assert visitors.estimate([made]) == pytest.approx(visitors.estimate([exact]), rel=0.05)
    assert visitors.estimate([made, exact]) == visitors.estimate([exact, exact])


@given(st.lists(st.sampled_from([None, *range(70)]), max_size=80), st.integers(0, 9))
def test_values_that_some_row_uses(codes: list[int | None], skipped: int) -> None:
    values = pa.array([str(number) for number in range(70)])
    column = pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), values).slice(skipped)
    if not len(column):
        return
    expected = {code for code in codes[skipped:] if code is not None}
    used = native.texts.used(column)
    assert used is not None
    assert set(np.flatnonzero(used).tolist()) == expected
    tidied = storage.tidy(pa.table({"column": column}))["column"].chunk(0)
    assert tidied.to_pylist() == column.to_pylist()
    assert set(tidied.dictionary.to_pylist()) == {str(code) for code in expected}
    with without_core():
        assert storage.tidy(pa.table({"column": column}))["column"].chunk(0) == tidied
