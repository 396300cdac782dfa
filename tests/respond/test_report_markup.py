from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from logvision.respond.markup import Markup, document, element, joined, text


class Reading(HTMLParser):
    """What a reader of HTML finds."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


def test_elements_nest_and_attributes_lose_their_underscores() -> None:
    made = element("p", "a ", element("b", 1), None, class_="x", aria_label="y", hidden=None)
    assert made == '<p class="x" aria-label="y">a <b>1</b></p>'


def test_an_element_without_an_end_has_none() -> None:
    assert element("meta", charset="utf-8") == '<meta charset="utf-8"/>'


def test_markup_stays_and_text_is_escaped() -> None:
    assert joined(Markup("<br/>"), "<br/>") == "<br/>&lt;br/&gt;"


def test_control_and_direction_characters_are_shown() -> None:
    assert text("a\x1b[31m\x00\u202e\u200b\n") == "a\\x1b[31m\\x00\\u202e\\u200b\\x0a"


def test_a_document_says_its_language() -> None:
    page = document(element("head"), element("body", "你好"), "zh-CN")
    assert page == '<!doctype html>\n<html lang="zh-CN"><head></head><body>你好</body></html>\n'


@given(st.text(), st.text())
def test_no_text_becomes_an_element_or_leaves_its_attribute(inside: str, attribute: str) -> None:
    found = Reading(element("p", inside, title=attribute))
    assert [tag for tag, _ in found.tags] == ["p"]
    assert list(found.tags[0][1]) == ["title"]
    assert "".join(found.texts) == Reading(f"<p>{text(inside)}</p>").texts[0] if inside else not found.texts
