"""A text format as a list of tokens, compiled from nginx's `log_format` or Apache's `LogFormat` syntax.

Tokens are literal bytes and fields in turn. Presets and formats pasted by an operator are the same thing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from logvision.errors import Problem, SetupError


@dataclass(frozen=True, slots=True)
class Field:
    """A place in a line. `name` is a reading of `row.py`, or `ignore`."""

    name: str
    quoted: bool = False  # ends at a double quote that no backslash escapes


Token = bytes | Field

NGINX: Final = {
    "remote_addr": "peer",
    "realip_remote_addr": "ignore",
    "remote_user": "user",
    "time_local": "time",
    "time_iso8601": "stamp",
    "msec": "stamp",
    "request": "request",
    "status": "status",
    "body_bytes_sent": "bytes",
    "bytes_sent": "bytes",
    "http_referer": "referer",
    "http_user_agent": "user_agent",
    "http_x_forwarded_for": "forwarded",
    "proxy_add_x_forwarded_for": "forwarded",
    "host": "site",
    "http_host": "site",
    "server_name": "site",
    "request_method": "method",
    "request_uri": "target",
    "uri": "path",
    "document_uri": "path",
    "args": "query",
    "query_string": "query",
    "server_protocol": "protocol",
    "request_time": "duration_s",
}
"""Variable of nginx to field; every other variable is skipped over."""

APACHE: Final = {
    "h": "peer",
    "a": "peer",
    "l": "ident",
    "u": "user",
    "t": "time",
    "r": "request",
    "s": "status",
    "b": "bytes",
    "B": "bytes",
    "O": "bytes",
    "D": "duration_us",
    "T": "duration_s",
    "m": "method",
    "U": "path",
    "q": "query",
    "H": "protocol",
    "v": "site",
    "V": "site",
}
APACHE_KEYED: Final = {
    ("referer", "i"): "referer",
    ("user-agent", "i"): "user_agent",
    ("x-forwarded-for", "i"): "forwarded",
    ("host", "i"): "site",
    ("c", "a"): "peer",
    ("s", "T"): "duration_s",
    ("ms", "T"): "duration_ms",
    ("us", "T"): "duration_us",
    ("c", "h"): "peer",
}

# Operators' own configuration, never log text.
_NGINX_VARIABLE = re.compile(r"\$\{?([a-z0-9_]+)\}?", re.IGNORECASE)
_NGINX_STRING = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"", re.DOTALL)
_APACHE_DIRECTIVE = re.compile(r"%(%|[!0-9,]*[<>]?(?:\{([^}]*)\})?([a-zA-Z]|\^t[io]))")


def compile_directive(given: str, where: str) -> tuple[Token, ...]:
    """Tokens of a pasted nginx or Apache directive, or of the bare format string in either syntax.

    `where` names the place in messages. Raises SetupError with every problem.
    """
    words = given.strip()
    if words.startswith("log_format"):
        words = _nginx_string(words)
    elif words.lower().startswith(("logformat", "customlog", "accesslog.format")):
        words = _apache_string(words)
    nginx = _NGINX_VARIABLE.search(words)
    apache = _APACHE_DIRECTIVE.search(words)
    if nginx and not (apache and apache.start() < nginx.start()):
        parts = list(_split(words, _NGINX_VARIABLE, _nginx_field))
    elif apache:
        parts = list(_split(words, _APACHE_DIRECTIVE, _apache_field))
    else:
        raise SetupError(Problem(where, repr(given), "an nginx log_format or Apache LogFormat line"))
    return tokens(parts, where)


def tokens(parts: list[str | Field], where: str) -> tuple[Token, ...]:
    """Check and settle a raw list: neighbours joined, times bracketed, quotes seen."""
    joined = _join(parts)
    problems = []
    settled: list[Token] = []
    seen: set[str] = set()
    for index, part in enumerate(joined):
        if isinstance(part, str):
            settled.append(part.encode())
            continue
        before = joined[index - 1] if index else ""
        if isinstance(before, Field) and part.name != "plain_rest":
            problems.append(
                Problem(where, f"{before.name} and {part.name} side by side", "text between them")
            )
        after = joined[index + 1] if index + 1 < len(joined) else ""
        quoted = (
            isinstance(before, str) and before.endswith('"') and isinstance(after, str) and after[:1] == '"'
        )
        again = part.name in seen and part.name not in {"ignore", "part_s", "word", "count"}
        seen.add(part.name)
        settled.append(Field("ignore" if again else part.name, quoted))
    names = {part.name for part in joined if isinstance(part, Field)}
    if not names & {"time", "stamp", "epoch", "date"}:
        problems.append(Problem(where, "a format without a time", "$time_local, $time_iso8601, $msec or %t"))
    if not names & {"request", "target", "path"}:
        problems.append(Problem(where, "a format without a request", "$request, $request_uri or %r"))
    if problems:
        raise SetupError(problems)
    return tuple(settled)


def _join(parts: list[str | Field]) -> list[str | Field]:
    """Merge what has a meaning only together: method, target and protocol in a row; path and query."""
    out: list[str | Field] = []
    for part in parts:
        if isinstance(part, str) and out and isinstance(out[-1], str):
            out[-1] += part
        elif isinstance(part, Field) and part.name == "is_args":
            continue
        elif (
            isinstance(part, Field)
            and part.name == "query"
            and out
            and isinstance(out[-1], Field)
            and out[-1].name == "path"
        ):
            out[-1] = Field("target")
        elif part != "":
            out.append(part)
    index = 0
    while index + 4 < len(out):
        names = [piece.name if isinstance(piece, Field) else piece for piece in out[index : index + 5]]
        if (
            names[0] == "method"
            and names[1] == " "
            and names[2] in {"target", "path"}
            and names[3:] == [" ", "protocol"]
        ):
            out[index : index + 5] = [Field("request")]
        index += 1
    return out


def _split(words: str, pattern: re.Pattern[str], field: object) -> Iterator[str | Field]:
    at = 0
    for match in pattern.finditer(words):
        yield words[at : match.start()]
        yield from field(match)  # type: ignore[operator]
        at = match.end()
    yield words[at:]


def _nginx_field(match: re.Match[str]) -> Iterator[str | Field]:
    name = match.group(1).lower()
    yield Field("is_args" if name == "is_args" else NGINX.get(name, "ignore"))


def _apache_field(match: re.Match[str]) -> Iterator[str | Field]:
    whole, key, letter = match.group(1), match.group(2), match.group(3)
    if whole == "%":
        yield "%"
    elif letter == "t" and key is None:
        yield "["
        yield Field("time")
        yield "]"
    elif letter == "t":
        yield Field("stamp")
    elif key is not None:
        yield Field(APACHE_KEYED.get((key.lower() if letter == "i" else key, letter), "ignore"))
    else:
        yield Field(APACHE.get(letter, "ignore"))


def _nginx_string(directive: str) -> str:
    strings = [a or b for a, b in _NGINX_STRING.findall(directive)]
    return re.sub(r"\\(.)", r"\1", "".join(strings))


def _apache_string(directive: str) -> str:
    match = _NGINX_STRING.search(directive)
    inner = (match.group(2) or match.group(1) or "") if match else directive.partition(" ")[2]
    return inner.replace('\\"', '"').replace("\\t", "\t").replace("\\\\", "\\")


_TEMPLATE_PAIR = re.compile(r'"([^"\\\\]+)"\s*:\s*"?\$\{?([a-z0-9_]+)\}?"?', re.IGNORECASE)


def template_keys(given: str) -> dict[str, str] | None:
    """Key to field of an nginx `log_format` that writes one JSON object; None when it does not."""
    words = given.strip()
    if words.startswith("log_format"):
        words = _nginx_string(words)
    if not (words.startswith("{") and words.rstrip().endswith("}")):
        return None
    pairs = _TEMPLATE_PAIR.findall(words)
    keys = {key: NGINX.get(variable.lower(), "ignore") for key, variable in pairs}
    keys = {key: "time" if name == "stamp" else name for key, name in keys.items() if name != "ignore"}
    return keys if "time" in keys.values() and {"request", "target", "path"} & set(keys.values()) else None
