"""The cascade over one batch: signatures and classifier on every unit, verification of what they leave
standing, all evidence of a unit fused, an owner as bad as its worst unit, a row as its worst owner.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import compress
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from logvision.detect.carrier import Carriers, matters
from logvision.detect.classifier import Classifier, Scores
from logvision.detect.echo import is_echo, softened
from logvision.detect.fusion import HINT, ORDINARY, Evidence, Verdict, from_model, fuse, worse
from logvision.detect.quiet import Quiet
from logvision.detect.scopes import Rows
from logvision.detect.signature import Found, Signatures
from logvision.detect.split import split
from logvision.detect.units import Ints, Kind, Owners, Units
from logvision.detect.verify import verify_all

JUDGED: Final = int(Kind.PATH | Kind.NAME | Kind.VALUE | Kind.AGENT | Kind.REFERER | Kind.URL)
"""Kinds of units that are verified; the rest only feed rules that span a request."""

_VALUES: Final = int(Kind.VALUE | Kind.URL)
"""Kinds of units that are a parameter's value: as it stands, and read as an address."""

CREDIT: Final = 30_000
CREDIT_PER_ROW: Final = 1 / 32
"""New units that may be verified: as many as this at once, and one more for every 32nd row, so that a scan by
a tool is read in full and a log made of nothing but new attacks costs about as much again as an ordinary one:
reading a unit takes a hundred times what an ordinary line takes. A unit counts once more for every 1024
bytes. What is read once is remembered and costs nothing."""

_REMEMBERED: Final = 50_000
_LONGEST_KEPT: Final = 64


@dataclass
class Verification:
    """Stage C with its memory: the same payload is read once. Its counters are no part of a verdict."""

    read: int = 0
    left_over: int = 0  # units that were left to stages A and B for want of credit
    credit: float = CREDIT
    _young: dict[bytes, Sequence[Evidence]] = field(default_factory=dict, repr=False)
    _old: dict[bytes, Sequence[Evidence]] = field(default_factory=dict, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return Verification, ()

    def of(self, texts: Sequence[bytes], kinds: Sequence[int], *, bounded: bool) -> list[Sequence[Evidence]]:
        """The evidence about units of these Kinds; of the first ones, where credit does not cover all."""
        known: list[tuple[bytes, Sequence[Evidence] | None]] = []
        fresh: dict[bytes, int] = {}  # what is to be read: its place among what is known
        for text, kind in zip(texts, kinds, strict=True):
            if bounded and self.credit <= 0:
                self.left_over += len(texts) - len(known)
                break
            # Long texts are remembered by their digest, so that memory does not grow with what is sent.
            key = text if len(text) <= _LONGEST_KEPT else blake2b(text, digest_size=16).digest()
            key += kind.to_bytes(2, "little")
            found = self._young.get(key)
            if found is None:
                found = self._old.get(key)
            if found is None and key not in fresh:
                fresh[key] = len(known)
                if bounded:
                    self.credit -= 1 + len(text) // 1024
            known.append((key, found))
        places = list(fresh.values())
        read = verify_all([texts[place] for place in places], [kinds[place] for place in places])
        self.read += len(read)
        made = dict(zip(fresh, read, strict=True))
        every = [(key, made[key] if found is None else found) for key, found in known]
        for key, found in every:
            # Two generations: when the young one is full it becomes the old one; what is asked again moves.
            if len(self._young) >= _REMEMBERED // 2:
                self._old, self._young = self._young, {}
            self._young[key] = found
        return [found for _, found in every]


@dataclass(frozen=True, slots=True)
class Gathered:
    """All evidence about one batch: by unit, and by row for rules that span a request."""

    units: Units
    by_unit: dict[int, list[Evidence]]
    by_row: dict[int, list[Evidence]]
    unsettled: list[int]  # units without evidence that may come to some: left over, or half of a row's rule


@dataclass(frozen=True, slots=True)
class Judged:
    """Distinct verdicts and, per row, which one it has; -1: ordinary, without evidence."""

    verdicts: list[Verdict]
    of_row: npt.NDArray[np.int32]


def judge(
    signatures: Signatures,
    model: Classifier | None,
    verification: Verification,
    owners: Owners,
    rows: Rows,
    *,
    quiet: Quiet | None,
) -> Judged:
    """The verdict on every row.

    `quiet`: what is known from earlier batches, be it ordinary or not, for a live batch, which also keeps to
    the credit of verification; None: everything is read.
    """
    if quiet is None:
        found = gather(signatures, model, verification, owners, rows, bounded=False)
        of_owner = _of_owners(_of_units(found), found.units, owners, Carriers())
        return _of_rows(of_owner, found.by_row, rows, owners.size)
    hashes = quiet.hashes(owners.targets, owners.agents, owners.referers)
    of_owner = quiet.verdicts.of(hashes)
    fresh = ~quiet.knows(hashes)
    fresh[list(of_owner)] = False
    fresh[signatures.apart(rows)] = True
    by_row: dict[int, list[Evidence]] = {}
    if fresh.any():
        some, some_rows = _only(fresh, owners, rows)
        found = gather(signatures, model, verification, some, some_rows, bounded=True)
        of_some = _read(found, some, hashes[fresh], quiet)
        of_owner |= zip(np.flatnonzero(fresh)[list(of_some)].tolist(), of_some.values(), strict=True)
        by_row = found.by_row
    return _of_rows(of_owner, by_row, rows, owners.size)


def _read(
    found: Gathered, owners: Owners, hashes: npt.NDArray[np.uint64], quiet: Quiet
) -> dict[int, Verdict]:
    """The verdicts on owners that were not known; from now on they are, but for those about which more may be
    found: in another row, or when there is credit again."""
    of_unit = _of_units(found)
    settled = _without(found.units, found.unsettled, owners.size)
    quiet.learn(hashes[settled & _without(found.units, list(of_unit), owners.size)])
    carriers = Carriers()
    of_owner = _of_owners(of_unit, found.units, owners, carriers)
    if of_owner and carriers.left > 0:
        suspicious = np.fromiter(of_owner, np.int64, len(of_owner))
        kept = settled[suspicious]
        quiet.verdicts.keep(hashes[suspicious[kept]], list(compress(of_owner.values(), kept.tolist())))
    return of_owner


def _only(fresh: npt.NDArray[np.bool_], owners: Owners, rows: Rows) -> tuple[Owners, Rows]:
    """Owners and rows without those that are known to be ordinary, which stand as null."""
    parts = np.split(fresh, [owners.first_agent, owners.first_referer])
    columns = (owners.targets, owners.agents, owners.referers)
    kept = Owners(*(column.filter(pa.array(part)) for column, part in zip(columns, parts, strict=True)))
    new = np.full(len(fresh) + 1, -1, np.int64)  # the last entry stands for null
    new[:-1][fresh] = np.arange(kept.size)
    return kept, Rows((new[rows.owners[0]], new[rows.owners[1]], new[rows.owners[2]]), rows.columns)


def _without(units: Units, some: list[int], size: int) -> npt.NDArray[np.bool_]:
    """Owners that have none of these units."""
    marked = np.zeros(len(units), bool)
    marked[some] = True
    without = np.ones(size, bool)
    without[units.owner[marked[units.unit]]] = False
    return without


def _of_units(found: Gathered) -> dict[int, Verdict]:
    verdicts = zip(found.by_unit, map(fuse, found.by_unit.values()), strict=True)
    return {unit: verdict for unit, verdict in verdicts if verdict.score >= HINT}


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
    doubted = model.score(units) if model is not None else None
    standing = _standing(units, doubted)
    found = signatures.find(units, rows, standing if bounded else None)
    evidence = _matched(signatures, found)
    standing[found.unit] = True
    candidates = _candidates(units, standing)
    verification.credit = min(CREDIT, verification.credit + rows.size * CREDIT_PER_ROW)
    unsettled = found.halves.tolist()
    pieces_of = verification.of(
        units.texts.take(pa.array(candidates)).to_pylist(), units.kind[candidates].tolist(), bounded=bounded
    )
    unsettled += candidates[len(pieces_of) :].tolist()
    for unit, pieces in zip(candidates.tolist(), pieces_of, strict=False):
        if pieces:
            evidence.setdefault(unit, []).extend(pieces)
    if doubted is not None:
        doubts: dict[float, Evidence] = {}
        for unit, score in zip(doubted.units.tolist(), doubted.scores.round(3).tolist(), strict=True):
            piece = doubts.get(score)
            if piece is None:
                piece = doubts[score] = from_model(score)
            evidence.setdefault(unit, []).append(piece)
    by_row: dict[int, list[Evidence]] = {}
    for index, row in zip(found.row_rule.tolist(), found.row.tolist(), strict=True):
        by_row.setdefault(row, []).append(signatures.pieces[index])
    return Gathered(units, evidence, by_row, unsettled)


def _matched(signatures: Signatures, found: Found) -> dict[int, list[Evidence]]:
    evidence: dict[int, list[Evidence]] = {}
    pieces = signatures.pieces
    for index, unit in zip(found.unit_rule.tolist(), found.unit.tolist(), strict=True):
        evidence.setdefault(unit, []).append(pieces[index])
    return evidence


_CONTROLS: Final = bytes(range(10)) + bytes(range(11, 32))


def _table(marks: bytes) -> np.ndarray[Any, np.dtype[np.bool_]]:
    table = np.zeros(256, bool)
    table[list(marks + _CONTROLS)] = True
    return table


_MARKS: Final = (
    (Kind.NAME | Kind.VALUE, _table(b"<>'\"`;|$(){}[]\\^*#=")),
    # Names of pages have parentheses or an equals sign; the words that make more of them are hints.
    (Kind.PATH, _table(b"<>'\"`;|${}[]\\^*")),
    # What a whole agent, referer or address consists of is no mark; its parts are units of their own.
    (Kind.AGENT | Kind.REFERER | Kind.URL, _table(b"<>'\"`|${}\\")),
)
"""Marks of syntax by kind of unit: without one, a rule or the classifier must name a unit to have it read."""


def _standing(units: Units, doubted: Scores | None) -> npt.NDArray[np.bool_]:
    """Units with a mark of syntax, and those that the classifier named."""
    wanted = np.zeros(len(units), bool)
    if doubted is not None:
        wanted[doubted.units] = True
    for kinds, table in _MARKS:
        wanted |= units.marked(table, JUDGED) & ((units.kind & int(kinds)) != 0)
    return wanted


def _candidates(units: Units, standing: npt.NDArray[np.bool_]) -> Ints:
    """Units worth reading of those that stand out by a mark, the classifier or a rule."""
    # Other protocols' bytes are no path; rules know them by their first.
    worth = ~((units.kind == int(Kind.PATH)) & (units.first_bytes() < 32))
    return np.flatnonzero(standing & worth & ((units.kind & JUDGED) != 0))


def _of_owners(
    of_unit: dict[int, Verdict], units: Units, owners: Owners, carriers: Carriers
) -> dict[int, Verdict]:
    """An owner is as bad as its worst unit, unless a referer only echoes it; its rules are those of all."""
    if not of_unit:
        return {}
    suspicious = np.zeros(len(units), bool)
    suspicious[list(of_unit)] = True
    uses = np.flatnonzero(suspicious[units.unit])
    # Of equals the first is kept: what a rule says of the whole request, then by kind, the path first.
    kind = units.kind[units.unit[uses]]
    uses = uses[np.argsort(np.where(kind > JUDGED, 0, kind), kind="stable")]
    of_target = units.owner[uses] < owners.first_agent
    of_value = ((units.kind[units.unit[uses]] & _VALUES != 0) & of_target).tolist()
    of_owner: dict[int, Verdict] = {}
    worst = _Worst()
    carried = {number for number, verdict in _objects(of_unit).items() if matters(verdict)}
    targets, texts = owners.targets, units.texts
    # A loop over the suspicious few.
    for owner, unit, value in zip(
        units.owner[uses].tolist(), units.unit[uses].tolist(), of_value, strict=True
    ):
        verdict = of_unit[unit]
        if value and id(verdict) in carried and carriers.left > 0:
            verdict = carriers.weighed(verdict, owner, targets[owner].as_py(), texts[unit].as_py())
        known = of_owner.get(owner)
        of_owner[owner] = verdict if known is None else worst.of(known, verdict)
    first = owners.first_referer
    soft: dict[int, Verdict] = {}  # one object for each verdict, by its id: they are told apart by it
    for owner, verdict in of_owner.items():
        if owner >= first and is_echo(owners.referers[owner - first].as_py()):
            of_owner[owner] = soft.setdefault(id(verdict), softened(verdict))
    return of_owner


class _Worst:
    """`worse`, each pair of verdicts once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], tuple[Verdict, Verdict, Verdict]] = {}

    def of(self, a: Verdict, b: Verdict) -> Verdict:
        known = self._known.get((id(a), id(b)))
        if known is None:
            # The pair is kept beside the answer, so that its ids stay its own.
            known = self._known[id(a), id(b)] = (worse(a, b), a, b)
        return known[0]


def _objects(verdicts: dict[int, Verdict]) -> dict[int, Verdict]:
    """The verdicts by their ids: many have one object, so that what follows from it is found out once."""
    return {id(verdict): verdict for verdict in verdicts.values()}


def _of_rows(
    of_owner: dict[int, Verdict], by_row: dict[int, list[Evidence]], rows: Rows, owners: int
) -> Judged:
    """Every distinct triple of verdicts is judged once, then rows with evidence of their own."""
    suspicious = np.full(owners + 1, -1, np.int64)  # the last entry stands for null
    numbers: dict[Verdict, int] = {}
    same = {number: numbers.setdefault(each, len(numbers)) for number, each in _objects(of_owner).items()}
    suspicious[list(of_owner)] = [same[id(each)] for each in of_owner.values()]
    at_hand = list(numbers)
    triple = [suspicious[codes] for codes in rows.owners]
    hit = np.flatnonzero((triple[0] >= 0) | (triple[1] >= 0) | (triple[2] >= 0))
    base = len(at_hand) + 1
    key = ((triple[0][hit] + 1) * base + triple[1][hit] + 1) * base + triple[2][hit] + 1
    kinds, inverse = np.unique(key, return_inverse=True)
    verdicts: list[Verdict] = []
    for each in kinds.tolist():
        verdict = ORDINARY
        for number in (each // (base * base), each // base % base, each % base):
            if number:
                verdict = worse(verdict, at_hand[number - 1])
        verdicts.append(verdict)
    of_row = np.full(rows.size, -1, np.int32)
    of_row[hit] = inverse
    together: dict[tuple[int, ...], int] = {}
    for row, pieces in by_row.items():
        before = int(of_row[row])
        key_of_row = (before, *map(id, pieces))
        if key_of_row not in together:
            together[key_of_row] = len(verdicts)
            verdicts.append(worse(verdicts[before] if before >= 0 else ORDINARY, fuse(pieces)))
        of_row[row] = together[key_of_row]
    return Judged(verdicts, of_row)
