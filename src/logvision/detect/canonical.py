"""Canonical form: what a server would make of the text, whatever way it was encoded.

Decoding runs to a fixed point of at most `ROUNDS` rounds. One table of steps serves both forms:
`canonicalise` for a batch (numpy for the ordinary percent and plus, the exact form only for values
that hold anything else) and `decode`, which also keeps where every byte came from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from logvision import native

ROUNDS: Final = 5
"""Rounds of decoding. Real double encoding needs two, scanners try three; more is an attack on us."""

Edit = tuple[int, int, bytes]
"""Replace text[start:end] by these bytes."""

_HEX: Final = {c: i for i, c in enumerate(b"0123456789abcdef")} | {c: 10 + i for i, c in enumerate(b"ABCDEF")}

_ENTITIES: Final = {
    b"lt": b"<", b"gt": b">", b"amp": b"&", b"quot": b'"', b"apos": b"'", b"nbsp": b" ", b"Tab": b"\t",
    b"NewLine": b"\n", b"lpar": b"(", b"rpar": b")", b"sol": b"/", b"bsol": b"\\", b"equals": b"=",
    b"num": b"#", b"semi": b";", b"comma": b",", b"period": b".", b"colon": b":", b"excl": b"!",
    b"quest": b"?", b"lbrack": b"[", b"rbrack": b"]", b"lsqb": b"[", b"rsqb": b"]", b"lcub": b"{",
    b"rcub": b"}", b"grave": b"`", b"dollar": b"$", b"percnt": b"%", b"ast": b"*", b"plus": b"+",
    b"lowbar": b"_", b"commat": b"@", b"verbar": b"|", b"vert": b"|",
}  # fmt: skip

_FOLDED: Final = {
    0x2215: 0x2F,
    0x2044: 0x2F,
    0x2216: 0x5C,
    0x02B9: 0x27,
    0x02BC: 0x27,
    0x037E: 0x3B,
    0xFE64: 0x3C,
    0xFE65: 0x3E,
}
"""Code points that servers fold to the ASCII mark they look like ("best fit")."""


@dataclass(frozen=True, slots=True)
class Step:
    """One decoding that changed the text: its name and the text after it."""

    name: str
    text: bytes


@dataclass(frozen=True, slots=True)
class Decoded:
    """The canonical text of one value.

    `starts[i]`, `ends[i]` are the raw byte range that canonical byte i came from.
    """

    text: bytes
    steps: tuple[Step, ...]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]

    def raw_span(self, start: int, end: int) -> tuple[int, int]:
        """The raw byte range that text[start:end] came from."""
        if start >= end or not len(self.starts):
            return (0, 0)
        return int(self.starts[start:end].min()), int(self.ends[start:end].max())


def decode(raw: bytes, *, query: bool) -> Decoded:
    """The exact form with its steps and its map; for one value at a time (tens of µs)."""
    text, starts, ends = raw, np.arange(len(raw)), np.arange(1, len(raw) + 1)
    steps: list[Step] = []
    for name, edits in _passes(raw, query):
        text, starts, ends = _apply(text, starts, ends, edits)
        steps.append(Step(name, text))
    return Decoded(text, tuple(steps), starts, ends)


def decode_text(raw: bytes, *, query: bool) -> bytes:
    """`decode(raw).text` without the map."""
    text = raw
    for _, edits in _passes(raw, query):
        text = _edited(text, edits)
    return text


def canonicalise(values: pa.Array, *, query: bool, deep: bool = True) -> pa.BinaryArray:
    """The canonical text of every value of a string or binary array without nulls.

    Equal to `decode_text` of each (property-tested); without `deep` only plus and %HH are decoded.
    Cost: 2 ns a byte. Without the native core about 5 ns a byte where anything is encoded; some 200 ns a byte
    where other steps than plus and percent may be needed, and tens of microseconds for each value with forms
    that are not one byte for one (named entities, code points past ASCII, comments).
    """
    if not len(values):
        return pa.array([], pa.binary())
    source = values.cast(pa.binary())
    if native.HERE:
        return native.canonical(source, query=query, deep=deep)
    touched = _holding(source, b"%\\&+/\xc0" if query else b"%\\&/\xc0")
    if not len(touched):
        return source
    part = source.take(pa.array(touched))
    done = _percent_batch(part, plus=query)
    if not deep:
        for _ in range(ROUNDS - 1):
            done = _percent_batch(done, plus=False)
        return _replaced(source, touched, done)
    again, hard = _unfinished(part, done)
    for _ in range(ROUNDS - 1):
        if not len(again):
            break
        # Encoded once more and nothing else: another pass over just these.
        deeper = _percent_batch(done.take(pa.array(again)), plus=False)
        done = _replaced(done, again, deeper)
        still, other = _unfinished(None, deeper)
        hard = np.concatenate([hard, again[other]])
        again = again[still]
    if len(hard):
        done = _replaced(done, hard, _in_step(part.take(pa.array(hard)), plus=query))
    return _replaced(source, touched, done)


def _replaced(values: pa.BinaryArray, at: npt.NDArray[np.int64], new: pa.BinaryArray) -> pa.BinaryArray:
    mask = np.zeros(len(values), bool)
    mask[at] = True
    order = np.argsort(at, kind="stable")
    return pc.replace_with_mask(values, pa.array(mask), new.take(pa.array(order)))


def joined(values: pa.BinaryArray) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """All values in one buffer, each ended by a line feed, and the offset of each end.

    A line feed inside a value stands as a vertical tab, so that no value can look like two.
    """
    if not len(values):
        return np.zeros(0, np.uint8), np.zeros(0, np.int64)
    if native.HERE:
        return native.joined(values)
    ended = pc.binary_join_element_wise(values, b"", b"\n")
    flat, offsets = flattened(ended)
    ends = offsets[1:] - 1
    if len(marks := np.flatnonzero(flat == 10)) > len(ends):
        flat = flat.copy()
        flat[marks] = 11
        flat[ends] = 10
    return flat, ends


# The steps ------------------------------------------------------------------------------------


def _passes(raw: bytes, query: bool) -> list[tuple[str, list[Edit]]]:
    """The steps that change something, in order, each with its edits."""
    done: list[tuple[str, list[Edit]]] = []
    text = raw

    def run(name: str, find: Callable[[bytes], list[Edit]]) -> bool:
        nonlocal text
        edits = find(text)
        if edits:
            done.append((name, edits))
            text = _edited(text, edits)
        return bool(edits)

    if query:
        run("plus", _plus)
    run("log escape", _log_escapes)
    for _ in range(ROUNDS):
        changed = run("percent", _percent)
        changed |= run("backslash escape", _escapes)
        changed |= run("entity", _entities)
        changed |= run("utf-8", _utf8)
        if not changed:
            break
    run("comment", _comments)
    return done


def _plus(text: bytes) -> list[Edit]:
    return _each(text, b"+", lambda t, i: (i, i + 1, b" "))


def _percent(text: bytes) -> list[Edit]:
    def at(t: bytes, i: int) -> Edit | None:
        if (byte := _hex(t, i + 1, 2)) is not None:
            return i, i + 3, bytes([byte])
        if t[i + 1 : i + 2] in (b"u", b"U") and (point := _hex(t, i + 2, 4)) is not None:
            return i, i + 6, _encoded(point)
        return None

    return _each(text, b"%", at)


def _log_escapes(text: bytes) -> list[Edit]:
    r"""`\"` and `\\` as Apache writes them."""

    def at(t: bytes, i: int) -> Edit | None:
        follows = t[i + 1 : i + 2]
        return (i, i + 2, follows) if follows in (b'"', b"\\") else None

    return _each(text, b"\\", at)


def _escapes(text: bytes) -> list[Edit]:
    r"""`\xHH` as nginx and Apache write a byte, `\uHHHH` as JSON and JavaScript do."""

    def at(t: bytes, i: int) -> Edit | None:
        kind = t[i + 1 : i + 2]
        if kind == b"x" and (byte := _hex(t, i + 2, 2)) is not None:
            return i, i + 4, bytes([byte])
        if kind == b"u" and (point := _hex(t, i + 2, 4)) is not None:
            return i, i + 6, _encoded(point)
        return None

    return _each(text, b"\\", at)


def _entities(text: bytes) -> list[Edit]:
    def at(t: bytes, i: int) -> Edit | None:
        if t[i + 1 : i + 2] == b"#":
            hexadecimal = t[i + 2 : i + 3] in (b"x", b"X")
            start = i + 3 if hexadecimal else i + 2
            end = start
            while (
                end < len(t) and end - start < 8 and (t[end] in _HEX if hexadecimal else 48 <= t[end] <= 57)
            ):
                end += 1
            if end == start:
                return None
            point = int(t[start:end], 16 if hexadecimal else 10)
            if point > 0x10FFFF:
                return None
            return i, end + (t[end : end + 1] == b";"), _encoded(point)
        end = t.find(b";", i + 1, i + 10)
        named = _ENTITIES.get(t[i + 1 : end]) if end > 0 else None
        return (i, end + 1, named) if named is not None else None

    return _each(text, b"&", at)


def _utf8(text: bytes) -> list[Edit]:
    """Overlong forms, full-width forms and look-alikes that servers fold to ASCII."""
    if text.isascii():
        return []
    edits: list[Edit] = []
    i, size = 0, len(text)
    while i < size:
        lead = text[i]
        if lead < 0xC0:
            i += 1
            continue
        length = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4 if lead < 0xF8 else 5 if lead < 0xFC else 6
        tail = text[i + 1 : i + length]
        if lead in (0xC0, 0xC1) and tail:
            # IIS took any second byte, also one that is no continuation (%c0%2f).
            edits.append((i, i + 2, bytes([((lead & 1) << 6) | (tail[0] & 0x3F)])))
            i += 2
            continue
        if len(tail) < length - 1 or any(b & 0xC0 != 0x80 for b in tail):
            i += 1
            continue
        point = lead & (0x7F >> length)
        for byte in tail:
            point = point << 6 | byte & 0x3F
        folded = point - 0xFEE0 if 0xFF01 <= point <= 0xFF5E else _FOLDED.get(point, point)
        if folded < 0x80:
            edits.append((i, i + length, bytes([folded])))
        i += length
    return edits


def _comments(text: bytes) -> list[Edit]:
    """SQL comments to a space; of MySQL's `/*!50000 ... */` only the marks, since its text runs."""
    edits: list[Edit] = []
    i = text.find(b"/*")
    while i >= 0:
        end = text.find(b"*/", i + 2)
        if end < 0:
            break
        if text[i + 2 : i + 3] == b"!":
            start = i + 3
            while start < end and start < i + 9 and 48 <= text[start] <= 57:
                start += 1
            edits += [(i, start, b" "), (end, end + 2, b" ")]
        else:
            edits.append((i, end + 2, b" "))
        i = text.find(b"/*", end + 2)
    return edits


def _each(text: bytes, mark: bytes, at: Callable[[bytes, int], Edit | None]) -> list[Edit]:
    edits: list[Edit] = []
    i = text.find(mark)
    while i >= 0:
        edit = at(text, i)
        if edit is not None:
            edits.append(edit)
        i = text.find(mark, edit[1] if edit is not None else i + 1)
    return edits


def _hex(text: bytes, at: int, digits: int) -> int | None:
    value = 0
    if at + digits > len(text):
        return None
    for byte in text[at : at + digits]:
        digit = _HEX.get(byte)
        if digit is None:
            return None
        value = value << 4 | digit
    return value


def _encoded(point: int) -> bytes:
    return b"?" if 0xD800 <= point < 0xE000 else chr(point).encode()


def _edited(text: bytes, edits: list[Edit]) -> bytes:
    parts: list[bytes] = []
    at = 0
    for start, end, new in edits:
        parts += (text[at:start], new)
        at = end
    parts.append(text[at:])
    return b"".join(parts)


def _apply(
    text: bytes, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], edits: list[Edit]
) -> tuple[bytes, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    new_starts: list[npt.NDArray[np.int64]] = []
    new_ends: list[npt.NDArray[np.int64]] = []
    at = 0
    for start, end, new in edits:
        new_starts += [starts[at:start], np.full(len(new), starts[start])]
        new_ends += [ends[at:start], np.full(len(new), ends[end - 1])]
        at = end
    new_starts.append(starts[at:])
    new_ends.append(ends[at:])
    return _edited(text, edits), np.concatenate(new_starts), np.concatenate(new_ends)


# The batch ------------------------------------------------------------------------------------


def flattened(values: pa.BinaryArray) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The bytes of all values without gaps, and len + 1 offsets into them."""
    width = np.int64 if pa.types.is_large_binary(values.type) else np.int32
    offsets = np.frombuffer(values.buffers()[1], width)[values.offset : values.offset + len(values) + 1]
    offsets = offsets.astype(np.int64)
    data = values.buffers()[2]
    flat = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    return flat[offsets[0] : offsets[-1]], offsets - offsets[0]


def binary(flat: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> pa.BinaryArray:
    """A binary array from its bytes and len + 1 offsets."""
    return pa.Array.from_buffers(
        pa.binary(),
        len(offsets) - 1,
        [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(np.ascontiguousarray(flat))],
    )


def _holding(values: pa.BinaryArray, marks: bytes) -> npt.NDArray[np.int64]:
    """Which values hold one of these bytes (0xC0 stands for every byte from there up; / for a comment)."""
    flat, offsets = flattened(values)
    table = np.zeros(256, bool)
    table[list(marks.replace(b"/", b""))] = True
    table[0xC0:] = True
    hit = table[flat]
    if len(flat) > 1:
        hit[:-1] |= (flat[:-1] == 47) & (flat[1:] == 42)
    return places(offsets, np.flatnonzero(hit))


def places(offsets: npt.NDArray[np.int64], at: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The values that these bytes lie in, ascending, each once."""
    held = np.zeros(len(offsets) - 1, bool)
    held[np.searchsorted(offsets, at, "right") - 1] = True
    return np.flatnonzero(held)


_DIGIT: Final = np.full(256, 255, np.uint8)
for _code, _value in _HEX.items():
    _DIGIT[_code] = _value


def _percent_batch(values: pa.BinaryArray, *, plus: bool) -> pa.BinaryArray:
    """Plus to space, then one pass of %HH, over all values at once."""
    flat, offsets = flattened(values)
    flat = flat.copy()
    if plus:
        flat[flat == 43] = 32
    at = np.flatnonzero(flat == 37)
    bound = offsets[np.searchsorted(offsets, at, "right")] if len(at) else at
    at = at[at + 2 < bound]
    high, low = _DIGIT[flat[at + 1]], _DIGIT[flat[at + 2]]
    good = (high < 16) & (low < 16)
    at = at[good]
    flat[at] = high[good] << 4 | low[good]
    keep = np.ones(len(flat), bool)
    keep[at + 1] = False
    keep[at + 2] = False
    # Each escape before an offset takes two bytes from it.
    return binary(flat[keep], offsets - 2 * np.searchsorted(at, offsets))


def _unfinished(
    raw: pa.BinaryArray | None, done: pa.BinaryArray
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Values that need another pass of %HH and nothing else, and values that another step could change.

    `raw`: the values before the pass, for escapes that the log wrote; None: no longer asked.
    """
    flat, offsets = flattened(done)
    following = np.append(flat[1:], np.uint8(0))
    percent = flat == 37
    again = percent & ((_DIGIT[following] < 16) | (following == 37))
    more = flat == 92
    more |= percent & ((following | 32) == 117)
    more |= (flat == 47) & (following == 42)
    letters = ((following | 32) >= 97) & ((following | 32) <= 122)
    entity = np.flatnonzero((flat == 38) & (letters | (following == 35)))
    if len(entity):
        # Named entities need their semicolon within nine bytes; a bare "&name=" is none.
        closed = following[entity] == 35
        for distance in range(2, 11):
            closed |= flat[np.minimum(entity + distance, len(flat) - 1)] == 59
        more[entity[closed]] = True
    more[_folding(flat)] = True
    hard = places(offsets, np.flatnonzero(more))
    if raw is not None:
        raw_flat, raw_offsets = flattened(raw)
        hard = np.union1d(hard, places(raw_offsets, np.flatnonzero(raw_flat == 92)))
    return np.setdiff1d(places(offsets, np.flatnonzero(again)), hard, assume_unique=True), hard


# All steps over a batch ---------------------------------------------------------------------------

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
_PAD: Final = np.zeros(16, np.uint8)


def _in_step(values: pa.BinaryArray, *, plus: bool) -> pa.BinaryArray:
    """`decode_text` of every value, a step of all of them at a time.

    A step here only does what makes one byte of one form; values for which that is not all are decoded by
    themselves.
    """
    flat, offsets = flattened(values)
    odd = np.zeros(len(values), bool)
    following = np.append(flat[1:], np.uint8(0))
    escape = (flat == 92) & ((following == 34) | (following == 92))
    odd[places(offsets, np.flatnonzero(escape))] = True
    if plus:
        flat = np.where(flat == 43, np.uint8(32), flat)
    for _ in range(ROUNDS):
        before = len(flat)
        for step in (_percents, _backslashes, _numbers):
            at, length, byte, more = step(flat, offsets)
            odd[places(offsets, more)] = True
            flat, offsets = _put(flat, offsets, at, length, byte)
        odd[places(offsets, _folding(flat))] = True
        if len(flat) == before:
            break
    following = np.append(flat[1:], np.uint8(0))
    odd[places(offsets, np.flatnonzero((flat == 47) & (following == 42)))] = True
    done = binary(flat, offsets)
    at = np.flatnonzero(odd)
    exact = [decode_text(values[int(i)].as_py(), query=plus) for i in at]
    return _replaced(done, at, pa.array(exact, pa.binary()))


def _put(flat: Bytes, offsets: Ints, at: Ints, length: Ints, byte: Bytes) -> tuple[Bytes, Ints]:
    """One byte for each of some ascending forms."""
    if not len(at):
        return flat, offsets
    flat = flat.copy()
    flat[at] = byte
    keep = np.ones(len(flat), bool)
    for behind in range(1, int(length.max())):
        keep[at[length > behind] + behind] = False
    removed = np.concatenate([[0], np.cumsum(length - 1)])
    return flat[keep], offsets - removed[np.searchsorted(at, offsets)]


Forms = tuple[Ints, Ints, Bytes, Ints]
"""Where forms of one byte begin, their lengths, the bytes, and where forms begin that need more."""


def _percents(flat: Bytes, offsets: Ints) -> Forms:
    return _hexadecimal(flat, offsets, 37, {0: 1}, (117, 85))


def _backslashes(flat: Bytes, offsets: Ints) -> Forms:
    return _hexadecimal(flat, offsets, 92, {120: 2}, (117,))


def _hexadecimal(flat: Bytes, offsets: Ints, mark: int, two: dict[int, int], four: tuple[int, ...]) -> Forms:
    """Forms of a mark, a letter (0: none) and two digits, or of a mark, a letter and four."""
    at, room = _marked(flat, offsets, mark)
    padded = np.concatenate([flat, _PAD])
    letter = padded[at + 1]
    length = np.zeros(len(at), np.int64)
    value = np.zeros(len(at), np.int64)
    for each, skip in two.items():
        number = _hexes(padded, at + skip, 2)
        fits = (number >= 0) & (room >= skip + 2) & ((each == 0) | (letter == each))
        length[fits], value[fits] = skip + 2, number[fits]
    number = _hexes(padded, at + 2, 4)
    fits = np.isin(letter, four) & (number >= 0) & (room >= 6)
    length[fits], value[fits] = 6, number[fits]
    single = (length > 0) & ((value < 128) | (length < 6))
    return at[single], length[single], value[single].astype(np.uint8), at[(length > 0) & ~single]


def _numbers(flat: Bytes, offsets: Ints) -> Forms:
    """Entities: `&#60;` and `&#x3c;`; a name with a semicolon needs more."""
    at, room = _marked(flat, offsets, 38)
    padded = np.concatenate([flat, _PAD])
    numeric = padded[at + 1] == 35
    base = np.where((padded[at + 2] | 32) == 120, 16, 10)
    start = np.where(base == 16, 3, 2)
    value = np.zeros(len(at), np.int64)
    digits = np.zeros(len(at), np.int64)
    going = numeric.copy()
    for number in range(8):
        digit = _DIGIT[padded[at + start + number]].astype(np.int64)
        going &= (digit < base) & (room > start + number)
        value[going] = value[going] * base[going] + digit[going]
        digits += going
    end = start + digits
    end += (padded[at + end] == 59) & (room > end)
    formed = numeric & (digits > 0) & (value <= 0x10FFFF)
    named = np.zeros(len(at), bool)
    for distance in range(2, 11):
        named |= ~numeric & (padded[at + distance] == 59) & (room > distance)
    single = formed & (value < 128)
    more = at[(formed & ~single) | named]
    return at[single], end[single], value[single].astype(np.uint8), more


def _marked(flat: Bytes, offsets: Ints, mark: int) -> tuple[Ints, Ints]:
    """Where a byte stands, and how many bytes there are from there to the end of its value."""
    at = np.flatnonzero(flat == mark)
    return at, offsets[np.searchsorted(offsets, at, "right")] - at if len(at) else at


def _hexes(padded: Bytes, at: Ints, digits: int) -> Ints:
    """The numbers that hexadecimal digits from there on say; -1 where one is none."""
    value = np.zeros(len(at), np.int64)
    for number in range(digits):
        digit = _DIGIT[padded[at + number]].astype(np.int64)
        value = np.where((value < 0) | (digit > 15), -1, value << 4 | digit)
    return value


def _folding(flat: Bytes) -> Ints:
    """Overlong leads, and leads of the code points that fold to ASCII."""
    if not (flat >= 0xC0).any():
        return np.zeros(0, np.int64)
    following = np.append(flat[1:], np.uint8(0))
    more = (flat == 0xC0) | (flat == 0xC1) | (flat >= 0xF8)
    more |= (flat == 0xE0) & (following < 0xA0) | (flat == 0xF0) & (following < 0x90)
    more |= (flat == 0xCA) | (flat == 0xCD) & (following == 0xBE) | (flat == 0xEF) & (following >= 0xB9)
    more |= (flat == 0xE2) & ((following == 0x81) | (following == 0x88))
    return np.flatnonzero(more)
