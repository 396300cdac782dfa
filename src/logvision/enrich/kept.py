"""A bounded memory of answers: what was asked for lately is not worked out again."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

import numpy as np
import pyarrow as pa

from logvision import native
from logvision.columns import Codes

V = TypeVar("V", bound=Hashable)


class Kept(Generic[V]):
    """Answers of a function of text, for at most `limit` texts. For one thread at a time.

    Answers have numbers, and only the numbers are kept per text: many texts share one answer. A known text
    costs 50 ns (0.3 µs without the native core), and a flood of new texts can push out the known ones but
    never grow the memory.
    """

    def __init__(self, limit: int, find: Callable[[pa.StringArray], tuple[Sequence[V], Codes]]) -> None:
        """`find` answers distinct texts as `answers` does, though its answers may repeat; it is asked once
        per batch for all that are new."""
        self._limit = limit
        self._find = find
        self._begin()

    def __len__(self) -> int:
        return len(self._memo)

    def answers(self, texts: pa.StringArray) -> tuple[list[V], Codes]:
        """The distinct answers to these texts (no null), and per text which one it has."""
        codes = self._memo.find(texts)
        if (codes < 0).any() and len(self._answers) > self._limit:
            self._begin()
            codes = self._memo.find(texts)
        new = np.flatnonzero(codes < 0)
        if new.size:
            found, which = self._find(texts.take(pa.array(new)))
            numbers = np.fromiter(map(self._number, found), np.int32, len(found))
            codes[new] = numbers[which]
            self._memo.keep(texts, new, codes[new])
        used = np.zeros(len(self._answers), np.bool_)
        used[codes] = True
        compact = np.cumsum(used, dtype=np.int32) - np.int32(1)
        return [self._answers[at] for at in np.flatnonzero(used).tolist()], compact[codes]

    def _begin(self) -> None:
        self._memo = memo(self._limit)
        self._answers: list[V] = []
        self._numbers: dict[V, int] = {}

    def _number(self, answer: V) -> int:
        number = self._numbers.setdefault(answer, len(self._answers))
        if number == len(self._answers):
            self._answers.append(answer)
        return number


def memo(limit: int, size: int = 64) -> native.memo.Memo | Memo:
    """An empty memory of a number for each of at most `limit` texts, of `size` bytes on average."""
    return native.memo.Memo(limit, size) if native.HERE else Memo(limit)


class Memo:
    """`native.memo.Memo` in Python.

    Two generations instead of a strict order of use: when the young one is full it becomes the old one,
    and what is asked for again moves over.
    """

    def __init__(self, limit: int) -> None:
        self._half = max(limit // 2, 1)
        self._young: dict[str, int] = {}
        self._old: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def find(self, values: pa.Array) -> Codes:
        """The number of every text, -1 where it is not known."""
        texts = values.to_pylist()
        codes = np.fromiter((self._young.get(text, -1) for text in texts), np.int32, len(texts))
        for at in np.flatnonzero(codes < 0).tolist():
            older = self._old.get(texts[at])
            if older is not None:
                codes[at] = older
                self._keep(texts[at], older)
        return codes

    def keep(
        self, values: pa.Array, which: np.ndarray[tuple[int], np.dtype[np.int64]], numbers: Codes
    ) -> None:
        """Remember numbers (not negative) for some of the texts."""
        for text, number in zip(values.take(pa.array(which)).to_pylist(), numbers.tolist(), strict=True):
            self._keep(text, number)

    def _keep(self, text: str, number: int) -> None:
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[text] = number
