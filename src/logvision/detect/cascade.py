"""The cascade over one batch: signatures and classifier on every unit, verification of what they leave
standing, all evidence of a unit fused, an owner as bad as its worst unit, a row as its worst owner.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

import numpy as np

from logvision.detect.classifier import Classifier
from logvision.detect.fusion import ORDINARY, Evidence, Verdict, from_model, fuse, worse
from logvision.detect.signature import Found, Rows, Signatures
from logvision.detect.units import Ints, Kind, Owners, Units, split
from logvision.detect.verify import verify

JUDGED: Final = int(Kind.PATH | Kind.NAME | Kind.VALUE | Kind.AGENT | Kind.REFERER | Kind.URL)
"""Kinds of units that are verified; the rest only feed rules that span a request."""

BUDGET_SHARE: Final = 1 / 100
BUDGET_LEAST: Final = 300
"""Units verified per batch: one in a hundred rows, and never fewer than this; a unit counts once more for
every 1024 bytes. What is read once is remembered, so a log that repeats itself is read in full."""

_REMEMBERED: Final = 50_000
_LONGEST_KEPT: Final = 64


@dataclass
class Verification:
    """Stage C with its memory: the same payload is read once. Its counters are no part of a verdict."""

    read: int = 0
    left_over: int = 0  # units that the budget left to stages A and B
    _known: OrderedDict[tuple[bytes, int], list[Evidence]] = field(default_factory=OrderedDict, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return Verification, ()

    def of(self, text: bytes, kind: Kind) -> tuple[list[Evidence], bool]:
        """The evidence, and whether it was known already."""
        # Long texts are remembered by their digest, so that memory does not grow with what is sent.
        key = (text if len(text) <= _LONGEST_KEPT else blake2b(text, digest_size=16).digest(), int(kind))
        found = self._known.get(key)
        if found is not None:
            return found, True
        found = verify(text, kind)
        self.read += 1
        self._known[key] = found
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return found, False


@dataclass(frozen=True, slots=True)
class Gathered:
    """All evidence about one batch: by unit, and by row for rules that span a request."""

    units: Units
    by_unit: dict[int, list[Evidence]]
    by_row: dict[int, list[Evidence]]


def judge(
    signatures: Signatures,
    model: Classifier | None,
    verification: Verification,
    owners: Owners,
    rows: Rows,
    *,
    bounded: bool,
) -> dict[int, Verdict]:
    """Verdicts of the rows that have any evidence, by row; all other rows are `ORDINARY`.

    `bounded`: keep to the budget of verification (a live batch); else read every candidate.
    """
    found = gather(signatures, model, verification, owners, rows, bounded=bounded)
    of_unit = {unit: fuse(pieces) for unit, pieces in found.by_unit.items()}
    return _of_rows(_of_owners(of_unit, found.units), found.by_row, rows, owners)


def gather(
    signatures: Signatures,
    model: Classifier | None,
    verification: Verification,
    owners: Owners,
    rows: Rows,
    *,
    bounded: bool,
) -> Gathered:
    """Stages A, B and C over one batch."""
    units = split(owners, signatures.kinds)
    found = signatures.find(units, rows)
    doubted = model.score(units) if model is not None else None
    evidence = _matched(signatures, found)
    candidates = _candidates(units, found, doubted)
    budget = max(BUDGET_LEAST, int(rows.size * BUDGET_SHARE)) if bounded else len(candidates)
    for unit in candidates.tolist():
        # The suspicious few: a loop, each of them read for what it claims to be.
        if budget <= 0:
            verification.left_over += 1
            continue
        text = units.texts[int(units.text[unit])].as_py()
        pieces, known = verification.of(text, Kind(int(units.kind[unit])))
        budget -= 0 if known else 1 + len(text) // 1024
        if pieces:
            evidence.setdefault(unit, []).extend(pieces)
    if doubted is not None:
        for unit, score in zip(doubted.units.tolist(), doubted.scores.tolist(), strict=True):
            evidence.setdefault(unit, []).append(from_model(score))
    by_row: dict[int, list[Evidence]] = {}
    for index, row in zip(found.row_rule.tolist(), found.row.tolist(), strict=True):
        rule = signatures.rules.rules[index]
        by_row.setdefault(row, []).append(Evidence(rule.id, rule.attack, rule.confidence))
    return Gathered(units, evidence, by_row)


def _matched(signatures: Signatures, found: Found) -> dict[int, list[Evidence]]:
    evidence: dict[int, list[Evidence]] = {}
    pieces = [Evidence(rule.id, rule.attack, rule.confidence) for rule in signatures.rules.rules]
    for index, unit in zip(found.unit_rule.tolist(), found.unit.tolist(), strict=True):
        evidence.setdefault(unit, []).append(pieces[index])
    return evidence


_CONTROLS: Final = bytes(range(10)) + bytes(range(11, 32))


def _table(marks: bytes) -> np.ndarray[Any, np.dtype[np.bool_]]:
    table = np.zeros(256, bool)
    table[list(marks + _CONTROLS)] = True
    return table


_MARKS: Final = _table(b"<>'\"`;|$(){}[]\\^*#=")
_AGENT_MARKS: Final = _table(b"<>'\"`|${}\\")


def _candidates(units: Units, found: Found, doubted: Any) -> Ints:
    """Units worth reading: those with a mark of syntax, and those that a rule or the classifier named."""
    wanted = np.zeros(len(units.text), bool)
    wanted[found.unit] = True
    if doubted is not None:
        wanted[doubted.units] = True
    agent = (units.kind & int(Kind.AGENT)) != 0
    wanted |= _marked(units, _MARKS)[units.text] & ~agent
    wanted |= _marked(units, _AGENT_MARKS)[units.text] & agent
    wanted &= (units.kind & JUDGED) != 0
    return np.flatnonzero(wanted)


def _marked(units: Units, table: np.ndarray[Any, np.dtype[np.bool_]]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    marked = np.zeros(len(units.ends), bool)
    marked[np.searchsorted(units.ends, np.flatnonzero(table[units.buffer]))] = True
    return marked


def _of_owners(of_unit: dict[int, Verdict], units: Units) -> dict[int, Verdict]:
    """An owner is as bad as its worst unit; its rules are those of all its units."""
    if not of_unit:
        return {}
    suspicious = np.zeros(len(units.text), bool)
    suspicious[list(of_unit)] = True
    uses = np.flatnonzero(suspicious[units.unit])
    of_owner: dict[int, Verdict] = {}
    for owner, unit in zip(units.owner[uses].tolist(), units.unit[uses].tolist(), strict=True):
        known = of_owner.get(owner)
        of_owner[owner] = of_unit[unit] if known is None else worse(known, of_unit[unit])
    return of_owner


def _of_rows(
    of_owner: dict[int, Verdict], by_row: dict[int, list[Evidence]], rows: Rows, owners: Owners
) -> dict[int, Verdict]:
    table = np.zeros(owners.size + 1, bool)
    table[list(of_owner)] = True
    hit = table[rows.owners[0]] | table[rows.owners[1]] | table[rows.owners[2]]
    hit[list(by_row)] = True
    at = np.flatnonzero(hit)
    verdicts: dict[int, Verdict] = {}
    seen: dict[tuple[int, int, int], Verdict] = {}
    for row, *triple in zip(at.tolist(), *(codes[at].tolist() for codes in rows.owners), strict=True):
        key = (triple[0], triple[1], triple[2])
        verdict = seen.get(key)
        if verdict is None:
            verdict = ORDINARY
            for owner in key:
                if owner in of_owner:
                    verdict = worse(verdict, of_owner[owner])
            seen[key] = verdict
        if row in by_row:
            verdict = worse(verdict, fuse(by_row[row]))
        verdicts[row] = verdict
    return verdicts
