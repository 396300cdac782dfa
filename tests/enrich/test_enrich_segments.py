from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from logvision.enrich import segments, shape
from logvision.enrich.segments import DEPTH, Words


def cut_up(*paths: str) -> list[tuple[list[str] | None, bool, bool, str]]:
    """Per path: the texts of its segments (null: not a path), deep, slash, kind."""
    words = Words()
    cut = segments.cut(pa.array(paths), words)
    texts = [words.texts[number] for number in cut.words.tolist()]
    return [
        (None if length < 0 else texts[first : first + length], deep, slash, shape.KINDS[kind])
        for first, length, deep, slash, kind in zip(
            *(column.tolist() for column in (cut.first, cut.length, cut.deep, cut.slash, cut.kinds)),
            strict=True,
        )
    ]


def test_paths_are_cut_at_their_slashes() -> None:
    assert cut_up("/", "/a", "/a/42/", "/b/Logo.PNG", "/api/x", "/x/v2/y.json") == [
        ([], False, True, "page"),
        (["/a"], False, False, "page"),
        (["/a", "/{int}"], False, True, "page"),
        (["/b", "/Logo.PNG"], False, False, "static"),
        (["/api", "/x"], False, False, "api"),
        (["/x", "/v2", "/y.json"], False, False, "api"),
    ]


def test_odd_paths_are_cut_like_plain_ones() -> None:
    assert cut_up(
        "http://h.example/a;x=1/b", "//a///b//", "*", "", "h:443", "/a;jsessionid=1.css", "/x/"
    ) == [
        (["/a", "/b"], False, False, "page"),
        (["/a", "/b"], False, True, "page"),
        (None, False, False, "page"),
        (None, False, False, "page"),
        (None, False, False, "page"),
        (["/a"], False, False, "static"),
        (["/x"], False, True, "page"),
    ]


def test_deep_paths_keep_their_first_segments_and_the_kind_of_their_end() -> None:
    deep = "/a" * DEPTH
    plain = (["/b"], False, False, "page")
    assert cut_up("/b", f"{deep}/x/y.css", f"{deep}/", "/b") == [
        plain,
        (["/a"] * DEPTH, True, False, "static"),
        (["/a"] * DEPTH, False, True, "page"),
        plain,
    ]
    assert cut_up("/b", "/a" * 500, "/a" * 500 + "/", "/b") == [
        plain,
        (["/a"] * DEPTH, True, False, "page"),
        (["/a"] * DEPTH, True, True, "page"),
        plain,
    ]
    for length in range(DEPTH, DEPTH + 4):
        path = "/a" * length
        assert cut_up(path, f"{path}/") == cut_up(f"/{path}", f"/{path}/")


def test_words_that_are_let_go_of_get_new_numbers() -> None:
    words = Words()
    numbers, _ = words.encode(pa.array(["/gone", "/kept.php", "/42", "/stays"]))
    in_use = sorted(numbers.tolist())[1:]
    renumbered = words.forget(in_use)
    assert [words.texts[renumbered[number]] for number in in_use] == ["/kept.php", "/stays", "/{int}"]
    again, _ = words.encode(pa.array(["/kept.php", "/stays", "/{int}"]))
    assert again.tolist() == [renumbered[number] for number in in_use]
    assert words.texts[words.fallbacks[again[0]]] == "/{slug}.php"


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.text("/;a.42:é{}", max_size=20), max_size=6))
def test_a_path_is_cut_the_same_whatever_stands_beside_it(paths: list[str]) -> None:
    assert cut_up(*paths) == [alone for path in paths for alone in cut_up(path)]
