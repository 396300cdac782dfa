"""`logvision scan`: read logs to their end and say what is in them."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from logvision.app.parts import source_name
from logvision.app.scanning import Scan
from logvision.cli.options import Config, created, read_settings
from logvision.cli.output import complain, count, err, out, plain, say, size
from logvision.engines.verdicts import Verdicts
from logvision.incident import iso
from logvision.respond.words import Language


def register(door: typer.Typer) -> None:
    door.command()(scan)


def scan(
    files: Annotated[
        list[str], typer.Argument(help="Log files (plain, gz, bz2, zst) or globs; - is standard input.")
    ],
    config: Config = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", "-d", help="Keep what was found in this folder (else nothing is kept)."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object instead of a report.")
    ] = False,
    verdicts: Annotated[
        Path | None, typer.Option("--verdicts", help="Write one JSON object per input line to this file.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", help="Write a self-contained HTML report to this file.")
    ] = None,
    language: Annotated[Language, typer.Option("--lang", help="Language of that report.")] = Language.EN,
    fmt: Annotated[
        str | None,
        typer.Option("--format", help="Name of a format, or a pasted log_format or LogFormat line."),
    ] = None,
) -> None:
    """Read logs to their end: what happened, who attacked, did it work.

    Example: `logvision scan /var/log/nginx/access.log* --report week.html`

    Leaves nothing behind unless given --data, which a later scan goes on from.
    """
    flags: dict[str, Any] = {"lake": {"folder": data}, "formats": {"*": fmt}}
    settings = read_settings(config, flags)
    with ExitStack() as stack:
        sink = None
        if verdicts is not None:
            sink = Verdicts(stack.enter_context(created(verdicts)), {source_name(f): f for f in files})
        run = Scan(settings, files, keep=data is not None, verdicts=sink, report=report, language=language)
        _run(run, quiet=as_json or not sys.stderr.isatty())
        result = run.result()
    complain(run.notes)
    if result["rejects"] and not result["events"]:
        say("no line is a request; `logvision doctor` says why, of the same files")
    if as_json:
        sys.stdout.write(orjson.dumps(result).decode() + "\n")
    else:
        _show(result, run)
    if run.lost:
        raise typer.Exit(2)


def _run(run: Scan, *, quiet: bool) -> None:
    """Run with a progress line (rate, remaining time) on a terminal."""
    if quiet:
        run.run(None)
        return
    from rich.progress import (  # noqa: PLC0415 - heavy, and for terminals only
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err(), transient=True) as progress:
        task = progress.add_task("reading", total=None)

        def show(read_bytes: int, total: int | None, lines_per_s: float) -> None:
            progress.update(
                task,
                completed=read_bytes,
                total=total,
                description=f"reading, {count(round(lines_per_s))} lines/s",
            )

        run.run(show)


def _show(result: dict[str, Any], run: Scan) -> None:
    lines, seconds = result["read"], result["seconds"]
    rate = count(round(lines / max(seconds, 1e-9)))
    parted = ", ".join(f"{count(result[name])} {name}" for name in ("events", "rejects", "filtered"))
    out().print(f"[bold]{count(lines)}[/] lines in {seconds:.1f} s ({rate} lines/s): {parted}")
    if result["first"]:
        out().print(f"From {result['first']} to {result['last']}")
    out().print(f"{count(result['visitors'])} visitors, {size(result['bytes'])} sent")
    if result["status"]:
        out().print("Status: " + ", ".join(f"{k} {count(v)}" for k, v in result["status"].items()))
    if result["reject_reasons"]:
        out().print("Rejects: " + ", ".join(f"{k} {count(v)}" for k, v in result["reject_reasons"].items()))
    worst = run.incidents()[:15]
    attacks, incidents = count(result["attacks"]), count(result["incidents"])
    out().print(f"[bold]{attacks}[/] attack requests, [bold]{incidents}[/] incidents")
    if not worst:
        return
    from rich.table import Table  # noqa: PLC0415 - heavy, and not for --json

    table = Table(box=None, pad_edge=False)
    for heading in ("severity", "outcome", "actor", "stage", "attacks", "events", "last seen"):
        table.add_column(heading)
    for incident in worst:
        table.add_row(
            incident.severity,
            incident.outcome,
            plain(incident.actor),
            incident.stage,
            ", ".join(f"{attack} {n}" for attack, n in incident.attacks.items()),
            count(incident.events),
            iso(incident.last_seen)[:19],
        )
    out().print(table)
