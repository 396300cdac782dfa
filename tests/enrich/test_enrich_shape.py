from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logvision.enrich import shape


def text_of(segment: str) -> str:
    (text,) = shape.texts(pa.array([segment])).to_pylist()
    return str(text)


@pytest.mark.parametrize(
    ("segment", "text"),
    [
        ("42", "{int}"),
        ("-7", "{int}"),
        ("00012345678901234567890", "{int}"),
        ("42.html", "{int}.html"),
        ("42.PNG", "{int}.png"),
        ("550e8400-e29b-41d4-a716-446655440000", "{uuid}"),
        ("550E8400-E29B-41D4-A716-446655440000.json", "{uuid}.json"),
        ("2024-05-01", "{date}"),
        ("2024-05", "{date}"),
        ("2024-05-01T10:00:00Z", "{date}"),
        ("deadbeef01", "{hex}"),
        ("d41d8cd98f00b204e9800998ecf8427e", "{hex}"),
        ("0x5f3759df", "{hex}"),
        ("dQw4w9WgXcQdQw4w9Wg", "{hash}"),
        ("eyJhbGciOiJIUzI1NiIsInR5c", "{hash}"),
        ("jane.doe@example.org", "{email}"),
        ("jane%40example.org", "{email}"),
        ("1234-how-to-bake", "{int}-{slug}"),
        ("main.3f2a9c1d.js", "main.{hex}.js"),
        ("app-3f2a9c1d4b5e6f70.css", "app.{hex}.css"),
        ("123-45-12345678", "{int}-{slug}"),
        ("<script>", "{slug}"),
        ("a'or'1.php", "{slug}.php"),
        ("x" * 65, "{slug}"),
        ("{int}", "{int}"),
        ("{slug}.php", "{slug}.php"),
        ("{evil}", "{slug}"),
        # Words stay words.
        ("about-us", "about-us"),
        ("index.php", "index.php"),
        ("v1", "v1"),
        ("facade", "facade"),
        ("defaced", "defaced"),
        (".env", ".env"),
        (".git", ".git"),
        ("jquery-3.3.1.min.js", "jquery-3.3.1.min.js"),
        ("wp-content", "wp-content"),
        ("%E5%9C%A8", "%E5%9C%A8"),
        ("UserProfileSettings", "UserProfileSettings"),
    ],
)
def test_a_segment_has_one_shape(segment: str, text: str) -> None:
    assert text_of(segment) == text


@settings(deadline=None)  # the machine may be busy
@given(st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1, max_size=90))
def test_the_shape_of_a_shape_is_itself(segment: str) -> None:
    assert text_of(text_of(segment)) == text_of(segment)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "page"),
        ("/about", "page"),
        ("/index.php", "page"),
        ("/a/logo.PNG", "static"),
        ("/assets/main.js", "static"),
        ("/robots.txt", "static"),
        ("/api", "api"),
        ("/api/v1/users", "api"),
        ("/shop/api/cart", "api"),
        ("/v2/items", "api"),
        ("/graphql", "api"),
        ("/wp-json/wp/v2/posts", "api"),
        ("/xmlrpc.php", "api"),
        ("/data.json", "api"),
        ("/apiary", "page"),
        ("/video", "page"),
        ("/a/b/api", "page"),
        ("/x/Xmlrpc.PHP", "api"),
    ],
)
def test_a_path_is_a_page_a_file_or_a_call(path: str, kind: str) -> None:
    assert [shape.KINDS[code] for code in shape.kinds(pa.array([path]))] == [kind]


@pytest.mark.parametrize(
    ("word", "placeholder"),
    [("about", "{slug}"), ("a.PHP", "{slug}.php"), (".css", "{slug}"), ("x.y", "{slug}"), ("js", "{slug}")],
)
def test_a_word_that_is_none_of_the_routes_keeps_its_extension(word: str, placeholder: str) -> None:
    assert shape.variable(word) == placeholder
