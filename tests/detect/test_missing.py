"""The page that a site gives for what is not there: known by many names, kept in a flood of others."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from logvision.detect.missing import ANYTHING, SHELL, SIZES_KEPT, SMALLEST_SHELL, Site, Sizes
from logvision.detect.ordinary import near


def noted(seed: int) -> list[tuple[int, str]]:
    """Sizes of answers with names, more sizes than are kept, many of them again and again."""
    rng = Random(seed)
    return [(rng.randrange(2 * SIZES_KEPT), rng.choice("abcdefgh")) for _ in range(600)]


told = st.integers(0, 1 << 32).map(noted)


@settings(max_examples=10)
@given(told)
def test_sizes_are_bounded_and_of_those_only_the_longest_unused_that_few_had_goes(
    answers: list[tuple[int, str]],
) -> None:
    sizes, expected = Sizes(ANYTHING), dict[int, list[str]]()
    for size, name in answers:
        before = {each for each, names in expected.items() if len(names) == ANYTHING}
        names = expected.pop(size, [])
        expected[size] = names if name in names or len(names) == ANYTHING else [*names, name]
        if len(expected) > SIZES_KEPT:
            del expected[next((s for s, n in expected.items() if len(n) < ANYTHING), next(iter(expected)))]
        after = {each for each, names in expected.items() if len(names) == ANYTHING}

        assert sizes.note(size, name) == (before != after)
        assert sizes.established == sorted(after)
        assert sizes.any_established == bool(after)
    assert sizes.document() == list(expected.items())


@settings(max_examples=10)
@given(told, told)
def test_sizes_that_were_saved_go_on_as_they_were(
    before: list[tuple[int, str]], after: list[tuple[int, str]]
) -> None:
    sizes = Sizes(SHELL)
    for each in before:
        sizes.note(*each)
    restored = Sizes(SHELL, ((size, list(names)) for size, names in sizes.document()))
    for each in after:
        assert restored.note(*each) == sizes.note(*each)

    assert restored.document() == sizes.document()


@given(st.lists(st.integers(0, 20_000), max_size=30), st.lists(st.integers(0, 20_000)))
def test_an_answer_near_to_one_that_many_names_had_is_the_page_for_anything(
    pages: list[int], asked: list[int]
) -> None:
    site = Site()
    for size in pages:
        for name in ("a", "b", "c"):
            site.seek(size, name)

    for size in [*asked, *pages]:
        assert site.anything(size) == any(near(size, page) for page in pages)


def test_the_first_page_of_an_application_is_known_by_its_many_routes_and_exact_size() -> None:
    site = Site()
    for n in range(SHELL):
        assert not site.anything(5000)
        site.show(5000, f"/{n}")
        site.show(SMALLEST_SHELL - 1, f"/{n}")

    assert site.anything(5000)
    assert not site.anything(5001)
    assert not site.anything(SMALLEST_SHELL - 1)
    assert site.tells()
