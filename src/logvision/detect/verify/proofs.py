"""Proofs: many expressions over one text in a single pass of one automaton (RE2::Set)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import re2

MEMORY: Final = 16 << 20
"""Bytes of states after which an automaton starts afresh; a set never gives up for want of them."""


class AnyOf:
    """Whether any of some expressions matches a text, linear in its length."""

    def __init__(self, *expressions: str) -> None:
        self._set = _set(expressions)

    def __call__(self, text: str) -> bool:
        return bool(self._set.Match(text))


class Proofs:
    """Expressions, each with how much it proves and a sentence that says what."""

    def __init__(self, proofs: Sequence[tuple[str, float, str]], memory: int = MEMORY) -> None:
        self._proofs = [(re2.compile(expression), *rest) for expression, *rest in proofs]
        self._set = _set([expression for expression, *_ in proofs], memory)

    def strongest(self, text: str) -> tuple[float, str, str]:
        """Strength, sentence and matched text of the strongest proof, of equals the first; 0: none."""
        matched = self._set.Match(text)
        if not matched:
            return 0.0, "", ""
        expression, strength, sentence = self._proofs[min(matched, key=lambda i: (-self._proofs[i][1], i))]
        return strength, sentence, expression.search(text).group()


def _set(expressions: Sequence[str], memory: int = MEMORY) -> Any:
    options = re2.Options()
    options.max_mem = memory
    found = re2.Set.SearchSet(options)
    for expression in expressions:
        found.Add(expression)
    found.Compile()
    return found
