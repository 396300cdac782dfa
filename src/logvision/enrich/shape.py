"""The shape of a path segment: an integer, a date, an identifier, or a word. Stateless.

The same segment has the same shape for ever, whatever was seen before; what `Routes` learns only
decides which words are kept as they are.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import polars as pl

WORD_READ: Final = 64
"""Characters of the longest segment that can be a word of a route."""

STATIC: Final = (
    *("apk", "avi", "avif", "bmp", "bz2", "cab", "css", "csv", "cur", "deb", "dmg", "doc", "docx", "eot"),
    *("epub", "exe", "flac", "flv", "gif", "gz", "ico", "img", "ipa", "iso", "jar", "jpe", "jpeg", "jpg"),
    *("js", "jxl", "less", "m3u8", "m4a", "m4v", "map", "mid", "mjs", "mkv", "mov", "mp3", "mp4", "mpd"),
    *("mpeg", "mpg", "msi", "ogg", "ogv", "otf", "pdf", "png", "ppt", "pptx", "rar", "rpm", "rtf", "scss"),
    *("svg", "svgz", "swf", "tar", "tgz", "tif", "tiff", "ts", "ttf", "txt", "wasm", "wav", "webm"),
    *("webmanifest", "webp", "wmv", "woff", "woff2", "xls", "xlsx", "xz", "zip", "zst", "7z"),
)
"""Extensions of files that a server hands out as they are."""

DYNAMIC: Final = (
    *("action", "ashx", "asmx", "asp", "aspx", "atom", "axd", "cfm", "cgi", "dll", "do", "fcgi", "htm"),
    *("html", "jsf", "json", "jsonp", "jsp", "jspx", "lua", "nsf", "php", "php3", "php4", "php5", "php7"),
    *("phtml", "pl", "py", "rb", "rss", "shtml", "svc", "xhtml", "xml", "yaml", "yml"),
)
"""Extensions of pages and programs: they stay visible behind a placeholder, as in `{slug}.php`."""

API: Final = (
    r"(?i)^/(?:[^/]+/)?(?:api|apis|rest|graphql|rpc|jsonrpc|xmlrpc|wp-json|odata|oauth2?|v[0-9]{1,2})(?:[/.]|$)"
    r"|\.(?:json|jsonp|asmx|svc)$|/xmlrpc\.php$"
)
"""Paths that programs ask for."""

PLACEHOLDER: Final = (
    r"^\{(?:int|uuid|date|hex|hash|email|slug|rest|other)\}(?:-\{slug\})?(?:\.[a-z0-9]{1,11})?$"
)
_UUID: Final = r"(?i)^\{?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}?$"
_INT: Final = r"^-?[0-9]+$"
_DATE: Final = (
    r"^(?:19|20)[0-9]{2}[-_](?:0[1-9]|1[0-2])(?:[-_](?:0[1-9]|[12][0-9]|3[01]))?(?:[T_ ][0-9:.Z+-]*)?$"
)
_HEX: Final = r"(?i)^(?:0x)?[0-9a-f]{8,}$"
_BASE64: Final = r"^(?:[A-Za-z0-9+]{16,}={0,2}|[A-Za-z0-9+]*[-_][A-Za-z0-9+]*[-_]?[A-Za-z0-9+]*={0,2})$"
_EMAIL: Final = r"(?i)^[^@]{1,64}(?:@|%40)[a-z0-9.-]{1,64}\.[a-z]{2,12}$"
_NUMBERED: Final = r"^[0-9]{3,}[-_].*[A-Za-z]"
_HASHED: Final = r"(?i)[.-](?:[0-9a-f]{8}|[0-9a-f]{12}|[0-9a-f]{16}|[0-9a-f]{20}|[0-9a-f]{32}|[0-9a-f]{40})$"
_WORD: Final = r"^[A-Za-z0-9._~!$()+,=:@%-]+(?:\{hex\})?(?:\.[A-Za-z0-9]{1,11})?$"


class Token(NamedTuple):
    """What a segment is in a route."""

    text: str  # what stands in the template: the word itself, or a placeholder by its shape
    fallback: str | None  # what a word becomes when it is not one of the route's; null: a placeholder


def tokens(segments: pl.Series) -> list[Token]:
    """A token per segment (distinct, not empty, no "/"). Vectorised; about 2 µs per segment."""
    frame = pl.DataFrame({"segment": segments})
    extension = pl.col("segment").str.extract(r"\.([A-Za-z0-9]{1,11})$", 1).str.to_lowercase()
    frame = frame.with_columns(
        suffix=pl.when(extension.is_in([*STATIC, *DYNAMIC]) & ~pl.col("segment").str.starts_with("."))
        .then(pl.lit(".") + extension)
        .otherwise(pl.lit(""))
    ).with_columns(
        stem=pl.when(pl.col("suffix") == "")
        .then(pl.col("segment"))
        .otherwise(pl.col("segment").str.replace(r"\.[A-Za-z0-9]{1,11}$", ""))
    )
    stem = pl.col("stem")
    digit, upper, lower = (stem.str.contains(c) for c in ("[0-9]", "[A-Z]", "[a-z]"))
    long_enough = stem.str.len_bytes() >= 22
    shaped = (
        pl.when(stem.str.contains(_INT))
        .then(pl.lit("{int}"))
        .when(stem.str.contains(_UUID))
        .then(pl.lit("{uuid}"))
        .when(stem.str.contains(_DATE))
        .then(pl.lit("{date}"))
        .when(stem.str.contains(_HEX) & digit)
        .then(pl.lit("{hex}"))
        .when(stem.str.contains(_BASE64) & digit & upper & lower & (long_enough | ~stem.str.contains("[-_]")))
        .then(pl.lit("{hash}"))
        .when(stem.str.contains(_EMAIL))
        .then(pl.lit("{email}"))
        .when(stem.str.contains(_NUMBERED))
        .then(pl.lit("{int}-{slug}"))
        .otherwise(None)
    )
    hashed = stem.str.extract(_HASHED.replace("(?:", "(", 1), 1)
    frame = frame.with_columns(
        own=pl.col("segment").str.contains(PLACEHOLDER),
        shaped=shaped,
        # A build's fingerprint inside a name: main.3f2a9c1d.js is main.{hex}.js for ever.
        word=pl.when(hashed.str.contains("[0-9]"))
        .then(stem.str.replace(_HASHED, "") + pl.lit(".{hex}") + pl.col("suffix"))
        .otherwise(pl.col("segment")),
    )
    answer = frame.select(
        text=pl.when(pl.col("own"))
        .then(pl.col("segment"))
        .when(pl.col("shaped").is_not_null())
        .then(pl.col("shaped") + pl.col("suffix"))
        .when(pl.col("word").str.contains(_WORD) & (pl.col("word").str.len_chars() <= WORD_READ))
        .then(pl.col("word"))
        .otherwise(pl.lit("{slug}") + pl.col("suffix")),
        suffix="suffix",
    )
    answer = answer.select(
        "text",
        fallback=pl.when(pl.col("text").str.contains(PLACEHOLDER))
        .then(None)
        .otherwise(pl.lit("{slug}") + pl.col("suffix")),
    )
    return list(map(Token._make, answer.rows()))


def kinds(paths: pl.Series) -> pl.Series:
    """page, static or api per path."""
    extension = paths.str.tail(16).str.extract(r"\.([A-Za-z0-9]{1,11})$", 1).str.to_lowercase()
    return pl.select(
        pl.when(extension.is_in(list(STATIC)))
        .then(pl.lit("static"))
        .when(paths.str.contains(API))
        .then(pl.lit("api"))
        .otherwise(pl.lit("page"))
    ).to_series()


def is_placeholder(text: str) -> bool:
    """Is a token's text a placeholder (maybe with an extension) and not a word."""
    return text.startswith("{")
