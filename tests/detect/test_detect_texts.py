"""Texts looked at one by one and all at once are looked at alike."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from logvision.detect import texts

PATTERNS = (r"(?i)^\s*(?:[a-z][a-z0-9+.-]{1,12}:)?//[^/\s]", "&[a-z#]{1,4};|&#", r"^\s*(?:\{.*[:}]|\[.*\])")
HOST = r"^(?:[a-zA-Z][a-zA-Z0-9+.-]{1,12}:)?//[^/?#]*"

some = st.lists(
    st.text("aZ1:/?#&;{}[]\n\xe9", max_size=12).map(str.encode) | st.binary(max_size=6), max_size=4
)


@examples(100)
@given(some)
def test_few_values_match_as_many_do(few: list[bytes]) -> None:
    values, many = pa.array(few, pa.binary()), pa.array([*few, *[b"x"] * texts.FEW], pa.binary())
    for pattern in PATTERNS:
        found = texts.matching(many, pattern)[: len(few)]
        assert texts.matching(values, pattern).tolist() == found.tolist()


@examples(100)
@given(some)
def test_few_values_lose_their_beginning_as_many_do(few: list[bytes]) -> None:
    values, many = pa.array(few, pa.binary()), pa.array([*few, *[b"x"] * texts.FEW], pa.binary())
    assert texts.without(values, HOST).to_pylist() == texts.without(many, HOST).to_pylist()[: len(few)]


@examples(100)
@given(some)
def test_the_bytes_of_texts_are_those_of_a_cast(few: list[bytes]) -> None:
    for values in (
        pa.array(few, pa.binary()),
        pa.array([each.decode("latin-1") for each in few], pa.string()),
    ):
        assert texts.raw_bytes(values).equals(values.cast(pa.binary()))
