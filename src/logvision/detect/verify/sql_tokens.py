"""The words and marks of SQL, one letter a token.

`&` and, or; `=` comparison; `+` operator; `!` not; `U` UNION and its like; `S` SELECT; `F` FROM; `W` WHERE;
`H` HAVING; `L` LIMIT; `I` INTO; `C` CASE; `N` WHEN; `O` ORDER, GROUP; `Y` BY; `E` a statement's first word;
`i` IF; `K` other words of the grammar; `f` a function, `T` one that only attackers call, `g` any other call;
`1` number; `s` string; `v` variable; `b` any other word; `c` comment to the end; `?` what SQL does not know.
"""

from __future__ import annotations

import struct
from typing import Final

import re2

from logvision import native

TOKENS: Final = 300
"""Tokens read; an injection shows itself in its first few dozen."""


def _all(letter: str, words: str) -> dict[str, str]:
    return dict.fromkeys(words.split(), letter)


WORDS: Final = (
    _all("&", "and or xor && ||")
    | _all("=", "like rlike regexp between in is sounds ilike similar glob escape isnull notnull")
    | _all("+", "div mod collate binary")
    | _all("U", "union except intersect minus")
    | {"not": "!", "select": "S", "from": "F", "where": "W", "having": "H", "limit": "L", "into": "I"}
    | {"case": "C", "when": "N", "order": "O", "group": "O", "by": "Y", "if": "i"}
    | _all("E", "insert update delete drop create alter exec execute declare shutdown truncate merge waitfor")
    | _all("E", "backup grant handler copy attach begin set call load print replace use prepare bulk rename")
    | _all("1", "null true false current_user current_date current_timestamp session_user sysdate")
    | _all("K", "all distinct distinctrow top as asc desc then else end values table exists using procedure")
    | _all("K", "outfile dumpfile delay immediate database schema view on join offset")
)

_TELLING: Final = """
benchmark bin_to_uuid crypt_key current_setting database_to_xml dbms_java dbms_ldap dbms_lock
dbms_pipe dbms_utility dbms_xmlgen drithsx elt extractvalue fn_get_audit_file fn_trace_gettable
fn_xe_file_target_read_file generate_series geometrycollection get_host_address get_host_name
get_lock gtid_subset gtid_subtract httpuritype is_free_lock json_keys linestring lo_export lo_import
load_extension load_file loadfile make_set master_pos_wait multilinestring multipoint multipolygon
name_const opendatasource openrowset pg_ls_dir pg_read_binary_file pg_read_file pg_sleep
pg_sleep_for pg_sleep_until pg_stat_file polygon procedure_analyse query_to_xml randomblob
receive_message regexp_substring release_lock sleep sp_executesql sp_oacreate sqlite_version
st_latfromgeohash st_longfromgeohash st_pointfromgeohash sys_eval sys_exec updatexml utl_http
utl_inaddr uuid_to_bin wait_for_executed_gtid_set writefile xmltype xp_cmdshell xp_dirtree
xp_fileexist xp_regread zeroblob
"""
ATTACK_FUNCTIONS: Final = frozenset(_TELLING.split())
_ORDINARY: Final = """
abs aes_encrypt array_to_string ascii bin bit_length cast changes char char_length choose chr
coalesce col_name compress concat concat_ws connection_id conv convert count crc32 current_database
current_schema current_user database datalength db_name decode des_encrypt encode exp file_name
find_in_set floor greatest group_concat hex host_name ifnull iif instr interval is_srvrolemember
isnull json_array json_each json_extract json_query json_value last_insert_id last_insert_rowid
lcase least left len length listagg locate lower lpad ltrim md5 mid nchar now nullif nvl object_id
object_name octet_length ord original_login position quote quote_ident quote_literal rand
rawtohex regexp_like regexp_replace regexp_substr repeat replicate reverse right round row_count
row_number rpad rtrim schema schema_name serverproperty session_user sha1 sha2 strcmp string_agg
stuff substr substring suser_name suser_sname sys_context sysdate system_user to_char to_hex
to_number total_changes try_cast try_convert typeof ucase uncompress unhex unicode unistr upper user
user_name utl_raw version xmlagg
"""
FUNCTIONS: Final = frozenset(_ORDINARY.split())

_GLUED: Final = re2.compile(r"^(?:union|or|and|xor|having|order|group|limit|procedure)(?:select|all|\d+)?$")
"""Words that SQL reads although a number runs into them (`86UNION`, `1or1=1`)."""
_OR_NUMBER: Final = re2.compile(r"^(?:or|and)\d+$")


def tokens(text: str, quote: str = "") -> str:
    """One letter a token, the text (one byte a character) read as if it followed an opened `quote`."""
    if native.HERE:
        made = native.sql.letters(text.encode("latin-1"), quote.encode(), _TABLES, _KNOWN, TOKENS)
        return made.decode("ascii")
    return _tokens(text, quote)


def _tokens(text: str, quote: str) -> str:  # noqa: PLR0912, PLR0915  one branch a kind of token
    out: list[str] = []
    i, size = 0, len(text)
    if quote:
        i = _string_end(text, 0, quote) if len(quote) == 1 else _after(text, quote)
        out.append("s")
    while i < size and len(out) < TOKENS:
        char = text[i]
        if char <= " " or char == "\xa0":
            i += 1  # some database takes any of them for a blank
        elif char in "'\"":
            i = _string_end(text, i + 1, char)
            out.append("s")
        elif char == "`":
            end = text.find("`", i + 1)
            i = size if end < 0 else end + 1
            out.append("b")
        elif text.startswith(_ARROWS, i):
            out.append("=")  # PostgreSQL's operators on JSON
            i += 3 if text.startswith(("->>", "#>>"), i) else 2
        elif (char == "-" and text.startswith("--", i)) or char == "#" or text.startswith("/*", i):
            end = text.find("\n", i)
            if char == "#" and out and out[-1] == "b" and i + 1 < size and text[i + 1].isalnum():
                out.append("+")  # issue#12, C#sharp: no comment
                i += 1
            elif 0 <= end < size - 1 and char != "/":
                i = end + 1  # up to the next line, where the statement goes on
            else:
                out.append("c")
                i = size
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
        elif text.startswith(_OPERATORS, i):
            out.append("=")  # PostgreSQL's operators on arrays and JSON
            i += 2
        elif text.startswith("::", i):
            i = _word_end(text, i + 2)  # a cast is part of its value
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
        elif char == "{" and (escape := _ESCAPE.match(text[i : i + 40])):
            out.append("(")  # ODBC: {fn f()}, {d '...'}, and MySQL's {anything value}
            i += escape.end() - 1
        elif char == "}":
            out.append(")")
            i += 1
        else:
            out.append("?")
            i += 1
    return "".join(out)


_ARROWS: Final = ("->", "#>")
_OPERATORS: Final = ("@>", "<@", "@@ ", "@?", "?|", "?&")
_ESCAPE: Final = re2.compile(r"^\{\s*[A-Za-z_`]\w{0,20}`?[\s('\"@\d]")

_DELAYS: Final = frozenset(["sleep", "pg_sleep", "benchmark"])
_SHAPES: Final = frozenset(
    ["polygon", "linestring", "multipoint", "multilinestring", "multipolygon", "geometrycollection"]
)
_NOT_CALLED: Final = frozenset(["replace", "insert", "mod"])
"""Words of the grammar that are functions as well."""

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
    if called and word in ATTACK_FUNCTIONS:
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
    letter = WORDS.get(word)
    if letter is None and _OR_NUMBER.match(word):
        return "&1"
    if letter is not None and not (called and word in _NOT_CALLED):
        return letter
    if called:
        return "f" if word in FUNCTIONS else "g"
    if word in ("x", "n", "b", "q") and end < len(text) and text[end] == "'":
        return "+"
    return "b"


def _tables() -> tuple[bytes, int]:
    """What the core reads (sql.c): the classes of all bytes and the known words in order; their number."""
    characters = [chr(byte) for byte in range(256)]
    classes = bytes(
        each.isdigit() | each.isalpha() << 1 | (_word_end(each, 0) == 1) << 2 | each.isalnum() << 3
        for each in characters
    )
    marks = ((1, ATTACK_FUNCTIONS), (2, FUNCTIONS), (4, _DELAYS), (8, _SHAPES), (16, _NOT_CALLED))
    known = sorted(word.encode() for word in WORDS.keys() | ATTACK_FUNCTIONS | FUNCTIONS)
    entries = [
        struct.pack(
            "B29sBB",
            len(word),
            word,
            ord(WORDS.get(word.decode(), "\0")),
            sum(mark for mark, words in marks if word.decode() in words),
        )
        for word in known
    ]
    return classes + b"".join(entries), len(known)


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


def _after(text: str, mark: str) -> int:
    """Behind the first such mark; the end if there is none."""
    end = text.find(mark)
    return len(text) if end < 0 else end + len(mark)


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


_TABLES, _KNOWN = _tables()
