"""The shape of a path segment: an integer, a date, an identifier, or a word. Stateless.

The same segment has the same shape for ever, whatever was seen before; what `Routes` learns only
decides which words are kept as they are.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from logvision.columns import Codes

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

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

_API_WORDS: Final = "(?:api|apis|rest|graphql|rpc|jsonrpc|xmlrpc|wp-json|odata|oauth2?|v[0-9]{1,2})"
_API: Final = rf"^/(?:[^/]+/)?{_API_WORDS}(?:[/.]|$)|/xmlrpc\.php$"
"""Paths that programs ask for, in small letters."""

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
_EMAIL: Final = r"^[^@]{1,64}(?:@|%40)[A-Za-z0-9.-]{1,64}\.[A-Za-z]{2,12}$"
_NUMBERED: Final = r"^[0-9]{3,}[-_].*[A-Za-z]"
_HASHED: Final = r"(?i)[.-](?:[0-9a-f]{8}|[0-9a-f]{12}|[0-9a-f]{16}|[0-9a-f]{20}|[0-9a-f]{32}|[0-9a-f]{40})$"
_WORD: Final = r"^[A-Za-z0-9._~!$()+,=:@%-]+(?:\{hex\})?(?:\.[A-Za-z0-9]{1,11})?$"


KINDS: Final = ("page", "static", "api")
"""Of paths: what people read, files that a server hands out as they are, what programs ask for."""

PAGE_KIND, STATIC_KIND, API_KIND = range(len(KINDS))

_LONGEST: Final = 11
EXTENSIONS: Final = np.array(sorted([*STATIC, *DYNAMIC]), f"S{_LONGEST}")
"""All that are known; the numbers of extensions are places in it, from 1 on."""

_SUFFIXES: Final = ("", *(f".{name.decode()}" for name in EXTENSIONS.tolist()))
_SUFFIX_SIZES: Final = np.array([len(suffix) for suffix in _SUFFIXES])
_CALLS: Final = frozenset({".json", ".jsonp", ".asmx", ".svc"})
KIND_OF_EXTENSION: Final = np.array(
    [
        STATIC_KIND if suffix[1:] in STATIC else API_KIND if suffix in _CALLS else PAGE_KIND
        for suffix in _SUFFIXES
    ],
    np.uint8,
)
"""Per number of an extension, 0 for none, the kind of path that it marks (index in KINDS)."""

# Kinds of bytes. The union over a segment's bytes tells which of the expressions can match it at all:
# an expression costs 0.1 µs per segment and nearly all segments need none.
DIGIT, UPPER, LOWER, BEYOND_F, DASH, DOT, AT, SIGN, BRACE, FOREIGN = (1 << bit for bit in range(10))


def _kinds_of_bytes() -> npt.NDArray[np.uint16]:
    kinds = np.full(256, FOREIGN, np.uint16)
    for of_kind, members in (
        (DIGIT, b"0123456789"),
        (UPPER, b"ABCDEF"),
        (UPPER | BEYOND_F, b"GHIJKLMNOPQRSTUVWXYZ"),
        (LOWER, b"abcdef"),
        (LOWER | BEYOND_F, b"ghijklmnopqrstuvwxyz"),
        (DASH, b"-_"),
        (DOT, b"."),
        (AT, b"@%"),
        (SIGN, b"~!$()+,=:"),
        (BRACE | FOREIGN, b"{}"),
    ):
        kinds[list(members)] = of_kind
    return kinds


KINDS_OF_BYTES: Final = _kinds_of_bytes()
"""Per byte the sum of its kinds, as in DIGIT."""

_LOWERED: Final = np.frombuffer(bytes(range(256)).lower(), np.uint8)
_HEX_BYTE: Final = np.isin(_LOWERED, np.frombuffer(b"0123456789abcdef", np.uint8))

_SHAPES: Final = ("{slug}", "{int}", "{uuid}", "{date}", "{hex}", "{hash}", "{email}", "{int}-{slug}")
_SLUG, _INTEGER, _IDENTIFIER, _DAY, _HEXADECIMAL, _RANDOM, _ADDRESS, _TITLE = range(len(_SHAPES))
_SUFFIX_TEXTS: Final = pa.array(_SUFFIXES, pa.string())
_PLACEHOLDERS: Final = pa.array([shape + suffix for shape in _SHAPES for suffix in _SUFFIXES], pa.string())


def variable(word: str) -> str:
    """The placeholder that a word of a route becomes where it is not one."""
    _, dot, extension = word.rpartition(".")
    suffix = f"{dot}{extension.lower()}"
    return f"{{slug}}{suffix}" if suffix in _SUFFIXES and word[0] != "." else "{slug}"


def texts(segments: pa.StringArray) -> pa.StringArray:
    """What segments (not empty, no "/") are in a route: words, or placeholders by their shape."""
    kept, others = _tokens(segments)
    if len(others):  # A name without its fingerprint may have a shape.
        kept_again, instead = _tokens(others)
        others = _replaced(others, ~kept_again, instead)
    return _replaced(segments, ~kept, others)


def _tokens(segments: pa.StringArray) -> tuple[Mask, pa.StringArray]:
    """Which segments stand in a route as they are, and what the others become, in order. 0.4 µs each."""
    raw, starts, ends = spans(segments)
    suffix = np.where(raw[starts] == ord("."), 0, _extensions(raw, starts, ends))
    stops = ends - _SUFFIX_SIZES[suffix]  # where the stem ends
    has = np.zeros(len(starts), np.uint16)
    if has.size:
        has = np.bitwise_or.reduceat(KINDS_OF_BYTES[raw], np.column_stack((starts, stops)).ravel())[::2]
    first, size = raw[starts], ends - starts
    braces = has & BRACE > 0
    own = _where(raw, starts, ends, braces & (first == ord("{")), PLACEHOLDER)
    shape = _shapes(raw, starts, stops, has)
    shape[own] = _SLUG
    open_yet = shape == _SLUG
    open_yet[own] = False

    kept = open_yet & (has & FOREIGN == 0) & (size <= WORD_READ)
    # A word in braces is ASCII: its bytes are its characters.
    kept[_where(raw, starts, ends, open_yet & braces & (size <= WORD_READ), _WORD)] = True
    kept[own] = True
    hashed, names = _without_fingerprint(raw, starts, stops, suffix, open_yet & (has & DIGIT > 0))
    kept[hashed] = False
    others = _PLACEHOLDERS.take(pa.array(shape * len(_SUFFIXES) + suffix))
    renamed = np.zeros(len(starts), np.bool_)
    renamed[hashed] = names.is_valid().to_numpy(zero_copy_only=False)
    return kept, _replaced(others, renamed, names.drop_null()).filter(pa.array(~kept))


def _replaced(texts: pa.StringArray, mask: Mask, others: pa.StringArray) -> pa.StringArray:
    return pc.replace_with_mask(texts, pa.array(mask), others)


def _shapes(raw: Bytes, starts: Ints, stops: Ints, has: npt.NDArray[np.uint16]) -> Ints:
    """Per stem the index in _SHAPES of the first that fits."""
    size = stops - starts
    first, second, third = (raw[starts + n] for n in range(3))
    shape = np.full(len(starts), _SLUG)

    def settle(candidates: Mask, becomes: int, pattern: str | None = None) -> None:
        at = np.flatnonzero(candidates & (shape == _SLUG))
        if at.size and pattern is not None:
            at = at[_matches(slices(raw, starts[at], stops[at]), pattern)]
        shape[at] = becomes

    def all_of(*kinds: int) -> Mask:
        return np.asarray((has & sum(kinds)) == sum(kinds))

    century = ((first == ord("1")) & (second == ord("9"))) | ((first == ord("2")) & (second == ord("0")))
    numbered = (
        (KINDS_OF_BYTES[first] == DIGIT)
        & (KINDS_OF_BYTES[second] == DIGIT)
        & (KINDS_OF_BYTES[third] == DIGIT)
    )
    random = all_of(DIGIT, UPPER, LOWER) & (has & (DOT | AT | FOREIGN) == 0)
    settle(has == DIGIT, _INTEGER)
    settle((has == DIGIT | DASH) & (first == ord("-")), _INTEGER, _INT)
    settle(all_of(DASH) & (size >= 36) & (size <= 38), _IDENTIFIER, _UUID)
    settle(all_of(DASH) & century, _DAY, _DATE)
    settle(all_of(DIGIT) & (has < BEYOND_F) & (size >= 8), _HEXADECIMAL)
    settle(all_of(DIGIT, BEYOND_F) & (first == ord("0")) & (size >= 10), _HEXADECIMAL, _HEX)
    settle(random & (size >= np.where(all_of(DASH), 22, 16)), _RANDOM, _BASE64)
    settle(all_of(AT, DOT), _ADDRESS, _EMAIL)
    settle(all_of(DASH) & numbered, _TITLE, _NUMBERED)
    return shape


def spans(texts: pa.StringArray) -> tuple[Bytes, Ints, Ints]:
    """The bytes of texts, padded so that a few beyond an end can be read, and where each starts and ends."""
    _, places, data = texts.buffers()
    offsets = np.frombuffer(places, np.int32)[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
    raw = np.frombuffer(data or b"", np.uint8)[offsets[0] : offsets[-1]]
    offsets -= offsets[0]
    return np.append(raw, np.zeros(4, np.uint8)), offsets[:-1], offsets[1:]


def _extensions(raw: Bytes, starts: Ints, ends: Ints) -> Ints:
    """Per segment the index in _SUFFIXES of its extension, 0: none that is known."""
    dots = np.flatnonzero(raw == ord("."))
    found = np.zeros(len(starts), np.int64)
    if not dots.size:
        return found
    dot = dots[np.searchsorted(dots, ends) - 1]  # the last one before the end, if it is in the segment
    at = np.flatnonzero(
        (dot >= starts) & (dot < ends - 1) & (ends - dot <= _LONGEST + 1) & (raw[ends - 1] > 0)
    )
    places = dot[at, None] + np.arange(1, _LONGEST + 1)
    inside = places < ends[at, None]
    letters = np.where(inside, _LOWERED[raw[np.where(inside, places, 0)]], 0).astype(np.uint8)
    names = np.ascontiguousarray(letters).view(f"S{_LONGEST}").ravel()
    slot = np.minimum(np.searchsorted(EXTENSIONS, names), len(EXTENSIONS) - 1)
    found[at] = np.where(EXTENSIONS[slot] == names, slot + 1, 0)
    return found


def _without_fingerprint(
    raw: Bytes, starts: Ints, stops: Ints, suffix: Ints, candidates: Mask
) -> tuple[Ints, pa.StringArray]:
    """Which candidates have a build's fingerprint at their stem's end, and their names without it.

    main.3f2a9c1d.js is main.{hex}.js for ever. Null: what is left of the name is no word.
    """
    at = np.flatnonzero(candidates & (stops - starts >= 9))
    at = at[_HEX_BYTE[raw[stops[at, None] - np.arange(1, 9)]].all(axis=1)] if at.size else at
    if not at.size:
        return at, pa.array([], pa.string())
    stems = slices(raw, starts[at], stops[at])
    fingerprint = pc.extract_regex(stems, _HASHED.replace("(?:", "(?P<hex>", 1)).field("hex")
    sure = _matches(pc.fill_null(fingerprint, ""), "[0-9]")
    at, stems = at[sure], stems.filter(pa.array(sure))
    bare = pc.replace_substring_regex(stems, _HASHED, "", max_replacements=1)
    names = pc.binary_join_element_wise(bare, ".{hex}", _SUFFIX_TEXTS.take(pa.array(suffix[at])), "")
    is_word = _matches(names, _WORD) & (pc.binary_length(names).to_numpy() <= WORD_READ)
    return at, pc.if_else(pa.array(is_word), names, None)


def _matches(texts: pa.StringArray, pattern: str) -> Mask:
    """Per text whether RE2 finds the pattern in it."""
    if not len(texts):
        return np.zeros(0, np.bool_)
    found = pc.match_substring_regex(texts, pattern)
    return np.asarray(found.to_numpy(zero_copy_only=False), np.bool_)


def _where(raw: Bytes, starts: Ints, ends: Ints, candidates: Mask, pattern: str) -> Ints:
    """Which of the candidates match."""
    at = np.flatnonzero(candidates)
    return at[_matches(slices(raw, starts[at], ends[at]), pattern)] if at.size else at


def slices(raw: Bytes, starts: Ints, stops: Ints) -> pa.StringArray:
    """Parts of a text as texts."""
    offsets = np.zeros(len(starts) + 1, np.int32)
    np.cumsum(stops - starts, out=offsets[1:])
    data = raw[np.repeat(starts - offsets[:-1], stops - starts) + np.arange(offsets[-1])]
    return pa.StringArray.from_buffers(len(starts), pa.py_buffer(offsets), pa.py_buffer(data))


def kinds(paths: pa.StringArray) -> Codes:
    """Per path the index in KINDS."""
    if not len(paths):
        return np.zeros(0, np.int32)
    by_end = KIND_OF_EXTENSION[_extensions(*spans(paths))]
    calls = _matches(pc.ascii_lower(paths), _API)
    return np.where(by_end != PAGE_KIND, by_end, np.where(calls, API_KIND, PAGE_KIND)).astype(np.int32)
