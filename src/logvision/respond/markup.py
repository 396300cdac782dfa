"""HTML made of elements: text is escaped by construction, so nothing from a log can become markup."""

from __future__ import annotations

import unicodedata
from html import escape
from typing import Final

VOID: Final = frozenset({"meta", "br", "line", "rect", "path", "circle"})
"""Elements that are written without an end tag (of SVG those that hold nothing)."""


class Markup(str):
    """Text that is HTML already. Only this module makes it."""

    __slots__ = ()


Child = Markup | str | int | None
"""What may stand in an element: markup as it is, everything else as escaped text, None not at all."""


def element(name: str, /, *children: Child, **attributes: str | float | None) -> Markup:
    """One element. An attribute that is None is left out; `class_` and `for_` lose their underscore,
    inner underscores become hyphens."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_shown(str(value)))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in VOID:
        return Markup(f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{joined(*children)}</{name}>")


def joined(*children: Child) -> Markup:
    """Children one after the other."""
    return Markup("".join(text(child) for child in children))


def text(child: Child) -> Markup:
    """A child as markup; control and invisible format characters of a text are shown as \\xHH or \\uHHHH."""
    if child is None:
        return Markup()
    if isinstance(child, Markup):
        return child
    return Markup(escape(_shown(str(child))))


def style(sheet: str) -> Markup:
    """A style sheet of ours. A style element knows no escapes, so no log text may ever be in it."""
    return Markup(f"<style>{sheet}</style>")


def document(head: Markup, body: Markup, language: str) -> str:
    """A whole page."""
    return f"<!doctype html>\n{element('html', head, body, lang=language)}\n"


def _shown(value: str) -> str:
    """Direction overrides and control characters would make a text look like another one."""
    if value.isascii() and value.isprintable():
        return value
    return "".join(_escaped(c) if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co"} else c for c in value)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
