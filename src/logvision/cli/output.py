"""What commands print: log text made harmless, mistakes on standard error, tables and progress by rich."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

WIDE = 10_000
"""Characters of a line that is not for a terminal: whoever reads it cuts it."""


@cache
def out() -> Console:
    """Standard output."""
    from rich.console import Console  # noqa: PLC0415 - as long as a tenth of a small scan, which may do without

    return Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)


@cache
def err() -> Console:
    """Standard error."""
    from rich.console import Console  # noqa: PLC0415 - as above

    return Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else WIDE)


def plain(text: str | None) -> str:
    """Log text as it may stand in a terminal: control and format characters shown, never obeyed."""
    if text is None:
        return "-"
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if not unicodedata.category(c).startswith("C") else _shown(c) for c in text)


def _shown(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def complain(problems: Iterable[object]) -> None:
    """One line per mistake on standard error."""
    for problem in problems:
        print(f"logvision: {plain(str(problem))}", file=sys.stderr)


def say(sentence: str) -> None:
    """One sentence for the operator while a command runs; who closed standard error does not want it."""
    with suppress(OSError):
        complain([sentence])


def count(value: int) -> str:
    """12,345"""
    return f"{value:,}"


def size(value: float) -> str:
    """Bytes in binary units: 1.5 MiB."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"
