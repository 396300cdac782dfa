"""Does this value close the LDAP filter, or the XPath, that it is put into?

Parentheses are counted: a value that closes one it never opened, and opens a condition after it, leaves its
place in the filter. A filter that is whole is what directory pages themselves send, and only suspected.
Filters: RFC 4515.
"""

from __future__ import annotations

from typing import Final

import re2

from logvision.detect.fusion import Evidence
from logvision.detect.verify.proofs import AnyOf, Which
from logvision.schema import Attack

RULE: Final = "verify.ldap"

_GATE: Final = AnyOf(
    r"\)",
    r"\(\s*[|&!]",
    r"(?i)\b(?:or|and)\s+/|::\w+\(|\]\s*[|]|/\*\[|(?:position|name|count|string-length|text|last|node|comment)\(",
)
_OPENS: Final = re2.compile(
    r"^[)\s*]*(?:\(\s*){1,4}(?:[|&!]|[A-Za-z][\w.;-]{0,40}\s*[~<>:]?=)|^[)\s*]*\(\s*\*\s*(?:\)\s*\(|\)?$)"
)
_ENDS: Final = re2.compile(r"^[)\s]*(?:\x00|%00)")
_CUT: Final = re2.compile(r"^[\w.@-]{0,30}\*?\)+\s*\(*[|&!(]?$|^[\w.@-]{0,30}\*\)+|^\(\*\*")
_WHOLE: Final = re2.compile(r"^\s*\(\s*[|&!]\s*\(|^\s*\(\s*[A-Za-z][\w.-]{0,40}\s*[~<>]?=[^()]{0,80}\)\s*$")
_XPATH: Final = re2.compile(
    r"(?i)['\"]\s*(?:or|and)\s+(?:not\s*\(\s*)?(?:true|false)\s*\(\s*\)|\b(?:or|and)\s+/{1,2}\w{1,40}\[|['\"\])]\s*(?:or|and|\|)\s*['\"(/]*\s*(?:count|string-length|substring|contains|starts-with|name|local-name|position|"
    r"text|last|not)\s*\(|/(?:child|parent|descendant|ancestor|attribute|self|following|preceding)(?:-or-self|-sibling)?::|"
    r"\]\s*\|\s*//|//\*\s*\||'\s*\]\s*(?:[|/]|$)|count\(\s*/|/(?:text|node|comment)\(\)\s*(?:\||\[|=|$)|\bdoc(?:-available)?\(\s*(?:concat\(|['\"]http)"
)
_WHICH: Final = Which(_CUT, _XPATH, _WHOLE)
TELLING: Final = (
    *(each.pattern.replace("^[)", r"\)[)") for each in (_OPENS, _ENDS)),  # they stand behind a parenthesis
    *(each.pattern for each in (_CUT, _XPATH, _WHOLE)),
)
"""Without any of these there is nothing to find."""


def verify(text: str) -> list[Evidence]:  # noqa: PLR0911  one return a proof
    """How the value leaves its place in a filter or path; at most one piece of evidence."""
    if len(text) > 2048 or not _GATE(text):
        return []
    held = _WHICH(text)
    left = _left(text)
    if left is not None:
        if _OPENS.search(left):
            return [_found(0.9, "it closes the filter and opens a condition of its own")]
        if _ENDS.search(left):
            return [_found(0.85, "it closes the filter and cuts off the rest")]
        if _CUT in held and ("*" in text or "(" in left):
            return [_found(0.72, "it closes a filter that it did not open")]
    if _XPATH in held:
        return [_found(0.72, "it asks for nodes of an XML document")]
    if _WHOLE in held:
        return [_found(0.45, "a whole filter")]
    return []


def _left(text: str) -> str | None:
    """What follows the first parenthesis that closes what was not opened; None: there is none."""
    depth, at = 0, 0
    for part in text.split(")")[:-1]:
        depth += part.count("(") - 1
        at += len(part) + 1
        if depth < 0:
            return text[at:]
    return None


def _found(strength: float, sentence: str) -> Evidence:
    return Evidence(RULE, Attack.LDAP, strength, f"Read as a directory filter: {sentence}.")
