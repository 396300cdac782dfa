from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logvision.enrich import segments, shape
from logvision.enrich.segments import DEPTH
from native_paths import without_core


@pytest.fixture(params=["core", "pure"], autouse=True, scope="module")
def path(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test here holds with the native core and without it."""
    with without_core() if request.param == "pure" else nullcontext():
        yield


def forms(*paths: str) -> list[tuple[str, str]]:
    """Per path its form and its kind."""
    found = segments.forms(pa.array(paths, pa.string()))
    texts = found.texts.to_pylist()
    assert len(set(texts)) == len(texts)
    return [
        (texts[form], shape.KINDS[kind])
        for form, kind in zip(found.of_path.tolist(), found.kinds.tolist(), strict=True)
    ]


def test_every_segment_becomes_what_it_is_in_a_route() -> None:
    assert forms("/", "/a", "/a/42/", "/b/Logo.PNG", "/api/x", "/x/v2/y.json", "/a/7/") == [
        ("/", "page"),
        ("/a", "page"),
        ("/a/{int}/", "page"),
        ("/b/Logo.PNG", "static"),
        ("/api/x", "api"),
        ("/x/v2/y.json", "api"),
        ("/a/{int}/", "page"),
    ]
    assert forms() == []


def test_odd_paths_have_the_forms_of_plain_ones() -> None:
    paths = (
        "http://h.example/a;x=1/b",
        "//a///b//",
        "*",
        "",
        "h:443",
        "/a;jsessionid=1.css",
        ";x/a",
        "/a/;x",
    )
    assert forms(*paths, "HTTPS://h", "/;x") == [
        ("/a/b", "page"),
        ("/a/b/", "page"),
        ("", "page"),
        ("", "page"),
        ("", "page"),
        ("/a", "static"),
        ("/a", "page"),
        ("/a/", "page"),
        ("", "page"),
        ("/", "page"),
    ]


def test_deep_paths_keep_their_first_segments_and_the_kind_of_their_end() -> None:
    deep = "/a" * DEPTH
    assert forms(deep, f"{deep}/x/y.css", f"{deep}/", f"{deep}/x/") == [
        (deep, "page"),
        (f"{deep}/{{rest}}", "static"),
        (f"{deep}/", "page"),
        (f"{deep}/{{rest}}/", "page"),
    ]
    assert forms("/a" * 500, "/a" * 500 + "/", f"{deep[2:]}/{{rest}}/b") == [
        (f"{deep}/{{rest}}", "page"),
        (f"{deep}/{{rest}}/", "page"),
        (f"{deep[2:]}/{{rest}}", "page"),
    ]


def test_only_the_first_characters_of_a_long_path_are_read() -> None:
    long = "/" + "é" * (segments.PATH_READ - 2) + "/42"
    assert forms(long, long + "7") == [("/{slug}/", "page")] * 2


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.text("/;a.42:é{}", max_size=20), max_size=6))
def test_a_path_has_the_same_form_whatever_stands_beside_it(paths: list[str]) -> None:
    assert forms(*paths) == [alone for path in paths for alone in forms(path)]


@settings(deadline=None)  # the machine may be busy
@given(st.text("/;a.42:é{}", max_size=20))
def test_the_form_of_a_form_is_itself(path: str) -> None:
    ((form, _),) = forms(path)
    assert forms(form)[0][0] == form
