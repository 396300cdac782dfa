"""The `parse` step: raw lines to events and rejects, with the formats of each source found on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from logvision.columns import distinct
from logvision.errors import Problem, SetupError
from logvision.formats import build, columnar, fields, readings, vectors
from logvision.formats.catalogue import BY_FIRST_BYTE, ORDER, Format, confidence, named
from logvision.formats.fields import EPOCH, MICROSECOND, BadField, BadTime
from logvision.formats.lines import Screened, screen
from logvision.formats.objects import BadObject
from logvision.formats.readings import Part
from logvision.formats.row import Row, row
from logvision.formats.vectors import Places, Slices
from logvision.formats.w3c import HEADER, LONGEST, compile_header
from logvision.formats.wrappers import COMPOSE, peel, suspects
from logvision.schema import PARSED, REJECT, Reason

BULK: Final = 40
"""Fewer lines are read one by one: so many take as long as the fixed cost of the columnar reader."""

ROUNDS: Final = 4
"""Formats tried in bulk on one batch; what is left after that is read line by line."""

SAMPLE: Final = 12
"""Lines looked at to choose the next format to try in bulk. The choice costs time only, never a line."""

EARLIEST: Final = 631_152_000_000_000
"""1990-01-01 in us: no web server logged before."""

MEMORY: Final = 1_000_000
"""Lines after which what was seen of a source begins to fade."""

CSV_HEADER: Final = b'"time_micros"'
"""First line of Google Cloud Storage's CSV logs."""

TICKS_SURE: Final = 200
"""Lines after which the unit of a bare trailing integer is settled for a source."""


class Parsed(NamedTuple):
    """What came of a batch; `len(events) + len(rejects) == len(records)`."""

    events: pa.Table  # PARSED
    rejects: pa.Table  # REJECT; some reasons count as filtered, see schema.FILTERED


@dataclass(slots=True)
class _Source:
    """What is known of one source from its lines so far. JSON by `asdict`."""

    counts: dict[str, int] = field(default_factory=dict)  # lines by format, halved now and then
    plans: dict[str, int] = field(default_factory=dict)  # lines lately read in bulk, by format
    header: str = ""  # the `#Fields:` line in force
    ticks: list[int] = field(default_factory=list)  # the first bare trailing integers, see `_settle_ticks`

    def count(self, name: str, lines: int) -> None:
        self.counts[name] = self.counts.get(name, 0) + lines
        if sum(self.counts.values()) > MEMORY:
            self.counts = {one: many // 2 for one, many in self.counts.items() if many > 1}


class Formats:
    """Parses records, and remembers per source what it saw. Used by one thread; any may ask what is `known`.

    `pins` is the operator's configuration: source-name glob to the name of a format or a pasted nginx
    `log_format` or Apache `LogFormat` line; the first glob that matches holds, and no other format is tried
    then. Every mistake in it is in the one SetupError that is raised.
    """

    def __init__(self, pins: Mapping[str, str] | None = None) -> None:
        problems: list[Problem] = []
        self._pins: list[tuple[str, tuple[Format, ...]]] = []
        for pattern, given in (pins or {}).items():
            try:
                self._pins.append((pattern, named(given, f'formats."{pattern}"')))
            except SetupError as error:
                problems += error.problems
        if problems:
            raise SetupError(problems)
        self._sources: dict[str, _Source] = {}

    def parse(self, records: pa.Table, read_at: datetime) -> Parsed:
        """RECORD rows of any number of sources to events and rejects, both in input order.

        `read_at` is aware; a line more than a day later than it is a `bad_time`. Cost: about 0.4 us a line in
        bulk, 10 to 30 us for a line that only the exact reader can take.
        """
        if not len(records):
            return Parsed(PARSED.empty_table(), REJECT.empty_table())
        records = records.combine_chunks()
        raw = records.column("raw").chunk(0)
        names, codes = distinct(records, "source")
        latest = (read_at - EPOCH + timedelta(days=1)) // MICROSECOND
        parts: list[Part] = []
        reasons: dict[int, str] = {}
        present = np.unique(codes).tolist()
        for code in present:
            rows = np.flatnonzero(codes == code) if len(present) > 1 else np.arange(len(raw))
            own = raw if len(present) == 1 else raw.take(pa.array(rows))
            name = names[code].as_py()
            batch = _Batch(self._formats(name), self._sources.setdefault(name, _Source()), latest)
            batch.run(vectors.of_array(own))
            for part in batch.parts:
                part.rows = rows[part.rows]
            parts += batch.parts
            reasons.update((int(rows[index]), reason) for index, reason in batch.reasons.items())
        return Parsed(build.events(parts, records), build.rejects(reasons, records, read_at))

    def known(self) -> dict[str, list[tuple[str, float, float]]]:
        """Per source its formats as (name, confidence 0 to 1, share of lines), the most frequent first; from
        any thread, also while lines are parsed."""
        answer = {}
        for source, state in self._sources.copy().items():
            counts = state.counts.copy()
            total = sum(counts.values())
            order = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
            answer[source] = [(name, confidence(name), many / total) for name, many in order]
        return answer

    def snapshot(self) -> dict[str, Any]:
        """What was learned, as JSON; for `restore` after a restart."""
        return {"version": 1, "sources": {name: asdict(state) for name, state in self._sources.items()}}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a snapshot; sources that it does not name are kept."""
        if state.get("version") != 1:
            return
        for name, given in state["sources"].items():
            self._sources[name] = _Source(
                dict(given["counts"]),
                dict(given["plans"]),
                str(given["header"]),
                [int(tick) for tick in given["ticks"]],
            )

    def scratch(self, source: str) -> Formats:
        """Formats of the same configuration that know of this source only what its next lines depend on."""
        twin = Formats()
        twin._pins = self._pins
        if (state := self._sources.get(source)) is not None:
            twin._sources[source] = _Source(header=state.header, ticks=list(state.ticks))
        return twin

    def _formats(self, source: str) -> tuple[Format, ...]:
        return next((chosen for pattern, chosen in self._pins if fnmatchcase(source, pattern)), ORDER)


class _Batch:
    """One source's lines of one batch on their way to parts and reasons."""

    def __init__(self, formats: tuple[Format, ...], source: _Source, latest: int, wrapper: str = "") -> None:
        self.formats = formats
        self.source = source
        self.latest = latest
        self.wrapper = wrapper
        self.w3c: Format | None = None
        self.parts: list[Part] = []
        self.reasons: dict[int, str] = {}

    def run(self, lines: Slices) -> None:
        """Everything about these lines; each row ends in one part or in `reasons`."""
        screened = screen(lines)
        self.reasons.update(screened.reasons)
        left = screened.rows if self.wrapper else self._unwrap(screened)
        headers = [index for index in screened.headers if screened.line(index).startswith(HEADER)]
        for header in headers:
            before = left < header
            self._read(screened, left[before])
            left = left[~before]
            self.source.header = screened.line(header)[:LONGEST].decode("utf-8", "replace")
        self._read(screened, left)

    def _unwrap(self, screened: Screened) -> Places:
        """Peel what other programs put around the lines; the rows that were not wrapped come back."""
        inner: dict[str, tuple[list[int], list[bytes]]] = {}
        wrapped = np.zeros(len(screened.lines.starts), bool)
        rows = screened.rows
        for index in rows[suspects(_at(screened.lines, rows))].tolist():
            peeled = peel(screened.line(index))
            if peeled is not None and (peeled.wrapper != COMPOSE or self._may_be(peeled.line)):
                wrapped[index] = True
                found = inner.setdefault(peeled.wrapper, ([], []))
                found[0].append(index)
                found[1].append(peeled.line)
        for wrapper, (places, bare) in inner.items():
            batch = _Batch(self.formats, self.source, self.latest, wrapper)
            batch.run(vectors.of_array(pa.array(bare, pa.binary())))
            outer = np.array(places, np.int64)
            for part in batch.parts:
                part.rows = outer[part.rows]
            self.parts += batch.parts
            self.reasons.update((places[index], reason) for index, reason in batch.reasons.items())
        return rows[~wrapped[rows]] if inner else rows

    def _may_be(self, inner: bytes) -> bool:
        """Whether a line may begin here: a pinned format may itself have bars behind a name."""
        return self.formats is ORDER or self._answer(inner).row is not None

    def _read(self, screened: Screened, left: Places) -> None:
        if not len(left):
            return
        if self.source.header and self.formats is ORDER:
            self.w3c = compile_header(self.source.header.encode())
        left = self._bulk(screened, left)
        self._one_by_one(screened, left)

    def _candidates(self, line: bytes) -> tuple[Format, ...]:
        """The formats that the line can be of, in order."""
        if self.formats is not ORDER:
            return self.formats
        formats = BY_FIRST_BYTE[line[0]]
        return formats if self.w3c is None else (self.w3c, *formats)

    def _answer(self, line: bytes) -> Answer:
        return read_line(line, self._candidates(line))

    def _bulk(self, screened: Screened, left: Places) -> Places:
        """Try the likeliest formats on all that is left; what none is sure of comes back."""
        plans = {one.name: one for one in reversed(self.formats) if one.plan is not None}
        if self.w3c is not None and self.w3c.plan is not None:
            plans[self.w3c.name] = self.w3c
        seen = Counter(self.source.plans)
        for _ in range(ROUNDS):
            if len(left) < BULK:
                break
            known = next((name for name, _ in seen.most_common() if name in plans), None)
            chosen = plans.pop(known) if known is not None else self._sampled(screened, left, plans)
            if chosen is None:
                break
            assert chosen.plan is not None
            whole = len(left) == len(screened.lines.starts)
            part = columnar.split(
                chosen.plan, screened.lines if whole else vectors.compact(_at(screened.lines, left))
            )
            self.source.plans[chosen.name] = self.source.plans.get(chosen.name, 0) // 2 + len(part.rows)
            if not len(part.rows):
                continue
            taken = np.zeros(len(left), bool)
            taken[part.rows] = True
            part.rows = left[part.rows]
            self._accept(part, chosen.name)
            left = left[~taken]
        return left

    def _sampled(self, screened: Screened, left: Places, plans: dict[str, Format]) -> Format | None:
        """The format of most of a few of the lines, of those that can be read in bulk; it leaves `plans`."""
        found: Counter[str] = Counter()
        for index in left[np.linspace(0, len(left) - 1, SAMPLE).astype(np.int64)].tolist():
            answer = self._answer(screened.line(index))
            if answer.format is not None and answer.format.name in plans:
                found[answer.format.name] += 1
        return plans.pop(found.most_common(1)[0][0]) if found else None

    def _one_by_one(self, screened: Screened, left: Places) -> None:
        rows: dict[str, list[int]] = {}
        read: dict[str, list[Row]] = {}
        # A loop over lines: only those that no bulk reader was sure of.
        for index in self._scanned(screened, left):
            answer = self._answer(screened.line(index))
            if answer.format is None or answer.row is None:
                self.reasons[index] = answer.reason or Reason.NO_FORMAT
            else:
                rows.setdefault(answer.format.name, []).append(index)
                read.setdefault(answer.format.name, []).append(answer.row)
        for name, own in rows.items():
            self._accept(build.part_of_rows(own, read[name]), name)

    def _scanned(self, screened: Screened, left: Places) -> list[int]:
        """Cut lines one by one, read values in bulk where many have the same fields.

        The rest comes back in input order: a part's rows rise.
        """
        indices: list[int] = left.tolist()
        if len(indices) < BULK:
            return indices
        groups: dict[tuple[str, ...], tuple[list[int], list[dict[str, bytes]]]] = {}
        others = []
        for index in indices:
            line = screened.line(index)
            name, values = first_fit(line, self._candidates(line))
            if values is None:
                others.append(index)
            else:
                found = groups.setdefault((name, *values), ([], []))
                found[0].append(index)
                found[1].append(values)
        for (name, *names), (places, given) in groups.items():
            if len(places) < BULK:
                others += places
                continue
            part = readings.read_values(names, given)
            own = np.array(places, np.int64)
            taken = np.zeros(len(own), bool)
            taken[part.rows] = True
            part.rows = own[part.rows]
            others += own[~taken].tolist()
            if len(part.rows):
                self._accept(part, name)
        return sorted(others)

    def _accept(self, part: Part, name: str) -> None:
        """Take a part in, but for the rows whose time is not possible."""
        time = part.numbers["time"][0]
        possible = (time >= EARLIEST) & (time <= self.latest)
        if not possible.all():
            self.reasons.update(dict.fromkeys(part.rows[~possible].tolist(), Reason.BAD_TIME))
            part = readings.keep(part, possible)
        if not len(part.rows):
            return
        if "ticks" in part.numbers:
            self._settle_ticks(part)
        for tail, many in _tails(part):
            shown = f"{name}+{tail}" if tail else name
            self.source.count(f"{self.wrapper}:{shown}" if self.wrapper else shown, many)
        self.parts.append(part)

    def _settle_ticks(self, part: Part) -> None:
        """Durations from bare trailing integers: Apache's %D counts us, %T counts s, the line does not say.

        No request takes 0 us and few take less than 50: when one of the source's first such integers is 0,
        or half of them are below 50, it is seconds. Pin the format to be sure.
        """
        values, known = part.numbers.pop("ticks")
        if not known.any():
            return
        sample = self.source.ticks
        sample += values[known][: TICKS_SURE - len(sample)].tolist()
        in_seconds = 0 in sample or sorted(sample)[len(sample) // 2] < 50
        taken, has = part.numbers["duration_us"]
        scaled = np.minimum(values, fields.LARGEST // 1_000_000) * 1_000_000 if in_seconds else values
        part.numbers["duration_us"] = (np.where(known & ~has, scaled, taken), has | known)


def _tails(part: Part) -> list[tuple[str, int]]:
    """The names of the tails of a part and how many lines have each."""
    if "tail" not in part.text:
        return [("", len(part.rows))]
    values, codes = part.text.pop("tail")
    return [(values[code].as_py(), many) for code, many in enumerate(np.bincount(codes).tolist()) if many]


def _at(lines: Slices, rows: Places) -> Slices:
    if len(rows) == len(lines.starts):
        return lines
    return Slices(lines.buffer, lines.starts[rows], lines.ends[rows])


class Answer(NamedTuple):
    """What one line is: a row of a format, or the reason why not."""

    format: Format | None
    row: Row | None
    reason: Reason | None


def first_fit(line: bytes, formats: Iterable[Format]) -> tuple[str, dict[str, bytes] | None]:
    """The name and fields of the first format that the line fits, whatever its values."""
    for one in formats:
        try:
            values = one.read(line)
        except BadObject:
            return one.name, None
        if values is not None:
            return one.name, values
    return "", None


def read_line(line: bytes, formats: Iterable[Format]) -> Answer:
    """The exact reading of one line without its line end: the first format that accepts it has it."""
    worst = Answer(None, None, None)
    for one in formats:
        try:
            values = one.read(line)
            if values is not None:
                return Answer(one, row(values), None)
        except BadObject:
            worst = worst if worst.reason else Answer(None, None, Reason.BAD_JSON)

        except BadTime:
            worst = worst if worst.reason else Answer(one, None, Reason.BAD_TIME)
        except BadField:
            worst = worst if worst.reason else Answer(one, None, Reason.BAD_FIELD)
    if worst.reason is None:
        if line.startswith(CSV_HEADER):
            return Answer(None, None, Reason.DIRECTIVE)
        binary = any(byte < 32 and byte != 9 for byte in line[:4096])
        return Answer(None, None, Reason.BINARY if binary else Reason.NO_FORMAT)
    return worst
