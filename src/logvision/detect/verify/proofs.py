"""Proofs: many expressions over one text in a single pass of one automaton (RE2::Set).

A pass that only says which expressions match costs about 1 µs; a search by Python that says where costs four
times as much. So readers ask an automaton first, and search with what it names. Each is made at its first
text: together they take 80 ms, and a small log asks few of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache, cached_property
from typing import Any, Final

import re2

MEMORY: Final = 4 << 20
"""Bytes of states after which an automaton starts afresh; a set never gives up for want of them. What is sent
decides which states there are, and there are thirty automata: a day of many attackers fills them all."""

FAR: Final = 60
"""An expression that counts this many characters or more shares no automaton: where several count at once
their states multiply, and every text makes new ones at a hundred times the cost of reading."""

FAR_MEMORY: Final = 2 << 20


Matching = Callable[[bytes], list[int]]
"""Which of the expressions of a set match a text, in UTF-8."""


class AnyOf:
    """Whether any of some expressions matches a text, linear in its length."""

    def __init__(self, *expressions: str) -> None:
        self.expressions = expressions

    @cached_property
    def _matching(self) -> Matching:
        return _set(self.expressions)

    def __call__(self, text: str) -> bool:
        return bool(self._matching(text.encode()))


class Which:
    """Which of some compiled expressions match a text, linear in its length: those that `search` finds."""

    def __init__(self, *expressions: Any) -> None:
        self._expressions = expressions

    @cached_property
    def _matching(self) -> Matching:
        return _set([each.pattern for each in self._expressions])

    def __call__(self, text: str) -> frozenset[Any]:
        matched = self._matching(text.encode())
        return frozenset(map(self._expressions.__getitem__, matched)) if matched else _NONE


_NONE: Final[frozenset[Any]] = frozenset()


class Best:
    """The strongest of some expressions, over short texts that come again: answers are remembered."""

    def __init__(self, expressions: Sequence[tuple[str, float, str]]) -> None:
        """Expression, strength and sentence of each; of equals the first counts."""
        self._expressions = expressions
        self._known: dict[str, tuple[float, str]] = {}

    @cached_property
    def _matching(self) -> Matching:
        return _set([expression for expression, *_ in self._expressions])

    def __call__(self, text: str) -> tuple[float, str]:
        """Strength and sentence; 0: none matches."""
        known = self._known.get(text)
        if known is None:
            matched = self._matching(text.encode())
            best = min(matched, key=lambda i: (-self._expressions[i][1], i), default=None)
            known = (0.0, "") if best is None else self._expressions[best][1:]
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[text] = known
        return known


REMEMBERED: Final = 4096
"""Texts whose best expression is remembered; some hundred bytes each."""


class Proofs:
    """Expressions, each with how much it proves and a sentence that says what."""

    def __init__(self, proofs: Sequence[tuple[str, float, str]]) -> None:
        self._proofs = proofs
        self.expressions = tuple(expression for expression, *_ in proofs)
        far = [i for i, (expression, *_) in enumerate(proofs) if _reach(expression) >= FAR]
        self._near = [i for i in range(len(proofs)) if i not in far]
        self._opened = [i for i in far if _FLAGS.sub("", proofs[i][0]).startswith("<")]
        self._far = [i for i in far if i not in self._opened]

    @cached_property
    def _automata(self) -> list[_Part]:
        parts = [_part(self._proofs, self._near)]
        return parts + [_part(self._proofs, [i], FAR_MEMORY) for i in self._opened]

    @cached_property
    def _filter(self) -> Any:
        """What needs some word is looked for only where that word stands (RE2's filter of literal pieces)."""
        made = re2.Filter()
        for i in self._far:
            made.Add(self._proofs[i][0])
        made.Compile()
        return made

    def strongest(self, text: str) -> tuple[float, str, str]:
        """Strength, sentence and matched text of the strongest proof, of equals the first; 0: none."""
        encoded = text.encode()
        matched = [self._far[i] for i in self._filter.Match(encoded) or ()] if self._far else []
        for numbers, matching in self._automata if "<" in text else self._automata[:1]:
            matched += [numbers[i] for i in matching(encoded)]
        if not matched:
            return 0.0, "", ""
        expression, strength, sentence = self._proofs[min(matched, key=lambda i: (-self._proofs[i][1], i))]
        # Over bytes: RE2 would count the characters of a text once more.
        return strength, sentence, _compiled(expression).search(encoded).group().decode()


_Part = tuple[list[int], Matching]
"""Numbers of proofs, and their automaton."""


def _part(proofs: Sequence[tuple[str, float, str]], numbers: list[int], memory: int = MEMORY) -> _Part:
    return numbers, _set([proofs[i][0] for i in numbers], memory)


_compiled = cache(re2.compile)  # of our own expressions, so few


_FLAGS: Final = re.compile(r"^\(\?[a-z]+\)")
_REPEATED: Final = re.compile(r"\{\d*,?(\d+)\}")
"""Over expressions, which are ours; never over log text."""


def _reach(expression: str) -> int:
    """The largest count of repetitions in an expression."""
    return max(map(int, _REPEATED.findall(expression)), default=0)


def _set(expressions: Sequence[str], memory: int = MEMORY) -> Matching:
    options = re2.Options()
    options.max_mem = memory
    found = re2.Set.SearchSet(options)
    for expression in expressions:
        found.Add(expression)
    found.Compile()
    # The binding itself: what Python wraps around it takes as long as a search does.
    matching: Matching = found._set.Match
    return matching
