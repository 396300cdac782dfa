from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_tables import NOON, event, events
from logvision.detect import scenarios
from logvision.detect.behaviour import Behaviour, _networks, network_of
from logvision.schema import ALERT, EVENT

# Reading the addresses of crawlers takes a moment, and one test asks for them.
RULES = [rule for rule in scenarios.load([scenarios.shipped()]) if rule.id != "fake-crawler"]


def busy_hour() -> pa.Table:
    """A scanner, a password guesser, stuffing from everywhere, and ordinary visitors between them."""
    rng = np.random.default_rng(3)
    rows: list[dict[str, Any]] = []
    for i in range(60):
        rows.append(event(client_ip="192.0.2.66", target=f"/guess-{i}", status=404, at=i))
    for i in range(50):
        rows.append(
            event(client_ip="192.0.2.77", target="/login", method="POST", status=401, at=i * 30 + 0.5)
        )
    for i in range(60):
        rows.append(
            event(client_ip=f"198.51.{i}.9", target="/login", method="POST", status=401, at=600 + i * 3)
        )
    for _ in range(500):
        visitor = f"203.0.113.{rng.integers(50)}"
        rows.append(
            event(client_ip=visitor, target=f"/page/{rng.integers(80)}", at=float(rng.uniform(0, 2000)))
        )
    rows.sort(key=lambda row: row["at"])
    for place, row in enumerate(rows):
        row.update(time=NOON + timedelta(seconds=row.pop("at")), position=place + 1)
    return events(rows)


def joined(tables: Sequence[pa.Table]) -> list[tuple[Any, ...]]:
    """Alerts over batches: the rows of one alert added up."""
    done: dict[tuple[Any, ...], list[Any]] = {}
    for row in pa.concat_tables(tables).to_pylist():
        key = (row["rule"], row["actor"], row["site"], row["first_seen"])
        count, last = done.get(key, [0, row["last_seen"]])
        done[key] = [count + row["events"], max(last, row["last_seen"])]
    return sorted((*key, *value) for key, value in done.items())


HOUR_OF_EVENTS = busy_hour()
WHOLE = joined([Behaviour(RULES).step(HOUR_OF_EVENTS)])


def test_scanner_guesser_and_stuffing_are_told_and_visitors_are_not() -> None:
    assert {(rule, actor, site) for rule, actor, site, *_ in WHOLE} == {
        ("probing", "ip:192.0.2.66", "shop.example"),
        ("probing-slow", "ip:192.0.2.66", "shop.example"),
        ("login-brute-force-slow", "ip:192.0.2.77", "shop.example"),
        ("credential-stuffing", "site:shop.example", "shop.example"),
    }


def test_an_alert_says_who_what_when_and_shows_its_events() -> None:
    alerts = Behaviour(RULES).step(HOUR_OF_EVENTS)
    assert alerts.schema == ALERT
    (alert,) = [row for row in alerts.to_pylist() if row["rule"] == "probing"]
    places = [e["position"] for e in alert.pop("evidence")]
    of_scanner = [row["position"] for row in HOUR_OF_EVENTS.to_pylist() if row["client_ip"] == "192.0.2.66"]
    assert places == of_scanner[-20:]
    assert alert == {
        "detector": "behaviour",
        "rule": "probing",
        "attack": "probe",
        "severity": "medium",
        "score": pytest.approx(0.7),
        "actor": "ip:192.0.2.66",
        "site": "shop.example",
        "outcome": "missed",
        "first_seen": NOON,
        "last_seen": NOON + timedelta(seconds=59),
        "events": 60,
        "explanation": "Asks for many things that are not there: 60 requests within 60 seconds.",
    }


@given(st.lists(st.integers(0, HOUR_OF_EVENTS.num_rows), max_size=8))
@settings(max_examples=12, deadline=None)
def test_cuts_into_batches_and_restarts_between_them_change_nothing(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), HOUR_OF_EVENTS.num_rows]
    behaviour = Behaviour(RULES)
    found = []
    for begin, end in pairwise(places):
        found.append(behaviour.step(HOUR_OF_EVENTS.slice(begin, end - begin)))
        again = Behaviour(RULES)
        again.restore(behaviour.snapshot())
        behaviour = again
    assert joined(found) == WHOLE


@pytest.mark.parametrize("size", [15, 1])
def test_who_signs_in_at_last_is_no_guesser_however_events_are_cut(size: int) -> None:
    given = [
        event(
            target="/login",
            method="POST",
            status=302 if 8 <= i < 11 else 401,
            time=NOON + timedelta(seconds=i),
            position=i + 1,
        )
        for i in range(15)
    ]
    behaviour = Behaviour(RULES)
    assert joined([behaviour.step(events(given[at : at + size])) for at in range(0, 15, size)]) == []


def test_events_without_address_or_site_are_no_mistake() -> None:
    rows = [event(client_ip=None, site=None, target=f"/{i}", status=404) for i in range(200)]
    assert Behaviour(RULES).step(events(rows)).num_rows == 0
    assert Behaviour(RULES).step(EVENT.empty_table()).num_rows == 0


def test_a_changed_scenario_starts_anew_and_the_others_go_on() -> None:
    whole = Behaviour(RULES)
    scan = events([event(target=f"/{i}", status=404, time=NOON + timedelta(seconds=i)) for i in range(8)])
    assert whole.step(scan).num_rows == 0
    one_more = events([event(target="/last", status=404, time=NOON + timedelta(seconds=9))])
    changed = [replace(rule, capacity=7) if rule.id == "probing" else rule for rule in RULES]
    for rules, found in ((RULES, ["probing"]), (changed, [])):
        again = Behaviour(rules)
        again.restore(whole.snapshot())
        assert [row["rule"] for row in again.step(one_more).to_pylist()] == found


def test_who_pretends_to_be_a_crawler_is_known_by_the_address() -> None:
    rows = [
        event(client_ip=ip, bot="search:Googlebot") for ip in ("9.9.9.9", "66.249.66.1") for _ in range(9)
    ]
    alerts = Behaviour.open().step(events([*rows, event(client_ip="8.8.8.8")])).to_pylist()
    assert [(a["rule"], a["actor"], a["events"]) for a in alerts] == [("fake-crawler", "ip:9.9.9.9", 9)]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8::1", "2001:db8::/48"),
        ("2001:db8:7:1::1", "2001:db8:7::/48"),
        ("2001:db8:7:1:2:3:4:5", "2001:db8:7::/48"),
        ("2001:db8:0:1::5", "2001:db8::/48"),
        ("::1", "::/48"),
        (None, None),
    ],
)
def test_a_network_is_the_24_or_the_48_around_an_address(address: str | None, network: str | None) -> None:
    assert network_of(address) == network


def test_networks_at_once_are_networks_one_by_one() -> None:
    addresses = ["192.0.2.77", "10.0.0.1", "2001:db8:7:1::1", "::1"]
    assert _networks(pa.array(addresses)).to_pylist() == [network_of(a) for a in addresses]
    assert _networks(pa.array(addresses[:2])).to_pylist() == ["192.0.2.0/24", "10.0.0.0/24"]
