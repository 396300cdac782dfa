"""Columns of texts as bytes."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from logvision.detect import texts

some = st.lists(
    st.text("aZ1:/?#&;{}[]\n\xe9", max_size=12).map(str.encode) | st.binary(max_size=6), max_size=4
)


@examples(100)
@given(some)
def test_the_bytes_of_texts_are_those_of_a_cast(few: list[bytes]) -> None:
    for values in (
        pa.array(few, pa.binary()),
        pa.array([each.decode("latin-1") for each in few], pa.string()),
    ):
        assert texts.raw_bytes(values).equals(values.cast(pa.binary()))
