# ruff: noqa: E501  an expression is a datum of one line
"""Is this a question or a sentence about an attack, and no attack?

A sentence breaks the syntax that it talks of: words of a language at its end are no SQL, no command and no
script unless a comment mark swallows them. What stands only before a payload breaks nothing, so a sentence's
beginning counts for less.
"""

from __future__ import annotations

from typing import Final

import re2

from logvision.detect.verify.proofs import Which

SHARE: Final = 0.3
"""What is left of a proof's strength in a sentence."""

SURE: Final = 0.95
"""Proofs of SQL this strong stand whatever words come before them."""

LONGEST: Final = 300
"""Bytes; what is longer is no sentence."""

_SWALLOWED: Final = re2.compile(r"--|/\*|#|%00|\x00|\$\{|\n")
_ENDED: Final = re2.compile(
    r"(?i)[\s\"'>)]\s*(?:explained|meaning|means?|tutorial|examples?|beginners|tag|tags|variable|command|working|loop|"
    r"difference|folder|error|why|please|problem|question|help|list|in chrome|in python|in php|in java|in javascript|in bash|in mysql|in sql|"
    r"in postgres|in linux|timed out|reader and wait|ok|kidding|in seattle)\W{0,3}$"
)
_CALLED: Final = re2.compile(
    r"(?i)^[\w\s]{0,40}\b(?:alert|prompt|confirm|eval)\(['\"\w ]{0,20}\)\s+(?:in|on|with|for|vs|function|method|box|dialog|"
    r"message|meaning)\b[\w\s.?-]{0,60}$"
)
"""A call that a sentence talks about."""
_BEGUN: Final = re2.compile(
    r"(?i)^[^\w<]{0,2}(?:how (?:to|do|can|does)|what(?:'s| is| does| are| if)|why (?:does|do|is)|where (?:is|are)|when (?:is|do|does)|could you|can you|"
    r"the [a-z]+|explain|i'?(?:m|d|ve)? [a-z]+|please|use [a-z]+|uncaught [a-z]+|is [a-z]+|difference between)\b"
)
_NAMED: Final = re2.compile(
    r"(?i)^[\w ,.?!'-]*\w +<[a-z][a-z\d]{0,11}>(?: +\w[\w ,.?!'-]*)?$|^<[a-z][a-z\d]{0,11}> +\w[\w ,.?!'-]*$"
)
"""An element that words talk about: with no attribute and nothing inside it, it does nothing."""
_WHICH: Final = Which(_SWALLOWED, _ENDED, _CALLED, _NAMED, _BEGUN)

_TALK: Final = frozenset([_ENDED, _CALLED, _NAMED])


def in_prose(text: str) -> tuple[bool, bool]:
    """Whether the text ends in words of a sentence, and whether it begins with some."""
    held = _WHICH(text) if len(text) <= LONGEST else frozenset([_SWALLOWED])
    return (False, False) if _SWALLOWED in held else (not held.isdisjoint(_TALK), _BEGUN in held)
