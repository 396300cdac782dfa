"""Referers that a browser wrote: the address of a page somebody came from, not something sent to the site.

A search for code on one page stands in the referer of every picture of the next one; what stands in a
parameter where nobody writes freely is no search. Browsers encode what they put there (URL standard,
special-query percent-encode set) and leave fragments out, so a referer with a quote, an angle bracket, a
blank or a fragment was written by hand and is judged like everything else.
"""

from __future__ import annotations

from typing import Final

import re2

from logvision.detect.carrier import WRITTEN, weight
from logvision.detect.fusion import Evidence, Verdict
from logvision.detect.verify.proofs import AnyOf
from logvision.schema import Attack

_BY_BROWSER: Final = AnyOf(
    r"^https?://[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?/[A-Za-z0-9._~!$&()*+,;=:@/?%|\[\]{}-]*$"
)

ECHO_AT_MOST: Final = 0.45
"""Score of what only a referer echoes: suspected, never an alarm."""

EVIDENCE: Final = Evidence(
    "verify.echo",
    Attack.ANOMALY,
    0.0,
    "Against it: a browser wrote this referer, the address of another page.",
)

_ANYWHERE: Final = frozenset({Attack.LOG4SHELL})
"""Attacks on whatever writes or reads the log: where they stand does not matter."""

LISTENING: Final = "out-of-band-host"
"""A referer from a host that has no pages but only listens is no page's address."""


def is_echo(referer: str) -> bool:
    """Whether a browser would have written this referer, of a page that takes what people write; linear in
    its length."""
    if not _BY_BROWSER(referer):
        return False
    page, _, query = referer.partition("?")
    query = _WITHIN.sub("&", query).replace("%3D", "=")  # the search that a sign-in leads back to
    names = [pair.partition("=")[0] for pair in query.split("&", PARAMETERS)[:PARAMETERS] if pair]
    return not names or any(weight(page, name) <= WRITTEN for name in names)


PARAMETERS: Final = 50
"""Parameters of one referer that are looked at, those of addresses within them included."""
_WITHIN: Final = re2.compile("%3F|%26")


def softened(verdict: Verdict) -> Verdict:
    """What a verdict on such a referer is worth."""
    if verdict.attack in _ANYWHERE or LISTENING in verdict.rules or verdict.score <= ECHO_AT_MOST:
        return verdict
    return Verdict(ECHO_AT_MOST, verdict.attack, verdict.rules)
