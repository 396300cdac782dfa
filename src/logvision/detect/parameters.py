"""The parameters of a request, each so that it can be judged by itself, and what profiles say of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import pyarrow as pa

from logvision.detect.canonical import canonical_text, canonicalise
from logvision.detect.pieces import LONGEST, ROUTE, variables
from logvision.detect.profile import MANY, Profile
from logvision.detect.profiles import Profiles
from logvision.detect.traits import (
    ANGLES,
    BARS,
    BLANK,
    BRACES,
    CODE,
    CODE_BIT,
    DOLLARS,
    FOREIGN,
    LETTERS,
    MARKS,
    breaks_out,
    leaves_text,
    longest,
    named,
    traits,
)
from logvision.exemption import PATH
from logvision.schema import Attack

USUAL: Final = "profile.usual"
FREE_TEXT: Final = "profile.free_text"
DEPARTS: Final = "profile.departs"
UNKNOWN: Final = "profile.unknown"
"""Names of profile evidence; those that speak for an attack stand in EVENT.rules."""

PROSE: Final = 0.2
"""A parameter holds free text when this share of the networks that use it, and FEW, sent several words."""

LIKE_CODE: Final = 0.05
"""A parameter holds code when this share of the networks that use it, and MANY, sent some."""

FEW: Final = 10
"""Networks that must have shown a kind of characters in a parameter that MANY use."""

NOISE: Final = 2
"""Networks whose traits do not count against a parameter's being regular."""

PARTS: Final = 64  # parameters of one request that are looked at

BARE: Final = "{query}"
"""The name of what stands in a query and is no pair."""


class Parameter(NamedTuple):
    """One parameter of a request, its path or one of its headers."""

    column: str  # target, user_agent or referer
    name: str
    text: str  # as logged; a parameter with its "?", so that it is a target of its own
    value: bytes  # decoded; of what is longer than LONGEST the beginning


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that the second look found: about which parameter, saying what, in one sentence."""

    parameter: str
    kind: str  # against, for, exception
    rule: str  # USUAL, DEPARTS, UNKNOWN, or the id of the exception
    sentence: str
    attack: Attack | None = None  # what a departure would be


def parameters(targets: Collection[str]) -> dict[str, list[Parameter]]:
    """The path of each distinct target and what stands in its query. Cost: 1 µs each."""
    paths: list[bytes] = []
    texts: list[bytes] = []  # names and values by turns
    cut: dict[str, list[str]] = {}
    for target in dict.fromkeys(targets):
        path, _, query = target.partition("?")
        paths.append(path[:LONGEST].encode())
        cut[target] = pairs = [pair for pair in query.split("&", PARTS)[:PARTS] if pair]
        for pair in pairs:
            name, equals, value = pair.partition("=")
            texts.append(name[:LONGEST].encode() if equals else b"")
            texts.append((value if equals else pair)[:LONGEST].encode())
    decoded = iter(_canonical(texts, query=True))
    found = {}
    for (target, pairs), path_decoded in zip(cut.items(), _canonical(paths, query=False), strict=True):
        parts = [Parameter("target", PATH, target.partition("?")[0], path_decoded)]
        for pair, said, text in zip(pairs, decoded, decoded, strict=False):
            known = said.decode("utf-8", "replace") if "=" in pair else BARE
            parts.append(Parameter("target", known, f"?{pair}", text))
        found[target] = parts
    return found


def _canonical(texts: Sequence[bytes], *, query: bool) -> list[bytes]:
    decoded: list[bytes] = canonicalise(pa.array(texts, pa.binary()), query=query).to_pylist()
    return decoded


@dataclass(slots=True)
class Place:
    """One route of one site while nobody teaches: every profile is looked up once, every text read once."""

    profiles: Profiles
    site: str | None
    route: str
    _known: dict[str, Profile | None] = field(default_factory=dict)
    _said: dict[tuple[str, str], Sequence[Note]] = field(default_factory=dict)

    @property
    def settled(self) -> bool:
        """Whether enough networks came here for profiles to say anything."""
        arrived = self.profile(ROUTE)
        return arrived is not None and arrived.networks >= MANY

    def profile(self, name: str) -> Profile | None:
        """The profile of a parameter; None: never seen."""
        if name not in self._known:
            self._known[name] = self.profiles.get(self.site, self.route, name)
        return self._known[name]

    def says(self, part: Parameter) -> Sequence[Note]:
        """What the profiles say about one part; nothing where it is too long to be read whole."""
        key = part.name, part.text
        said = self._said.get(key)
        if said is None:
            said = self._said[key] = () if len(part.text) > LONGEST else self._notes(part)
        return said

    def _notes(self, part: Parameter) -> Sequence[Note]:
        if part.name == PATH:
            found = [
                (name, canonical_text(text.encode(), query=False))
                for name, text in variables(part.text, self.route)
            ]
            odd = [(name, value) for name, value in found if traits(value) & MARKS]
            said = [_usual(name, value, self.profile(name)) for name, value in odd]
            return [note for note in said if note is not None] if all(said) else ()
        profile = self.profile(part.name)
        if profile is None:
            said_so = f"no visitor ever sent the parameter {part.name!r} to {self.route}"
            return [Note(part.name, "for", UNKNOWN, said_so)] if part.name != BARE else ()
        note = _usual(part.name, part.value, profile) or _departure(part.name, part.value, profile)
        return [note] if note is not None else ()


def _usual(name: str, value: bytes, profile: Profile | None) -> Note | None:
    if profile is None or profile.networks < MANY:
        return None
    prose = profile.counts[BLANK.bit_length() - 1]
    if prose >= max(FEW, PROSE * profile.networks) and not leaves_text(value):
        return Note(name, "against", FREE_TEXT, f"{name!r} holds free text of {prose} unrelated visitors")
    code = profile.counts[CODE_BIT]
    if code < max(MANY, LIKE_CODE * profile.networks) or breaks_out(value):
        return None
    bits, usual = traits(value), profile.usual(FEW)
    if bits & MARKS & ~usual or longest(bits) > longest(usual) + 1:
        return None
    return Note(name, "against", USUAL, f"{name!r} holds code for {code} unrelated visitors of this route")


def _departure(name: str, value: bytes, profile: Profile) -> Note | None:
    if profile.networks < MANY:
        return None
    seen = profile.usual(NOISE + 1)
    if seen & (MARKS | BLANK | FOREIGN | CODE):
        return None
    strange = traits(value) & (MARKS | BLANK) & ~profile.usual(1)
    if not strange:
        return None
    kind = "letters and digits" if seen & LETTERS else "digits"
    holds = " and ".join(named(strange)) if len(named(strange)) < 3 else ", ".join(named(strange))
    said = f"{name!r} holds {kind} alone for {profile.networks} unrelated visitors, and here {holds}"
    return Note(name, "for", DEPARTS, said, _ATTACK_OF.get(strange & -strange, Attack.SQLI))


_ATTACK_OF: Final = {ANGLES: Attack.XSS, BARS: Attack.RCE, DOLLARS: Attack.RCE, BRACES: Attack.SSTI}
"""What the first strange mark of a departure asks for; the others belong to SQL."""
