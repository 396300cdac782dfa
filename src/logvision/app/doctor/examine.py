"""An examination: every check, in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from logvision.app import parts
from logvision.app.doctor import logs, setup
from logvision.app.doctor.check import Check, State
from logvision.app.doctor.survey import LINES, survey
from logvision.clock import Clock
from logvision.config import Settings
from logvision.enrich.client import TrustedProxies
from logvision.errors import SetupError
from logvision.formats import Formats


def examine(
    config: Path | None, flags: dict[str, object], files: Sequence[str], clock: Clock, *, limit: int = LINES
) -> Iterator[Check]:
    """Look at the set-up, then at each log: those given, or else those configured. Nothing is changed.

    `limit`: lines read of each log.
    """
    settings, found = setup.configuration(config, flags)
    yield from found
    sound = all(check.state is State.OK for check in found)
    yield from setup.surroundings(settings)
    for file in files or settings.source.paths:
        yield from _log(file, settings, clock, limit, sound=sound)


def _log(file: str, settings: Settings, clock: Clock, limit: int, *, sound: bool) -> Iterator[Check]:
    """One file or glob. Without sound settings the built-in formats are tried and no proxy is trusted."""
    formats = Formats(settings.formats if sound else None)
    client = settings.client
    proxies = TrustedProxies(client.trusted_proxies, client.presets) if sound else TrustedProxies()
    try:
        reader = parts.source(parts.Wanted([file], ()), follow=False).open({})
    except SetupError as error:
        for problem in error.problems:
            yield Check("readable", State.FAIL, str(problem), source=file)
        return
    try:
        now = clock.now()
        found = survey(reader, formats, proxies, datetime.fromtimestamp(now, UTC), limit)
        lost = [status for status in reader.status() if status.state == "lost"]
    finally:
        reader.close()
    for status in lost:
        yield Check("readable", State.FAIL, status.detail or "it went away", source=status.source)
    if not found and not lost:
        yield Check("readable", State.WARN, "the log is empty", source=file)
    for one in found:
        yield Check("readable", State.OK, f"{one.lines:,} lines", source=one.source)
        yield from logs.checks(one, proxies, now)
