from __future__ import annotations

from pathlib import Path

import pytest

from logvision.detect import Detector

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
