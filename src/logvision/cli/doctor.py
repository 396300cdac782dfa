"""`logvision doctor`: is the set-up sound, and do the logs say what detection needs."""

from __future__ import annotations

import sys
from typing import Annotated

import orjson
import typer
from rich.text import Text

from logvision.app.doctor.check import Check, State
from logvision.app.doctor.examine import examine
from logvision.app.doctor.survey import LINES
from logvision.cli.options import Config, DataFolder
from logvision.cli.output import out, plain
from logvision.clock import SystemClock

STYLES = {State.OK: "green", State.WARN: "yellow", State.FAIL: "bold red"}


def register(door: typer.Typer) -> None:
    door.command()(doctor)


def doctor(
    files: Annotated[
        list[str] | None, typer.Argument(help="Log files or globs (default: those of the configuration).")
    ] = None,
    config: Config = None,
    data: DataFolder = None,
    port: Annotated[int | None, typer.Option(help="Port on which the page shall be served.")] = None,
    lines: Annotated[int, typer.Option(help="Lines to read of each log.", min=1)] = LINES,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check configuration, data folder and logs, and say what to do. Changes nothing.

    Example: `logvision doctor /var/log/nginx/access.log`

    Exit code 1 when something fails.
    """
    flags: dict[str, object] = {"lake": {"folder": data}, "web": {"port": port}}
    checks: list[Check] = []
    for check in examine(config, flags, files or [], SystemClock(), limit=lines):
        checks.append(check)
        if not as_json:
            _show(check)
    failed = any(check.state is State.FAIL for check in checks)
    if as_json:
        said = {"ok": not failed, "checks": [check.to_dict() for check in checks]}
        sys.stdout.write(orjson.dumps(said).decode() + "\n")
    if failed:
        raise typer.Exit(1)


def _show(check: Check) -> None:
    name = f"{check.source}: {check.name}" if check.source else check.name
    out().print(
        Text.assemble(
            (f"{check.state.value:<5}", STYLES[check.state]),
            (plain(name), "bold"),
            f"  {plain(check.detail)}",
        )
    )
    for sample in check.samples:
        out().print(Text(f"       | {plain(sample)}", style="dim"))
    for advice in check.advice:
        out().print(Text(f"       {advice}"))
