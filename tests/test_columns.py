"""Columns as Python values."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from logvision.columns import hashes, plain
from logvision.schema import TEXT, TIME

MOMENTS = [datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (TEXT, ["a", None, "ü", "a"]),
        (TEXT, []),
        (pa.string(), ["a", None]),
        (TIME, MOMENTS),
        (pa.int16(), [200, None]),
        (pa.int64(), [2**60 + 1, -1]),
        (pa.float32(), [0.5, 0.25]),
    ],
)
def test_plain_values_are_those_of_arrow(kind: pa.DataType, values: list[object]) -> None:
    assert plain(pa.array(values, kind)) == values
    halves = pa.chunked_array([pa.array(values[:1], kind), pa.array(values[1:], kind)])
    assert plain(halves) == values


@pytest.mark.parametrize("key", [1, 7, 16])
def test_texts_of_any_length_have_hashes_of_their_own(key: int) -> None:
    texts = ["", *(f"{number:0{length}}" for length in range(1, 40) for number in range(10))]
    assert len(set(hashes(pa.array(texts), key).tolist())) == len(texts)
