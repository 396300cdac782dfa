"""Forms of paths and the tree of routes: the native core gives what the pure paths give."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from logvision.enrich import segments
from logvision.enrich.routes import Answers, Routed, Routes, numbers
from native_paths import without_core

PIECES = st.sampled_from(
    [
        *(
            "/",
            "//",
            ";",
            ".",
            "-",
            "_",
            "%40",
            "@",
            "=",
            "+",
            "{",
            "}",
            "{hex}",
            "{int}",
            "-{slug}",
            "{rest}",
        ),
        *(
            "0x",
            "2024-01",
            "2024-01-05",
            "T10:00",
            "19",
            "7",
            "42",
            "12345678",
            "3f2a9c1d",
            "abcdef",
            "DEADBEEF",
        ),
        *("550e8400-e29b-41d4-a716-446655440000", "dQw4w9WgXcQ", "a", "Zz", "é", "\n", "\0", " ", "\u017f"),
        *(
            ".css",
            ".JS",
            ".php",
            ".tar.gz",
            ".webmanifest",
            ".json",
            "http://",
            "HTTPS://h",
            "api",
            "v1",
            "rest",
        ),
        *("jane", "example.org", "xmlrpc.php", "/wp-json/", "x" * 60, "abcdef12345"),
    ]
)
PATHS = st.one_of(st.lists(PIECES, max_size=12).map("".join), st.text(max_size=40)).map(
    lambda text: text if len(text) % 5 == 0 else f"/{text}"
)


def seen(paths: list[str]) -> list[tuple[str, int]]:
    found = segments.forms(pa.array(paths, pa.string()))
    return list(zip(found.texts.take(pa.array(found.of_path)).to_pylist(), found.kinds.tolist(), strict=True))


@settings(deadline=None, max_examples=300)  # the machine may be busy
@given(st.lists(PATHS, max_size=8))
@example(["/main-12345678.js", "/-12345678.css", "/123-45-12345678", "/{int}-{slug}.webmanifest/x{hex}.a"])
@example(["/" + "a/" * 2000, "/" + "é" * 3000 + ".css", "http:///a", "https://", ";;/;/a"])
@example(["/a@b.co/%40b.co/é@x.y.zz/a%40b@c.de", "/0x12345678/2024-01_15+3/-/_7/-7"])
def test_forms_and_kinds_of_paths(paths: list[str]) -> None:
    found = seen(paths)
    with without_core():
        assert seen(paths) == found


def traffic(seed: int, rows: int) -> tuple[list[str], list[int]]:
    """Paths of a site with crowded places at all levels, and the client each was answered to; -1: none."""
    dice = random.Random(seed)
    paths, clients = [], []
    for _ in range(rows):
        words = [f"w{int(dice.paretovariate(0.4)) % 400}x" for _ in range(dice.randrange(1, 5))]
        words[dice.randrange(len(words))] = dice.choice(["42", "a.php", "list", "{rest}", words[0]])
        paths.append("/" + "/".join(words) + dice.choice(["", "", "/", ".css"]))
        clients.append(dice.choice([-1, 0, *range(12)]))
    return paths, clients


def routed(routes: Routes, paths: list[str], clients: list[int]) -> list[str]:
    distinct = pa.array(paths).dictionary_encode()
    rows = np.flatnonzero(np.array(clients) >= 0)
    names = numbers(pa.array([f"192.0.2.{client}" for client in range(12)]))
    answers = Answers(distinct.indices.to_numpy()[rows], names[np.array(clients)[rows]])
    found: Routed = routes.find(distinct.dictionary, answers)
    return found.routes.take(pa.array(found.of_path)).take(distinct.indices).to_pylist()


@pytest.mark.parametrize(("seed", "limit"), [(1, 20_000), (2, 900), (3, 60)])
def test_routes_that_are_learned_and_forgotten(seed: int, limit: int) -> None:
    paths, clients = traffic(seed, 12_000)
    states = set()
    core = Routes(limit)
    with without_core():
        pure = Routes(limit)
    for start, size in [(0, 5_000), (5_000, 10), (5_010, 5_990), (11_000, 1_000)]:
        rows = slice(start, start + size)
        found = routed(core, paths[rows], clients[rows])
        with without_core():
            assert routed(pure, paths[rows], clients[rows]) == found
        assert core.snapshot() == pure.snapshot()
        assert len(core) == len(pure) <= limit
        # Each goes on from what the other saved.
        saved = core.snapshot()
        states |= {state for state, *_ in saved["places"].values()}
        core = Routes.restore(pure.snapshot())
        with without_core():
            pure = Routes.restore(saved)
    # Roomy places and, where the limit leaves room for any, crowded and closed ones and words that wait.
    assert states == ({0} if limit == 60 else {0, 1, 2, 3})


def test_clients_have_the_same_numbers() -> None:
    names = pa.array(["", "192.0.2.1", "2001:db8::1", "é" * 50])
    found = numbers(names).tolist()
    with without_core():
        assert numbers(names).tolist() == found
