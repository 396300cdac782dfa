"""Fusion: all evidence about one unit into one probability.

Evidence of one attack class is pooled by its strongest piece, classes by noisy-or; the unit's class is
its strongest. The weights below are set by hand on the quality bench's training sites.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from logvision.schema import Attack


@dataclass(frozen=True, slots=True)
class Evidence:
    """One finding about a unit: who says so, of what class, how sure (0 to 1), and one sentence.

    `rule` is the id that stands in EVENT.rules. `against` evidence lowers what the others say.
    """

    rule: str
    attack: Attack
    strength: float
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is held of a unit or of a request."""

    score: float
    attack: Attack | None
    rules: tuple[str, ...]


ORDINARY = Verdict(0.0, None, ())


def fuse(evidence: Iterable[Evidence]) -> Verdict:
    """One verdict from all evidence about one unit."""
    strongest: dict[Attack, float] = {}
    rules: set[str] = set()
    for piece in evidence:
        strongest[piece.attack] = max(strongest.get(piece.attack, 0.0), piece.strength)
        rules.add(piece.rule)
    if not strongest:
        return ORDINARY
    doubt = 1.0
    for strength in strongest.values():
        doubt *= 1.0 - strength
    attack = max(strongest, key=lambda each: (strongest[each], each))
    return Verdict(1.0 - doubt, attack, tuple(sorted(rules)))
