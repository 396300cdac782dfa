from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import numpy as np
import pyarrow as pa
import pytest

from logvision.columns import Codes
from logvision.enrich.kept import Kept
from native_paths import without_core


@pytest.fixture(params=["core", "pure"], autouse=True)
def either_way(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test here runs with the native core and without."""
    with without_core() if request.param == "pure" else nullcontext():
        yield


def answers(kept: Kept[int] | Kept[str], texts: list[str]) -> list[int] | list[str]:
    distinct, codes = kept.answers(pa.array(texts, pa.string()))
    assert len(set(distinct)) == len(distinct)
    assert set(codes.tolist()) == set(range(len(distinct)))
    return [distinct[code] for code in codes.tolist()]


def test_a_text_is_worked_out_once() -> None:
    asked: list[list[str]] = []

    def length(texts: pa.StringArray) -> tuple[list[int], Codes]:
        asked.append(texts.to_pylist())
        return [len(t) for t in asked[-1]], np.arange(len(texts), dtype=np.int32)

    kept = Kept(100, length)
    assert answers(kept, ["a", "bb", "c"]) == [1, 2, 1]
    assert answers(kept, ["bb", "ccc"]) == [2, 3]
    assert answers(kept, []) == []
    assert asked == [["a", "bb", "c"], ["ccc"]]


def test_a_flood_of_new_texts_and_of_new_answers_does_not_grow_the_memory() -> None:
    kept = Kept(64, lambda texts: (texts.to_pylist(), np.arange(len(texts), dtype=np.int32)))
    for start in range(0, 10_000, 50):
        given = [str(n) for n in range(start, start + 50)]
        assert answers(kept, given) == given
        assert len(kept) <= 64
        assert len(kept._answers) <= 64 + 50


def test_what_is_asked_for_again_stays_when_new_texts_push() -> None:
    asked: list[str] = []

    def note(texts: pa.StringArray) -> tuple[list[int], Codes]:
        asked.extend(texts.to_pylist())
        return [0], np.zeros(len(texts), np.int32)

    kept = Kept(8, note)
    for n in range(50):
        answers(kept, ["hot", f"new{n}"])
    assert asked.count("hot") == 1
