"""`logvision generate`: realistic traffic with labelled attacks, and replay of a given log."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from logvision.cli.options import created
from logvision.cli.output import count, err, size
from logvision.clock import SystemClock
from logvision.errors import Problem, SetupError
from logvision.sources.generate.lines import Format
from logvision.sources.generate.replay import replay as replay_log
from logvision.sources.generate.run import GenerateOptions
from logvision.sources.generate.run import generate as run
from logvision.sources.generate.sites import SITE_NAMES
from logvision.sources.generate.writers import FileWriter, StreamWriter, SyslogStyle, SyslogWriter, Writer


def register(door: typer.Typer) -> None:
    door.command()(generate)


def generate(
    out: Annotated[
        str,
        typer.Option(
            "--out",
            "-o",
            help="A file, - for standard output, or udp://host:port, tcp://host:port for syslog.",
        ),
    ] = "-",
    lines: Annotated[
        int | None, typer.Option("--lines", "-n", help="How many lines (100,000 unless paced).")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Lines per second by the clock; none: as fast as possible.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed and options give the same bytes.")] = 1,
    hours: Annotated[float, typer.Option(help="Simulated hours that the lines are spread over.")] = 24.0,
    start: Annotated[
        datetime | None, typer.Option(help="First simulated moment, UTC (default: so that it ends now).")
    ] = None,
    site: Annotated[list[str] | None, typer.Option(help=f"Sites, of: {', '.join(SITE_NAMES)}.")] = None,
    attacks: Annotated[bool, typer.Option("--attacks/--no-attacks", help="With attack campaigns.")] = True,
    attack_share: Annotated[float, typer.Option(help="Share of the lines that are attacks.")] = 0.02,
    fmt: Annotated[Format, typer.Option("--format", help="Form of the lines.")] = Format.COMBINED,
    labels: Annotated[Path | None, typer.Option(help="Write one JSON label per line to this file.")] = None,
    rotate_lines: Annotated[int | None, typer.Option(help="Rotate the file after so many lines.")] = None,
    rotate_bytes: Annotated[int | None, typer.Option(help="Rotate the file after so many bytes.")] = None,
    compress: Annotated[bool, typer.Option(help="Compress rotated files, one rotation late.")] = False,
    rfc5424: Annotated[bool, typer.Option(help="Syslog as RFC 5424 instead of RFC 3164.")] = False,
    replay: Annotated[Path | None, typer.Option(help="Replay this log with today's times instead.")] = None,
    speed: Annotated[
        float | None, typer.Option(help="Replay: 1 is as it was, 10 ten times faster, none at once.")
    ] = None,
) -> None:
    """Write traffic that nobody sent: visitors, robots, attack campaigns, some of which succeed."""
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: done.set())
    with ExitStack() as stack:
        writer = _writer(out, rotate_lines, rotate_bytes, compress=compress, rfc5424=rfc5424)
        stack.callback(writer.close)
        clock = SystemClock()
        if replay is not None:
            # Nothing that is asked for may be left undone without a word.
            unheard = {"--lines": lines, "--rate": rate, "--labels": labels, "--start": start, "--site": site}
            given = [name for name, value in unheard.items() if value]
            if given:
                raise SetupError(
                    Problem("--replay", " ".join(given), "these without it: they are of generated traffic")
                )
            written = replay_log(replay, speed, writer, clock, going=lambda: not done.is_set())
            err().print(f"{count(written)} lines replayed")
            return
        options = GenerateOptions(
            seed=seed,
            lines=lines,
            rate=rate,
            hours=hours,
            start=None if start is None else start.replace(tzinfo=UTC),
            sites=tuple(site) if site else SITE_NAMES,
            attacks=attacks,
            attack_share=attack_share,
            format=fmt,
        )
        label_file = stack.enter_context(created(labels)) if labels is not None else None
        made = run(options, writer, clock, label_file=label_file, going=lambda: not done.is_set())
    err().print(
        f"{count(made.lines)} lines ({size(made.bytes)}) in {made.seconds:.1f} s: "
        f"{count(made.attacks)} attack requests of {count(made.campaigns)} campaigns"
    )


def _writer(
    out: str, rotate_lines: int | None, rotate_bytes: int | None, *, compress: bool, rfc5424: bool
) -> Writer:
    if out == "-":
        return StreamWriter(sys.stdout.buffer)
    parts = urlsplit(out)
    if parts.scheme in {"udp", "tcp"}:
        try:
            port = parts.port
        except ValueError:
            port = None
        if not parts.hostname or port is None:
            raise SetupError(Problem("--out", out, "udp://host:port or tcp://host:port"))
        style = SyslogStyle.RFC5424 if rfc5424 else SyslogStyle.RFC3164
        return SyslogWriter(parts.hostname, port, tcp=parts.scheme == "tcp", style=style)
    return FileWriter(Path(out), rotate_lines=rotate_lines, rotate_bytes=rotate_bytes, compress=compress)
