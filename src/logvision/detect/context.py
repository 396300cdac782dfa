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
from logvision.detect.decoding import decode_text
from logvision.detect.detector import SHOWN, Detector
from logvision.detect.fusion import HINT, MODEL, ORDINARY, Evidence, Verdict, fuse, worse
from logvision.detect.profiles import LONGEST, MANY, ROUTE, Profile, Profiles, variables
from logvision.detect.signature import Rows
from logvision.detect.traits import (
    ANGLES,
    BARS,
    BLANK,
    BRACES,
    CODE,
    CODE_BIT,
    DOLLARS,
    FOREIGN,
    LETTERS,
    MARKS,
    breaks_out,
    leaves_text,
    longest,
    named,
    traits,
)
from logvision.detect.units import Ints, Kind, Owners, Units
from logvision.exemption import MARK, PATH, REFERER, USER_AGENT, Exemption
from logvision.schema import Attack

USUAL: Final = "profile.usual"
FREE_TEXT: Final = "profile.free_text"
DEPARTS: Final = "profile.departs"
UNKNOWN: Final = "profile.unknown"
"""Names of profile evidence; those that speak for an attack stand in EVENT.rules."""

SHARE: Final = 0.4
"""What is left of the evidence about a value that is usual where it stands."""

READ: Final = "verify."
PROOF: Final = 0.85
"""Evidence of a reading, at least this strong, is never weakened: see `_may_be_usual`."""

PROSE: Final = 0.2
"""A parameter holds free text when this share of the networks that use it, and FEW, sent several words."""

LIKE_CODE: Final = 0.05
"""A parameter holds code when this share of the networks that use it, and MANY, sent some."""

FEW: Final = 10
"""Networks that must have shown a kind of characters in a parameter that MANY use."""

DEPARTING: Final = 0.35
NEVER_SENT: Final = 0.1
"""How far they fill the doubt that other evidence leaves; alone they are nothing."""

BESIDE: Final = 0.24
"""The score from which on a request is looked at again."""

NOISE: Final = 2
"""Networks whose traits do not count against a parameter's being regular."""

PARTS: Final = 64  # parameters of one request that are looked at

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

BARE: Final = "{query}"
"""The name of what stands in a query and is no pair."""


@dataclass(frozen=True, slots=True)
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
class Note:
    """One thing that the second look found: about which parameter, saying what, in one sentence."""

    parameter: str
    kind: str  # against, for, exception
    rule: str  # USUAL, DEPARTS, UNKNOWN, or the id of the exception
    sentence: str
    attack: Attack | None = None  # what a departure would be


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


@dataclass(slots=True)
class _Part:
    """One parameter of a request, with all that was found about it."""

    column: str  # target, user_agent or referer
    name: str
    text: str  # as logged; a parameter with its "?", so that it is a target of its own
    value: bytes  # decoded; of what is longer than LONGEST the beginning
    spoken: Sequence[Note] = ()  # what the profiles say, should anything be found about it
    owner: int = -1  # among `Owners`
    units: dict[int, list[Evidence]] = field(default_factory=dict)
    direct: frozenset[int] = frozenset()  # units that are the parameter's own value, none inside of it


def look(requests: Sequence[Asked], detector: Detector, profiles: Profiles) -> list[Look]:
    """The verdicts in context. Cost: about 0.3 ms a request; everything is read, nothing learned."""
    return _looked(requests, [_parts(request, profiles) for request in requests], detector)


def look_where_it_tells(
    requests: Sequence[Asked], detector: Detector, profiles: Profiles
) -> list[Look | None]:
    """`look` without those that could only say again what was said: None where no profile says anything of a
    part and no exception is in force. That costs 50 µs a request."""
    parts = [_parts(request, profiles) for request in requests]
    telling = [
        number
        for number, (request, pieces) in enumerate(zip(requests, parts, strict=True))
        if request.exemptions or any(part.spoken for part in pieces)
    ]
    looks: list[Look | None] = [None] * len(requests)
    found = _looked([requests[n] for n in telling], [parts[n] for n in telling], detector)
    for number, one in zip(telling, found, strict=True):
        looks[number] = one
    return looks


def _looked(requests: Sequence[Asked], parts: Sequence[Sequence[_Part]], detector: Detector) -> list[Look]:
    if not requests:
        return []
    found = _gathered(requests, parts, detector)
    evident = np.zeros(len(found.units), bool)
    evident[list(found.by_unit)] = True
    uses = np.flatnonzero(evident[found.units.unit])
    units_of: dict[int, list[int]] = {}
    for owner, unit in zip(found.units.owner[uses].tolist(), found.units.unit[uses].tolist(), strict=True):
        units_of.setdefault(owner, []).append(unit)
    looks = []
    for number, (request, pieces) in enumerate(zip(requests, parts, strict=True)):
        for part in pieces:
            part.units = {unit: found.by_unit[unit] for unit in units_of.get(part.owner, ())}
            part.direct = frozenset(unit for unit in part.units if _is_value(found.units, unit, part))
        whole = {unit: found.by_unit[unit] for unit in units_of.get(number, ())}
        apart = [*_apart(found, whole, pieces), *found.by_row.get(number, [])]
        looks.append(_weighed(request, pieces, apart))
    return looks


def _is_value(units: Units, unit: int, part: _Part) -> bool:
    return bool(units.kind[unit] & int(Kind.VALUE | Kind.URL)) and units.texts[unit].as_py() == part.value


def _parts(request: Asked, profiles: Profiles) -> list[_Part]:
    """What a request is made of, with what profiles say of each part of the target where they are settled."""
    path, _, query = request.target.partition("?")
    found = [_Part("target", PATH, path, decode_text(path[:LONGEST].encode(), query=False))]
    for pair in query.split("&", PARTS)[:PARTS]:
        name, equals, value = pair.partition("=")
        if pair:
            said = decode_text(name[:LONGEST].encode(), query=True) if equals else BARE.encode()
            text = decode_text((value if equals else pair)[:LONGEST].encode(), query=True)
            found.append(_Part("target", said.decode("utf-8", "replace"), f"?{pair}", text))
    arrived = profiles.get(request.site, request.route or "", ROUTE)
    if arrived is not None and arrived.networks >= MANY:
        for part in found:
            part.spoken = _spoken(request, part, profiles)
    for column, header, logged in (
        ("user_agent", USER_AGENT, request.user_agent),
        ("referer", REFERER, request.referer),
    ):
        if logged is not None:
            found.append(_Part(column, header, logged, logged.encode()))
    return found


def _gathered(requests: Sequence[Asked], parts: Sequence[Sequence[_Part]], detector: Detector) -> Gathered:
    """All evidence about the requests, which are the first owners, and about their parts, the others."""
    texts: dict[str, list[str]] = {"target": [r.target for r in requests], "user_agent": [], "referer": []}
    every = [part for pieces in parts for part in pieces]
    for part in every:
        part.owner = len(texts[part.column])
        texts[part.column].append(part.text)
    owners = Owners(*(pa.array(each, pa.string()) for each in texts.values()))
    first = {"target": 0, "user_agent": owners.first_agent, "referer": owners.first_referer}
    for part in every:
        part.owner += first[part.column]
    numbers = np.arange(len(requests))
    headers = [
        np.array([next((p.owner for p in pieces if p.column == column), -1) for pieces in parts], np.int64)
        for column in ("user_agent", "referer")
    ]
    columns: dict[str, tuple[list[Any], Ints]] = {
        "cs-method": ([(request.method or "").upper() for request in requests], numbers),
        "sc-status": ([-1 if r.status is None else r.status for r in requests], numbers),
    }
    rows = Rows((numbers, headers[0], headers[1]), columns)
    return gather(detector.signatures, detector.model, detector.verification, owners, rows, bounded=False)


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


def _weighed(request: Asked, parts: Sequence[_Part], apart: Sequence[Evidence]) -> Look:
    notes: list[Note] = []
    verdict = without = ORDINARY
    path = request.target.partition("?")[0]
    for part in parts:
        if not part.units:
            continue
        excepted = [each for each in request.exemptions if each.covers(part.name, part.value)]
        usual = next((note.rule for note in part.spoken if note.kind == "against"), None)
        echoed = part.column == "referer" and echo.is_echo(part.text)
        here = left = ORDINARY
        for unit, pieces in part.units.items():
            by = carrier.weight(path, part.name) if unit in part.direct else carrier.OPEN
            if usual:
                by = min(by, carrier.OPEN)  # half a proof is not made more of where it is usual
            here = worse(here, carrier.weighed(_fused(pieces, usual), by))
            kept = _kept(pieces, excepted, part.name, notes)
            by = by if len(kept) == len(pieces) else carrier.OPEN  # what people excepted is not made up for
            left = worse(left, carrier.weighed(_fused(kept, usual), by))
        if echoed:
            here, left = echo.softened(here), echo.softened(left)
        for note in part.spoken:
            here, left = _raised(here, note), _raised(left, note)
        without, verdict = worse(without, here), worse(verdict, left)
        notes += part.spoken
    # Rules about a request as a whole know nothing of parameters: nor do the exceptions from them.
    without = worse(without, fuse(apart))
    everywhere = [each for each in request.exemptions if each.covers(None, b"")]
    verdict = worse(verdict, fuse(_kept(apart, everywhere, "", notes)))
    return Look(verdict, without, tuple(dict.fromkeys(notes)))


def _kept(
    pieces: Sequence[Evidence], excepted: Sequence[Exemption], parameter: str, notes: list[Note]
) -> list[Evidence]:
    """The evidence that no exception is about."""
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
    """All evidence about one text; `usual`: what speaks against it, USUAL, FREE_TEXT or nothing."""
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
    share = {DEPARTS: DEPARTING, UNKNOWN: NEVER_SENT}.get(note.rule)
    if share is None or verdict.score < BESIDE:
        return verdict
    score = 1 - (1 - verdict.score) * (1 - share)
    return Verdict(score, verdict.attack or note.attack, tuple(sorted({*verdict.rules, note.rule})))


def _spoken(request: Asked, part: _Part, profiles: Profiles) -> list[Note]:
    """What the profiles of this place say about one part; nothing where it is too long to be read whole."""
    if len(part.text) > LONGEST:
        return []
    route = request.route or ""
    if part.name == PATH:
        found = [
            (name, decode_text(text.encode(), query=False)) for name, text in variables(part.text, route)
        ]
        odd = [(name, value) for name, value in found if traits(value) & MARKS]
        said = [_usual(name, value, profiles.get(request.site, route, name)) for name, value in odd]
        return [note for note in said if note is not None] if all(said) else []
    profile = profiles.get(request.site, route, part.name)
    if profile is None:
        said_so = f"no visitor ever sent the parameter {part.name!r} to {route}"
        return [Note(part.name, "for", UNKNOWN, said_so)] if part.name != BARE else []
    note = _usual(part.name, part.value, profile) or _departure(part.name, part.value, profile)
    return [note] if note is not None else []


def _usual(name: str, value: bytes, profile: Profile | None) -> Note | None:
    if profile is None or profile.networks < MANY:
        return None
    prose = profile.counts[BLANK.bit_length() - 1]
    if prose >= max(FEW, PROSE * profile.networks) and not leaves_text(value):
        return Note(name, "against", FREE_TEXT, f"{name!r} holds free text of {prose} unrelated visitors")
    code = profile.counts[CODE_BIT]
    if code < max(MANY, LIKE_CODE * profile.networks) or breaks_out(value):
        return None
    bits, usual = traits(value), profile.usual(FEW)
    if bits & MARKS & ~usual or longest(bits) > longest(usual) + 1:
        return None
    return Note(name, "against", USUAL, f"{name!r} holds code for {code} unrelated visitors of this route")


def _departure(name: str, value: bytes, profile: Profile) -> Note | None:
    if profile.networks < MANY:
        return None
    seen = profile.usual(NOISE + 1)
    if seen & (MARKS | BLANK | FOREIGN | CODE):
        return None
    strange = traits(value) & (MARKS | BLANK) & ~profile.usual(1)
    if not strange:
        return None
    kind = "letters and digits" if seen & LETTERS else "digits"
    holds = " and ".join(named(strange)) if len(named(strange)) < 3 else ", ".join(named(strange))
    said = f"{name!r} holds {kind} alone for {profile.networks} unrelated visitors, and here {holds}"
    return Note(name, "for", DEPARTS, said, _ATTACK_OF.get(strange & -strange, Attack.SQLI))


_ATTACK_OF: Final = {ANGLES: Attack.XSS, BARS: Attack.RCE, DOLLARS: Attack.RCE, BRACES: Attack.SSTI}
"""What the first strange mark of a departure asks for; the others belong to SQL."""
