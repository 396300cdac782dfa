"""Tokens of SQL in the core."""

from __future__ import annotations

from logvision.native.arrays import scratch
from logvision.native.library import CORE


def letters(text: bytes, quote: bytes, tables: bytes, words: int, most: int) -> bytes:
    """Up to `most` tokens of a text, a letter each. `tables`, made in detect/verify/sql_tokens.py, are
    the classes of bytes and so many known words."""
    out = scratch(2 * min(most, len(text) + 1) + 1)
    made: bytes = out[: CORE.lv_sql(text, len(text), quote, len(quote), tables, words, most, out)]
    return made
