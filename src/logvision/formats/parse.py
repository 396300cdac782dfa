"""The `parse` step: raw lines to events and rejects, with the formats of each source found on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from logvision.columns import distinct
from logvision.formats import build, columnar, vectors
from logvision.formats.catalogue import ORDER, Format, named
from logvision.formats.columnar import Part
from logvision.formats.fields import EPOCH, MICROSECOND, BadField, BadTime
from logvision.formats.lines import Screened, screen
from logvision.formats.row import Row, row
from logvision.formats.vectors import Places, Slices
from logvision.formats.wrappers import peel
from logvision.schema import Reason

BULK: Final = 24
"""Fewer lines than this are read one by one: the fixed cost of the columnar reader is that of about so many."""

ROUNDS: Final = 4
"""Formats tried in bulk on one batch; what is left after that is read line by line."""

SAMPLE: Final = 12
"""Lines looked at to choose the next format to try in bulk. The choice costs time only, never a line."""

EARLIEST: Final = 631_152_000_000_000
"""1990-01-01 in us: no web server logged before."""

TICKS_SURE: Final = 200
"""Lines after which the unit of a bare trailing integer is settled for a source."""


class Parsed(NamedTuple):
    """What came of a batch; `len(events) + len(rejects) == len(records)`."""

    events: pa.Table  # PARSED
    rejects: pa.Table  # REJECT; some reasons count as filtered, see schema.FILTERED


@dataclass(slots=True)
class _Source:
    """What is known of one source: how many lines each format took, and what its lines said about later ones."""

    counts: Counter[str] = field(default_factory=Counter)
    rejected: int = 0
    ticks: list[int] = field(default_factory=list)  # [lines seen, lines that only seconds explain]


class Formats:
    """Parses records, and remembers per source what it saw. Used by one thread."""

    def __init__(self, pins: Mapping[str, str] | None = None) -> None:
        self._pins = tuple(
            (pattern, named(given, f"formats.{pattern}")) for pattern, given in (pins or {}).items()
        )
        self._sources: dict[str, _Source] = {}

    def parse(self, records: pa.Table, read_at: datetime) -> Parsed:
        """RECORD rows of any number of sources to events and rejects, both in input order.

        `read_at` is aware; a line more than a day later than it is a `bad_time`.
        """
        if not len(records):
            return Parsed(build.events([], records), build.rejects({}, records, read_at))
        records = records.combine_chunks()
        raw = records.column("raw").chunk(0)
        names, codes = distinct(records, "source")
        latest = (read_at - EPOCH + timedelta(days=1)) // MICROSECOND
        parts: list[Part] = []
        reasons: dict[int, str] = {}
        for code in np.unique(codes).tolist():
            rows = np.flatnonzero(codes == code)
            name = names[code].as_py()
            own = raw if len(rows) == len(raw) else raw.take(pa.array(rows))
            batch = _Batch(self._formats(name), self._sources.setdefault(name, _Source()), latest)
            batch.run(vectors.of_array(own))
            for part in batch.parts:
                part.rows = rows[part.rows]
                parts.append(part)
            for index, reason in batch.reasons.items():
                reasons[int(rows[index])] = reason
        return Parsed(build.events(parts, records), build.rejects(reasons, records, read_at))

    def _formats(self, source: str) -> Sequence[Format]:
        for pattern, chosen in self._pins:
            if fnmatchcase(source, pattern):
                return (chosen,)
        return ORDER


class _Batch:
    """One source's lines of one batch on their way to parts and reasons."""

    def __init__(self, formats: Sequence[Format], source: _Source, latest: int) -> None:
        self.formats = formats
        self.source = source
        self.latest = latest
        self.parts: list[Part] = []
        self.reasons: dict[int, str] = {}

    def run(self, lines: Slices) -> None:
        screened = screen(lines)
        self.reasons.update(screened.reasons)
        left = screened.rows
        left = self._bulk(screened, left)
        self._one_by_one(screened, left)

    def _bulk(self, screened: Screened, left: Places) -> Places:
        """Try the likeliest formats on all that is left; what none is sure of comes back."""
        tried: set[str] = set()
        for _ in range(ROUNDS):
            if len(left) < BULK:
                break
            chosen = self._likeliest(screened, left, tried)
            if chosen is None or chosen.plan is None:
                break
            tried.add(chosen.name)
            whole = len(left) == len(screened.lines.starts)
            lines = screened.lines if whole else vectors.compact(_at(screened.lines, left))
            part = columnar.split(chosen.plan, lines)
            taken = np.zeros(len(left), bool)
            taken[part.rows] = True
            part.rows = left[part.rows]
            self._accept(part, chosen.name)
            left = left[~taken]
        return left

    def _likeliest(self, screened: Screened, left: Places, tried: set[str]) -> Format | None:
        by_name = {one.name: one for one in self.formats}
        for name, _ in self.source.counts.most_common(ROUNDS):
            if name in by_name and name not in tried and by_name[name].plan is not None:
                return by_name[name]
        sample = left[np.linspace(0, len(left) - 1, SAMPLE).astype(np.int64)]
        found: Counter[str] = Counter()
        for index in sample.tolist():
            answer = read_line(screened.line(index), self.formats)
            if answer.format is not None:
                found[answer.format.name] += 1
        for name, _ in found.most_common():
            if name not in tried and by_name[name].plan is not None:
                return by_name[name]
        return None

    def _one_by_one(self, screened: Screened, left: Places) -> None:
        rows: dict[str, list[int]] = {}
        read: dict[str, list[Row]] = {}
        for index in left.tolist():
            answer = read_line(screened.line(index), self.formats)
            if answer.row is None:
                self.reasons[index] = answer.reason or Reason.NO_FORMAT
            else:
                assert answer.format is not None
                rows.setdefault(answer.format.name, []).append(index)
                read.setdefault(answer.format.name, []).append(answer.row)
        for name, own in rows.items():
            self._accept(build.part_of_rows(own, read[name]), name)

    def _accept(self, part: Part, name: str) -> None:
        """Take a part in, but for the rows whose time is not possible."""
        if not len(part.rows):
            return
        time = part.numbers["time"][0]
        possible = (time >= EARLIEST) & (time <= self.latest)
        if not possible.all():
            for index in part.rows[~possible].tolist():
                self.reasons[index] = Reason.BAD_TIME
            part = columnar.keep(part, possible)
        self.source.counts[name] += len(part.rows)
        self.parts.append(part)


def _at(lines: Slices, rows: Places) -> Slices:
    return Slices(lines.buffer, lines.starts[rows], lines.ends[rows])


class Answer(NamedTuple):
    """What one line is: a row of a format, or the reason why not."""

    format: Format | None
    row: Row | None
    reason: Reason | None


def read_line(line: bytes, formats: Iterable[Format]) -> Answer:
    """The exact reading of one line without its line end: the first format that accepts it has it."""
    worst = Answer(None, None, None)
    for one in formats:
        values = one.read(line)
        if values is None:
            continue
        try:
            return Answer(one, row(values), None)
        except BadTime:
            worst = worst if worst.reason else Answer(one, None, Reason.BAD_TIME)
        except BadField:
            worst = worst if worst.reason else Answer(one, None, Reason.BAD_FIELD)
    if worst.reason is None:
        binary = any(byte < 32 and byte != 9 for byte in line[:4096])
        return Answer(None, None, Reason.BINARY if binary else Reason.NO_FORMAT)
    return worst


__all__ = ["Formats", "Parsed", "peel"]
