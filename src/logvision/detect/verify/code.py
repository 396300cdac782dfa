"""Does this value leave the string or statement of a program and call something?

What PHP, Perl, Python, Ruby and JavaScript have in common: a quote is closed, joined by `;`, `.` or `+` to a
call, and what follows is made a comment or opened again. Text that opens its own quotes leaves none.
"""

from __future__ import annotations

from typing import Final

from logvision.detect.fusion import Evidence
from logvision.detect.verify.proofs import AnyOf, Proofs
from logvision.schema import Attack

RULE: Final = "verify.code"

_GATE: Final = AnyOf(r"[;.+|]\s*@?[A-Za-z_]\w*\s*\(")

_CALLED: Final = (
    r"@?(?:[A-Za-z_]\w{0,30}(?:\.|->|::)){0,3}[A-Za-z_]\w{1,30}\s*"
    r"\([^'\"]{0,60}(?:['\"][^'\"]{0,100}['\"][^'\"]{0,60}){0,4}\)"
)
_CALL: Final = rf"[;.+|]\s*{_CALLED}"

_PROOFS: Final = Proofs(
    [
        (
            rf"^[^'\"\s]{{0,30}}['\"]\s*\)*\s*{_CALL}\s*\)*\s*;?\s*(?://|#|/\*|--|\x00|$)",
            0.85,
            "a quote is closed, a call follows and the rest is a comment",
        ),
        (
            rf"^[^'\"\s]{{0,30}}['\"]\s*\)*\s*{_CALL}\s*[;.+|]\s*(?:\$?\w{{0,20}}\s*=\s*)?['\"]",
            0.85,
            "a quote is closed, a call follows and a quote is opened again",
        ),
        (
            rf"^\w{{0,20}}\s*\)*;\s*{_CALLED}\s*;\s*(?://|#|/\*)\s*$",
            0.8,
            "a statement is ended, a call follows and the rest is a comment",
        ),
    ]
)

TELLING: Final = _PROOFS.expressions
"""Without any of these there is nothing to find."""


def verify(text: str) -> list[Evidence]:
    """The strongest proof that a call is put into a program; at most one piece of evidence."""
    if not _GATE(text):
        return []
    best = _PROOFS.strongest(text)
    if best[0] <= 0:
        return []
    return [Evidence(RULE, Attack.CODE, best[0], f"Read as a program: {best[1]} ({best[2][:60]!r}).")]
