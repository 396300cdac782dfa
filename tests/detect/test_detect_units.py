"""How a request falls into units."""

from __future__ import annotations

import pyarrow as pa
import pytest

from logvision.detect.split import split
from logvision.detect.units import Kind, Owners


def units(targets: list[str], kinds: Kind, referers: list[str] | None = None) -> list[tuple[int, str, str]]:
    """(owner, kind, text), of these kinds, sorted."""
    none = pa.array([], pa.string())
    found = split(Owners(pa.array(targets, pa.string()), none, pa.array(referers or [], pa.string())))
    return sorted(
        (owner, Kind(int(found.kind[unit])).name or "", found.texts[unit].as_py().decode())
        for owner, unit in zip(found.owner.tolist(), found.unit.tolist(), strict=True)
        if found.kind[unit] & int(kinds)
    )


PARTS = Kind.PATH | Kind.NAME | Kind.VALUE | Kind.URL


def test_a_target_is_its_path_its_names_and_its_values() -> None:
    assert units(["/a%20b?x=1+2&y=&z&&=w", "/", "?q", ""], PARTS) == [
        (0, "NAME", ""), (0, "NAME", "x"), (0, "NAME", "y"), (0, "PATH", "/a b"),
        (0, "VALUE", "1 2"), (0, "VALUE", "w"), (0, "VALUE", "z"),
        (1, "PATH", "/"),
        (2, "PATH", ""), (2, "VALUE", "q"),
        (3, "PATH", ""),
    ]  # fmt: skip


def test_a_host_is_no_path() -> None:
    assert units(["//h.example/a?b=1"], PARTS, ["https://h.example/c?d=2", "https://h.example"]) == [
        (0, "NAME", "b"), (0, "PATH", "/a"), (0, "VALUE", "1"),
        (1, "NAME", "d"), (1, "PATH", "/c"), (1, "VALUE", "2"),
        (2, "PATH", ""),
    ]  # fmt: skip


def test_an_address_in_a_value_is_taken_apart() -> None:
    assert units(["/?u=https%3A%2F%2Fh.example%2Fp%3Fq%3D1"], PARTS) == [
        (0, "NAME", "q"), (0, "NAME", "u"), (0, "PATH", "/"), (0, "PATH", "/p"),
        (0, "URL", "https://h.example/p?q=1"), (0, "VALUE", "1"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "texts"),
    [
        ("/a/../b", ["/a/../b", "/b"]),
        ("/a/./b", ["/a/./b", "/a/b"]),
        ("/a/.", ["/a", "/a/."]),
        ("/a//b", ["/a//b", "/a/b"]),
        ("/a;x=1/b", ["/a/b", "/a;x=1/b"]),
        ("/a\\b", ["/a/b", "/a\\b"]),
        ("/.env", ["/.env"]),
        ("/a/.b/c", ["/a/.b/c"]),
    ],
)
def test_a_path_that_resolves_to_another_is_both(path: str, texts: list[str]) -> None:
    assert [text for _, _, text in units([path], Kind.PATH)] == texts


def test_a_name_given_twice_has_its_values_joined_as_well() -> None:
    assert units(["/?a=1%27/*&b=2&a=*/or&a=3", "/?a=1", "/?l[]=1&l[]=2"], Kind.VALUE) == [
        (0, "VALUE", "*/or"), (0, "VALUE", "1' or,3"), (0, "VALUE", "1'/*"),
        (0, "VALUE", "2"), (0, "VALUE", "3"),
        (1, "VALUE", "1"), (2, "VALUE", "1"), (2, "VALUE", "2"),
    ]  # fmt: skip


def test_a_semicolon_may_separate_as_well() -> None:
    assert units(["/?a=1;b=%3Cx%3E;c", "/?a=x;y"], Kind.NAME | Kind.VALUE) == [
        (0, "NAME", "a"), (0, "NAME", "b"), (0, "VALUE", "1;b=<x>;c"), (0, "VALUE", "<x>"),
        (1, "NAME", "a"), (1, "VALUE", "x;y"),
    ]  # fmt: skip


def test_entities_in_a_query_are_characters() -> None:
    assert units(["/?a=&lt;b&gt;&c=&#60;d"], Kind.NAME | Kind.VALUE) == [
        (0, "NAME", "a"), (0, "NAME", "c"), (0, "VALUE", "<b>"), (0, "VALUE", "<d"),
    ]  # fmt: skip


def test_nothing_gives_nothing() -> None:
    assert units([], Kind(1023)) == []
