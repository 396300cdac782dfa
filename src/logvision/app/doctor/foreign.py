"""What a log is of which no line is a request, told from its first lines, and what to do then."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from logvision.schema import Reason

_LEVELS: Final = ("emerg", "alert", "crit", "error", "warn", "notice", "info", "debug")


def _impossible_time(reason: str, _line: str) -> bool:
    return reason == Reason.BAD_TIME


def _error_log(_reason: str, line: str) -> bool:
    """`[error] 12#0:` of nginx, `[php:error] [pid 12]` of Apache, `[error] [client ...]` of Apache 2.2."""
    return any(f"[{level}] " in line or f":{level}] [pid " in line for level in _LEVELS)


def _no_utf8(reason: str, line: str) -> bool:
    return reason == Reason.BINARY and "\\x00" in line


def _journal_json(_reason: str, line: str) -> bool:
    return '"__REALTIME_TIMESTAMP"' in line or '"MESSAGE"' in line


def _headless(_reason: str, line: str) -> bool:
    """A W3C line: date, time, and many words more."""
    words = line.split(" ")
    return (
        len(words) >= 8 and words[0].count("-") == 2 and words[1].count(":") == 2 and words[0][:4].isdigit()
    )


_KINDS: Final[Sequence[tuple[Callable[[str, str], bool], str, tuple[str, ...]]]] = (
    (
        _impossible_time,
        "the lines fit a format, and their times are impossible: before 1990, or more than a day ahead",
        ("set the clock of the server that logs, or of this machine",),
    ),
    (
        _error_log,
        "this is an error log: it does not hold the requests",
        ("give the access log, such as /var/log/nginx/access.log or /var/log/apache2/access.log",),
    ),
    (
        _no_utf8,
        "this is no text in UTF-8: UTF-16, or not a log",
        ("if it is UTF-16: iconv -f UTF-16 -t UTF-8 OLD > NEW",),
    ),
    (
        _journal_json,
        "this is the journal as JSON: the server's lines stand inside",
        ("write them without the journal's own: journalctl -o cat -u nginx",),
    ),
    (
        _headless,
        "no line fits a known format; this may be a W3C log (IIS) without its #Fields: line",
        ("put the #Fields: line of the server before the first line",),
    ),
)

UNKNOWN: Final = (
    "no line fits a known format",
    ("name it: [formats]", "\"*\" = '<the log_format or LogFormat line of your server>'"),
)


def told(samples: Mapping[str, Sequence[str]]) -> tuple[str, tuple[str, ...]]:
    """What it seems to be and what to do. `samples`: some rejected lines by reason, as they are shown."""
    lines = [(reason, line) for reason, some in samples.items() for line in some]
    for fits, detail, advice in _KINDS:
        if any(fits(reason, line) for reason, line in lines):
            return detail, advice
    return UNKNOWN
