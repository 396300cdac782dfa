"""Patterns: rule text to expressions that Hyperscan runs over one buffer of many units.

Units stand in the buffer each ended by a line feed, and `^` and `$` match there. A pattern must not
reach over a line feed, so whatever could match one is rewritten: `\\s`, `\\W`, `\\D`, negated classes
and `(?s)`. A line feed inside a unit stands as a vertical tab, which `\\s` matches; `\\n` in a rule means it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import hyperscan

_SPACE_CLASS: Final = r"\t\x0b\x0c\r\x20"
_NOT_WORD_CLASS: Final = r"\x00-\x09\x0b-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\xff"
_NOT_DIGIT_CLASS: Final = r"\x00-\x09\x0b-\x2f\x3a-\xff"


class PatternError(Exception):
    """An expression that cannot be used; says why."""

    def __init__(self, expression: str, why: str) -> None:
        super().__init__(why)
        self.expression = expression


def bounded(expression: str) -> str:
    """The expression rewritten so that no match reaches over a line feed."""
    out: list[str] = []
    i = 0
    while i < len(expression):
        char = expression[i]
        if char == "\\" and i + 1 < len(expression):
            out.append(_escape(expression[i + 1], inside=False, negated=False) or expression[i : i + 2])
            i += 2
        elif char == "[":
            text, i = _class(expression, i)
            out.append(text)
        elif (
            char == "("
            and expression.startswith("(?", i)
            and i + 2 < len(expression)
            and expression[i + 2] in "ims"
        ):
            end = expression.find(")", i)
            flags = expression[i + 2 : end]
            flags = flags.replace("s", "").replace("m", "")
            out.append(
                "(?" + flags + expression[end] if flags not in ("", ":") else "(?:" if flags == ":" else ""
            )
            i = end + 1
        else:
            out.append(char)
            i += 1
    return "".join(out)


def _class(expression: str, start: int) -> tuple[str, int]:
    i = start + 1
    negated = expression.startswith("^", i)
    i += negated
    parts: list[str] = ["[^\\x0a" if negated else "["]
    first = True
    while i < len(expression) and (expression[i] != "]" or first):
        first = False
        if expression.startswith("[:", i) and ":]" in expression[i:]:
            end = expression.index(":]", i) + 2
            parts.append(
                _SPACE_CLASS if expression[i:end] == "[:space:]" and not negated else expression[i:end]
            )
            i = end
        elif expression[i] == "\\" and i + 1 < len(expression):
            parts.append(_escape(expression[i + 1], inside=True, negated=negated) or expression[i : i + 2])
            i += 2
        else:
            parts.append(expression[i])
            i += 1
    if i >= len(expression):
        raise PatternError(expression, "a character class is not closed")
    return "".join(parts) + "]", i + 1


def _escape(letter: str, *, inside: bool, negated: bool) -> str | None:
    if letter == "n":
        return r"\x0b"
    if negated:
        return None
    table = {"s": _SPACE_CLASS, "W": _NOT_WORD_CLASS, "D": _NOT_DIGIT_CLASS}
    if letter in table:
        return table[letter] if inside else f"[{table[letter]}]"
    return None


def inline_caseless(expression: str) -> tuple[str, bool]:
    """The expression without a leading `(?i)`, and whether it had one."""
    if expression.startswith("(?i)"):
        return expression[4:], True
    return expression, False


def literal(text: str) -> str:
    """The text as an expression that matches it alone."""
    return "".join(
        c if c.isalnum() and c.isascii() else "".join(f"\\x{b:02x}" for b in c.encode())
        for c in text.replace("\n", "\x0b")
    )


def flags(caseless: bool) -> int:
    """Hyperscan's flags of a pattern."""
    return int(hyperscan.HS_FLAG_MULTILINE | (hyperscan.HS_FLAG_CASELESS if caseless else 0))


def _text(entry: str) -> str:
    return literal(entry.strip("/")) if entry != "/" else ""


_LAST: Final = (r"\x0a", r"/\x0a")  # a trailing slash is the same place
_SEGMENT: Final = ("/", r"\x0a")
_ASKED: Final = (*_LAST, r"\?", r"/\?")

LISTS: Final[dict[str, Callable[[str], Sequence[str]]]] = {
    # The whole path.
    "exact": lambda entry: [f"^/{_text(entry)}{end}" for end in _LAST],
    # The path ends so, at a segment's start.
    "suffix": lambda entry: [f"/{_text(entry)}{end}" for end in _LAST],
    # The path starts so, at segment bounds.
    "prefix": lambda entry: [f"^/{_text(entry)}{end}" for end in _SEGMENT],
    # Consecutive whole segments anywhere in the path.
    "segment": lambda entry: [f"/{_text(entry)}{end}" for end in _SEGMENT],
    # The whole target asks for this path, whatever follows in its query; a plus is read as a space there.
    "asked": lambda entry: [f"^/{_text(entry.replace('+', ' '))}{end}" for end in _ASKED],
    # The unit is exactly this.
    "equals": lambda entry: [rf"^{literal(entry)}\x0a"],
    # The unit holds this.
    "contains": lambda entry: [literal(entry)],
    # The unit holds this as whole words.
    "word": lambda entry: [rf"\b{literal(entry)}\b"],
    # The unit ends so, e.g. a file extension.
    "ending": lambda entry: [rf"{literal(entry)}\x0a"],
}
"""How an entry of a list file is matched, by the name a rule gives: any of these expressions. Texts without
choices, and with the line feed that ends a unit, are compiled in a twentieth of the time."""
