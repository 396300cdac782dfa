# ruff: noqa: E501  an expression is a datum of one line
"""Does this value change the SQL it is put into?

A small tokenizer turns the text into one letter a token, as it would be read in each place it could
land: as it stands (a number was expected), inside '...' and inside "...". Token grammars over the
letters say what it would do there. Prose has the words but not the grammar: in `O'Brien and Sons`
the closing quote is followed by a bare word, which no SQL is.

After the idea of libinjection (N. Galbreath, Black Hat USA 2012); the alphabet and grammars are our own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import re2

from logvision.detect.fusion import Evidence
from logvision.detect.verify.proofs import REMEMBERED, AnyOf, Which
from logvision.detect.verify.sql_grammars import GRAMMARS
from logvision.detect.verify.sql_tokens import ATTACK_FUNCTIONS, FUNCTIONS, WORDS, tokens
from logvision.schema import Attack

RULE: Final = "verify.sql"

_MARKS: Final = re2.compile(
    r"(?is)information_schema\b(?:\s*\.\s*\w)?|\bsys\.(?:databases|objects|tables|user)|\bsysobjects\b|\bsyscolumns\b|"
    r"\bsqlite_master\b|\bpg_catalog\b|\bpg_user\b|\ball_tables\b|\bxp_cmdshell\b|\bsp_(?:password|oacreate|executesql)\b|"
    r"@@(?:version|datadir|hostname|basedir|global)|\bmysql\.user\b|\bdbms_pipe\b|\bfrom\s+dual\b|\bmaster\.\.|"
    r"\butl_(?:http|inaddr)\b|\bwaitfor\s+delay\s+'|\binto\s+(?:out|dump)file\b|\bprocedure\s+analyse\s*\(|"
    r"\bmsysaccessobjects\b|\brdb\$|\bsysibm\.|\bctxsys\."
)
_OPERATORS: Final = re2.compile(
    r"""^\w{0,3}(?:'\s*(?:[-+*/^&|%<>=]|\|\||like)+\s*'|"\s*(?:[-+*/^&|]|\|\|)+\s*")\w{0,3}$"""
)
_PROBES: Final = (
    (
        re2.compile(
            r"""^(?:-\d{1,12}|\d{3,12}|\d{1,12}\s*\))['"]{1,2}\)*$|^['"`]{2,4}\(?\)?$|^\w{0,20}['"][()]{1,3}$|^\w{0,20}['"]\x00$"""
        ),
        0.62,
        "a quote is put after a number",
    ),
    (
        re2.compile(r"""^\w{0,20}['"]?\)*\s*;\s*(?:--|#)[\s-]*$"""),
        0.62,
        "the statement is ended and the rest a comment",
    ),
    (
        re2.compile(r"""^[\w-]{0,6}'[a-z]{0,4}"[\w'"]{0,6}$|^[\w-]{0,6}"[a-z]{0,4}'[\w'"]{0,6}$"""),
        0.6,
        "quotes of both kinds, to see which one breaks something",
    ),
    (re2.compile(r"""^[\w.-]{0,30}['"`]$|^[\w-]{1,30}\\$"""), 0.29, "a quote is put after a word"),
)
"""Values that only try what breaks the statement. A foot or an inch is written so as well: the weakest needs
more to speak for it."""
_TYPE: Final = (
    r"\s*::\s*(?:int(?:eger|[248])?|bigint|smallint|text|bool(?:ean)?|numeric|n?varchar|regclass|jsonb?|jsonpath|"
    r"float[48]?|double precision|money|date|timestamp\w*|bytea|xml|inet|oid|name|char)(?:\W|$)"
)
_CAST: Final = re2.compile(rf"(?i)[\w\]]{_TYPE}")
_CAST_BEHIND: Final = re2.compile(rf"(?i)[)']{_TYPE}")
_SOUP: Final = re2.compile(r"""[()"'.,;<>`\[\]{}]{3,}""")
_SAME: Final = re2.compile(
    r"""(?i)^\W{0,4}\b(?:or|and|having)\s+['"]?(\w{1,20})['"]?\s*(?:=|like)\s*['"]?(\w{1,20})['"]?\W{0,4}$"""
)
_CLOSED: Final = re2.compile(r"""^[^'"\s]{0,40}['"]\)*\s*;?\s*(?:--|#|/\*)[\s-]{0,3}\w?$""")
_EMPTY_NUMBER: Final = re2.compile(r"(?i) ?\b\d\.e([(),|.])")
"""A number without an exponent, of which MySQL reads nothing: `CONCAT 1.e(0x5c 1.e,user 1.e)`."""


def _gapped(word: str) -> str:
    """This word with a blank at one place at least: what stood there, a comment, is a blank by now."""
    return "|".join(f"{word[:at]} {' ?'.join(word[at:])}" for at in range(1, len(word)))


_SEPARABLE: Final = (
    "select", "union", "order", "where", "from", "having", "and", "between", "case", "when", "then", "else", "char",
    "concat", "cast", "sleep", "exists", "group", "limit", "insert", "update", "delete",
)  # fmt: skip
_BROKEN: Final = re2.compile(rf"(?i)\b(?:{'|'.join(map(_gapped, _SEPARABLE))})\b")
"""Words that a filter which cuts comments out puts together again: `S/**/ELE/**/CT`."""
_BROKEN_SHORT: Final = re2.compile(r"(?i)\b(?:o r|b y|i n|i s|a s|e nd|en d)\b")
_VERSIONED: Final = re2.compile(r"/\*!\d{0,6}")
"""A comment that MySQL runs, and that nothing closes: `/*!0UNION/*!0SELECT`."""
_DOUBLED: Final = re2.compile(
    r"(?i)\b(?:un\w{0,3}union\w{0,5}ion|sel\w{0,3}select\w{0,5}ect|se\w{0,4}select\w{0,4}lect|uni\w{0,3}union\w{0,4}on)\b|"
    r"\bun\w{2,9}ion\b.{1,20}\bse\w{2,9}lect\b.{1,200}\bf\w{2,9}om\b"
)
"""Words written so that a filter that cuts words out leaves SQL."""

_GATE: Final = (
    r"['\"`]|\\$|;\s*(?:--|#)|&&|\|\||(?s:\(.*[=<>])",
    # Without a word of one of these letters no grammar holds; a number or the text's end may stand at its ends.
    rf"(?i)(?:^|[^a-z_$])(?:{'|'.join(w for w, x in WORDS.items() if x in 'UESTOHWLICFNi&' and w.isalpha())})(?:$|[^a-z_$])",
    rf"(?i)(?:^|[^a-z_$])(?:{'|'.join(sorted(ATTACK_FUNCTIONS | FUNCTIONS))})[ \t\r\n\x0b]*\(",
    r"\w<>\w|(?:%[^%] ?){4}|::[a-z]",
)


def _upsets(text: str) -> bool:
    """Whether marks stand together that no language puts side by side: quotes of both kinds among brackets."""
    for found in _SOUP.finditer(text):
        run = found.group()
        kinds = set(run)
        both = "'" in kinds and '"' in kinds and not kinds <= set("'\".,")  # prose ends: ...'."
        if (both and len(kinds) >= 3 and (len(run) >= 4 or kinds & {"<", ">"})) or (
            len(run) >= 7 and len(kinds) >= 4 and kinds & {"'", '"'} and kinds <= set("()\"'.,")
        ):
            return True
    return False


SURE: Final = 0.9
"""A reading this strong ends the search."""

_PLACES: Final = (
    ("", "n"), ("'", "q"), ('"', "d"), ("`", "d"), ("$$", "d"), ("*/", "d"),
)  # fmt: skip
"""Where a value can stand in a statement: as it stands, in quotes of all kinds, in a comment."""

_UNJOINED: Final = re2.compile(
    r"(?i)\+\s*(?:or|and|x?or|union|select|all|from|where|order|having|limit|not|like)\b|^[^\s]*\+[^\s]*$"
)
_PERCENTS: Final = re2.compile(r"(?:%[^%] ?){4}")
_OPENING: Final = (*map(re2.compile, _GATE), _MARKS, _BROKEN, _VERSIONED, _EMPTY_NUMBER, _DOUBLED)
"""Without any of these the text changes no SQL."""
_WHICH: Final = Which(
    *_OPENING,
    *(_PERCENTS, _UNJOINED, _SAME, _OPERATORS, _CLOSED, _CAST_BEHIND, _CAST, _SOUP),
    *(expression for expression, *_ in _PROBES),
)
"""One pass says of most texts that they change no SQL, and of the others what is to be asked of them."""
_TELLING: Final = frozenset(_OPENING)
_CURLED: Final = ("\xe2\x80\x98", "\xe2\x80\x99", "\xe2\x80\xb2", "\xca\xbc", "\xca\xb9")
"""Quotes that databases with a narrower alphabet take for an apostrophe, in UTF-8."""


def _words(letters: str) -> str:
    return "|".join(
        re2.escape(word) for word, letter in WORDS.items() if letter in letters and word[0].isalpha()
    )


_COMPARED: Final = rf"(?:[=<>!@?&|]|\b(?:{_words('=')})\b)"
_NUMBER: Final = rf"(?:[\d.][\w.$\x80-\xff]*(?:[+-]\d+)?|\b(?:{_words('1')})\b)"
TELLING: Final = (
    # A quote, and behind it other than a word of prose: nothing, a mark, a number, SQL's own word, a call.
    rf"(?i)['\"`][\x00-\x09\x0b-\x20\xa0]*(?:$|[^a-z_$\x80-\xff\x00-\x20]|(?:{'|'.join(map(re2.escape, WORDS))})(?:$|[^\w$\x80-\xff])|"
    r"[\w$\x80-\xff]+[\s+]*\(|\w*['\"`])",
    r"\\['\"]|[()\"'.,;<>`\[\]{}]{6}['\"]|\xe2\x80[\x98\x99\xb2]|\xca[\xbc\xb9]",
    # What the quote of an O'Neill does not hide.
    rf"(?i){_COMPARED}(?:\W|\b(?:{_words('+')})\b)*{_NUMBER}[\s+]*(?:[-#]>|@[>@?]|<@|\?[|&]|[=<>!]|\b(?:{_words('=')})\b)",
    rf"(?i)\(.*{_COMPARED}",
    r"(?i)\\$|;\s*(?:--|#)|\)[\s+]*(?:--|#|/\*)|&&|\|\||::[\s+]*[a-z]|\$\$|\*/|\{[\s+]*[a-z_`]|<>|(?:%[^%] ?){4}",
    *_GATE[1:3],
    *(each.pattern for each in (_MARKS, _BROKEN, _VERSIONED, _EMPTY_NUMBER, _DOUBLED)),
)
"""Without any of these there is nothing to find. A quote tells too little: names and words have apostrophes."""


def _variants(text: str, held: frozenset[Any]) -> list[str]:
    """The text, and what sloppy decoding or a filter that cuts pieces out makes of it; `held`: of _WHICH."""
    found = [text]
    if _PERCENTS in held:
        found.append(text.replace("%", ""))  # ASP drops a percent sign before what is no number
    if "+" in text and _UNJOINED in held:
        found.append(text.replace("+", " "))  # encoded twice, or a path: the plus was meant as a space
    if "\xe2\x80" in text or "\xca" in text:
        folded = text
        for quote in _CURLED:
            folded = folded.replace(quote, "'")
        found.append(folded)
    if "<>" in text:
        found.append(text.replace("<>", ""))
    if "\\'" in text or '\\"' in text:
        found.append(text.replace("\\", ""))  # an escape that another byte swallows
    if _VERSIONED in held:
        found.append(_VERSIONED.sub(" ", text))
    if _EMPTY_NUMBER in held:
        found.append(_EMPTY_NUMBER.sub(r"\1", text))
    if _BROKEN in held:
        found.append(_BROKEN_SHORT.sub(_closed_up, _BROKEN.sub(_closed_up, text)))
    return found


def _closed_up(found: Any) -> str:
    word: str = found.group()
    return word.replace(" ", "")


_SEARCH: Final = AnyOf(r"^[(!]*s\)*(?:&[!(]*(?:s|b=[b1s])\)*)+$")
"""A search that joins quoted phrases and fields: `("solar cell") AND year=2020`."""

_STATEMENT: Final = AnyOf(r"^S[^;U]*F[^;Uc]*$|^E[^;Uc]*$")
_BEGINS: Final = AnyOf(
    r"(?is)^(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:(?:select|with)\s.*\sfrom[\s(]+[\"`\[\w]|(?:show|explain|describe|pragma)\s|"
    r"insert\s+into\s|update\s+\S+\s+set\s|delete\s+from\s|(?:create|drop|alter)\s+[a-z])"
)
_BEYOND: Final = AnyOf(
    r"(?i)\b(?:sleep|pg_sleep\w*|benchmark|waitfor|load_file|load_extension|loadfile|readfile|writefile|lo_\w+|pg_read\w*|pg_ls\w*|"
    r"pg_stat_file|[sx]p_\w+|open(?:rowset|datasource)|utl_\w+|dbms_\w+|extractvalue|updatexml|outfile|dumpfile|\w+_to_xml|sys_e\w+|"
    r"httpuritype|get_lock|program|exec(?:ute)?|shutdown|grant|attach|alias|runscript|0x[0-9a-f]+)\b|"
    + _MARKS.pattern.removeprefix("(?is)")
)
"""What waits, reads or runs something outside the tables, or asks how the database is made."""
_CATALOGUE: Final = re2.compile(
    r"(?i)\b(?:information_schema|pg_catalog|sqlite_master|all_tables|sys\.(?:databases|objects|tables))\b"
)
"""Tables about tables, which a screen for a database browses like any others."""
_WHOLE_STRING: Final = re2.compile(r"""'(?:[^']|'')*'|"[^"]*"|`[^`]*`""")


def is_statement(text: str, *, catalogue: bool = False) -> bool:
    """Whether it is a statement of its own about tables, from its first word and with every quote and
    parenthesis closed: the application's own work if it takes statements; `catalogue`: or about the
    database's own tables. Cost: some 10 µs."""
    if catalogue:
        text = _CATALOGUE.sub("tables", text)
    if not _BEGINS(text) or _BEYOND(text):
        return False
    bare = _WHOLE_STRING.sub("", text)
    return not {"'", '"', "`"} & set(bare) and bare.count("(") == bare.count(")")


_QUOTED_WORD: Final = re2.compile(
    r"""['"](?i:or|and|xor|union|select|where|like|having)['"](?:\W*$|[\s_)&])"""
)


def _opens(text: str, quote: str) -> bool:
    """Whether the first quote opens something in the text itself: `f(x,'a')`, `name = 'a'`, one 'word' in quotes."""
    if len(quote) > 1 or text.count(quote) % 2:
        return False
    before = text[: text.find(quote)].rstrip()
    return before.endswith(("(", ",", "=", ":", "[", "{", "~", " eq", " ne", " like")) or (
        text.count(quote) == 2 and _QUOTED_WORD.search(text) is not None
    )


@lru_cache(REMEMBERED)
def _whole(letters: str) -> tuple[bool, bool]:
    """Whether a text of these tokens is a statement of its own, or a search."""
    return _STATEMENT(letters), _SEARCH(letters)


def _read(text: str) -> tuple[float, str, str]:
    """Strength, sentence and place of the strongest grammar."""
    best = (0.0, "", "")
    seen: set[tuple[str, str]] = set()
    alone = False
    for quote, place in _PLACES:
        if quote and (quote not in text or _opens(text, quote)):
            continue
        letters = tokens(text, quote)
        if not quote:
            alone, search = _whole(letters)
            if search:
                continue
        if (letters, place) not in seen:
            seen.add((letters, place))
            strength, sentence = GRAMMARS[place](letters)
            if strength > best[0]:
                best = (strength, sentence, f"inside {quote}...{quote}" if quote else "as it stands")
        if alone:
            break  # a statement of its own: its quotes are its own
    return best


def _same(text: str) -> bool:
    found = _SAME.match(text)
    return found is not None and found.group(1).lower() == found.group(2).lower()


_FORMS: Final[tuple[tuple[Any, Callable[[str], bool] | None, float, str, str], ...]] = (
    (_DOUBLED, None, 0.9, "words are written so that a filter leaves SQL", "as it stands"),
    (_SAME, _same, 0.75, "a condition that is always true is added", "as it stands"),
    (_OPERATORS, None, 0.7, "nothing but quotes and operators", "inside quotes"),
    (_CLOSED, None, 0.65, "the quote is closed and the rest is made a comment", "inside quotes"),
    *((expression, None, strength, sentence, "inside quotes") for expression, strength, sentence in _PROBES),
    (_CAST_BEHIND, None, 0.62, "a value is cast to another type", "as it stands"),
    (_SOUP, _upsets, 0.6, "closing marks of every kind stand together, to see what breaks", "inside quotes"),
    (_CAST, None, 0.45, "a value is cast to another type", "as it stands"),
)
"""Forms of whole values, beside the grammars: expression, what must hold besides, strength, sentence, place."""


_DASH: Final = re2.compile(r"^([\w\s,.!?:\x80-\xff]*[\w,.!?\x80-\xff])\s+--\s+([A-Za-z][\w'.]*\s+[A-Za-z])")
"""`Use the ladder -- you're right`: two words behind it, and no quote before, make a dash of it, not a comment."""
_NAME: Final = re2.compile(r"^\s*@{0,2}[\w$.]+\s*$")


def _with_name(best: tuple[float, str, str], mark: str, text: str) -> tuple[float, str, str]:
    """What a name of the database's own adds to the best reading; alone it is what people look up."""
    sentence = f"{best[1] + ', and ' if best[1] else ''}it names {mark}"
    if best[0] >= 0.3:
        return 1 - (1 - max(best[0], 0.6)) * 0.25, sentence, best[2]
    alone = mark.lower() == "information_schema" or _NAME.match(text) is not None
    return 0.45 if alone else 0.55, sentence, best[2] or "as it stands"


def verify(text: str) -> list[Evidence]:
    """The strongest reading of the text as an injection; at most one piece of evidence."""
    held = _WHICH(text)
    if held.isdisjoint(_TELLING):
        return []
    best = (0.0, "", "")
    if "-- " in text:
        text = _DASH.sub(r"\1, \2", text)
    for reading in _variants(text, held):
        best = max(best, _read(reading), key=lambda found: found[0])
        if best[0] >= SURE:
            break
    for form, besides, strength, sentence, place in _FORMS:
        if strength > best[0] and form in held and (besides is None or besides(text)):
            best = (strength, sentence, place)
    if _MARKS in held:
        best = _with_name(best, _MARKS.search(text).group(), text)
    if best[0] <= 0:
        return []
    return [Evidence(RULE, Attack.SQLI, best[0], f"Read as SQL ({best[2]}): {best[1]}.")]
