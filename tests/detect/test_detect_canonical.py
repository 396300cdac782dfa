from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from logvision.detect.canonical import canonicalise, decode
from logvision.detect.decoding import decode_text
from logvision.detect.paths import resolve
from logvision.detect.texts import joined

MARKS = [
    b"%", b"2", b"5", b"u", b"0", b"7", b"\\", b"x", b"&", b"lt;", b"#", b"\xc0", b"\xae", b"\xe2\x88\x95",
    b"\xef\xbc\x9c", b"/*", b"*/", b"!", b"+", b"a", b"c", b"e", b'"', b"\xff", b"\n", b"\x00", b"/",
]  # fmt: skip
ENCODED = st.lists(st.sampled_from(MARKS), max_size=24).map(b"".join)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"a%20b+c", b"a b c"),
        (b"%2527", b"'"),
        (b"%%32%65%%32%65", b".."),
        (b"%u0027%u2215", b"'/"),
        (b"%c0%ae%c0%af%e0%80%ae", b"./."),
        (b"%fc%80%80%80%80%ae", b"."),
        (b"&lt;script&#x3e;&#40;", b"<script>("),
        (b"\\x22onload\\x5cx", b'"onload\\x'),
        (b'say \\"x\\" \\\\', b'say "x" \\'),
        (b"\\u003cb", b"<b"),
        (b"un/**/ion/*!50000select*/", b"un ion select "),
        (b"\xef\xbc\x9cscript\xef\xbc\x9e", b"<script>"),
        (b"caf%C3%A9", "café".encode()),
        (b"100%", b"100%"),
        (b"%zz%4", b"%zz%4"),
    ],
)
def test_every_way_of_writing_a_text_comes_to_the_same(raw: bytes, text: bytes) -> None:
    assert decode(raw, query=True).text == text


@given(st.lists(ENCODED, max_size=20), st.booleans())
@examples(300)
def test_the_batch_and_the_exact_form_agree(values: list[bytes], query: bool) -> None:
    batch = canonicalise(pa.array(values, pa.binary()), query=query).to_pylist()
    assert batch == [decode_text(value, query=query) for value in values]
    assert batch == [decode(value, query=query).text for value in values]


@given(st.one_of(ENCODED, st.binary(max_size=60)), st.booleans())
@examples(300)
def test_every_byte_knows_where_it_came_from(raw: bytes, query: bool) -> None:
    decoded = decode(raw, query=query)
    assert len(decoded.starts) == len(decoded.ends) == len(decoded.text)
    assert all(0 <= s < e <= len(raw) for s, e in zip(decoded.starts, decoded.ends, strict=True))
    assert (decoded.starts[1:] >= decoded.starts[:-1]).all()


def test_a_span_points_at_the_raw_bytes() -> None:
    decoded = decode(b"x%2527+or", query=True)
    assert decoded.text == b"x' or"
    assert decoded.raw_span(1, 2) == (1, 6)


def test_steps_are_told_in_order() -> None:
    steps = decode(b"%2526lt%3B", query=True).steps
    assert [(s.name, s.text) for s in steps] == [
        ("percent", b"%26lt;"),
        ("percent", b"&lt;"),
        ("entity", b"<"),
    ]


def test_depth_is_bounded() -> None:
    text = b"'"
    for _ in range(30):
        text = text.replace(b"%", b"%25") if b"%" in text else b"%27"
    assert decode(text, query=True).text.startswith(b"%25")


def test_joined_texts_are_told_apart_whatever_they_hold() -> None:
    buffer, ends = joined(pa.array([b"a\nb", b"", b"c"], pa.binary()))
    assert (buffer.tobytes(), ends.tolist()) == (b"a\x0bb\n\nc\n", [3, 4, 6])


@pytest.mark.parametrize(
    ("path", "resolved", "climbed"),
    [
        (b"/a/../b", b"/b", 0),
        (b"/css/../img/./x.png", b"/img/x.png", 0),
        (b"/../../etc", b"/etc", 2),
        (b"/a/..;/manager", b"/manager", 0),
        (b"/a\\..\\..\\b//c", b"/b/c", 1),
    ],
)
def test_a_path_is_resolved_and_its_climbing_counted(path: bytes, resolved: bytes, climbed: int) -> None:
    assert resolve(path) == (resolved, climbed)
