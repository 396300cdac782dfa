from __future__ import annotations

from logvision.enrich.kept import Kept


def test_a_text_is_worked_out_once_and_null_never() -> None:
    asked: list[list[str]] = []

    def length(texts: list[str]) -> list[int]:
        asked.append(texts)
        return [len(t) for t in texts]

    kept = Kept(100, length)
    assert kept.answers(["a", None, "bb", "a"], -1) == [1, -1, 2, 1]
    assert kept.answers(["bb", "ccc"], -1) == [2, 3]
    assert asked == [["a", "bb"], ["ccc"]]


def test_a_flood_of_new_texts_does_not_grow_the_memory() -> None:
    kept = Kept(64, lambda texts: [len(t) for t in texts])
    for start in range(0, 10_000, 100):
        kept.answers([str(n) for n in range(start, start + 100)], 0)
        assert len(kept) <= 64


def test_what_is_asked_for_again_stays_when_new_texts_push() -> None:
    asked: list[str] = []

    def note(texts: list[str]) -> list[str]:
        asked.extend(texts)
        return texts

    kept = Kept(8, note)
    for n in range(50):
        kept.answers(["hot", f"new{n}"], "")
    assert asked.count("hot") == 1
