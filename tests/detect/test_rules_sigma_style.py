from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from logvision.detect import Detector, detect
from logvision.detect.rules import RuleSet
from logvision.schema import EVENT

FOLDER = Path(__file__).parent.parent / "samples" / "sigma"


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.open([FOLDER], builtin=False, model=None)


def test_rules_in_the_public_style_load_and_what_a_log_lacks_is_said(detector: Detector) -> None:
    assert sorted(rule.id for rule in detector.rules.rules) == sorted(
        path.stem for path in FOLDER.glob("*.yml") if path.stem != "web_cookie_needed"
    )
    assert [(each.id, each.needs) for each in detector.rules.unusable] == [
        ("web_cookie_needed", "the field cs-cookie")
    ]


def test_rules_in_the_public_style_hold_where_they_should_and_nowhere_else(detector: Detector) -> None:
    requests = [
        ("GET", "/a?f=../../etc/passwd", "Mozilla/5.0", "-"),
        ("POST", "/a?f=../../etc/passwd", "Mozilla/5.0", "-"),
        ("GET", "/a?id=%27%20or%201=1", "Mozilla/5.0", "-"),
        ("GET", "/a?id=x", "WPScan v3.8", "-"),
        ("POST", "/api/report/preview?template=%24%7B1%7D", "Mozilla/5.0", "-"),
        ("POST", "/api/report/preview?template=plain", "Mozilla/5.0", "-"),
        ("POST", "/t.jsp?cmd=connect&target=x", None, None),
        ("GET", "/t.jsp?cmd=connect&target=x", None, None),
        ("GET", "/", "Opera/8.81 (Windows)", "-"),
        ("GET", "/", "xOpera/8.81", "-"),
        ("GET", "/get/a.exe?from=x.example-rare/", "Mozilla/5.0", "-"),
        ("GET", "/?x=getRuntime().exec(1)", "Mozilla/5.0", "-"),
        ("GET", "/", "Java.Lang.Runtime", "-"),
        ("GET", "/index.html", "Mozilla/5.0", "-"),
    ]
    methods, targets, agents, referers = (list(column) for column in zip(*requests, strict=True))
    judged = detector.judge(targets, agents, referers, methods)
    named = [
        " ".join(rule for rule in (rules or "").split() if not rule.startswith("verify.")) or None
        for rules in judged.column("rules").to_pylist()
    ]
    assert named == [
        "web_traversal_keywords",
        None,
        "web_sqli_strings",
        "web_recon_agents",
        "web_cve_2099_0001_endpoint",
        None,
        "web_webshell_regeorg_style",
        None,
        "proxy_ua_malware",
        None,
        None,
        "web_regex_java_payload",
        "web_regex_java_payload",
        None,
    ]


def rule(
    folder: Path, name: str, detection: str, source: str = "category: webserver", rest: str = ""
) -> None:
    text = f"title: {name}\nlogsource: {{{source}}}\nlevel: high\ndetection:\n{detection}{rest}"
    (folder / f"{name}.yml").write_text(text)


def test_valid_rules_that_an_access_log_cannot_answer_are_listed_with_what_they_need(tmp_path: Path) -> None:
    one = "  s: {c-uri|contains: /x}\n  condition: s\n"
    rule(tmp_path, "answer", "  s: {response|contains: x}\n  condition: s\n")
    rule(tmp_path, "counting", "  s: {c-uri|contains: /x}\n  condition: s | count() by c-ip > 10\n")
    rule(tmp_path, "looking", "  s: {c-uri|re: 'a(?!b)c'}\n  condition: s\n")
    rule(tmp_path, "network", "  s: {c-ip|cidr: 10.0.0.0/8}\n  condition: s\n")
    rule(tmp_path, "several", one, rest="---\ntitle: b\ncorrelation: {type: event_count}\n")
    rule(tmp_path, "status", "  s: {sc-status: 500}\n  condition: s\n")
    rule(
        tmp_path,
        "windows",
        "  keywords: [/x]\n  condition: keywords\n",
        "product: windows, service: security",
    )
    loaded = RuleSet.load([tmp_path])
    assert [each.id for each in loaded.rules] == ["several"]
    assert [(each.id, each.needs) for each in loaded.unusable] == [
        ("answer", "the field response"),
        ("counting", "counts over several events, as scenarios have"),
        ("looking", "an expression that looks around or back ('a(?!b)c'); only linear ones are run"),
        ("network", "the field c-ip"),
        ("several#2", "counts over several events, as scenarios have"),
        ("status", "something of a request's text to look for"),
        ("windows", "a log of windows security"),
    ]


def test_a_host_is_the_site_of_the_log_or_of_the_address_a_proxy_is_asked_for(tmp_path: Path) -> None:
    rule(tmp_path, "host", "  s: {cs-host|endswith: '.shop.example', c-uri|contains: /x}\n  condition: s\n")
    detector = Detector.open([tmp_path], builtin=False, model=None)
    rows = [
        ("/x", "a.shop.example"),
        ("/x", "a.other.example"),
        ("/y", "a.shop.example"),
        ("http://B.shop.example:80/x", None),
        ("http://b.shop.example.other/x", None),
        ("/x?u=http://b.shop.example/", None),
    ]
    plain = {"target": [r[0] for r in rows], "site": [r[1] for r in rows], "method": ["GET"] * len(rows)}
    columns: dict[str, pa.Array] = {}
    for field in EVENT:
        if field.name in plain or pa.types.is_dictionary(field.type):
            columns[field.name] = pa.array(
                plain.get(field.name, ["x"] * len(rows)), pa.string()
            ).dictionary_encode()
        else:
            columns[field.name] = pa.array([0] * len(rows)).cast(field.type)
    judged = ("score", "attack", "rules", "outcome")
    found = detect(pa.table(columns).drop_columns(judged), detector)
    named = [(rules or "").split()[:1] for rules in found.column("rules").to_pylist()]
    assert named == [["host"], [], [], ["host"], [], []]


def test_the_query_alone_may_be_meant_and_a_header_may_be_missing(tmp_path: Path) -> None:
    rule(tmp_path, "query", "  s: {c-uri-query|startswith: 'only=1'}\n  condition: s\n")
    rule(tmp_path, "bare", "  s: {c-useragent: null, c-uri|contains: /bare}\n  condition: s\n")
    rule(tmp_path, "hidden", "  s: {c-uri|base64offset|contains: 'http://'}\n  condition: s\n")
    detector = Detector.open([tmp_path], builtin=False, model=None)
    requests = [
        ("/a?only=1", "x"),
        ("/aonly=1", "x"),
        ("/bare", None),
        ("/bare", "x"),
        ("/?u=aHR0cDovL2E", "x"),
    ]
    targets, agents = (list(column) for column in zip(*requests, strict=True))
    judged = detector.judge(targets, agents, [None] * 5, ["GET"] * 5)
    named = [(rules or "").split()[:1] for rules in judged.column("rules").to_pylist()]
    assert named == [["query"], [], ["bare"], [], ["hidden"]]
