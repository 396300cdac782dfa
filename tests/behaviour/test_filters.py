from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from event_tables import event, events
from examples import examples
from logvision.detect import filters
from logvision.detect.shapes import Shapes
from logvision.errors import Problem

ROWS = [
    event(method="POST", target="/Login?next=%2F", status=401, bytes=10),
    event(method="GET", target="/login", status=200, bytes=None),
    event(method=None, target="/x.php", status=None, bytes=5000, bot="search:Some"),
]

MANY = """
  failed: {status: [404, null], method: [GET, null]}
  server: {status|gte: 500}
  form: {path|endswith: /login, method: POST}
  known: {bot|startswith: 'search:'}
  condition: (failed or form or server) and not known
"""


def fits(text: str) -> list[bool]:
    problems: list[Problem] = []
    found = filters.read(yaml.safe_load(text), "here", problems)
    assert problems == []
    fits, shape = Shapes([found["condition"]]).of(events(ROWS))
    return fits[shape, 0].tolist()


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ("method: post", [True, False, False]),
        ("method: null", [False, False, True]),
        ("method: [GET, null]", [False, True, True]),
        ("path|endswith: /LOGIN", [True, True, False]),
        ("path|startswith: [/x, /y]", [False, False, True]),
        ("target|contains: next=", [True, False, False]),
        ("path|re: '^/[a-z]\\.php$'", [False, False, True]),
        ("query: null", [False, True, True]),
        ("status: [401, 200]", [True, True, False]),
        ("status: null", [False, False, True]),
        ("status|gte: 400", [True, False, False]),
        ("bytes|lt: 5000", [True, False, False]),
        ("bytes|lte: 5000", [True, False, True]),
        ("bytes|gt: 10", [False, False, True]),
        ("bot|startswith: 'search:'", [False, False, True]),
        ("referer: anything", [False, False, False]),
    ],
)
def test_a_selection_fits_what_it_says(selection: str, expected: list[bool]) -> None:
    assert fits(f"{{one: {{{selection}}}, condition: one}}") == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("post", [True, False, False]),
        ("not post", [False, True, True]),
        ("post or get and big", [True, False, False]),
        ("(post or get) and not good", [True, False, False]),
        ("1 of p*", [True, False, True]),
        ("all of them", [False, False, False]),
        ("1 of them", [True, True, True]),
    ],
)
def test_conditions_join_selections(condition: str, expected: list[bool]) -> None:
    selections = "post: {method: POST}, get: {method: GET}, big: {bytes|gt: 100}, good: {status: 200}"
    php = "php: [{path|endswith: .php}, {path: /never}]"
    assert fits(f"{{{selections}, {php}, condition: {condition}}}") == expected


@pytest.mark.parametrize(
    "condition", ["", "a and", "(a", "a)", "a; b", "none", "1 of x*", "__import__('os')"]
)
def test_a_condition_with_a_mistake_is_told_and_not_run(condition: str) -> None:
    problems: list[Problem] = []
    given: dict[str, Any] = {"a": {"status": 404}, "condition": condition}
    assert "condition" not in filters.read(given, "here", problems)
    assert [p.where for p in problems] == ["here.condition"]


@given(
    st.lists(
        st.builds(
            event,
            method=st.sampled_from(["GET", "POST", None]),
            status=st.sampled_from([200, 404, 500, None]),
            bot=st.sampled_from(["search:a", "feed:b", None]),
            target=st.sampled_from(["/login", "/x?y=1"]),
        ),
        min_size=1,
        max_size=30,
    )
)
@examples(50)
def test_what_is_remembered_of_shapes_and_texts_changes_no_answer(rows: list[dict[str, Any]]) -> None:
    problems: list[Problem] = []
    found = filters.read(yaml.safe_load(MANY), "here", problems)

    assert problems == []
    conditions = list(found.values())
    together = Shapes(conditions)
    for _ in range(2):
        fits, shape = together.of(events(rows))
        one_by_one = [Shapes([condition]).of(events([row])) for condition in conditions for row in rows]
        assert fits[shape].T.ravel().tolist() == [alone[which[0], 0] for alone, which in one_by_one]
