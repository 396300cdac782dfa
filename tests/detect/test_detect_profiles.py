"""A site's own normal: many unrelated visitors teach it, nobody teaches it alone, and it stays small."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_tables import event, events
from logvision.detect import network
from logvision.detect.pieces import ROUTE, pieces
from logvision.detect.profile import MANY
from logvision.detect.profiles import CREDIT, Profiles
from logvision.detect.traits import CODE_BIT, LENGTHS, longest, traits

SITE = "shop.example"


def asked(values: Iterable[str], clients: Iterable[str], **given: object) -> pa.Table:
    rows = [
        event(**{"target": f"/search?q={value}", "route": "/search", "client_ip": client} | given)
        for value, client in zip(values, clients, strict=True)
    ]
    return events(rows)


def networks(count: int, first: int = 0) -> list[str]:
    """Addresses of as many networks."""
    return [f"198.{51 + n // 200}.{n % 200}.7" for n in range(first, first + count)]


def many(count: int) -> list[str]:
    """Addresses, each of a network of its own, as many as wanted."""
    return [f"{20 + n // 65536}.{n // 256 % 256}.{n % 256}.7" for n in range(count)]


def taught(values: Iterable[str], clients: Iterable[str], **given: object) -> Profiles:
    made = Profiles()
    made.learn(asked(values, clients, **given), ())
    return made


def known(profiles: Profiles, name: str = "q") -> int:
    """Networks that a profile knows; 0: there is none."""
    found = profiles.get(SITE, "/search", name)
    return 0 if found is None else found.networks


def test_networks_are_counted_about_right() -> None:
    for count in (1, 5, 40, 150):
        assert known(taught(["milk"] * count, networks(count))) == pytest.approx(count, rel=0.35, abs=1)


def test_a_trait_is_known_by_those_who_sent_it() -> None:
    profile = taught(["milk"] * 60 + ["f(x)[0]"] * 10, networks(70)).get(SITE, "/search", "q")
    assert profile is not None
    assert profile.counts[CODE_BIT] == pytest.approx(10, abs=3)
    assert profile.requests == 70


def test_a_query_that_showed_a_little_teaches_a_route_that_is_known_enough() -> None:
    made = taught(["milk"] * 400, many(400))
    made.learn(asked(["milk"] * 40, many(440)[400:]), ())
    made.learn(asked(["f(x)[0]"] * 40, many(480)[440:], score=0.3), ())
    profile = made.get(SITE, "/search", "q")
    assert profile is not None
    assert (profile.requests, profile.counts[CODE_BIT]) == (440, pytest.approx(40, rel=0.35))


def test_one_actor_with_many_requests_is_one_network() -> None:
    assert known(taught(["f(x)[0]"] * 3000, ["192.0.2.1"] * 3000)) == 1


@pytest.mark.parametrize(
    "addresses",
    [[f"192.0.2.{n}" for n in range(250)], [f"2001:db8:1:{n:x}::1" for n in range(250)]],
    ids=["a /24", "a /48"],
)
def test_a_whole_network_of_actors_is_one_network(addresses: list[str]) -> None:
    assert known(taught(["f(x)[0]"] * 250, addresses)) == 1


@pytest.mark.parametrize(
    "given",
    [
        {"attack": "sqli", "score": 0.9},
        {"status": 404},
        {"status": 403},
        {"status": 301},
        {"status": None},
        {"bot": "scanner:sqlmap"},
        {"client_ip": None},
        {"route": None},
    ],
    ids=str,
)
def test_what_is_no_clean_answered_request_teaches_nothing(given: dict[str, object]) -> None:
    assert len(taught(["milk"] * 40, networks(40), **given)) == 0


def test_networks_that_attacked_teach_nothing() -> None:
    made = Profiles()
    bad = networks(40)
    made.learn(asked(["milk"] * 40, bad), {network.narrow(client) for client in bad})
    assert len(made) == 0


def test_a_flood_of_made_up_names_drives_out_made_up_names() -> None:
    made = Profiles(limit=100)
    made.learn(asked(["milk"] * 60, networks(60)), ())
    before = made.get(SITE, "/search", "q")
    for batch in range(20):
        made.learn(
            events(
                event(target=f"/search?x{batch}-{n}=1", route="/search", client_ip="192.0.2.1")
                for n in range(200)
            ),
            (),
        )
        assert len(made) <= 100
    assert made.get(SITE, "/search", "q") == before


def test_memory_is_bounded_by_the_limit_whatever_comes() -> None:
    made = Profiles(limit=64)
    made.learn(
        events(
            event(target=f"/r{n}?" + "&".join(f"p{n}{i}=1" for i in range(40)), client_ip=client)
            for n, client in enumerate(networks(200))
        ),
        (),
    )
    assert len(made) <= 64
    assert len(made.snapshot()) < 64 * 2000


def test_learning_is_paid_from_a_credit_that_rows_fill() -> None:
    made = Profiles()
    total = 3 * CREDIT
    made.learn(asked(["milk"] * total, many(total)), ())
    profile = made.get(SITE, "/search", "q")
    assert profile is not None
    assert profile.requests == CREDIT
    made.learn(asked(["milk"] * 640, many(640), route="/find"), ())
    again = made.get(SITE, "/find", "q")
    assert again is not None
    assert again.requests == 20


def test_a_client_teaches_once_per_route_and_batch() -> None:
    made = taught(["milk"] * 50 + ["bread"], [*networks(1) * 50, *networks(1, 1)])
    profile = made.get(SITE, "/search", "q")
    assert profile is not None
    assert (profile.networks, profile.requests) == (2, 2)


def test_routes_that_few_know_are_taught_first_and_of_them_those_with_parameters() -> None:
    made = taught(["milk"] * 200, networks(200))
    made.learn(asked(["milk"] * (3 * CREDIT), many(3 * CREDIT), route="/find"), ())  # no credit is left
    rows = [
        *(event(target="/search?q=milk", route="/search", client_ip=client) for client in many(64)),
        *(event(target="/new", route="/new", client_ip=client) for client in many(64)),
        event(target="/odd?x=1", route="/odd", client_ip="198.51.100.7"),
    ]
    made.learn(events(rows), ())
    assert made.get(SITE, "/odd", "x") is not None
    assert made.get(SITE, "/new", "") is not None
    before = made.get(SITE, "/search", "q")
    restored = Profiles.restore(made.snapshot())
    restored.learn(events(rows[:64]), ())
    made.learn(events(rows[:64]), ())
    assert made.snapshot() == restored.snapshot()
    assert before is not None


def test_the_same_requests_give_the_same_bytes() -> None:
    one, two = (taught(["milk", "f(x)[0]"] * 20, networks(40)).snapshot() for _ in range(2))
    assert one == two


def test_a_snapshot_goes_on_where_it_was() -> None:
    whole = Profiles()
    first, second = asked(["milk"] * 40, networks(40)), asked(["f(x)[0]"] * 40, networks(40, 40))
    whole.learn(first, ())
    half = Profiles.restore(whole.snapshot())
    for each in (whole, half):
        each.learn(second, ())
    assert half.snapshot() == whole.snapshot()


def test_a_snapshot_of_another_version_is_learned_again() -> None:
    state = taught(["milk"] * 40, networks(40)).snapshot()
    assert len(Profiles.restore(state.replace(b'"version":1', b'"version":9', 1))) == 0


def _contents(profiles: Profiles) -> dict[object, object]:
    return {key: profiles.get(*key) for key in profiles.known()}


rows = st.lists(st.tuples(st.sampled_from(["milk", "f(x)[0]", "1"]), st.integers(0, 90)), max_size=30)


@settings(max_examples=30, deadline=None)
@given(rows, rows, rows)
def test_merging_is_associative_and_commutative(
    a: list[tuple[str, int]], b: list[tuple[str, int]], c: list[tuple[str, int]]
) -> None:
    def made(*parts: list[tuple[str, int]]) -> Profiles:
        whole = Profiles()
        for part in parts:
            whole.learn(asked((v for v, _ in part), (networks(91)[n] for _, n in part)), ())
        return whole

    def merged(*parts: Profiles) -> Profiles:
        whole = Profiles()
        for part in parts:
            whole.merge(part)
        return whole

    left = merged(merged(made(a), made(b)), made(c))
    right = merged(made(c), merged(made(b), made(a)))
    assert _contents(left) == _contents(right) == _contents(made(a, b, c))


def test_a_megabyte_of_a_value_is_of_the_largest_length_and_decoded_in_part() -> None:
    (piece,) = pieces("/", f"a={'%41' * 400_000}", "/")
    assert len(piece.value) < 20_000
    assert longest(traits(piece.value)) == LENGTHS - 1


def test_path_segments_that_the_route_leaves_open_are_parameters() -> None:
    assert pieces("/item/42/x%27y", "a=1+2&b&=c&d=%41", "/item/{int}/{slug}") == [
        ("{1}", b"42"),
        ("{2}", b"x'y"),
        ("a", b"1 2"),
        ("d", b"A"),
    ]
    assert pieces("/a/b/c/d", None, "/a/{slug}/{rest}") == [("{1}", b"b")]


def test_a_route_is_counted_by_who_came_there_at_all() -> None:
    made = taught(["milk"] * MANY, networks(MANY))
    assert known(made, ROUTE) == known(made)
