"""Automata of many expressions say what searching with each of them says."""

from __future__ import annotations

import re2
from hypothesis import given
from hypothesis import strategies as st

from logvision.detect.verify import markup, shell
from logvision.detect.verify.proofs import Best, Proofs, Which

PROOFS = [
    ("(?i)<a[^>]{0,200}href", 0.5, "a far one at an element"),
    (r"<b[^>]{0,100}>", 0.9, "another"),
    (r"'.{0,90}?(?:call|\()", 0.7, "a far one elsewhere"),
    (r"^call", 0.7, "a near one, as strong"),
    (r"\d{1,3}$", 0.3, "a weak one"),
]
texts = st.lists(
    st.sampled_from(["<a", "<b", " href", ">", "'", "call", "(", "12", "x" * 95, "\xe9"]), max_size=8
).map("".join)


def searched(text: str) -> tuple[float, str, str]:
    """What each expression by itself proves, the strongest, of equals the first."""
    held = [(strength, -i) for i, (e, strength, _) in enumerate(PROOFS) if re2.search(e, text)]
    if not held:
        return 0.0, "", ""
    expression, strength, sentence = PROOFS[-max(held)[1]]
    return strength, sentence, re2.search(expression, text).group()


@given(texts)
def test_the_strongest_proof_is_the_one_that_searching_finds(text: str) -> None:
    assert Proofs(PROOFS).strongest(text) == searched(text)


@given(texts)
def test_the_best_expression_is_the_same_when_it_is_asked_again(text: str) -> None:
    best = Best(PROOFS)
    assert best(text) == best(text) == searched(text)[:2]


@given(texts)
def test_which_expressions_match_is_what_searching_says(text: str) -> None:
    expressions = [re2.compile(expression) for expression, *_ in PROOFS]
    assert Which(*expressions)(text) == {each for each in expressions if each.search(text)}


@given(st.text(st.sampled_from("()[]'`=;x"), max_size=6), st.integers(76, 84), st.sampled_from("(`=x"))
def test_what_closes_a_string_counts_if_a_call_is_near(before: str, gap: int, mark: str) -> None:
    text = before + "y" * gap + mark
    assert markup._closes(text) == (re2.search(r"(?s)[\"'`)\]};(\[].{0,80}[(`=]", text) is not None)


@given(st.text(st.sampled_from("ab/'\"\\^$@*{}IFS9 _\n\xe9"), max_size=20))
def test_what_hides_a_word_is_taken_out_as_one_expression_would(text: str) -> None:
    spaced = text.replace("${IFS}", " ").replace("$IFS$9", " ").replace("$IFS", " ")
    assert shell._bare(text) == shell._HIDING.sub(rb"\1\2", spaced.encode()).decode()
