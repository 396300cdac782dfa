"""Words, names and search phrases from which the targets of a site are made."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote, quote_plus

import numpy as np

from logvision.sources.generate.phrases import LOOKS, THINGS, TOPICS


def many(rng: np.random.Generator, count: int, *choices: Sequence[str]) -> list[tuple[str, ...]]:
    picks = [rng.integers(0, len(choice), count) for choice in choices]
    return [
        tuple(choice[n] for choice, n in zip(choices, row, strict=True)) for row in zip(*picks, strict=True)
    ]


def hexes(rng: np.random.Generator, count: int, digits: int = 8) -> list[str]:
    text = rng.bytes(count * digits).hex()
    return [text[n * digits : (n + 1) * digits] for n in range(count)]


def searches(rng: np.random.Generator, hard: Sequence[str], count: int, plus: bool = True) -> list[str]:
    """Encoded search words: two thirds plain, a third of the hard ones, many joined with a plain word."""
    encode = quote_plus if plus else lambda text: quote(text, safe="")
    found = [encode(text) for text in hard]
    for look, thing, topic in many(rng, count, LOOKS, THINGS, TOPICS):
        kind = int(rng.integers(0, 9))
        odd = hard[int(rng.integers(len(hard)))]
        found.append(
            encode(
                f"{odd} {topic}"
                if kind < 2
                else odd
                if kind == 2
                else f"{look} {thing}"
                if kind < 6
                else f"{topic} {thing}"
            )
        )
    return found


def prefixes(words: Sequence[str]) -> list[str]:
    return [quote_plus(word[:stop]) for word in words for stop in range(2, min(len(word), 14))]
