from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logvision.enrich import request, routes
from logvision.enrich.request import Routes
from native_paths import without_core

Row = tuple[str | None, int | None, str | None]


@pytest.fixture(params=["core", "pure"], autouse=True, scope="module")
def path(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test here holds with the native core and without it."""
    with without_core() if request.param == "pure" else nullcontext():
        yield


def events(*rows: Row, bot: list[str | None] | None = None) -> pa.Table:
    columns = {
        "path": pa.array([path for path, _, _ in rows], pa.string()).dictionary_encode(),
        "status": pa.array([status for _, status, _ in rows], pa.int16()),
        "client_ip": pa.array([client for _, _, client in rows], pa.string()).dictionary_encode(),
    }
    if bot is not None:
        columns["bot"] = pa.array(bot, pa.string()).dictionary_encode()
    return pa.table(columns)


def routed(learned: Routes, *rows: Row) -> list[str | None]:
    answer: list[str | None] = request.add(events(*rows), learned).column("route").to_pylist()
    return answer


def visits(path: str, clients: int = routes.ACTORS, first: int = 0) -> list[Row]:
    return [(path, 200, f"192.0.2.{first + n}") for n in range(clients)]


def test_columns_are_added_to_the_rows() -> None:
    rows: list[Row] = [
        ("/", 200, "192.0.2.1"),
        ("/item/42", 200, "192.0.2.1"),
        ("/item/43.json", 200, "192.0.2.2"),
        ("/about/", 304, "192.0.2.1"),
        ("/style.css", 200, "192.0.2.1"),
        ("/.env", 404, "192.0.2.9"),
        ("/wp-admin/setup.php", 404, "192.0.2.9"),
        (None, 400, "192.0.2.9"),
        ("*", 200, "192.0.2.1"),
        ("http://other.example/item/7?", 200, "192.0.2.1"),
        ("//item///44", 200, None),
    ]
    answer = request.add(events(*rows), Routes())
    assert list(zip(answer.column("route").to_pylist(), answer.column("kind").to_pylist(), strict=True)) == [
        ("/", "page"),
        ("/item/{int}", "page"),
        ("/item/{int}.json", "api"),
        ("/about/", "page"),
        ("/style.css", "static"),
        ("/{slug}", "page"),
        ("/{slug}/{rest}", "page"),
        (None, None),
        ("{other}", "page"),
        ("/item/{slug}", "page"),
        ("/item/{int}", "page"),
    ]
    assert answer.schema.field("route").type == pa.dictionary(pa.int32(), pa.string())
    assert request.add(events(), Routes()).column_names == ["path", "status", "client_ip", "route", "kind"]


def test_what_is_never_answered_makes_no_route() -> None:
    learned = Routes()
    scan: list[Row] = [(f"/admin{n}/x{n}.php", 404, f"192.0.2.{n % 250}") for n in range(500)]
    assert set(routed(learned, *scan)) == {"/{slug}/{rest}"}
    assert len(learned) == 1


@pytest.mark.parametrize("status", [301, 308, 400, 403, 404, 500, None])
def test_only_an_answer_teaches(status: int | None) -> None:
    assert routed(Routes(), ("/login", status, "192.0.2.1")) == ["/{slug}"]


@pytest.mark.parametrize("status", [200, 206, 302, 303, 304, 307])
def test_an_answer_teaches(status: int) -> None:
    assert routed(Routes(), ("/login", status, "192.0.2.1")) == ["/login"]


def test_a_scanner_by_its_own_name_teaches_nothing() -> None:
    table = events(
        ("/a", 200, "192.0.2.1"), ("/b", 200, "192.0.2.2"), bot=["scanner:sqlmap", "search:Bingbot"]
    )
    assert request.add(table, Routes()).column("route").to_pylist() == ["/{slug}", "/b"]


def test_a_crowded_place_keeps_only_words_that_many_clients_were_answered_for() -> None:
    learned = Routes()
    routed(learned, *visits("/blog/about"))
    articles: list[Row] = [(f"/blog/title-{n}x", 200, "192.0.2.77") for n in range(routes.WORDS)]
    assert routed(learned, *articles, ("/blog/about", 200, "192.0.2.1")) == [
        "/blog/{slug}"
    ] * routes.WORDS + ["/blog/about"]
    # Below the variable the route goes on.
    assert routed(learned, ("/blog/title-1x/comments", 200, "192.0.2.77")) == ["/blog/{slug}/comments"]
    # A word comes back when enough clients were answered for it, and not before.
    assert routed(learned, *visits("/blog/contact", routes.ACTORS - 1)) == ["/blog/{slug}"] * (
        routes.ACTORS - 1
    )
    assert routed(learned, ("/blog/contact", 200, "198.51.100.1")) == ["/blog/contact"]


def test_one_client_alone_cannot_push_out_what_many_use() -> None:
    learned = Routes()
    routed(learned, *visits("/shop/cart"))
    for n in range(0, 5_000, 1_000):
        routed(learned, *[(f"/shop/w{k}x", 200, "203.0.113.66") for k in range(n, n + 1_000)])
    assert routed(learned, ("/shop/cart", 200, "192.0.2.1")) == ["/shop/cart"]
    assert routed(learned, ("/shop/w4999x", 200, "203.0.113.66")) == ["/shop/{slug}"]
    assert len(learned) < 10


def test_a_place_with_too_many_busy_words_keeps_the_first_half_for_ever() -> None:
    learned = Routes()
    for n in range(3 * routes.WORDS):
        routed(learned, *visits(f"/p/w{n}x"))
    assert routed(learned, ("/p/w0x", 200, "192.0.2.1"), (f"/p/w{routes.WORDS}x", 200, "192.0.2.1")) == [
        *("/p/w0x", "/p/{slug}")
    ]
    closed = learned.snapshot()
    routed(learned, *visits("/p/late"))
    assert learned.snapshot() == closed


def test_deep_paths_end_in_rest() -> None:
    deep = "/a" * (routes.DEPTH + 5)
    assert routed(Routes(), (deep, 200, "192.0.2.1")) == ["/a" * routes.DEPTH + "/{rest}"]


def test_a_path_of_a_megabyte_has_a_short_route() -> None:
    (route,) = routed(Routes(), ("/" + "a/" * 500_000, 200, "192.0.2.1"))
    assert route is not None
    assert len(route) < 100


def test_memory_is_bounded_when_a_site_answers_everything() -> None:
    learned = Routes(limit=500)
    seen: set[str | None] = set()
    for batch in range(20):
        rows: list[Row] = [
            (f"/a{n % 50}x/b{n % 61}x/c{n}x/d", 200, f"192.0.2.{n % 7}")
            for n in range(batch * 500, batch * 500 + 500)
        ]
        seen |= set(routed(learned, *rows))
        assert len(learned) <= 500
    assert len(seen) < 10_000


def test_words_that_wait_are_as_many_as_places_at_most() -> None:
    learned = Routes(limit=300)
    for n in range(10):
        routed(learned, *visits(f"/s{n}/x"))
        routed(learned, *[(f"/s{n}/w{k}x", 200, "192.0.2.1") for k in range(routes.WORDS + 200)])
        waiting = [state for state, *_ in learned.snapshot()["places"].values() if state == 3]
        assert len(waiting) <= 300 + routes.WORDS
    # The one that was asked for last is among them, with its client.
    assert set(routed(learned, *visits("/s9/w263x", routes.ACTORS - 1, first=10))) == {"/s9/w263x"}
    assert set(routed(learned, *visits("/s9/w0x", routes.ACTORS - 1, first=10))) == {"/s9/{slug}"}


def test_a_snapshot_brings_everything_back() -> None:
    learned = Routes(limit=900)
    routed(learned, *visits("/a/b"), *[(f"/s/w{n}x", 200, f"192.0.2.{n % 3}") for n in range(200)])
    frozen = json.loads(json.dumps(learned.snapshot()))
    again = Routes.restore(frozen)
    assert again.snapshot() == frozen
    assert len(again) == len(learned)
    assert again.limit == 900
    probe: list[Row] = [("/a/b", 200, "192.0.2.1"), ("/s/w1x", 200, "192.0.2.1"), ("/zz", 404, None)]
    assert routed(again, *probe) == routed(learned, *probe)


@pytest.mark.parametrize(
    "places",
    [
        {"": [9]},
        {"": [300]},
        {"": [0], "/a/b": [0]},
        {"": [1], "/a": [3, 1], "/a/b": [0]},
        {"": [0], "/a": [0, 1, 2, 3, 4, 5]},
        {"": [0], "/a": [0, *range(300)]},
        {"/a" * depth: [0] for depth in range(12)},
    ],
)
def test_what_is_no_snapshot_is_not_taken_up(places: dict[str, list[int]]) -> None:
    snapshot = Routes(limit=50).snapshot() | {"places": places}
    with pytest.raises(ValueError, match="not the places"):
        Routes.restore(snapshot)


def test_a_snapshot_of_another_version_gives_empty_routes() -> None:
    assert len(Routes.restore({"version": 99, "limit": 50})) == 1


WORDS = st.sampled_from(["a", "b", "login", "42", "x.php", "{int}", "<x>", "2024-01-01", "..", "%2e", ""])
PATHS = st.lists(WORDS, max_size=5).map(lambda words: "/" + "/".join(words))
ROWS = st.lists(
    st.tuples(PATHS, st.sampled_from([200, 302, 404]), st.sampled_from(["192.0.2.1", "192.0.2.2", None])),
    max_size=25,
)


@settings(deadline=None)  # the machine may be busy
@given(ROWS, st.integers(0, 25))
def test_where_batches_are_cut_does_not_matter_to_what_is_learned(rows: list[Row], cut: int) -> None:
    whole, parts = Routes(), Routes()
    routed(whole, *rows)
    routed(parts, *rows[:cut])
    routed(parts, *rows[cut:])
    assert whole.snapshot() == parts.snapshot()


@settings(deadline=None)  # the machine may be busy
@given(ROWS, PATHS)
def test_the_route_of_a_route_is_itself(rows: list[Row], path: str) -> None:
    learned = Routes()
    routed(learned, *rows)
    (route,) = routed(learned, (path, 404, "192.0.2.1"))
    assert routed(learned, (route, 404, "192.0.2.1")) == [route]


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.text(max_size=30), max_size=6))
def test_any_text_has_a_route(paths: list[str]) -> None:
    answer = routed(Routes(), *[(path, 200, "192.0.2.1") for path in paths])
    assert all(route == "{other}" or (route or "").startswith("/") for route in answer)


def test_many_new_words_at_once_leave_those_that_many_clients_were_answered_for() -> None:
    learned = Routes()
    routed(learned, *visits("/p/early"), *[(f"/p/first{n}x", 200, "192.0.2.1") for n in range(routes.WORDS)])
    flood: list[Row] = [(f"/p/w{n}x", 200, "192.0.2.1") for n in range(3_000)]
    flood[1_500:1_500] = visits("/p/busy", first=10)
    flood[100:100] = visits("/p/nearly", routes.ACTORS - 1, first=20)
    routed(learned, *flood)
    # Root, p, early, busy and the variable.
    assert len(learned) == 5
    assert routed(learned, ("/p/early", 404, None), ("/p/busy", 404, None), ("/p/nearly", 404, None)) == [
        *("/p/early", "/p/busy", "/p/{slug}")
    ]
    assert routed(learned, ("/p/nearly", 200, "192.0.2.40")) == ["/p/nearly"]


def test_the_number_of_a_place_that_was_dropped_serves_another() -> None:
    learned = Routes()
    for n in range(3):
        routed(learned, *[(f"/s{n}/w{k}x/deep", 200, "192.0.2.1") for k in range(2 * routes.WORDS)])
        routed(learned, *visits(f"/s{n}/new/deep"))
    answer = routed(
        learned, *[(f"/s{n}/{word}/deep", 404, None) for n in range(3) for word in ("new", "w1x")]
    )
    assert answer == [f"/s{n}/{word}/deep" for n in range(3) for word in ("new", "{slug}")]
