"""The steps of the canonical form over one value, exactly: each says which bytes it replaces by what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

ROUNDS: Final = 5
"""Rounds of decoding. Real double encoding needs two, scanners try three; more is an attack on us."""

Edit = tuple[int, int, bytes]
"""Replace text[start:end] by these bytes."""

HEX: Final = {c: i for i, c in enumerate(b"0123456789abcdef")} | {c: 10 + i for i, c in enumerate(b"ABCDEF")}

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
    0x017F: 0x73,
    0x212A: 0x6B,
    0xFE64: 0x3C,
    0xFE65: 0x3E,
}
"""Code points that servers fold to the ASCII mark they look like ("best fit"), and the two letters that any
change of case makes ASCII (the long s, the Kelvin sign)."""


def decode_text(raw: bytes, *, query: bool) -> bytes:
    """The canonical text of one value; tens of µs."""
    text = raw
    for _, edits in passes(raw, query):
        text = edited(text, edits)
    return text


def passes(raw: bytes, query: bool) -> list[tuple[str, list[Edit]]]:
    """The steps that change something, in order, each with its edits."""
    done: list[tuple[str, list[Edit]]] = []
    text = raw

    def run(name: str, find: Callable[[bytes], list[Edit]]) -> bool:
        nonlocal text
        edits = find(text)
        if edits:
            done.append((name, edits))
            text = edited(text, edits)
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
            while end < len(t) and end - start < 8 and (t[end] in HEX if hexadecimal else 48 <= t[end] <= 57):
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
    """SQL comments to a space; of MySQL's `/*!50000 ... */` and of what holds markup, which runs whatever a
    database takes for a comment, only the marks."""
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
        elif text.find(b"<", i + 2, end) >= 0:
            edits += [(i, i + 2, b" "), (end, end + 2, b" ")]
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
        digit = HEX.get(byte)
        if digit is None:
            return None
        value = value << 4 | digit
    return value


def _encoded(point: int) -> bytes:
    return b"?" if 0xD800 <= point < 0xE000 else chr(point).encode()


def edited(text: bytes, edits: list[Edit]) -> bytes:
    parts: list[bytes] = []
    at = 0
    for start, end, new in edits:
        parts += (text[at:start], new)
        at = end
    parts.append(text[at:])
    return b"".join(parts)
