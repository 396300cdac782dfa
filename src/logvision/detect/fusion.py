"""Fusion: all evidence about one unit into one probability.

Evidence of one attack class is pooled by its strongest piece, classes by noisy-or; the unit's class is
its strongest. The weights below are set by hand on the quality bench's training sites.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Final

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


HINT: Final = 0.05
"""Rules below this only choose what is verified; they are no evidence."""

NAMED: Final = 0.5
"""From this score on a finding has a class of its own beside a scanner's name."""

LEAST_NAMED: Final = 0.2
"""A rule is named by a verdict when it is at least this sure."""

MODEL_ALONE: Final = 0.4
"""The classifier's share where nothing else speaks."""

MODEL_BESIDE: Final = 0.35
"""How far the classifier fills the doubt that a partial proof leaves."""


BROWSED: Final = "verify.browsed"
"""Evidence against: the path is a page that shows a repository's files, whatever their names."""

_OF_FILES: Final = frozenset({Attack.SENSITIVE, Attack.WEBSHELL, Attack.TRAVERSAL, Attack.PROBE, Attack.CVE})


def fuse(evidence: Iterable[Evidence]) -> Verdict:
    """One verdict from all evidence about one unit. Like pieces are found together again and again: of the
    latest combinations the verdict is remembered, and is one object."""
    return _fused(tuple(map(_WEIGHED, evidence)))


_WEIGHED: Final = attrgetter("rule", "attack", "strength")
"""What of a piece counts."""


@lru_cache(4096)
def _fused(pieces: tuple[tuple[str, Attack, float], ...]) -> Verdict:
    strongest: dict[Attack, float] = {}
    rules: set[str] = set()
    model = 0.0
    browsed = any(rule == BROWSED for rule, *_ in pieces)
    for rule, attack, strength in pieces:
        share = 0.3 if browsed and attack in _OF_FILES else 1.0  # the same piece, weaker
        if rule == MODEL:
            model = strength * share
        elif strength * share >= HINT:
            strongest[attack] = max(strongest.get(attack, 0.0), strength * share)
            if strength * share >= LEAST_NAMED:
                rules.add(rule)
    if not strongest:
        return Verdict(MODEL_ALONE * model, None, (MODEL,)) if model else ORDINARY
    doubt, most = 1.0, max(strongest.values())
    for strength in strongest.values():
        # Two halves of different proofs are not a proof: only what is likelier than not adds up.
        doubt *= 1.0 - (strength if strength == most or strength >= 0.5 else strength * 0.5)
    if model and most >= 0.3:
        doubt *= 1.0 - MODEL_BESIDE * model
        rules.add(MODEL)
    worst = max(strongest, key=lambda each: (strongest[each], each))
    return Verdict(1.0 - doubt, worst, tuple(sorted(rules)))


def worse(a: Verdict, b: Verdict) -> Verdict:
    """The higher score and its class, with the rules of both. What a scanner sends names the attack, rather
    than that it says who it is."""
    top, other = (a, b) if a.score >= b.score else (b, a)
    attack = top.attack
    if attack is Attack.SCANNER and other.attack is not None and other.score >= NAMED:
        attack = other.attack
    if attack is top.attack and (not other.rules or a.rules == b.rules):
        return top
    return Verdict(top.score, attack, tuple(sorted({*a.rules, *b.rules})))


MODEL: Final = "model"
"""The classifier's name among the rules."""


def from_model(score: float) -> Evidence:
    """The classifier as evidence. Alone it raises no alarm: its false alarms are the long tail of odd but
    ordinary values, which verification knows better; beside half a proof it decides."""
    return Evidence(MODEL, Attack.ANOMALY, score, f"The classifier holds it for an attack with {score:.2f}.")
