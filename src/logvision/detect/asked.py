"""Asked: what a payload asks for that an answer can show: a delay, a condition, data, a hidden file."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple
from urllib.parse import unquote_plus

import pyarrow as pa
import pyarrow.compute as pc

from logvision import native

TARGET_READ: Final = 2048
"""Characters of a target that are read."""

REMEMBERED: Final = 4096
LONGEST_KEPT: Final = 256
"""Targets that are remembered, and how many characters they may have."""

_DELAY: Final = (
    r"(?i)(?:sleep|delay|receive_message|benchmark|timeout|ping)[\s(:'\"+,$\{\}a-z/_-]*"
    r"(?:0{1,2}:0{1,2}:)?(?P<seconds>\d{1,2})(?:\D|$)"
)
"""How many seconds a payload asks to wait; `ping` counts as its packets."""

_TRUTH: Final = (
    r"(?i)\b(?P<word>and|or)\b[\s(]*(?P<quote>['\"]?)(?P<left>\w{1,20})['\"]?"
    r"\s*(?P<sign>=|<>|!=|<|>)\s*['\"]?(?P<right>\w{1,20})"
)
"""A condition of two constants."""

_EXTRACTS: Final = r"(?i)\bunion\b.{0,40}\bselect\b|\bselect\b.+\bfrom\b"
"""A query for more data."""

_BLANK: Final = r"/\*[^*]*\*/|\s+"
"""What stands for white space in SQL."""

_HIDDEN: Final = (
    r"(?i)(?:^|/)\.(?:env|git|svn|hg|aws|ssh|ht|npmrc|docker|ds_store|vscode|idea|claude|cursor|aider)"
    r"|(?:composer|package|secrets|credentials)\.json$|/(?:phpinfo|info)\.php$|/server-status$|/actuator/"
    r"|/id_rsa|web\.config$|docker-compose|tfstate|[._]log$|database\.yml$"
    r"|\.(?:bak|old|orig|save|swp|sql|dump|zip|tar|gz|tgz|rar|7z|key|pem|pfx)$|~$"
)


class Asked(NamedTuple):
    """What one target asks for."""

    length: int  # of the decoded target, in characters
    name: str  # what is asked for, without folder and ending: `env` of `/app/.env.bak?x`
    delay_s: int | None  # seconds that the answer shall take, 1 to 60
    condition: str  # "and+", "and-", "or+", "or-": of two constants, true or false; "": none, or it is beside
    data: bool  # a query for more data
    hidden: bool  # the path is one that nobody is meant to be given
    payload: int  # checksum of the target


class Reading:
    """What targets ask for, remembered over batches, for tools send the same again and again."""

    def __init__(self) -> None:
        self._known: dict[tuple[str | None, str | None], Asked] = {}

    def __len__(self) -> int:
        return len(self._known)

    def of(self, targets: Sequence[str | None], paths: Sequence[str | None]) -> list[Asked]:
        """What targets with these paths ask for, both as logged; one for each. Cost: 10 µs for a new one."""
        asked = list(zip(targets, paths, strict=True))
        known = [self._known.get(each) for each in asked]
        new = list(dict.fromkeys(each for each, wish in zip(asked, known, strict=True) if wish is None))
        found = dict(zip(new, _read(new), strict=True)) if new else {}
        told = [found[each] if wish is None else wish for each, wish in zip(asked, known, strict=True)]
        if len(self._known) + len(found) > REMEMBERED:
            self._known.clear()
        self._known |= {each: wish for each, wish in found.items() if len(each[0] or "") <= LONGEST_KEPT}
        return told


def _read(requests: Sequence[tuple[str | None, str | None]]) -> list[Asked]:
    targets, paths = zip(*requests, strict=True)
    cut = [(target or "")[:TARGET_READ] for target in targets]
    once = _unquoted(cut)
    # Twice, since what is encoded twice is often decoded twice.
    spaced = pc.replace_substring_regex(pa.array(_unquoted(once), pa.string()), _BLANK, " ")
    delays = pc.struct_field(pc.extract_regex(spaced, _DELAY), "seconds").to_pylist()
    truths = pc.extract_regex(spaced, _TRUTH).to_pylist()
    data = pc.match_substring_regex(spaced, _EXTRACTS).to_pylist()
    hidden = pc.match_substring_regex(
        pa.array([path or "" for path in paths], pa.string()), _HIDDEN
    ).to_pylist()
    found = []
    for target, decoded, delay, truth, more, secret in zip(
        cut, once, delays, truths, data, hidden, strict=True
    ):
        delay_s = int(delay) if delay and 1 <= int(delay) <= 60 else None
        # A delay or a query for more data shows in the answer, whatever condition stands beside it.
        condition = "" if delay_s or more else _truth(truth)
        payload = zlib.crc32(target.encode())
        found.append(Asked(len(decoded), _name(decoded), delay_s, condition, more, secret, payload))
    return found


def _unquoted(texts: Sequence[str]) -> list[str]:
    """`unquote_plus` of each."""
    if not native.HERE:
        return [unquote_plus(text) for text in texts]
    decoded = native.decoding.unquoted(pa.array(texts, pa.string())).to_pylist()
    return [text.decode("utf-8", "replace") for text in decoded]


def _name(decoded: str) -> str:
    """The first word of the last segment or value."""
    last = decoded.rstrip("/\\.\0").replace("\\", "/").rpartition("/")[2].rpartition("=")[2].lstrip("._-")
    for mark in _BEHIND:
        last = last.partition(mark)[0]
    return last.lower()[:32]


_BEHIND: Final = (".", "\0", "%00", "?", ";", "#", "&")
"""What may follow a name that it does not belong to: an ending, or what cuts an ending off."""


def _truth(found: Mapping[str, str] | None) -> str:
    """Whether a condition of two constants holds; "" where they are none."""
    if not found or not found["word"]:
        return ""
    left, right, sign = found["left"].lower(), found["right"].lower(), found["sign"]
    numbers = left.isdecimal() and right.isdecimal()
    if left != right and not numbers and not found["quote"]:
        return ""
    low, high = (int(left), int(right)) if numbers else (left, right)
    holds = {"=": low == high, "<": low < high, ">": low > high}.get(sign, low != high)  # type: ignore[operator]
    return found["word"].lower() + ("+" if holds else "-")
