"""Paths cut into segments, and segments as integers: what the routes are learned from and looked up with."""

from __future__ import annotations

from itertools import compress, repeat
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from logvision.enrich import shape
from logvision.enrich.shape import Ints, Mask

PATH_READ: Final = 2048
"""Characters of a path that are read for its route."""

DEPTH: Final = 10
"""Segments of a path that are told apart."""

SLASHES: Final = 3 * DEPTH
"""Slashes of the longest path that is cut as it is: one of a thousand segments is shortened first."""

SEGMENTS_KEPT: Final = 65_536
"""Distinct segments whose shape is kept, beside the words in use: about 15 MB."""

SEGMENT_KEPT: Final = 96
"""Bytes of the longest segment that is kept; longer ones are no words."""

_HINT_BITS: Final = 3


class Words:
    """The texts that segments are in a route, numbered; each with the slash before it.

    The first numbers are those of `shape.FALLBACKS`, so that a word's fallback is a number as well.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.fallbacks: Ints = np.zeros(0, np.int64)
        """Per number that of the placeholder a word becomes when it is none of the route's; -1: it is one."""
        self._seen: dict[str, int] = {}  # segments seen lately → number of the text and hints
        self._begin()

    def encode(self, segments: pa.StringArray) -> tuple[Ints, Ints]:
        """Per segment, each with the slash before it, the number of its text and its hints (shape.py)."""
        encoded = segments.dictionary_encode()
        distinct = encoded.dictionary
        texts = distinct.to_pylist()
        packed = np.fromiter(map(self._seen.get, texts, repeat(-1)), np.int64, len(texts))
        new = np.flatnonzero(packed < 0)
        if new.size:
            fresh = [texts[at] for at in new.tolist()]
            packed[new] = self._read(distinct.take(pa.array(new)), fresh)
        packed = packed[encoded.indices.to_numpy()]
        return packed >> _HINT_BITS, packed & ((1 << _HINT_BITS) - 1)

    def crowded(self, in_use: int) -> bool:
        """Is it time to `forget`, when so many numbers are in use."""
        return len(self._seen) > SEGMENTS_KEPT + in_use

    def forget(self, in_use: list[int]) -> dict[int, int]:
        """Let go of everything but these numbers; gives their new numbers."""
        texts = [self.texts[number] for number in in_use]
        self._begin()
        numbers, _ = self.encode(pa.array(texts, pa.string()))
        return dict(zip(in_use, numbers.tolist(), strict=True))

    def _begin(self) -> None:
        self.texts, self.fallbacks, self._seen = [], np.zeros(0, np.int64), {}
        self.encode(pa.array([f"/{text}" for text in shape.FALLBACKS], pa.string()))
        self._seen["/"] = 0  # an empty segment, after a path's last slash: never looked at

    def _read(self, segments: pa.StringArray, texts: list[str]) -> Ints:
        """Numbers and hints, packed, of distinct segments that were not seen lately."""
        raw, starts, ends = shape.spans(segments)
        tokens = shape.tokens(raw, starts + 1, ends)
        numbers = np.zeros(len(texts), np.int64)
        own, others = np.flatnonzero(tokens.kept), np.flatnonzero(~tokens.kept)
        if own.size:
            numbers[own] = np.arange(len(self.texts), len(self.texts) + own.size)
            self.texts += texts if not others.size else compress(texts, tokens.kept.tolist())
            self.fallbacks = np.append(self.fallbacks, tokens.fallbacks[own])
            hinted = numbers[own] << _HINT_BITS | tokens.hints[own]
            self._seen.update(zip(self.texts[-own.size :], hinted.tolist(), strict=True))
        if others.size:
            # The shape of a shape is itself, so this goes one deep.
            numbers[others], _ = self.encode(pc.binary_join_element_wise("/", tokens.others, ""))
            short = others[(ends - starts)[others] <= SEGMENT_KEPT]
            packed = numbers[short] << _HINT_BITS | tokens.hints[short]
            self._seen.update(zip([texts[at] for at in short.tolist()], packed.tolist(), strict=True))
        return numbers << _HINT_BITS | tokens.hints


class Paths(NamedTuple):
    """Distinct paths, cut: columns of one length, but `words`."""

    words: Ints  # numbers of the segments' texts, path after path
    first: Ints  # index in `words` of a path's first segment
    length: Ints  # its segments, DEPTH at most; -1: not a path
    deep: Mask  # has more than DEPTH segments
    slash: Mask  # ends with a slash
    kinds: Ints  # index in shape.KINDS


def cut(paths: pa.StringArray, words: Words) -> Paths:
    """Cut distinct paths (no null) at their slashes. Vectorised; about 0.5 µs per path.

    Of an absolute target ("GET http://host/path", as proxies send) the path counts; path parameters
    (";jsessionid=...") and empty segments are no part of it.
    """
    if not len(paths):
        none = np.zeros(0, np.int64)
        return Paths(none, none, none, none > 0, none > 0, none)
    odd = _odd(paths)
    plain = paths
    if odd.size:
        asked = pc.utf8_slice_codeunits(paths.take(pa.array(odd)), 0, PATH_READ)
        mask = np.zeros(len(paths), np.bool_)
        mask[odd] = True
        plain = pc.replace_with_mask(paths, pa.array(mask), _plain(asked))
    raw, starts, ends = shape.spans(plain)
    # Every path starts with a slash now or is empty, so the bytes between slashes are the segments.
    slashes = np.flatnonzero(raw == ord("/"))
    bounds = np.searchsorted(slashes, np.append(starts, ends[-1]))
    segments = pa.StringArray.from_buffers(
        len(slashes),
        pa.py_buffer(np.append(slashes, ends[-1]).astype(np.int32)),
        pa.py_buffer(raw),
    )
    slash = (ends > starts) & (raw[ends - 1] == ord("/"))
    count = np.diff(bounds) - slash
    first = bounds[:-1]
    deep = count > DEPTH
    count = np.minimum(count, DEPTH)
    numbers, hints = words.encode(segments)
    kinds = _kinds(hints, first, count, slash)
    if deep.any():
        kinds[deep] = shape.kinds(plain.filter(pa.array(deep)))
    if odd.size:
        kinds[odd] = shape.kinds(asked)
    return Paths(numbers, first, np.where(ends > starts, count, -1), deep, slash, kinds)


def _odd(paths: pa.StringArray) -> Ints:
    """Which paths cannot be cut as they are."""
    raw, starts, ends = shape.spans(paths)
    if not ends[-1]:
        return np.arange(len(paths))
    odd = (ends == starts) | (raw[starts] != ord("/")) | (ends - starts > PATH_READ)
    is_slash = raw == ord("/")
    strange = raw == ord(";")
    strange[:-1] |= is_slash[:-1] & is_slash[1:]
    # A slash that ends one path and one that starts the next are no pair.
    last = ends[ends > starts] - 1
    strange[last] = raw[last] == ord(";")
    odd |= np.logical_or.reduceat(strange, starts)
    odd |= np.add.reduceat(is_slash, starts, dtype=np.int64) > SLASHES
    return np.flatnonzero(odd)


def _plain(paths: pa.StringArray) -> pa.StringArray:
    """Odd paths in the form of ordinary ones; empty: not a path."""
    text = pc.replace_substring_regex(paths, r"^(?i:https?)://[^/]*", "", max_replacements=1)
    text = pc.replace_substring_regex(text, r";[^/]*", "")
    text = pc.replace_substring_regex(text, r"//+", "/")
    text = pc.if_else(pc.starts_with(text, "/"), text, "")
    # One segment too many is enough to show that it is deep.
    parts = pc.split_pattern(text, "/", max_splits=DEPTH + 2)
    short = pc.binary_join(pc.list_slice(parts, 0, DEPTH + 2), "/")
    ending = pc.if_else(pc.ends_with(text, "/"), "/", "")
    longer = pc.greater(pc.list_value_length(parts), DEPTH + 2)
    return pc.if_else(longer, pc.binary_join_element_wise(short, ending, ""), text)


def _kinds(hints: Ints, first: Ints, count: Ints, slash: Mask) -> Ints:
    """Kinds from what the first two segments and the last one say."""
    hints = np.append(hints, 0)
    nothing = len(hints) - 1
    one, two = (hints[np.where(count > n, first + n, nothing)] for n in range(2))
    last = hints[np.where((count > 0) & ~slash, first + count - 1, nothing)]
    api = ((one | two) & shape.HEADS_API) | (last & shape.ENDS_API)
    static = last & shape.ENDS_STATIC
    return np.where(static > 0, shape.STATIC_KIND, np.where(api > 0, shape.API_KIND, shape.PAGE_KIND))
