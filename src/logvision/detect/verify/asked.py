"""Which readers are asked about which units: those of which a mark stands in what they would be given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from logvision.detect.units import Ints, Kind
from logvision.detect.verify import code, ldap, markup, path, shell, sql, template, url
from logvision.detect.verify.given import address, from_first_mark, is_tame, last_segment, shortened, unlisted
from logvision.detect.verify.marks import Marks, Texts

SQL, LDAP, CODE, MARKUP, SHELL, PATH, TEMPLATE, URL, BROWSED = (1 << bit for bit in range(9))
"""The readers, a bit each; the last looks for pages that show a repository's files."""

EVERY: Final = (1 << 9) - 1

BROWSING: Final = (
    r"^/[^/]+/[^/]+/(?:-/)?(?:blob|tree|raw|blame|edit|commits)/[^/]+/[\w.]|^/wiki/[A-Z/]|"
    r"\w\.git/(?:tree|plain|log|diff|blame|commit)/[\w.]|"
    r"^/[^/]+/(?:tree|diff|blame|commit|patch)/[\w.]|^/(?:w/)?index\.php/[A-Z]\w*[_: ]|"
    r"^/[^/]+/(?:blob|tree|raw|blame|history)/(?:HEAD|main|master|trunk|[0-9a-f]{40})/[\w.]|"
    r"^/[^/]+/[^/]+/src/(?:branch|tag|commit)/[^/]+/|"
    r"^/src/[^/]+/(?:blob|tree|raw)/[^/]+/|/repos/[^/]+/(?:browse|raw)/|^/plugins/gitiles/[^/]+/\+/|"
    r"^/(?:viewvc|viewcvs|websvn|cgit)(?:\.cgi)?/[^/]+/\w"
)
"""Paths of pages that show a repository's files."""

_MARKS: Final = Marks(
    {
        SQL: sql.TELLING,
        LDAP: ldap.TELLING,
        CODE: code.TELLING,
        MARKUP: markup.TELLING,
        SHELL: shell.TELLING,
        PATH: path.TELLING,
        TEMPLATE: template.TELLING,
        URL: url.TELLING,
        BROWSED: [BROWSING],
    }
)


def asked(units: Sequence[bytes], kinds: Sequence[int]) -> Ints:
    """Per unit of these Kinds the readers that may find something. Too many now and then, never too few."""
    texts, of = [shortened(unit) for unit in units], list(range(len(units)))
    of_kind = np.array(kinds, np.int64)
    for unit in np.flatnonzero(of_kind == _AGENT).tolist():
        texts[unit] = unlisted(texts[unit].decode("latin-1")).encode("latin-1")
    found, whole = np.zeros(len(units), np.int64), Texts(texts)
    if b"\x0b" in whole.buffer:
        # A vertical tab is what a line feed becomes for marks, and a blank to them but to no reader.
        found[[unit for unit, text in enumerate(texts) if b"\x0b" in text]] = EVERY
    for reader in (PATH, BROWSED):
        found[_MARKS.held(reader, whole)] |= reader
    paths = np.flatnonzero(of_kind == _PATH).tolist()
    for unit in paths:
        parts = _parts(texts[unit].decode("latin-1"))
        texts[unit] = b""
        texts += [part.encode("latin-1") for part in parts]
        of += [unit] * len(parts)
    whole, owner = Texts(texts) if paths else whole, np.array(of, np.int64)
    for reader in (SQL, LDAP, CODE, MARKUP, SHELL, TEMPLATE, URL):
        found[owner[_MARKS.held(reader, whole)]] |= reader
    marked = [(text, unit) for text, unit in zip(texts, of, strict=True) if _bends(text)]
    bent = [(form, unit) for text, unit in marked for form in _in_shell(text)]
    owner = np.array([unit for _, unit in bent], np.int64)
    found[owner[_MARKS.held(SHELL, Texts([form for form, _ in bent]))]] |= SHELL
    return found


_PATH, _AGENT = int(Kind.PATH), int(Kind.AGENT)


def _bends(text: bytes) -> bool:
    return b"'" in text or b'"' in text or b"+" in text


def _in_shell(text: bytes) -> set[bytes]:
    """How `shell` reads a text beside as it stands: with blanks for plus signs, without quotes."""
    spaced = text.replace(b"+", b" ") if b"+" in text and b" " not in text else text
    return {spaced, spaced.translate(None, b"'\"")} - {text}


def _parts(path: str) -> set[str]:
    """What is read of a path beside as one; what else of it is read holds no other marks than these."""
    body = path.lstrip("/")
    if is_tame(body):
        return set()
    return {body, from_first_mark(body), last_segment(body), address(body)}
