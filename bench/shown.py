"""Does a log line show the attack that its label names? A criterion that knows nothing of the detector.

Labelled sets are word lists as well as requests: they hold bare words (`onfocus`, `userPassword`), lone marks
(`*`, `%27`), the lists' own headings and addresses of vulnerable pages without the payload that went in a
body. Of these no reader of a log could say that they are attacks, whatever it knows. The criterion is about
text alone, decoded with the standard library:

- of an injection: some part (a segment of the path, a name, a value, agent or referer) holds at least two
  tokens, one of them a mark of syntax, and is neither a sentence nor a number;
- of the classes about files and addresses: the part names a place (a slash, a backslash, a drive or a scheme)
  or steps up (`..`); of a redirect the place is another host or a file, of an inclusion a scheme or host
  (lists have placeholders there) and more than a web host alone, which is what every link field holds;
- of XML: besides, something of XML stands in it (a tag, a declaration, an entity), for lists of it hold other
  templates' marks (`{{x}}`, `[x]`) as well;
- of everything else (sensitive files, scanners, CVE paths): the line is all there is, so it counts as shown.
"""

from __future__ import annotations

import html
import re
from urllib.parse import unquote

_PLACES = frozenset({"lfi", "rfi", "ssrf", "redirect"})
_WHOLE = frozenset({"sensitive", "scan", "scanner", "cve", "webshell", "protocol", "upload", "sessfix", "-"})

_CARRIED = re.compile(r"^/[\w./-]*\?[\w.\[\]-]+=")
"""The neutral carrier that a payload rides in."""

_TOKENS = re.compile(r"\w+|[^\w\s]", re.ASCII)
_MARK = re.compile(r"[<>'\"`(){}\[\]|;&$#*=!^\\%@\x00-\x1f]|--|\.\.|://|\+\w*\(")
_SENTENCE = re.compile(r"^[^<>{}|;$`=\\]*$")
_NUMBER = re.compile(r"^[-+]?[\d.,]+(?:e[-+]?\d+)?%?$", re.IGNORECASE)
_HEADING = re.compile(r"^(?:Exploit|Author) (?:Name|Tags|Description|URL)s?:")
_PLACE = re.compile(r"\.\.|[/\\]|^[a-z]:|^[a-z][a-z0-9+.-]+:", re.IGNORECASE)
_REMOTE = re.compile(r"^\W*[a-z][a-z0-9+.-]*:|^\W*[/\\]{2}\w|[=&]\s*[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_HOST = re.compile(r"^\W*https?:/+[\w.-]+(?::\d+)?/?$", re.IGNORECASE)
_XML = re.compile(r"<[!?/a-z]|&#?\w+;|%\w+;", re.IGNORECASE)
_OTHER = re.compile(r"^\W*(?:[a-z][a-z0-9+.-]*:|[/\\]{2}|[/\\]*@|\\)|\.[a-z]{2,5}\b", re.IGNORECASE)


def shown(kind: str, target: str | None, agent: str | None, referer: str | None) -> bool:
    """Whether the texts of one labelled request could tell a reader that it is an attack of this class."""
    if kind in _WHOLE:
        return True
    parts = [*_parts(target or ""), *(each for text in (agent, referer) if text for each in [decoded(text)])]
    if kind in _PLACES:
        wanted = {"rfi": _REMOTE, "redirect": _OTHER}.get(kind, _PLACE)
        if kind == "rfi":
            parts = [part for part in parts if not _HOST.match(part)]
        return any(wanted.search(part) is not None for part in parts)
    if kind == "xxe":
        parts = [part for part in parts if _XML.search(part)]
    return any(_injects(part) for part in parts)


def _injects(part: str) -> bool:
    if _NUMBER.match(part) or _HEADING.match(part):
        return False
    tokens = _TOKENS.findall(part)
    if len(tokens) < 2 or not _MARK.search(part):
        return False
    if not any(token[0].isalnum() or token[0] == "_" for token in tokens):
        # Marks alone: a way out of something, if there is more than one kind of them.
        return len(set(tokens)) >= 3
    words = sum(len(token) > 1 and token.isalpha() for token in tokens)
    return not (words >= 4 and words >= 0.75 * len(tokens) and _SENTENCE.match(part))


def _parts(target: str) -> list[str]:
    """Segments of the path, names and values, decoded; of a carried payload the payload alone."""
    carrier = _CARRIED.match(target)
    if carrier is not None and "&" not in target[carrier.end() :].replace("&amp;", ""):
        return [decoded(target[carrier.end() :], plus=True)]
    path, _, query = target.partition("?")
    found = [decoded(path)] if _MARK.search(decoded(path)) else []
    for pair in query.split("&"):
        found += [decoded(side, plus=True) for side in pair.split("=", 1)]
    return [each for each in found if each]


def payload(target: str) -> str:
    """What a target carries, whatever carries it and however it is encoded, to tell payloads apart."""
    return " ".join("".join(_parts(target)).lower().split())


def decoded(text: str, *, plus: bool = False) -> str:
    """Percent, `\\x`, `\\u` and entities undone until nothing changes, three rounds at most."""
    if plus:
        text = text.replace("+", " ")
    for _ in range(3):
        before = text
        text = unquote(text)
        text = re.sub(r"(?:\\x|%u00|\\u00)([0-9a-fA-F]{2})", lambda m: chr(int(m.group(1), 16)), text)
        text = html.unescape(text)
        if text == before:
            break
    return text
