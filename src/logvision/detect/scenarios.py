"""Scenarios as data: what fills a leaky bucket, whose bucket it is, and when it overflows.

One YAML file a scenario, with Sigma's header and the bucket under `logvision:`; nothing in it is run.
`shipped()` are those that come with LogVision.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any, Final

import orjson

from logvision import entries
from logvision.detect import filters
from logvision.detect.filters import Filter
from logvision.errors import Problem, SetupError
from logvision.schema import Attack, Outcome, Severity

ACTORS: Final = {"client_ip": "ip", "net": "net", "asn": "asn", "user_agent": "agent", "site": "site"}
"""First part of a key and the kind of actor that it names. `net` is the /24 of IPv4, the /48 of IPv6."""

PARTS: Final = frozenset({*ACTORS, "route", "agent", "country"})
"""What a key may be made of."""

ASKED: Final = "asked"
"""What `distinct` may name beside a text column: the route, or the path where the route is of any word."""

_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_SPAN: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhd])")
_LEVELS: Final = {"informational": Severity.INFO} | {str(s): s for s in Severity if s is not Severity.INFO}
_KEYS: Final = {
    *("attack", "confidence", "key", "distinct", "capacity", "leak", "hold_off"),
    *("relief", "relief_by", "outcome", "worked", "tests"),
}


@dataclass(frozen=True, slots=True)
class Tests:
    """Streams of events that must, and must not, overflow the bucket: see `scenario_tests`."""

    match: tuple[Mapping[str, Any], ...] = ()
    passes: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """A bucket per key. It overflows at the event that lifts it above `capacity`.

    Every event that fits `fills` adds 1, unless its value of `distinct` was seen in this bucket within
    capacity * leak; every event that fits `relieves` takes `relief_by`; 1 leaks away every `leak_us`.
    After an overflow the bucket stays shut for `hold_off_us`: events then add to the same alert.
    """

    id: str
    title: str
    description: str
    attack: Attack
    severity: Severity
    confidence: float
    tags: tuple[str, ...]
    fills: Filter
    key: tuple[str, ...]
    distinct: str | None
    capacity: int
    leak_us: int
    hold_off_us: int
    relieves: Filter | None
    relief_by: float
    outcome: Outcome  # of its events, when they are such that it is known
    worked: Filter | None  # which of them got what they were after
    tests: Tests

    @property
    def actor_kind(self) -> str:
        return ACTORS[self.key[0]]

    @property
    def memory_us(self) -> int:
        """How long a distinct value is remembered, and a full bucket's time to drain."""
        return (self.capacity + 1) * self.leak_us


def shipped() -> Path:
    """The folder of the scenarios that come with LogVision."""
    return Path(str(resources.files("logvision") / "scenarios"))


def load(folders: Iterable[Path], kept: Path | None = None) -> tuple[Scenario, ...]:
    """Every `*.yml` of these folders, sorted by id; of two with one id the later folder's counts.

    `kept`: the folder where what the files say is kept (`entries`), which spares a third of the time;
    None: nowhere. Raises SetupError with every mistake of every file.
    """
    unread: list[Problem] = []
    texts: list[tuple[str, str]] = []  # file and what stands in it
    for folder in folders:
        if not folder.is_dir():
            unread.append(Problem(str(folder), "no folder", "a folder of scenarios"))
        for path in sorted(folder.glob("*.yml")):
            try:
                texts.append((str(path), path.read_text(encoding="utf-8")))
            except (OSError, UnicodeDecodeError) as error:
                unread.append(Problem(str(path), str(error), "a readable UTF-8 file"))
    problems: list[Problem] = []
    found: dict[str, Scenario] = {}
    for where, document in _documents(texts, kept, problems):
        scenario = _read(document, where, problems)
        if scenario is not None:
            found[scenario.id] = scenario
    if problems or unread:
        raise SetupError([*problems, *unread])
    return tuple(found[id] for id in sorted(found))


def parse(text: str, where: str, problems: list[Problem]) -> Scenario | None:
    """One scenario; None, and its mistakes added to `problems`, when it has any."""
    for _, document in _documents([(where, text)], None, problems):
        return _read(document, where, problems)
    return None


def _documents(
    texts: Sequence[tuple[str, str]], kept: Path | None, problems: list[Problem]
) -> list[tuple[str, Any]]:
    """Files and what they say; one that is no YAML is left out and added to `problems`."""
    entry = None
    if kept is not None:
        digest = sha256("\0".join(text for _, text in texts).encode()).hexdigest()
        entry = kept / f"scenarios-{digest[:32]}.bin"
        held = entries.load(entry)
        if held is not None:
            return list(zip((where for where, _ in texts), orjson.loads(held[0]), strict=True))
    from logvision.detect import documents  # noqa: PLC0415 - seldom needed, and slow to import

    found = []
    for where, text in texts:
        try:
            found.append((where, documents.read(text)))
        except documents.DocumentError as error:
            problems.append(Problem(where, str(error), "YAML"))
    content = documents.plain([document for _, document in found])
    if entry is not None and content is not None and len(found) == len(texts):
        entries.keep(entry, content)
    return found


def _read(document: Any, where: str, problems: list[Problem]) -> Scenario | None:
    """A scenario of its file's document; None, and its mistakes added to `problems`, when it has any."""
    if not isinstance(document, Mapping) or not isinstance(document.get("logvision"), Mapping):
        problems.append(Problem(where, "no logvision block", "a scenario: title, detection, logvision"))
        return None
    own: Mapping[str, Any] = document["logvision"]
    before = len(problems)
    found = filters.read(document.get("detection"), f"{where}: detection", problems)

    def given(name: str, fits: bool, expected: str) -> None:
        if not fits:
            problems.append(Problem(f"{where}: logvision.{name}", repr(own.get(name)), expected))

    for name in sorted(set(own) - _KEYS):
        problems.append(Problem(f"{where}: logvision.{name}", "an unknown key", ", ".join(sorted(_KEYS))))
    level = document.get("level")
    if level not in _LEVELS:
        problems.append(Problem(f"{where}: level", repr(level), ", ".join(_LEVELS)))
    key = own.get("key", ["client_ip", "site"])
    names = isinstance(key, list) and key and all(isinstance(k, str) for k in key)
    given("key", bool(names) and key[0] in ACTORS and set(key) <= PARTS,
          f"a list of {', '.join(sorted(PARTS))}, the first one of {', '.join(ACTORS)}")  # fmt: skip
    given("attack", own.get("attack") in set(Attack), f"one of {', '.join(Attack)}")
    confidence = own.get("confidence")
    given("confidence", isinstance(confidence, int | float) and 0 < confidence <= 1, "a number in (0, 1]")
    capacity = own.get("capacity")
    given("capacity", isinstance(capacity, int) and 0 <= capacity <= 100_000, "a whole number up to 100000")
    distinct = own.get("distinct")
    given("distinct", distinct is None or distinct in filters.TEXT_FIELDS | {ASKED},
          f"a text column, `{ASKED}`, or nothing")  # fmt: skip
    leak, hold_off = span_us(own.get("leak")), span_us(own.get("hold_off", "5m"))
    given("leak", leak is not None and leak > 0, "a span of time such as 500ms, 10s, 2m, 1h")
    given("hold_off", hold_off is not None, "a span of time such as 10s, 5m, 1h")
    relief, relief_by = own.get("relief"), own.get("relief_by", 1)
    given("relief", relief is None or relief in found, "the name of a selection, or nothing")
    worked = own.get("worked")
    given("worked", worked is None or worked in found, "the name of a selection, or nothing")
    given("relief_by", isinstance(relief_by, int | float) and relief_by > 0, "a number above 0")
    given("outcome", own.get("outcome", "unknown") in set(Outcome), f"one of {', '.join(Outcome)}")
    tests = own.get("tests", {})
    given("tests", isinstance(tests, Mapping) and set(tests) <= {"match", "pass"}, "lists `match` and `pass`")
    if len(problems) > before:
        return None
    assert leak is not None
    assert hold_off is not None
    return Scenario(
        id=str(document.get("id", Path(where).stem)),
        title=str(document.get("title", "")),
        description=" ".join(str(document.get("description", "")).split()),
        attack=Attack(own["attack"]),
        severity=_LEVELS[str(level)],
        confidence=float(own["confidence"]),
        tags=tuple(map(str, document.get("tags", ()))),
        fills=found["condition"],
        key=tuple(key),
        distinct=distinct,
        capacity=int(own["capacity"]),
        leak_us=leak,
        hold_off_us=hold_off,
        relieves=None if relief is None else found[relief],
        relief_by=float(relief_by),
        outcome=Outcome(own.get("outcome", "unknown")),
        worked=None if worked is None else found[worked],
        tests=Tests(tuple(tests.get("match", ())), tuple(tests.get("pass", ()))),
    )


def span_us(text: object) -> int | None:
    """A span such as "10s", "2m" or "1.5h" in µs; None: it is none."""
    found = _SPAN.fullmatch(str(text))
    return None if found is None else round(float(found[1]) * _UNITS[found[2]] * 1_000_000)
