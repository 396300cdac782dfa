"""The second look: what a site knows of itself, and what people excepted, held against a first verdict.

The cascade judges a text by itself, wherever it stands. Here the few requests that it found something in
are cut into their parameters, each with its name and its place, and all evidence about a parameter is
weighed again:

- against it: the parameter of this route ordinarily holds free text (a search box), or code (a search for
  code, OData, PromQL, an editor), and this value looks like it and does not break out of anything;
- for it: the parameter is ever so regular and this value is not, or nobody ever sent such a parameter;
- exceptions take away the evidence that they are about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa

from logvision.detect import carrier, echo
from logvision.detect.cascade import Gathered, gather
from logvision.detect.detector import SHOWN, Detector
from logvision.detect.fusion import HINT, MODEL, ORDINARY, Evidence, Verdict, fuse, worse
from logvision.detect.parameters import DEPARTS, FREE_TEXT, UNKNOWN, Note, Parameter, Place, parameters
from logvision.detect.profiles import Profiles
from logvision.detect.scopes import Rows
from logvision.detect.units import Ints, Kind, Owners
from logvision.exemption import MARK, REFERER, USER_AGENT, Exemption
from logvision.schema import Attack

SHARE: Final = 0.4
"""What is left of the evidence about a value that is usual where it stands."""

READ: Final = "verify."
PROOF: Final = 0.85
"""Evidence of a reading, at least this strong, is never weakened: see `_may_be_usual`."""

DEPARTING: Final = 0.35
NEVER_SENT: Final = 0.1
"""How far they fill the doubt that other evidence leaves; alone they are nothing."""

_ADDED: Final = {DEPARTS: DEPARTING, UNKNOWN: NEVER_SENT}

BESIDE: Final = 0.24
"""The score from which on a request is looked at again."""

_WEAKENED: Final = frozenset(
    {
        *(Attack.SQLI, Attack.NOSQLI, Attack.XSS, Attack.PHP, Attack.CODE, Attack.SSTI, Attack.JAVA),
        *(Attack.SSI, Attack.GRAPHQL, Attack.WEBSHELL),
    }
)
"""Classes that code which people look for resembles. The others have no business in a search."""

_REACHING: Final = frozenset({Attack.TRAVERSAL, Attack.SSRF, Attack.SSTI, Attack.JAVA})
_WRITTEN: Final = (_WEAKENED | {Attack.RCE, Attack.PROTOTYPE, Attack.SENSITIVE}) - _REACHING
"""Classes of what people write about and paste into a search box; the former unless a reading proves them.
In free text only what breaks out of it, as SQL behind a number does, is a proof."""

_WHOLE: Final = int(Kind.TARGET | Kind.RAW_TARGET)
_VALUE: Final = int(Kind.VALUE | Kind.URL)


@dataclass(slots=True)
class Asked:
    """One request as it is looked at again; texts as logged."""

    target: str
    site: str | None = None
    route: str | None = None
    method: str | None = None
    status: int | None = None
    user_agent: str | None = None
    referer: str | None = None
    exemptions: tuple[Exemption, ...] = ()  # that are in force for its time, place and client


@dataclass(frozen=True, slots=True)
class Look:
    """What came of it. `without`: the verdict if there were no exceptions."""

    verdict: Verdict
    without: Verdict
    notes: tuple[Note, ...]

    def said(self, threshold: float) -> tuple[str | None, str | None]:
        """EVENT.attack and EVENT.rules."""
        is_attack = self.verdict.attack is not None and self.verdict.score >= threshold
        silenced = not is_attack and self.without.attack is not None and self.without.score >= threshold
        marks = [MARK + each for each in self.exceptions] if silenced else []
        shown = self.verdict.rules if self.verdict.score >= SHOWN else ()
        attack = self.verdict.attack.value if is_attack and self.verdict.attack is not None else None
        return attack, " ".join([*marks, *shown]) or None

    @property
    def exceptions(self) -> tuple[str, ...]:
        """Ids of the exceptions that took evidence away."""
        return tuple(sorted({note.rule for note in self.notes if note.kind == "exception"}))


@dataclass(frozen=True, slots=True)
class _Cut:
    """A request and its parts, each with what profiles say of it, should anything be found about it."""

    request: Asked
    parts: Sequence[tuple[Parameter, Sequence[Note]]]

    @property
    def tells(self) -> bool:
        """Whether a second look can say anything else than the first."""
        return bool(self.request.exemptions) or any(notes for _, notes in self.parts)


@dataclass(frozen=True, slots=True)
class _Part:
    """One part of a request that something was found about."""

    parameter: Parameter
    notes: Sequence[Note]
    units: dict[int, list[Evidence]]
    texts: dict[int, bytes]  # of units that are values: the parameter's own, or inside of it


def look(requests: Sequence[Asked], detector: Detector, profiles: Profiles) -> list[Look]:
    """The verdicts in context. Cost: about 0.2 ms a request; everything is read, nothing learned."""
    return _looked(_cut(requests, profiles), detector)


def look_where_it_tells(
    requests: Sequence[Asked], detector: Detector, profiles: Profiles
) -> list[Look | None]:
    """`look` without those that could only say again what was said: None where no profile says anything of a
    part and no exception is in force. That costs 10 µs a request."""
    cut = _cut(requests, profiles)
    telling = [number for number, each in enumerate(cut) if each.tells]
    looks: list[Look | None] = [None] * len(requests)
    for number, one in zip(telling, _looked([cut[n] for n in telling], detector), strict=True):
        looks[number] = one
    return looks


def _cut(requests: Sequence[Asked], profiles: Profiles) -> list[_Cut]:
    """Requests in their parts: every distinct target and every place is read once."""
    targets = parameters([request.target for request in requests])
    places: dict[tuple[str | None, str], Place] = {}
    found = []
    for request in requests:
        at = request.site, request.route or ""
        place = places.get(at)
        if place is None:
            place = places[at] = Place(profiles, *at)
        settled = place.settled
        parts = [(part, place.says(part) if settled else ()) for part in targets[request.target]]
        for column, header, logged in (
            ("user_agent", USER_AGENT, request.user_agent),
            ("referer", REFERER, request.referer),
        ):
            if logged is not None:
                parts.append((Parameter(column, header, logged, logged.encode()), ()))
        found.append(_Cut(request, parts))
    return found


def _looked(cut: Sequence[_Cut], detector: Detector) -> list[Look]:
    if not cut:
        return []
    found, owner_of = _gathered(cut, detector)
    evident = np.zeros(len(found.units), bool)
    evident[list(found.by_unit)] = True
    uses = np.flatnonzero(evident[found.units.unit])
    units_of: dict[int, list[int]] = {}
    for owner, unit in zip(found.units.owner[uses].tolist(), found.units.unit[uses].tolist(), strict=True):
        units_of.setdefault(owner, []).append(unit)
    values = np.flatnonzero(evident & (found.units.kind & _VALUE != 0))
    text_of = dict(zip(values.tolist(), found.units.texts.take(pa.array(values)).to_pylist(), strict=True))
    scales = _Scales()
    looks = []
    for number, each in enumerate(cut):
        parts = []
        for part, notes in each.parts:
            own = units_of.get(owner_of[part.column][part.text], [])
            if own:
                texts = {unit: text_of[unit] for unit in own if unit in text_of}
                parts.append(_Part(part, notes, {unit: found.by_unit[unit] for unit in own}, texts))
        own = units_of.get(owner_of["target"][each.request.target], [])
        whole = {unit: found.by_unit[unit] for unit in own}
        apart = [*_apart(found, whole, parts), *found.by_row.get(number, [])]
        looks.append(_weighed(each.request, parts, apart, scales))
    return looks


def _gathered(cut: Sequence[_Cut], detector: Detector) -> tuple[Gathered, dict[str, dict[str, int]]]:
    """All evidence about the requests and about their parts; and by column and text, which owner each is."""
    texts = {
        "target": dict.fromkeys((each.request.target for each in cut), 0),
        "user_agent": {},
        "referer": {},
    }
    for each in cut:
        for part, _ in each.parts:
            texts[part.column][part.text] = 0
    owners = Owners(*(pa.array(list(each), pa.string()) for each in texts.values()))
    for of_text, first in zip(texts.values(), (0, owners.first_agent, owners.first_referer), strict=True):
        for number, text in enumerate(of_text, first):
            of_text[text] = number

    def numbers(column: str) -> Ints:
        logged = (getattr(each.request, column) for each in cut)
        return np.array([-1 if text is None else texts[column][text] for text in logged], np.int64)

    every = np.arange(len(cut))
    columns: dict[str, tuple[list[Any], Ints]] = {
        "cs-method": ([(each.request.method or "").upper() for each in cut], every),
        "sc-status": ([-1 if each.request.status is None else each.request.status for each in cut], every),
    }
    rows = Rows((numbers("target"), numbers("user_agent"), numbers("referer")), columns)
    found = gather(detector.signatures, detector.model, detector.verification, owners, rows, bounded=False)
    return found, texts


def _apart(found: Gathered, whole: Mapping[int, list[Evidence]], parts: Sequence[_Part]) -> list[Evidence]:
    """Evidence about the request as a whole that is not evidence about one of its parts.

    A rule over whole targets that holds for a part alone is evidence about that part; one that holds for
    a part only because it is no whole target is none.
    """
    spanning = {
        piece.rule for unit, pieces in whole.items() if found.units.kind[unit] & _WHOLE for piece in pieces
    }
    for part in parts:
        for unit in [unit for unit in part.units if found.units.kind[unit] & _WHOLE]:
            kept = [piece for piece in part.units[unit] if piece.rule in spanning]
            part.units[unit] = kept
    known = {piece.rule for part in parts for pieces in part.units.values() for piece in pieces}
    return [piece for pieces in whole.values() for piece in pieces if piece.rule not in known]


@dataclass(slots=True)
class _Scales:
    """Verdicts of evidence, each combination weighed once; the evidence outlives them."""

    _known: dict[tuple[str | int | None, ...], Verdict] = field(default_factory=dict)

    def fused(self, pieces: Sequence[Evidence], usual: str | None) -> Verdict:
        """All evidence about one text; `usual`: what speaks against it, USUAL, FREE_TEXT or nothing."""
        key = (usual, *map(id, pieces))
        verdict = self._known.get(key)
        if verdict is None:
            verdict = self._known[key] = _fused(pieces, usual)
        return verdict


def _weighed(request: Asked, parts: Sequence[_Part], apart: Sequence[Evidence], scales: _Scales) -> Look:
    without, notes = _verdict(request, parts, apart, scales, ())
    if not request.exemptions:
        return Look(without, without, notes)
    verdict, notes = _verdict(request, parts, apart, scales, request.exemptions)
    return Look(verdict, without, notes)


def _verdict(
    request: Asked,
    parts: Sequence[_Part],
    apart: Sequence[Evidence],
    scales: _Scales,
    exemptions: Sequence[Exemption],
) -> tuple[Verdict, tuple[Note, ...]]:
    """The verdict under these exceptions, and what was found for it."""
    notes: list[Note] = []
    verdict = ORDINARY
    path = request.target.partition("?")[0]
    for part in parts:
        column, name, text, value = part.parameter
        excepted = [each for each in exemptions if each.covers(name, value)]
        usual = next((note.rule for note in part.notes if note.kind == "against"), None)
        carriers = {value: carrier.weight(path, name, value)} if column == "target" and part.texts else {}
        here = ORDINARY
        for unit, pieces in part.units.items():
            kept = _kept(pieces, excepted, name, notes)
            by = carrier.OPEN
            if unit in part.texts and len(kept) == len(pieces):  # what people excepted is not made up for
                by = carrier.weight_of(carriers, part.texts[unit])
            if usual:
                by = min(by, carrier.OPEN)  # half a proof is not made more of where it is usual
            here = worse(here, carrier.weighed(scales.fused(kept, usual), by))
        if column == "referer" and echo.is_echo(text):
            here = echo.softened(here)
        for note in part.notes:
            here = _raised(here, note)
        verdict = worse(verdict, here)
        notes += part.notes
    # Rules about a request as a whole know nothing of parameters: nor do the exceptions from them.
    everywhere = [each for each in exemptions if each.covers(None, b"")]
    verdict = worse(verdict, scales.fused(_kept(apart, everywhere, "", notes), None))
    return verdict, tuple(dict.fromkeys(notes))


def _kept(
    pieces: Sequence[Evidence], excepted: Sequence[Exemption], parameter: str, notes: list[Note]
) -> Sequence[Evidence]:
    """The evidence that no exception is about."""
    if not excepted:
        return pieces
    kept = []
    for piece in pieces:
        by = next((each for each in excepted if each.about(piece.rule)), None)
        if by is None:
            kept.append(piece)
        elif piece.strength >= HINT:
            said = f"{by.author} excepted {piece.rule} here: {by.reason}"
            notes.append(Note(parameter, "exception", by.id, said))
    return kept


def _fused(pieces: Sequence[Evidence], usual: str | None) -> Verdict:
    if usual is None:
        return fuse(pieces)
    hard = [piece for piece in pieces if piece.rule != MODEL and not _may_be_usual(piece, usual)]
    soft = fuse(piece for piece in pieces if piece not in hard)
    return worse(Verdict(soft.score * SHARE, soft.attack, soft.rules), fuse(hard))


def _may_be_usual(piece: Evidence, usual: str) -> bool:
    """What a reading proved is an attack wherever code stands, but not where people write freely."""
    proved = piece.rule.startswith(READ) and piece.strength >= PROOF
    if usual == FREE_TEXT:
        return piece.attack in _WRITTEN or (piece.attack in _REACHING and not proved)
    return piece.attack in _WEAKENED and not proved


def _raised(verdict: Verdict, note: Note) -> Verdict:
    """What a departure adds to a verdict that something else speaks for already."""
    share = _ADDED.get(note.rule)
    if share is None or verdict.score < BESIDE:
        return verdict
    score = 1 - (1 - verdict.score) * (1 - share)
    return Verdict(score, verdict.attack or note.attack, tuple(sorted({*verdict.rules, note.rule})))
