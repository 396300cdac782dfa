"""The report: one HTML file that stands by itself, needs no script, and may be printed or mailed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib import resources
from typing import Any, Final

import logvision
from logvision.lake.queries.answers import AnsweredFrom, Rejects, Row, Series, Top, Totals
from logvision.respond import charts
from logvision.respond.markup import Child, Markup, document, element, joined, style
from logvision.respond.words import Language, Words, count, moment, share, size

EVIDENCE_SHOWN: Final = 5  # requests of one incident
REJECTS_SHOWN: Final = 12
LONGEST: Final = 400  # characters of a logged text


@dataclass(frozen=True, slots=True)
class Asked:
    """What the report was limited to, as given; null: not."""

    start: str | None = None
    end: str | None = None
    site: str | None = None
    filter: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that stands in a report, gathered."""

    made: datetime  # UTC
    totals: Totals
    series: Series  # by attack: lines `normal` and `abnormal`
    tops: Mapping[str, Top]  # by the keys of SECTIONS
    cases: Sequence[Mapping[str, Any]]  # incident documents to show, gravest first
    cases_total: int
    rejects: Rejects
    asked: Asked = field(default_factory=Asked)
    attributions: Sequence[tuple[str, str]] = ()  # text and URL


@dataclass(frozen=True, slots=True)
class Section:
    """One list of the report."""

    key: str  # of `Report.tops` and of the words
    kind: str | None = None  # closed set whose values have names
    mono: bool = False  # values are log text
    attacks: bool = False  # counts attacks instead of requests


TRAFFIC: Final = (
    Section("status"),
    Section("methods", mono=True),
    Section("routes", mono=True),
    Section("paths", mono=True),
    Section("clients", mono=True),
    Section("agents"),
    Section("bots"),
    Section("countries"),
    Section("sites", mono=True),
    Section("referers", mono=True),
)
ATTACKS: Final = (
    Section("classes", kind="attack", attacks=True),
    Section("outcomes", kind="outcome", attacks=True),
    Section("attackers", mono=True, attacks=True),
    Section("targets", mono=True, attacks=True),
)


def html(report: Report, language: Language = Language.EN) -> str:
    """The whole file as text. All log text in it is escaped and can neither run nor load anything."""
    words = Words(language)
    head = element(
        "head",
        element("meta", charset="utf-8"),
        # Nothing is loaded and nothing runs, whatever a mistake of ours might let through.
        element(
            "meta",
            http_equiv="Content-Security-Policy",
            content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
        ),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="robots", content="noindex"),
        element("title", f"LogVision · {words['title']}"),
        style(_sheet()),
    )
    body = element(
        "body",
        _header(report, words),
        element("main", _tiles(report, words), _over_time(report, words), _incidents(report, words)),
        _lists(ATTACKS, report, words, "attacks") if report.totals.attacks else None,
        _lists(TRAFFIC, report, words, "traffic"),
        _rejects(report, words),
        _footer(report, words),
    )
    return document(head, body, "zh-CN" if language is Language.ZH else "en")


def _sheet() -> str:
    return (resources.files(__package__) / "report.css").read_text("utf-8")


def _header(report: Report, words: Words) -> Markup:
    totals, asked = report.totals, report.asked
    span = (
        words.fill("range", first=moment(totals.first), last=moment(totals.last))
        if totals.first
        else words["range_none"]
    )
    limits = [
        words.fill(key, **{name: value})
        for key, name, value in (
            ("from", "time", asked.start),
            ("to", "time", asked.end),
            ("site", "name", asked.site),
            ("filter", "text", asked.filter),
        )
        if value
    ]
    return element(
        "header",
        element("h1", words["title"]),
        element("p", span, class_="range"),
        element("p", words.fill("asked", what=", ".join(limits))) if limits else None,
        element(
            "p",
            words.fill("made", time=moment(report.made), version=logvision.__version__),
            class_="faint",
        ),
    )


def _tiles(report: Report, words: Words) -> Markup:
    totals = report.totals
    about = "≈ " if totals.answered_from is AnsweredFrom.ROLLUPS else ""  # an estimate within 2 %
    tiles: list[tuple[str, str, str]] = [
        ("requests", count(totals.requests), ""),
        ("success", count(totals.success), share(totals.success, totals.requests)),
        ("client_errors", count(totals.client_errors), share(totals.client_errors, totals.requests)),
        ("server_errors", count(totals.server_errors), share(totals.server_errors, totals.requests)),
        ("visitors", about + count(totals.visitors), ""),
        ("resources", count(totals.resources), ""),
        ("bytes", size(totals.bytes), ""),
        ("attacks", count(totals.attacks), share(totals.attacks, totals.requests)),
        ("incidents", count(report.cases_total), ""),
    ]
    return element(
        "dl",
        *(
            element(
                "div",
                element("dt", words[key]),
                element("dd", value, element("small", note) if note else None),
                class_="tile bad" if key in {"attacks", "incidents"} and value != "0" else "tile",
            )
            for key, value, note in tiles
        ),
        class_="tiles",
    )


def _over_time(report: Report, words: Words) -> Markup | None:
    lines = {line.key: line for line in report.series.series}
    some = next(iter(lines.values()), None)
    if some is None:
        return None
    nothing = [0] * len(some.t)
    normal = lines["normal"].requests if "normal" in lines else nothing
    attacks = lines["abnormal"].requests if "abnormal" in lines else nothing
    chart = charts.over_time(
        some.t, report.series.step_s, normal, attacks, names=(words["normal"], words["abnormal"])
    )
    return element(
        "section",
        element(
            "h2",
            words["over_time"],
            " ",
            element("small", words.fill("step", step=_step(report.series.step_s, words))),
        ),
        chart,
    )


def _step(seconds: int, words: Words) -> str:
    for unit, width in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= width and seconds % width == 0:
            return words.fill(f"unit.{unit}", n=seconds // width)
    return words.fill("unit.s", n=seconds)


def _incidents(report: Report, words: Words) -> Markup:
    shown, total = len(report.cases), report.cases_total
    note = None
    if total > shown:
        note = element("small", words.fill("incidents_shown", shown=count(shown), all=count(total)))
    cases: list[Child] = [_incident(case, words) for case in report.cases]
    return element(
        "section",
        element("h2", words["incidents"], " ", note),
        *(cases or [element("p", words["no_incidents"], class_="faint")]),
    )


def _incident(case: Mapping[str, Any], words: Words) -> Markup:
    severity, outcome = case["severity"], case["outcome"]
    badges: list[Child] = [
        element("span", words.named("severity", severity), class_=f"badge {severity}"),
        element("span", words.named("outcome", outcome), class_=f"badge {outcome}"),
        element("span", words.named("stage", case["stage"]), class_="badge"),
    ]
    if case.get("status", "open") != "open":
        status = words.named("case", case["status"])
        badges.append(element("span", words.fill("decided", status=status), class_="badge"))
    classes = ", ".join(f"{words.named('attack', a)} {count(n)}" for a, n in case["attacks"].items())
    advice = words.advice(case)
    return element(
        "article",
        element("h3", *badges, " ", element("code", case["actor"].partition(":")[2] or case["actor"])),
        element("p", _cut(words.summary(case))),
        element(
            "p",
            f"{moment(case['first_seen'])} – {moment(case['last_seen'])} · {classes}",
            class_="faint",
        ),
        element("ul", *(element("li", one) for one in advice), class_="advice") if advice else None,
        _evidence(case, words),
        element("p", _cut(case["note"])) if case.get("note") else None,
        class_=f"incident {severity}",
    )


def _evidence(case: Mapping[str, Any], words: Words) -> Markup | None:
    rows = case["evidence"][:EVIDENCE_SHOWN]
    if not rows:
        return None
    note = words.fill("evidence_shown", shown=count(len(rows)), all=count(case["events"]))
    body = [
        element(
            "tr",
            element("td", moment(row["time"]), class_="when"),
            element(
                "td",
                element("code", _cut(f"{row['method'] or '-'} {row['target'] or '-'}")),
                element("div", element("code", _cut(row["user_agent"])), class_="faint")
                if row["user_agent"] and not row["attack"]
                else None,
            ),
            element("td", row["status"] if row["status"] is not None else "-", class_="number"),
            element("td", f"{row['score']:.2f}", class_="number"),
            element("td", words.named("outcome", row["outcome"]) if row["outcome"] else "-"),
            element("td", " ".join(row["rules"]), class_="rules"),
        )
        for row in rows
    ]
    heads = ("time", "request", "answer", "probability", "outcomes", "rules")
    return element(
        "details",
        element("summary", f"{words['evidence']} ({note})"),
        _table([words[key] for key in heads], body),
        open="open",
    )


def _lists(sections: Sequence[Section], report: Report, words: Words, title: str) -> Markup:
    shown = [
        _list(section, report.tops[section.key], words) for section in sections if section.key in report.tops
    ]
    rough = any(top.approximate for key, top in report.tops.items() if key in {s.key for s in sections})
    return element(
        "section",
        element("h2", words[title]),
        element("div", *shown, class_="lists"),
        element("p", words["approximate"], class_="faint") if rough else None,
    )


def _list(section: Section, top: Top, words: Words) -> Markup | None:
    """A list of values with a bar each; what only says "not said" is left out."""
    if not any(row.value is not None for row in top.rows):
        return None
    number: Callable[[Row], int] = (
        (lambda row: row.attacks) if section.attacks else (lambda row: row.requests)
    )
    rows = [row for row in top.rows if number(row)]
    total = top.total
    highest = max((number(row) for row in rows), default=0)
    body = []
    for row in rows:
        named = words.named(section.kind, row.value) if section.kind else row.value
        value: Child = _cut(words["not_said"] if named is None else named)
        place = " ".join(part for part in (row.country, row.label) if part)
        body.append(
            element(
                "tr",
                element(
                    "td",
                    element("code", value) if section.mono else value,
                    element("span", _cut(place), class_="faint") if place else None,
                    element("i", style=f"width:{100 * number(row) / max(highest, 1):.1f}%"),
                    class_="value attack" if section.attacks else "value",
                ),
                element("td", count(number(row)), class_="number"),
                element("td", share(number(row), total), class_="number faint"),
            )
        )
    if top.other > 0:
        body.append(
            element(
                "tr",
                element("td", words["other"], class_="faint"),
                element("td", count(top.other), class_="number faint"),
                element("td", share(top.other, total), class_="number faint"),
            )
        )
    what = words["attacks"] if section.attacks else words["requests"]
    return element(
        "div",
        element("h3", words[section.key]),
        _shares(rows, section) if section.key in {"status", "methods"} else None,
        _table([words["value"], what, words["share"]], body),
        class_="list",
    )


def _shares(rows: Sequence[Row], section: Section) -> Markup:
    kinds = [
        (f"status-{(row.value or '0')[0]}" if section.key == "status" else f"series-{at % 6}", row.requests)
        for at, row in enumerate(rows)
    ]
    return charts.stacked([(kind if kind.isascii() else "status-0", n) for kind, n in kinds])


def _rejects(report: Report, words: Words) -> Markup:
    totals = report.totals
    account = words.fill(
        "account",
        read=count(totals.read),
        events=count(totals.events),
        rejects=count(totals.rejects),
        filtered=count(totals.filtered),
    )
    by_reason = [
        element(
            "tr",
            element("td", words.named("reason", row.reason.value)),
            element("td", count(row.count), class_="number"),
            element("td", share(row.count, totals.read), class_="number faint"),
        )
        for row in report.rejects.by_reason
    ]
    samples = [
        element(
            "tr",
            element("td", words.named("reason", row.reason.value)),
            element("td", element("code", _cut(row.raw))),
        )
        for row in report.rejects.rows[:REJECTS_SHOWN]
    ]
    found: list[Child] = [element("p", words["no_rejects"], class_="faint")]
    if by_reason:
        found = [
            _table([words["reason"], words["lines"], words["share"]], by_reason),
            element("h3", words["sample"]),
            _table([words["reason"], words["line"]], samples),
        ]
    return element("section", element("h2", words["rejects"]), element("p", account), *found)


def _footer(report: Report, words: Words) -> Markup:
    credit = [
        joined(" · ", element("a", text, href=url, rel="noreferrer")) for text, url in report.attributions
    ]
    return element(
        "footer",
        element("p", words["hostile"]),
        element("p", words["attributions"], *credit) if credit else None,
    )


def _table(heads: Sequence[str], rows: Sequence[Child]) -> Markup:
    return element(
        "table",
        element("thead", element("tr", *(element("th", head, scope="col") for head in heads))),
        element("tbody", *rows),
    )


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
