"""The formats that LogVision knows, in the one order in which they are asked.

The first format that accepts a line has it, whatever was detected before: detection only chooses which formats
are tried in bulk. The text formats are declared in nginx's or Apache's own syntax, or as a list of fields.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from logvision.formats.columnar import Plan, plan
from logvision.formats.exact import scan
from logvision.formats.tokens import Field, Token, compile_directive, tokens


@dataclass(frozen=True, slots=True)
class TextFormat:
    """A format given by its tokens."""

    name: str
    tokens: tuple[Token, ...]
    plan: Plan | None = field(repr=False)

    def read(self, line: bytes) -> dict[str, bytes] | None:
        """Field name to raw text, or None: not of this format."""
        return scan(self.tokens, line)


def text_format(name: str, given: tuple[Token, ...]) -> TextFormat:
    return TextFormat(name, given, plan(given))


COMBINED_TAIL: Final = ' "%{Referer}i" "%{User-Agent}i"'
_BODY: Final = ' %t "%r" %>s %b'

_CLF_HEADS: Final[dict[str, list[str | Field]]] = {
    "vhost_": [
        Field("host"),
        ":",
        Field("port"),
        " ",
        Field("remote"),
        " ",
        Field("ident"),
        " ",
        Field("user"),
    ],
    "site_": [Field("host"), " ", Field("address"), " ", Field("dash"), " ", Field("user")],
    "virtualmin_": [Field("peer"), " ", Field("dash"), " ", Field("hostname"), " ", Field("user")],
    "lighttpd_": [Field("peer"), " ", Field("hostname"), " ", Field("user")],
    "forwarded_": [Field("forwarded_list"), " ", Field("ident"), " ", Field("user")],
    "": [Field("peer"), " ", Field("ident"), " ", Field("user")],
}
"""What may stand before the time of a CLF line. Their fields exclude each other, see docs/formats.md."""


def _family() -> list[TextFormat]:
    found = []
    for head, parts in _CLF_HEADS.items():
        middle: list[str | Field] = [" [", Field("time"), '] "', Field("request"), '" ', Field("status"), " "]
        combined: list[str | Field] = [
            Field("bytes"),
            ' "',
            Field("referer"),
            '" "',
            Field("user_agent"),
            '"',
            Field("rest"),
        ]
        found.append(text_format(head + "combined", tokens([*parts, *middle, *combined], head)))
        found.append(text_format(head + "common", tokens([*parts, *middle, Field("bytes")], head)))
    return found


CLF: Final = tuple(_family())

OTHERS: Final = ()

ORDER: Final = (*OTHERS, *CLF)

DIRECTIVES: Final = {
    "common": '%h %l %u %t "%r" %>s %b',
    "combined": '%h %l %u %t "%r" %>s %b' + COMBINED_TAIL,
}
_ = compile_directive

Format = TextFormat


def named(given: str, where: str) -> Format:
    return text_format("custom", compile_directive(DIRECTIVES.get(given, given), where))
