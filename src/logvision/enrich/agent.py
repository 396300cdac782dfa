"""What asked: browser, operating system and kind of device, or which bot or tool, from the user agent.

A user agent is only a claim. Who claims to be a search engine is checked in `crawlers`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from importlib.metadata import version
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, NamedTuple

import hyperscan
import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import re2
import ua_parser_rs

from logvision import columns, entries, search
from logvision.enrich import tables
from logvision.enrich.kept import Kept

READ: Final = 1024
"""Characters of a user agent that are read. Real ones are under 500; parsing costs by the length."""

KEPT: Final = 32_768
"""User agents whose answer is kept, at most: a million lines have few thousand."""

NAME: Final = re2.compile(
    r"(?i)[a-z0-9][a-z0-9_-]{0,30}(?:bot|crawler|spider)\b|\b(?:bot|crawler|spider)[a-z0-9]{0,12}"
)
"""How an unknown bot calls itself."""


class Agent(NamedTuple):
    """What a user agent says of itself; null: it does not say."""

    agent: str | None
    os: str | None
    device: str | None
    bot: str | None


class Agents:
    """Answers for user agents, the latest kept. May be used by one thread at a time.

    Opening costs 0.4 s the first time (thousands of expressions are compiled and kept in the user's cache
    folder) and 40 ms then; a new user agent about 10 µs, a known one 0.1 µs.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """`folder`: where the compiled expressions are kept; None: they are compiled now."""
        self._bots = [(kind, name) for kind, name, _ in tables.rows("bots.tsv", 3)]
        self._devices = [device for device, _ in tables.rows("devices.tsv", 2)]
        patterns = [p for _, _, p in tables.rows("bots.tsv", 3)] + [
            p for _, p in tables.rows("devices.tsv", 2)
        ]
        self._database = _database(patterns, folder)
        # The extractors themselves: the resolver around them makes objects of versions and of devices that
        # nobody asks for, which takes more than the extraction.
        agents, systems = _expressions(folder)
        self._families = ua_parser_rs.UserAgentExtractor(agents)
        self._systems = ua_parser_rs.OSExtractor(systems)
        self._kept = Kept(KEPT, self._read)

    def find(self, texts: Sequence[str | None]) -> list[Agent]:
        """Answers for distinct user agents, in their order."""
        answers, codes = self.answers(pa.array(texts, pa.string()).fill_null(""))
        return [answers[code] for code in codes.tolist()]

    def answers(self, texts: pa.StringArray) -> tuple[list[Agent], columns.Codes]:
        """The distinct answers for user agents (no null), and per user agent which one it has."""
        if len(texts) and pc.max(pc.binary_length(texts)).as_py() > READ:
            texts = pc.utf8_slice_codeunits(texts, 0, READ)
        return self._kept.answers(texts)

    def _read(self, given: pa.StringArray) -> tuple[list[Agent], columns.Codes]:
        """Answers for agents never seen: one scan for all, then the parser for those that are no bot."""
        texts = given.to_pylist()
        hits = self._scan(texts)
        answers = [self._answer(text, *found) for text, found in zip(texts, hits, strict=True)]
        return answers, np.arange(len(answers), dtype=np.int32)

    def _answer(self, text: str, first_bot: int | None, first_device: int | None) -> Agent:
        if first_bot is not None and self._bots[first_bot][0] != "none":
            kind, known = self._bots[first_bot]
            name = NAME.search(text) if kind == "other" else None
            called = name.group() if name else known
            return Agent(called, None, "tool" if kind in {"tool", "scanner"} else "bot", f"{kind}:{called}")
        family, system = self._families.extract(text), self._systems.extract(text)
        return Agent(
            family.family if family else None,
            system.family if system else None,
            None if first_device is None else self._devices[first_device],
            None,
        )

    def _scan(self, texts: list[str]) -> list[tuple[int | None, int | None]]:
        """Per text the first row of bots.tsv and of devices.tsv that is found in it."""
        raw = [t.replace("\n", " ").encode("utf-8", "replace") for t in texts]
        ends = np.cumsum([len(r) + 1 for r in raw])
        ids: list[int] = []
        stops: list[int] = []

        def on_match(which: int, _start: int, stop: int, _flags: int, _context: Any) -> None:
            ids.append(which)
            stops.append(stop)

        self._database.scan(b"\n".join(raw), match_event_handler=on_match)
        nowhere = len(self._bots) + len(self._devices)
        which = np.array(ids, np.int64)
        line = np.searchsorted(ends, np.array(stops, np.int64), side="left")
        out = []
        for low, high in ((0, len(self._bots)), (len(self._bots), nowhere)):
            first = np.full(len(texts), nowhere, np.int64)
            of_kind = (which >= low) & (which < high)
            np.minimum.at(first, line[of_kind], which[of_kind])
            out.append([None if f == nowhere else f - low for f in first.tolist()])
        return list(zip(out[0], out[1], strict=True))


def _database(patterns: Sequence[str], folder: Path | None) -> Any:
    """The patterns compiled, each named by its place, or as they were kept."""
    # MULTILINE: many agents are scanned as the lines of one text.
    flags = hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_MULTILINE
    made_of = "\n".join((str(flags), *patterns))  # its version says the database itself
    entry = None if folder is None else folder / f"agents-{sha256(made_of.encode()).hexdigest()[:32]}.bin"
    kept = None if entry is None else entries.load(entry)
    if kept is not None:
        with suppress(hyperscan.error):  # of another machine
            return search.loaded(kept[0])
    wanted = search.Wanted([p.encode() for p in patterns], [flags] * len(patterns), range(len(patterns)))
    (database,) = search.compiled([wanted])
    if entry is not None:
        entries.keep(entry, hyperscan.dumpb(database))
    return database


def _expressions(folder: Path | None) -> list[Any]:
    """What ua-parser knows of browsers and of systems: of each, expressions with what they name.

    As they were kept, where they were: its own package is slow to import.
    """
    key = f"ua-parser {version('ua-parser-builtins')}"
    entry = None if folder is None else folder / f"browsers-{sha256(key.encode()).hexdigest()[:32]}.bin"
    kept = None if entry is None else entries.load(entry)
    if kept is not None:
        return [[tuple(each) for each in of_kind] for of_kind in orjson.loads(kept[0])]
    from ua_parser import load_lazy_builtins  # noqa: PLC0415 - see above

    parts = attrgetter("regex", "family", "major", "minor", "patch", "patch_minor")
    found = [[parts(each) for each in of_kind] for of_kind in load_lazy_builtins()[:2]]
    if entry is not None:
        entries.keep(entry, orjson.dumps(found))
    return found


def add(events: pa.Table, agents: Agents) -> pa.Table:
    """Rows with `agent`, `os`, `device` and `bot` of `user_agent` added; once per distinct text.

    `bot` is class:name with the classes of data/bots.tsv. For a bot or tool `agent` is its name and
    `os` null: what system a crawler pretends to run says nothing.
    """
    values, codes = columns.used(*columns.distinct(events, "user_agent"))
    answers, of_value = agents.answers(values)
    codes = columns.through(of_value, codes)
    for name, column in zip(Agent._fields, zip(*answers, strict=True) if answers else [()] * 4, strict=True):
        events = events.append_column(name, columns.recode(pa.array(column, pa.string()), codes))
    return events
