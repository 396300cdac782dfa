"""Why, and why not: everything that one event's verdict rests on, in the order in which it came about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from logvision.detect import carrier, echo
from logvision.detect.canonical import Decoded, decode
from logvision.detect.cascade import JUDGED, gather
from logvision.detect.context import Asked, Look, look
from logvision.detect.detector import Detector, outcome_of
from logvision.detect.fusion import MODEL, ORDINARY, Evidence, Verdict, fuse, worse
from logvision.detect.scopes import Rows
from logvision.detect.site import Site
from logvision.detect.units import Kind, Owners

FIELDS: Final = ("target", "user_agent", "referer")

_KIND_NAMES: Final = {
    Kind.PATH: "path", Kind.NAME: "name", Kind.VALUE: "value", Kind.AGENT: "agent", Kind.REFERER: "referer",
    Kind.URL: "url", Kind.TARGET: "target", Kind.RAW_TARGET: "target as logged",
    Kind.RAW_AGENT: "agent as logged", Kind.RAW_REFERER: "referer as logged",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Match:
    """A rule that holds for a unit, and where: spans in the unit's text and in the field as logged."""

    rule: str
    title: str
    attack: str
    confidence: float
    spans: list[tuple[int, int]]
    raw_spans: list[tuple[int, int]]  # byte offsets into the field; empty where a unit was derived


@dataclass(frozen=True, slots=True)
class UnitReport:
    """One unit: what it is, how it was decoded, and all that was found about it."""

    field: str
    kind: str
    text: str
    decoding: list[tuple[str, str]]  # (step, text after it)
    rules: list[Match]
    hints: list[str]  # rules that only sent it to verification
    model: float | None  # the classifier's probability; None: not scored, or below what it reports
    ngrams: list[tuple[str, float]]  # the n-grams that weigh most in it
    verification: list[str]  # one sentence a reading
    score: float
    attack: str | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The whole verdict on one event."""

    verdict: str  # one sentence
    score: float
    threshold: float
    attack: str | None
    rules: list[str]
    outcome: str | None
    outcome_reason: str | None
    units: list[UnitReport]  # the worst first; units without any evidence are counted, not listed
    request_rules: list[str]  # rules that hold for the request as a whole
    quiet_units: int
    context: list[dict[str, Any]]  # what the site's profiles and exceptions said: see `parameters.Note`
    score_alone: float  # the score without the context
    detector: str

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def explain(event: Mapping[str, Any], detector: Detector, site: Site | None = None) -> Explanation:
    """Judge one event again and say why. Needs `target`; reads the other fields if there.

    `site`: what its site knows; None: the text alone is judged. Exceptions need `time`, a datetime.
    """
    fields = {name: str(event.get(name) or "-") for name in FIELDS}
    owners = Owners(*(pa.array([fields[name]], pa.string()) for name in FIELDS))
    status = event.get("status")
    rows = Rows(
        tuple(np.array([i]) for i in range(3)),  # type: ignore[arg-type]
        {
            "cs-method": ([str(event.get("method") or "").upper()], np.zeros(1, np.int64)),
            "sc-status": ([status if status is not None else -1], np.zeros(1, np.int64)),
        },
    )
    found = gather(detector.signatures, detector.model, detector.verification, owners, rows, bounded=False)
    owner_of = dict(zip(found.units.unit.tolist(), found.units.owner.tolist(), strict=True))
    total = fuse(found.by_row.get(0, []))
    units: list[UnitReport] = []
    for unit, pieces in found.by_unit.items():
        verdict = fuse(pieces)
        text = found.units.texts[int(found.units.text[unit])].as_py()
        field = FIELDS[owner_of[unit]]
        if field == "referer" and echo.is_echo(fields[field]):
            verdict = echo.softened(verdict)
            pieces = [*pieces, echo.EVIDENCE]  # noqa: PLW2901  one more piece
        kind = Kind(int(found.units.kind[unit]))
        if field == "target" and kind & (Kind.VALUE | Kind.URL) and carrier.matters(verdict):
            by = carrier.weight_of(carrier.weights(fields[field].encode()), text)
            if (changed := carrier.weighed(verdict, by)) is not verdict:
                verdict = changed
                pieces = [*pieces, carrier.EVIDENCE[by]]  # noqa: PLW2901  one more piece
        total = worse(total, verdict)
        units.append(_unit(detector, field, fields[field].encode(), kind, text, pieces, verdict))
    units.sort(key=lambda each: -each.score)
    alone = total
    seen = _in_context(event, detector, site) if site is not None else None
    if seen is not None and seen.notes:
        total = seen.verdict
    attack = total.attack.value if total.attack is not None and total.score >= detector.threshold else None
    rules = (seen.said(detector.threshold)[1] or "").split() if seen and seen.notes else list(total.rules)
    outcome, reason = outcome_of(status) if attack else (None, None)
    judged = int(((found.units.kind & JUDGED) != 0).sum())
    return Explanation(
        _sentence(total, attack, units, detector.threshold) + _in_short(seen, attack),
        total.score, detector.threshold, attack, rules, outcome, reason, units,
        [piece.rule for piece in found.by_row.get(0, [])], judged - len(units),
        [asdict(note) for note in seen.notes] if seen else [], alone.score, detector.version,
    )  # fmt: skip


def _in_context(event: Mapping[str, Any], detector: Detector, site: Site) -> Look:
    exemptions = site.at(event.get("time"), event.get("site"), event.get("route"), event.get("client_ip"))
    asked = Asked(
        target=str(event.get("target") or "-"),
        site=event.get("site"),
        route=event.get("route"),
        method=event.get("method"),
        status=event.get("status"),
        user_agent=event.get("user_agent"),
        referer=event.get("referer"),
        exemptions=exemptions,
    )
    return look([asked], detector, site.profiles)[0]


def _in_short(seen: Look | None, attack: str | None) -> str:
    """What of the context decided, if anything did."""
    if seen is None:
        return ""
    wanted = {"for"} if attack is not None else {"against", "exception"}
    said = [note.sentence for note in seen.notes if note.kind in wanted]
    return f" In its place: {'; '.join(said)}." if said else ""


def _unit(
    detector: Detector,
    field: str,
    raw: bytes,
    kind: Kind,
    text: bytes,
    evidence: list[Evidence],
    verdict: Verdict,
) -> UnitReport:
    by_id = detector.rules.by_id
    offset, decoded = _origin(raw, kind, text)
    matches: list[Match] = []
    hints: list[str] = []
    for piece in evidence:
        rule = by_id.get(piece.rule)
        if rule is None:
            continue
        if rule.hint:
            hints.append(rule.id)
            continue
        spans = detector.signatures.spans(rule, text)
        places = []
        if decoded is not None:
            places = [
                (start + offset, end + offset) for start, end in (decoded.raw_span(*span) for span in spans)
            ]
        matches.append(Match(rule.id, rule.title, rule.attack.value, rule.confidence, spans, places))
    model = next((piece.strength for piece in evidence if piece.rule == MODEL), None)
    contributions = detector.model.contributions(text) if detector.model and model is not None else []
    return UnitReport(
        field, _KIND_NAMES[kind], _shown(text),
        [(step.name, _shown(step.text)) for step in decoded.steps] if decoded is not None else [],
        matches, hints, model, contributions,
        [piece.sentence for piece in evidence if piece.sentence and piece.rule != MODEL],
        verdict.score, verdict.attack.value if verdict.attack else None,
    )  # fmt: skip


def _origin(raw: bytes, kind: Kind, text: bytes) -> tuple[int, Decoded | None]:
    """Where in the field a unit was cut from, and how it was decoded; None: derived from another unit."""
    if kind in (Kind.AGENT, Kind.REFERER):
        return 0, decode(raw, query=False)
    if kind is Kind.TARGET:
        decoded = decode(raw, query=True)
        return (0, decoded) if decoded.text == text else (0, None)
    if kind in (Kind.RAW_TARGET, Kind.RAW_AGENT, Kind.RAW_REFERER):
        return 0, Decoded(raw, (), np.arange(len(raw)), np.arange(1, len(raw) + 1))
    for offset, piece, query in _pieces(raw):
        decoded = decode(piece, query=query)
        if decoded.text == text:
            return offset, decoded
    return 0, None


def _pieces(raw: bytes) -> Iterator[tuple[int, bytes, bool]]:
    """The path, names and values of a URL as logged: (offset, bytes, whether it stands in the query)."""
    path, mark, query = raw.partition(b"?")
    start = 0
    if b"://" in path:
        start = path.find(b"/", path.find(b"://") + 3)
        start = len(path) if start < 0 else start
    yield start, path[start:], False
    at = len(path) + len(mark)
    for pair in query.split(b"&"):
        name, equals, value = pair.partition(b"=")
        if equals:
            yield at, name, True
            yield at + len(name) + 1, value, True
        else:
            yield at, name, True
        at += len(pair) + 1


def _sentence(total: Verdict, attack: str | None, units: list[UnitReport], threshold: float) -> str:
    if attack is not None:
        where = (
            f" in the {units[0].kind} {units[0].text[:80]!r}"
            if units and units[0].score == total.score
            else ""
        )
        return f"An attack ({attack}, {total.score:.2f}){where}: {', '.join(total.rules)}."
    if total is ORDINARY or not units:
        return "Ordinary: no rule, no reading and not the classifier found anything."
    nearest = units[0]
    what = nearest.verification or [m.title for m in nearest.rules] or ["only the classifier doubts it"]
    return (
        f"Ordinary: {total.score:.2f} is below {threshold:.2f}. "
        f"What came nearest is the {nearest.kind} {nearest.text[:80]!r}: {what[0]}"
    )


def _shown(text: bytes) -> str:
    return text[:4096].decode("utf-8", "backslashreplace")
