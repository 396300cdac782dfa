# ruff: noqa: E501  an expression is a datum of one line
"""Does this value change the SQL it is put into?

A small tokenizer turns the text into one letter a token, as it would be read in each place it could
land: as it stands (a number was expected), inside '...' and inside "...". Token grammars over the
letters say what it would do there. Prose has the words but not the grammar: in `O'Brien and Sons`
the closing quote is followed by a bare word, which no SQL is.

After the idea of libinjection (N. Galbreath, Black Hat USA 2012); the alphabet and grammars are our own.
"""

from __future__ import annotations

from typing import Final

import re2

from logvision.detect.fusion import Evidence
from logvision.detect.verify.proofs import AnyOf
from logvision.schema import Attack

RULE: Final = "verify.sql"

TOKENS: Final = 300
"""Tokens read; an injection shows itself in its first few dozen."""

_WORDS: Final = (
    dict.fromkeys(["and", "or", "xor", "div_", "&&", "||", "not_and"], "&")
    | dict.fromkeys(
        ["like", "rlike", "regexp", "between", "in", "is", "sounds", "ilike", "similar", "glob", "escape"],
        "=",
    )
    | dict.fromkeys(["div", "mod", "collate", "binary"], "+")
    | dict.fromkeys(["not"], "!")
    | {"union": "U", "except": "U", "intersect": "U", "minus": "U", "select": "S", "from": "F", "where": "W"}
    | {
        "having": "H",
        "limit": "L",
        "into": "I",
        "case": "C",
        "when": "N",
        "order": "O",
        "group": "O",
        "by": "Y",
    }
    | dict.fromkeys(
        [
            "insert",
            "update",
            "delete",
            "drop",
            "create",
            "alter",
            "exec",
            "execute",
            "declare",
            "shutdown",
            "truncate",
            "merge",
            "waitfor",
            "backup",
            "grant",
            "handler",
            "copy",
            "attach",
        ],
        "E",
    )
    | {
        "if": "i",
        "begin": "E",
        "set": "E",
        "call": "E",
        "load": "E",
        "print": "E",
        "replace": "E",
        "use": "E",
    }
    | dict.fromkeys(
        [
            "null",
            "true",
            "false",
            "current_user",
            "current_date",
            "current_timestamp",
            "session_user",
            "sysdate",
        ],
        "1",
    )
    | dict.fromkeys(
        [
            "all",
            "distinct",
            "distinctrow",
            "top",
            "as",
            "asc",
            "desc",
            "then",
            "else",
            "end",
            "values",
            "table",
            "exists",
            "using",
        ],
        "K",
    )
    | dict.fromkeys(
        [
            "procedure",
            "outfile",
            "dumpfile",
            "delay",
            "immediate",
            "database",
            "schema",
            "view",
            "on",
            "join",
            "offset",
        ],
        "K",
    )
)

_ATTACK_FUNCTIONS: Final = frozenset(
    [
        "sleep",
        "benchmark",
        "pg_sleep",
        "extractvalue",
        "updatexml",
        "load_file",
        "randomblob",
        "xp_cmdshell",
        "dbms_pipe",
        "receive_message",
        "utl_inaddr",
        "utl_http",
        "get_host_address",
        "dbms_lock",
        "drithsx",
        "gtid_subset",
        "gtid_subtract",
        "json_keys",
        "generate_series",
        "pg_read_file",
        "pg_ls_dir",
        "lo_import",
        "name_const",
        "geometrycollection",
        "polygon",
        "multipoint",
        "multilinestring",
        "linestring",
        "multipolygon",
        "st_latfromgeohash",
        "st_longfromgeohash",
        "st_pointfromgeohash",
        "regexp_substring",
        "crypt_key",
        "loadfile",
        "writefile",
        "load_extension",
        "sqlite_version",
        "dbms_xmlgen",
        "query_to_xml",
        "database_to_xml",
        "httpuritype",
        "xmltype",
        "fn_xe_file_target_read_file",
        "opendatasource",
        "openrowset",
    ]
)
_FUNCTIONS: Final = frozenset(
    [
        "ascii",
        "char",
        "chr",
        "concat",
        "concat_ws",
        "group_concat",
        "substring",
        "substr",
        "mid",
        "left",
        "right",
        "hex",
        "unhex",
        "version",
        "user",
        "database",
        "schema",
        "current_user",
        "session_user",
        "system_user",
        "user_name",
        "db_name",
        "host_name",
        "count",
        "cast",
        "convert",
        "floor",
        "rand",
        "round",
        "exp",
        "elt",
        "make_set",
        "if",
        "ifnull",
        "nullif",
        "isnull",
        "coalesce",
        "length",
        "len",
        "char_length",
        "ord",
        "instr",
        "locate",
        "position",
        "conv",
        "md5",
        "sha1",
        "now",
        "sysdate",
        "sys_context",
        "unicode",
        "nchar",
        "upper",
        "lower",
        "repeat",
        "reverse",
        "replicate",
        "quote",
        "bin",
        "abs",
        "row_count",
        "string_agg",
        "array_to_string",
        "updatexml",
        "strcmp",
        "iif",
        "load_file",
        "connection_id",
        "last_insert_id",
        "nvl",
        "decode",
        "to_char",
        "lpad",
    ]
)

_GLUED: Final = re2.compile(r"^(?:union|or|and|xor|having|order|group|limit|procedure)(?:select|all|\d+)?$")
"""Words that SQL reads although a number runs into them (`86UNION`, `1or1=1`)."""
_OR_NUMBER: Final = re2.compile(r"^(?:or|and)\d+$")

_MARKS: Final = re2.compile(
    r"(?is)information_schema\b(?:\s*\.\s*\w)?|\bsys\.(?:databases|objects|tables|user)|\bsysobjects\b|\bsyscolumns\b|"
    r"\bsqlite_master\b|\bpg_catalog\b|\bpg_user\b|\ball_tables\b|\bxp_cmdshell\b|\bsp_(?:password|oacreate|executesql)\b|"
    r"@@(?:version|datadir|hostname|basedir|global)|\bmysql\.user\b|\bdbms_pipe\b|\bfrom\s+dual\b|\bmaster\.\.|"
    r"\butl_(?:http|inaddr)\b|\bwaitfor\s+delay\s+'|\binto\s+(?:out|dump)file\b|\bprocedure\s+analyse\s*\(|"
    r"\bmsysaccessobjects\b|\brdb\$|\bsysibm\.|\bctxsys\."
)

# v: what stands where SQL wants a value. Calls and parentheses may hold anything but a statement's end.
_V: Final = r"(?:[+!(]*(?:[1sv]|[fT]\((?:[^;]*?)\)|S[^;]*F[^;]*)\)*)"
_W: Final = r"(?:[+!(]*(?:[1svb]|b\.b|[fgT]\((?:[^;]*?)\)|C[^;]*|\(S[^;]*|S[^;]*)\)*)"
_X: Final = rf"{_W}(?:\+{_W})*"

_READINGS: Final = (
    # (grammar, places: n as it stands, q in '...', d in "..."; strength, sentence)
    (r"[1sv)bfqgK]?\)*U[(K]*S+[K(+!]*(?:[1svT*fg]|b[,.F]|\(|C|$|b$)", "nqd", 0.97, "a second query is joined on by UNION SELECT"),
    (rf"^{_V}\)*;+[(b]*(?:E[bKEIvg(s1]|E$|S[1svfTK(*b]|i\(|T\(|i[K!]?\(|b;E)", "nqd", 0.95, "a second statement follows a semicolon"),
    (r"^\)*;+(?:E[bKEIvg1s(]|S[1svT(*f]|i\(|T\()", "n", 0.93, "a second statement follows a semicolon"),
    (rf"^s\)*&[!(]*{_X}=[!(+]*{_X}", "qd", 0.96, "the quote is closed and a condition that is always known is added"),
    (rf"^{_V}\)*&[!(]*{_X}=[!(+]*{_X}", "n", 0.93, "a condition is added after the number"),
    (r"^s\)*&[!(+]*(?:1\)*(?:[c;&=+OU]|$)|s\)*(?:[=c&+]|$)|T|f|v|C|\(*S[^b]|b\.)", "q", 0.9, "the quote is closed and a condition is added"),
    (r"^s\)*&[!(+]*(?:1\)*[c=]|T\(|\(+S|f\([^;]*\)=|s?c)", "d", 0.9, "the quote is closed and a condition is added"),
    (r"^s\)*&[!(+]*[b1K]?c", "q", 0.75, "the quote is closed, a condition begins and the rest is made a comment"),
    (r"^s\)*&[(!]*$", "q", 0.35, "the quote is closed and a condition begins"),
    (rf"^{_V}\)*&[!(]*(?:T|C|\(*S|[fg]\([^;]*\)=|s=)", "n", 0.92, "a condition with a subquery or call is added"),
    (rf"^{_V}\)*&[!(+]*1\)*c", "n", 0.72, "a constant condition is added and the rest is made a comment"),
    (rf"^{_V}\)*&[!(+]*1\)*$", "n", 0.35, "a constant condition is added"),
    (rf"^(?:s|{_V})\)*(?:[+,=]|&)[(+]*(?:T\(|\(S|[f]\([^;]*S|[fgi]\([^;b]*=)", "nqd", 0.94, "a subquery or a telling function is computed in"),
    (rf"^s\)*(?:OY[(+]*(?:1|s|C|\(S|f|b[c,])|H{_X}=|L1|I[Kb]|W{_X}=)", "qd", 0.88, "the quote is closed and a clause is added"),
    (rf"^{_V}\)+(?:Kb)?W[(]*{_X}=", "n", 0.93, "a parenthesis is closed and a clause is added"),
    (rf"^s\)+(?:Kb)?W[(]*{_X}=", "qd", 0.93, "the quote and a parenthesis are closed and a clause is added"),
    (r"^s(?:=bb)?\)+[;&]", "qd", 0.9, "the quote and a parenthesis are closed"),
    (rf"^{_V}\)*OY[(+]*(?:1|s|\(S|C|f|T)", "n", 0.92, "an ORDER BY or GROUP BY is added"),
    (r"^OY[(+]*(?:1[c,]|T\(|\(S|C)", "n", 0.72, "a fragment that orders or groups"),
    (r"^OY1$", "n", 0.5, "a fragment that orders or groups"),
    (r"^(?:H|(?:Kb)?W)[(]*1=1", "n", 0.85, "a fragment that is always known"),
    (rf"^{_V}\)*(?:H{_X}=|L1,?1?(?:c|K|I|U)|I[Kb]s|K\(S|H1)", "n", 0.85, "a clause is added after the number"),
    (r"^s\)*;*(?:E[Kv(I]|Eb[Kb]|S[1svfTK(*]|S[^;]*F|iK?\()", "q", 0.9, "the quote is closed and a statement begins"),
    (r"^s\)*(?:T\(|\(+S)", "qd", 0.93, "the quote is closed and a call or query begins"),
    (r"^s\)*=+[(!+]*(?:[1sv]|f\()\)*(?:c|$|&|;|=)", "q", 0.75, "the quote is closed and a comparison is made"),
    (r"^s\)*\+[(+]*(?:f\(|g\([^b;]*\)|T\()", "q", 0.85, "the quote is closed and a call is computed in"),
    (r"^[(+]*(?:T\([^;]*\)|i\([^;]*T\([^;]*\))[c;)]*$", "n", 0.72, "a function that delays or leaks is called"),
    (r"[(,&+=;]T\([^;]*\)", "nqd", 0.9, "a function that delays or leaks is called"),
    (r"[1s)+=&,(]\(+S[^;]*(?:F|T\(|f\()", "nqd", 0.9, "a subquery is computed in"),
    (r"^\(+S[^;]*(?:F[(Sbf]|T\(|f\()", "n", 0.85, "a subquery stands where a value belongs"),
    (r"^(?:[1s(]|i\().*CN[^;]*K[^;]*K", "nq", 0.75, "a CASE expression is computed in"),
    (rf"^\)+&[!(]*{_X}=", "n", 0.85, "a parenthesis is closed and a condition is added"),
    (r"^&[!(]*(?:1|s|f\([^;]*\))=+[(]*(?:1|s|f|S|U|T)", "n", 0.85, "a condition that is always known is added"),
    (r"^&[!(]*(?:T|f)\(", "n", 0.7, "a condition with a telling call is added"),
    (r"^E(?:EbI|Kb;|[vb](?:b|E|\()|bb?\.\.?b|T)[^;]*[;c]", "n", 0.6, "a statement and its end"),
    (r"^S[^;]*F[^;]*[;c]", "n", 0.6, "a query and its end"),
    (rf"^{_V}(?:W[(]*1=1|&1OY|E\()", "n", 0.9, "a clause is added after the number"),
    (r"^[fi]\([(]*1=1,", "n", 0.85, "a function chooses by a condition that is always known"),
    (r"^s(?:!?\+[+!]*[1sv])*!?=+[(!+]*[1sv]\)*(?:c|$|&|;|=)", "q", 0.75, "the quote is closed and a comparison is made"),
    (r"^b&1=1(?:c|$)", "n", 0.9, "a condition that is always known is added"),
    (r"^s\)*OYb?H1=1", "qd", 0.95, "the quote is closed and a clause is added"),
    (r"^s\)*&[!(]*g\([^;]*\)(?:=|c|&|$)", "q", 0.85, "the quote is closed and a call is compared"),
    (r"^s\)*;*Eb+[s,c]", "q", 0.85, "the quote is closed and a procedure is run"),
    (r"^T\([^;]*\)=", "n", 0.85, "a function that delays is compared"),
    (r"^[(+]*T\([^;]*f\(", "n", 0.85, "a function that leaks is called"),
    (r"^&[!(]*(?:1|b=b|b=f\([^;]*\))\)*[c;]", "n", 0.75, "a constant condition is added and the rest is made a comment"),
    (r"^\+*Fb[^;]*c", "n", 0.75, "the columns are replaced and the rest is made a comment"),
    (r"^CN[^;]*=[^;]*K1[^;]*K", "n", 0.7, "a CASE expression is computed in"),
    (r"^T\($", "n", 0.6, "a function that delays or leaks begins"),
    (r"^S[K(]*T\(", "n", 0.9, "a query that delays"),
    (r"^=\(+S[(]*C", "n", 0.85, "a comparison with a CASE expression is added"),
    (r"^i\([(]*1=1\)*S", "n", 0.9, "a statement that chooses by a condition that is always known"),
    (r"^E[vb][^;]*Sv=", "n", 0.9, "a variable is declared and filled"),
    (r"^S(?:[fT]\([^;]*\)[c;]|v)", "n", 0.6, "a query for what the server is"),
    (r"^\((?:\(|S|[fgT]\()[^b;]*\)+c", "n", 0.62, "an expression whose rest is made a comment"),
    (r"^Ev[gb][(1)=;]*.*E", "n", 0.9, "a variable is declared and executed"),
)  # fmt: skip
"""What each place makes of the letters. Strengths are set on libinjection's and HttpParamsDataset's samples, with
its hard negatives (inches, quoted phrases, "black and white")."""

_GRAMMARS: Final = {
    place: tuple((re2.compile(g), s, sentence) for g, places, s, sentence in _READINGS if place in places)
    for place in "nqd"
}
_ANY: Final = {
    place: re2.compile("|".join(f"(?:{g})" for g, places, _, _ in _READINGS if place in places))
    for place in "nqd"
}
_OPERATORS: Final = re2.compile(
    r"""^\w{0,3}(?:'\s*(?:[-+*/^&|%<>=]|\|\||like)+\s*'|"\s*(?:[-+*/^&|]|\|\|)+\s*")\w{0,3}$"""
)
_PROBE: Final = re2.compile(r"""^(?:-\d{1,12}|\d{3,12}|\d{1,12}\s*\))['"]{1,2}\)*$|^['"`]{2,4}\(?\)?$""")
_SAME: Final = re2.compile(
    r"""(?i)^\W{0,4}\b(?:or|and|having)\s+['"]?(\w{1,20})['"]?\s*(?:=|like)\s*['"]?(\w{1,20})['"]?\W{0,4}$"""
)
_CLOSED: Final = re2.compile(r"""^[^'"\s]{0,40}['"]\)*\s*;?\s*(?:--|#|/\*)[\s-]{0,3}\w?$""")
_TELLING: Final = AnyOf(
    r"['\"]|``|&&|\|\||(?s:\(.*[=<>])",
    # Without a word of one of these letters no grammar holds; a number or the text's end may stand at its ends.
    rf"(?i)(?:^|[^a-z_$])(?:{'|'.join(w for w, x in _WORDS.items() if x in 'UESTOHWLICFNi&' and w.isalpha())})(?:$|[^a-z_$])",
    rf"(?i)(?:^|[^a-z_$])(?:{'|'.join(sorted(_ATTACK_FUNCTIONS | _FUNCTIONS))})[ \t\r\n\x0b]*\(",
    _MARKS.pattern,
)
"""Without any of these the text changes no SQL; one pass says so of most texts."""


def verify(text: str) -> list[Evidence]:  # noqa: PLR0912  one branch a reading
    """The strongest reading of the text as an injection; at most one piece of evidence."""
    if "+" in text and " " not in text:
        text = text.replace("+", " ")  # encoded twice, or a path: the plus was meant as a space
    if not _TELLING(text):
        return []
    best = (0.0, "", "")
    seen: set[tuple[str, str]] = set()
    for quote, place in (("", "n"), ("'", "q"), ('"', "d")):
        if quote and quote not in text:
            continue
        letters = tokens(text, quote)
        if (letters, place) in seen or not _ANY[place].search(letters):
            continue
        seen.add((letters, place))
        for grammar, strength, sentence in _GRAMMARS[place]:
            if strength > best[0] and grammar.search(letters):
                best = (strength, sentence, f"inside {quote}...{quote}" if quote else "as it stands")
    if best[0] < 0.7 and _OPERATORS.search(text):
        best = (0.7, "nothing but quotes and operators", "inside quotes")
    if best[0] < 0.65 and _CLOSED.search(text):
        best = (0.65, "the quote is closed and the rest is made a comment", "inside quotes")
    same = _SAME.match(text) if best[0] < 0.75 else None
    if same is not None and same.group(1).lower() == same.group(2).lower():
        best = (0.75, "a condition that is always true is added", "as it stands")
    if best[0] < 0.62 and _PROBE.search(text):
        best = (0.62, "a quote is put after a number", "inside quotes")
    marks = _MARKS.search(text)
    if marks is not None:
        strength = max(best[0], 0.6)
        mark = marks.group()
        sentence = f"{best[1] + ', and ' if best[1] else ''}it names {mark}"
        best = (
            1 - (1 - strength) * 0.25
            if best[0] >= 0.3
            else 0.45
            if mark.lower() == "information_schema"
            else 0.55,
            sentence,
            best[2] or "as it stands",
        )
    if best[0] <= 0:
        return []
    return [Evidence(RULE, Attack.SQLI, best[0], f"Read as SQL ({best[2]}): {best[1]}.")]


def tokens(text: str, quote: str = "") -> str:  # noqa: PLR0912, PLR0915  one branch a kind of token
    """One letter a token, the text read as if it followed an opened `quote`."""
    out: list[str] = []
    i, size = 0, len(text)
    if quote:
        i = _string_end(text, 0, quote)
        out.append("s")
    while i < size and len(out) < TOKENS:
        char = text[i]
        if char in " \t\r\n\x0b\x0c\x00\xa0":
            i += 1
        elif char in "'\"":
            i = _string_end(text, i + 1, char)
            out.append("s")
        elif char == "`":
            end = text.find("`", i + 1)
            i = size if end < 0 else end + 1
            out.append("b")
        elif (char == "-" and text.startswith("--", i)) or char == "#" or text.startswith("/*", i):
            out.append("c")
            end = text.find("\n", i)
            if char == "#" and out[:-1] and out[-2] == "b" and i + 1 < size and text[i + 1].isalnum():
                out[-1] = "+"  # issue#12, C#sharp: no comment
                i += 1
            else:
                i = size if end < 0 else end + 1
        elif char.isdigit() or (char == "." and i + 1 < size and text[i + 1].isdigit()):
            i = _number_end(text, i)
            out.append("1")
            if i < size and (text[i].isalpha() or text[i] == "_") and text[i].isascii():
                end = _word_end(text, i)
                if not _GLUED.match(text[i:end].lower()):
                    i = end
                    out[-1] = "b"
        elif char.isalpha() or char in "_$" or ord(char) >= 0x80:
            end = _word_end(text, i)
            out.append(_word(text[i:end].lower(), text, end, out))
            i = end
        elif char == "@":
            end = _word_end(text, i + 1 + (text[i + 1 : i + 2] == "@"))
            out.append("v" if end > i + 1 else "?")
            i = end
        elif text.startswith(("&&", "||"), i):
            # || is "or" in MySQL and concatenation elsewhere; after a string or value both change the query.
            out.append("&")
            i += 2
        elif char in "=<>!":
            end = i
            while end < size and text[end] in "=<>!":
                end += 1
            out.append("!" if text[i:end] == "!" else "=")
            i = end
        elif char in "+-*/%^|&~":
            if not (out and out[-1] == "+"):
                out.append("+")
            i += 1
        elif char in "(),;.":
            out.append(char)
            i += 1
        elif char == "{":
            out.append("?")
            i += 1
        else:
            out.append("?")
            i += 1
    return "".join(out)


_DELAYS: Final = frozenset(["sleep", "pg_sleep", "benchmark"])
_SHAPES: Final = frozenset(
    ["polygon", "linestring", "multipoint", "multilinestring", "multipolygon", "geometrycollection"]
)
_COMPUTED: Final = (
    "sel",
    "if(",
    "case",
    "ascii",
    "length",
    "len(",
    "cast",
    "0x",
    "true",
    "rand",
    "char",
    "ord(",
    "coalesce",
)


def _word(word: str, text: str, end: int, before: list[str]) -> str:  # noqa: PLR0911  one return a kind of word
    if before and before[-1] == ".":
        return "b"
    at = end
    while at < len(text) and text[at] in " \t\r\n\x0b":
        at += 1
    called = at < len(text) and text[at] == "("
    if called and word in _ATTACK_FUNCTIONS:
        # In sleep(less) the brackets hold prose: a delay is a number, a string, a variable or computed.
        inner = text[at + 1 : at + 12].lstrip(" (").lower()
        if word in _SHAPES and (
            inner[:1].isdigit()
            or inner[:1] == "-"
            or (inner[:1].isalpha() and not inner.startswith(_COMPUTED))
        ):
            return "g"
        if word in _DELAYS and inner[:1].isalpha() and not inner.startswith(_COMPUTED):
            return "g"
        return "T"
    letter = _WORDS.get(word)
    if letter is None and _OR_NUMBER.match(word):
        return "&1"
    if letter is not None and not (called and word in ("replace", "insert", "mod")):
        return letter
    if called:
        return "f" if word in _FUNCTIONS else "g"
    if word in ("x", "n", "b", "q") and end < len(text) and text[end] == "'":
        return "+"
    return "b"


def _string_end(text: str, at: int, quote: str) -> int:
    """After the closing quote; doubled and backslashed quotes do not close. The end if none does."""
    while True:
        end = text.find(quote, at)
        if end < 0:
            return len(text)
        slashes = 0
        while end - slashes - 1 >= at and text[end - slashes - 1] == "\\":
            slashes += 1
        if slashes % 2:
            at = end + 1
        else:
            return end + 1


def _number_end(text: str, at: int) -> int:
    if text[at : at + 2].lower() == "0x":
        end = at + 2
        while end < len(text) and text[end] in "0123456789abcdefABCDEF":
            end += 1
        return end
    end = at
    while end < len(text) and (text[end].isdigit() or text[end] == "."):
        end += 1
    if (
        end < len(text)
        and text[end] in "eE"
        and end + 1 < len(text)
        and (text[end + 1].isdigit() or text[end + 1] in "+-.")
    ):
        end += 2
        while end < len(text) and text[end].isdigit():
            end += 1
    return end


def _word_end(text: str, at: int) -> int:
    end = at
    while end < len(text) and (text[end].isalnum() or text[end] in "_$" or ord(text[end]) >= 0x80):
        end += 1
    return end
