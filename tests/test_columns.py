"""Columns as Python values."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from logvision.columns import codes_of, hashes, plain, recode, text
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
    assert plain(pa.chunked_array([values], kind)) == values
    halves = pa.chunked_array([pa.array(values[:1], kind), pa.array(values[1:], kind)])
    assert plain(halves) == values
    assert (
        plain(pa.chunked_array([values * 2], kind), rows=np.arange(len(values) * 2)[::-3])
        == (values * 2)[::-3]
    )


@pytest.mark.parametrize("key", [1, 7, 16])
def test_texts_of_any_length_have_hashes_of_their_own(key: int) -> None:
    texts = ["", *(f"{number:0{length}}" for length in range(1, 40) for number in range(10))]
    assert len(set(hashes(pa.array(texts), key).tolist())) == len(texts)


@pytest.mark.parametrize("under_null", [-1, 0, 1])
def test_codes_say_null_whatever_stands_under_it(under_null: int) -> None:
    indices = pa.array([0, under_null, 1, under_null], pa.int32(), mask=np.array([False, True, False, True]))
    column = pa.DictionaryArray.from_arrays(indices, pa.array(["a", "b"]))

    assert codes_of(column).tolist() == [0, -1, 1, -1]
    assert codes_of(column.slice(1, 2)).tolist() == [-1, 1]
    assert codes_of(column.slice(4)).tolist() == []


@pytest.mark.parametrize("codes", [[], [1, 0, 1], [-1, 1, -1, 0, 0, 1, 1, 0, -1]])
def test_a_text_column_gives_its_codes_back(codes: list[int]) -> None:
    given = np.array(codes, np.int32)
    column = text(pa.array(["a", "b"]), given)

    assert column.to_pylist() == [None if code < 0 else "ab"[code] for code in codes]
    assert codes_of(column).tolist() == codes
    column.validate(full=True)


def test_answers_that_many_values_share_are_one() -> None:
    column = recode(pa.array(["x", None, "x"]), np.array([2, 1, -1, 0], np.int32))

    assert column.to_pylist() == ["x", None, None, "x"]
    assert column.dictionary.to_pylist() == ["x"]
