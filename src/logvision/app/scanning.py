"""A scan: logs read to their end, a summary, and nothing left behind unless a data folder is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, Final

import pyarrow as pa

from logvision.app import memory, parts
from logvision.app.found import Found
from logvision.app.stores import SQLITE, Stores, open_stores, take_up
from logvision.clock import SystemClock
from logvision.config import Settings
from logvision.engines.embedded import HISTORY_BYTES, Embedded, Options
from logvision.engines.summary import Summary
from logvision.engines.verdicts import Verdicts
from logvision.incident import Incident, iso
from logvision.respond.words import Language
from logvision.sources.base import Reader

Progress = Callable[[int, int | None, float], None]
"""Told now and then: log bytes read, bytes to read in all (None: unknown), lines per second."""

GIVE_BACK_EVERY: Final = 100_000  # lines: their columns leave gaps of some 50 MB


class Scan:
    """One scan, run once."""

    def __init__(
        self,
        settings: Settings,
        files: Sequence[str],
        *,
        keep: bool,
        verdicts: Verdicts | None = None,
        report: Path | None = None,
        language: Language = Language.EN,
    ) -> None:
        """`report`: write an HTML report there; without a data folder its facts lie in a temporary one."""
        memory.settle()
        self._settings = settings
        self._keep = keep
        self._source = parts.source(parts.Wanted(files, ()), follow=False)
        self._known = parts.knowledge(settings, settings.lake.folder if keep else None)
        self._state = parts.state(settings)
        self._verdicts = verdicts
        self._report = report
        self._language = language
        self._found = Found()
        self._summary = Summary()
        self._seconds = 0.0
        self.step_seconds: dict[str, float] = {}
        self.notes: list[str] = []  # what was wrong with a source, e.g. an archive that is cut short
        self.lost = False  # a source could not be read to its end

    def run(self, progress: Progress | None = None) -> None:
        """Read everything. With a data folder it goes on from what was committed there before."""
        began = perf_counter()
        with ExitStack() as stack:
            stores = resume = None
            folder = self._folder(stack)
            if folder is not None:
                casebook = self._settings.casebook.url if self._keep else SQLITE
                stores = stack.enter_context(open_stores(folder, casebook, writer=True))
                resume = take_up(
                    stores, self._known, self._state, anonymised=self._settings.lake.anonymise != "no"
                )
            reader = self._source.open(resume.positions if resume else {})
            stack.callback(reader.close)
            engine = Embedded(
                reader,
                self._known,
                self._state,
                clock=SystemClock(),
                lake=stores.lake if stores else None,
                casebook=stores.casebook if stores else None,
                # Age makes no segments here: nobody is watching.
                options=Options(
                    flush_s=3600.0,
                    flush_rows=self._settings.lake.flush_rows,
                    read_bytes=HISTORY_BYTES,
                    patient=False,
                    at_once=False,
                ),
                on_batch=_Telling(reader, self._verdicts, progress, began),
                on_incident=self._found.add,
                resume=resume,
                anonymiser=parts.anonymiser(self._settings.lake, kept=self._keep),
            )
            memory.keep()
            self._summary = engine.run()
            self.step_seconds = engine.seconds
            self.notes = [f"{s.source}: {s.detail}" for s in reader.status() if s.detail]
            self.lost = any(s.state == "lost" for s in reader.status())
            before = sum(counts.read for counts in resume.counts.values()) if resume else 0
            if before:
                self.notes.append(
                    f"{before:,} of these lines were read before: visitors, statuses, attacks and incidents"
                    f" are those of the others; of all: logvision report --data {folder}"
                )
            if stores:
                self._write_report(stores)
        self._seconds = perf_counter() - began

    def _folder(self, stack: ExitStack) -> Path | None:
        """Where facts are kept: the data folder, or for the report alone a temporary one."""
        if self._keep:
            return self._settings.lake.folder
        if self._report is None:
            return None
        return Path(stack.enter_context(TemporaryDirectory(prefix="logvision-scan-")))

    def _write_report(self, stores: Stores) -> None:
        if self._report is None:
            return
        # What asks and writes takes a tenth of a small scan to import.
        from logvision.app.reporting import Wanted, gather, write  # noqa: PLC0415
        from logvision.lake.queries import Question  # noqa: PLC0415
        from logvision.respond.report import Asked  # noqa: PLC0415

        made = datetime.fromtimestamp(SystemClock().now(), UTC)
        wanted = Wanted(Question(), Asked(), self._language)
        found = gather(stores, wanted, made, self._known.networks.attribution())
        write(found, self._report, self._language)

    def incidents(self) -> list[Incident]:
        """The worst of those that stand by themselves, worst first."""
        return self._found.worst()

    def result(self) -> dict[str, Any]:
        """The fixed contract of `scan --json`, and `log_bytes`, `classes`, `filter_reasons` besides."""
        totals = self._summary
        return {
            "read": totals.total("read"),
            "events": totals.total("events"),
            "rejects": totals.total("rejects"),
            "filtered": totals.total("filtered"),
            "bytes": totals.traffic,
            "log_bytes": totals.total("bytes"),
            "visitors": totals.visitors,
            "attacks": totals.attacks,
            "incidents": self._found.count,
            "status": dict(sorted(totals.status.items())),
            "methods": dict(sorted(totals.methods.items())),
            "classes": dict(totals.classes.most_common()),
            "reject_reasons": dict(sorted(totals.reject_reasons.items())),
            "filter_reasons": dict(sorted(totals.filter_reasons.items())),
            "first": _iso(totals.first),
            "last": _iso(totals.last),
            "seconds": round(self._seconds, 3),
        }


class _Telling:
    """Writes verdicts and tells of progress, batch by batch."""

    def __init__(
        self, reader: Reader, verdicts: Verdicts | None, progress: Progress | None, began: float
    ) -> None:
        self._reader = reader
        self._verdicts = verdicts
        self._progress = progress
        self._began = began
        self._lines = 0
        self._since = 0  # lines since memory was given back

    def __call__(self, events: pa.Table, rejects: pa.Table) -> None:
        self._since += events.num_rows + rejects.num_rows
        if self._since >= GIVE_BACK_EVERY:
            self._since = 0
            memory.give_back()
        if self._verdicts is not None:
            self._verdicts.add(events, rejects)
        if self._progress is not None:
            self._lines += events.num_rows + rejects.num_rows
            status = self._reader.status()
            sizes = [s.size_bytes for s in status]
            total = None if None in sizes else sum(size for size in sizes if size is not None)
            rate = self._lines / max(perf_counter() - self._began, 1e-9)
            self._progress(sum(s.read_bytes for s in status), total, rate)


def _iso(time: datetime | None) -> str | None:
    return None if time is None else iso(time)
