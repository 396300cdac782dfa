from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from logvision.incident import Case, Evidence, Incident
from logvision.lake.queries.answers import (
    AnsweredFrom,
    Line,
    ReasonCount,
    Reject,
    Rejects,
    Row,
    Series,
    Top,
    Totals,
)
from logvision.respond.report import ATTACKS, LONGEST, TRAFFIC, Asked, Report, html
from logvision.respond.words import Language
from logvision.schema import Attack, Outcome, Reason, Severity, Stage

NOON = datetime(2024, 5, 14, 12, tzinfo=UTC)
HOSTILE = "</code></style><script>alert(1)</script><img src=x onerror=alert(1)>\"'\x1b[31m\u202e{}{0}"

TOTALS = Totals(
    requests=1000, success=900, other=100, client_errors=80, server_errors=20, visitors=7, resources=5,
    bytes=3 << 20, attacks=10, normal=990, read=1005, events=1000, rejects=4, filtered=1, log_bytes=1,
    first=NOON, last=NOON + timedelta(hours=1), answered_from=AnsweredFrom.ROLLUPS, approximate=False,
)  # fmt: skip

EVIDENCE = Evidence(HOSTILE, 1, NOON, HOSTILE, HOSTILE, 200, 5, 0.9, None, (HOSTILE,), None, HOSTILE)


def series() -> Series:
    times = [NOON + timedelta(minutes=n) for n in range(60)]
    lines = [Line(key, times, [n] * 60, [0] * 60, [0] * 60) for key, n in (("normal", 9), ("abnormal", 1))]
    return Series(NOON, 60, lines, AnsweredFrom.ROLLUPS)


def top(*values: str | None) -> Top:
    rows = [Row(value, 100 - n, 10, 5, 0, 0.1, "CN", HOSTILE) for n, value in enumerate(values)]
    return Top(rows, 1000, 300, AnsweredFrom.ROLLUPS, approximate=False)


def case(**given: Any) -> dict[str, Any]:
    incident = Incident(
        id="a" * 32,
        actor=f"agent:{HOSTILE}",
        actor_kind="agent",
        site=HOSTILE,
        stage=Stage.EXPLOIT,
        attacks={Attack.SQLI: 3},
        outcome=Outcome.WORKED,
        severity=Severity.CRITICAL,
        score=0.9,
        first_seen=NOON,
        last_seen=NOON,
        events=30,
        alerts=1,
        evidence=(EVIDENCE,) * 9,
        summary=HOSTILE,
        summary_key="actor",
        summary_args={"actor": HOSTILE, "members": 1, "site": HOSTILE, "country": HOSTILE,
                      "attacks": ["sqli"], "events": 30, "seconds": 1, "outcome": "worked"},
        advice=(HOSTILE,),
        advice_keys=("unknown",),
    )  # fmt: skip
    return Case(incident, note=HOSTILE).to_dict() | given


def report(**given: Any) -> Report:
    sample = Reject(Reason.NO_FORMAT, HOSTILE, 9, HOSTILE, 0, NOON)
    made = Report(
        made=NOON,
        totals=TOTALS,
        series=series(),
        tops={section.key: top(HOSTILE, None, "200") for section in (*TRAFFIC, *ATTACKS)},
        cases=[case()],
        cases_total=50,
        rejects=Rejects([ReasonCount(Reason.NO_FORMAT, 4)], [sample]),
        asked=Asked(HOSTILE, HOSTILE, HOSTILE, HOSTILE),
        attributions=[("Data <of> somebody", "https://data.example/")],
    )
    return replace(made, **given)


class Reading(HTMLParser):
    """Elements, attributes and texts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data + " "


@pytest.mark.parametrize("language", list(Language))
def test_nothing_in_a_report_runs_loads_or_leaves(language: Language) -> None:
    page = html(report(), language)
    found = Reading(page)
    tags = {tag for tag, _ in found.elements}
    assert tags.isdisjoint(
        {"script", "img", "iframe", "object", "embed", "link", "base", "form", "input", "animate"}
    )
    attributes = [(name, value) for _, its in found.elements for name, value in its.items()]
    assert [
        name for name, _ in attributes if name.startswith("on") or name in {"src", "srcset", "xlink:href"}
    ] == []
    assert [value for name, value in attributes if name == "href"] == ["https://data.example/"]
    assert [v for n, v in attributes if n == "style" and v and not v.startswith("width:")] == []
    assert "\x1b" not in page
    assert "\u202e" not in page
    policy = next(its["content"] for tag, its in found.elements if its.get("http-equiv"))
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def test_hostile_text_is_there_to_be_read() -> None:
    assert Reading(html(report())).text.count("<script>alert(1)</script>") > 30


def test_the_numbers_are_there() -> None:
    text = Reading(html(report())).text
    for said in (
        "2024-05-14 12:00:00 to 2024-05-14 13:00:00 UTC",
        "1,005 lines read",
        "≈ 7",
        "the 1 gravest of 50",
        "Evidence (5 of 30 requests)",
        "3.0 MiB",
    ):
        assert said in text


def test_a_section_that_the_log_says_nothing_of_is_left_out() -> None:
    silent = {key: top(None) if key == "sites" else value for key, value in report().tops.items()}
    assert "<h3>Sites</h3>" in html(report())
    assert "<h3>Sites</h3>" not in html(report(tops=silent))


def test_long_texts_are_cut() -> None:
    long = {"paths": top("/" + "a" * 100_000)}
    assert len(html(report(tops=long, cases=[]))) < 60_000
    assert f"/{'a' * (LONGEST - 1)}…" in html(report(tops=long))


def test_an_empty_lake_is_a_report_too() -> None:
    counted = ("requests", "success", "attacks", "read", "events", "rejects", "filtered")
    nothing = replace(TOTALS, **dict.fromkeys(counted, 0), first=None, last=None)  # type: ignore[arg-type]
    empty = Top([], 0, 0, AnsweredFrom.EVENTS, approximate=False)
    page = html(
        report(
            totals=nothing,
            series=Series(None, 1, [], AnsweredFrom.EVENTS),
            tops=dict.fromkeys(report().tops, empty),
            cases=[],
            cases_total=0,
            rejects=Rejects(),
        )
    )
    text = Reading(page).text
    assert "no events" in text
    assert "No incidents." in text
    assert "Every line was understood." in text


@pytest.mark.browser
@pytest.mark.slow
def test_a_browser_shows_it_without_a_complaint_in_either_shade_and_on_a_telephone(
    tmp_path: Path, chromium: Path
) -> None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    file = tmp_path / "report.html"
    file.write_text(html(report(), Language.ZH), "utf-8")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(chromium), args=["--no-sandbox", "--disable-gpu"])
        said: list[str] = []
        backgrounds = []
        for shade in ("light", "dark"):
            page = browser.new_page(viewport={"width": 390, "height": 800}, color_scheme=shade)  # type: ignore[arg-type]
            page.on("console", lambda message: said.append(message.text))
            page.on("dialog", lambda dialog: said.append(dialog.message))
            page.goto(file.as_uri())
            backgrounds.append(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
        browser.close()
    assert said == []
    assert len(set(backgrounds)) == 2
