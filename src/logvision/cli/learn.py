"""`logvision learn`: a correction of the classifier from labels, used only if it is better."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import orjson
import typer

from logvision.app import parts
from logvision.app.learning import forget as forget_promoted
from logvision.app.learning import learn_from
from logvision.app.stores import open_stores
from logvision.cli.options import Config, DataFolder, read_settings
from logvision.cli.output import count, err, out
from logvision.clock import SystemClock
from logvision.detect.correction import Learned
from logvision.errors import Problem, SetupError

TITLES = {
    "loss": "loss on held-out labels",
    "wrong": "held-out labels judged wrongly",
    "error": "error on the reference",
    "missed": "reference attacks missed",
    "alarms": "ordinary reference requests flagged",
}


def register(door: typer.Typer) -> None:
    door.command()(learn)


def learn(
    try_only: Annotated[
        bool, typer.Option("--try", help="Measure only; promote nothing, however good it is.")
    ] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Go back to the shipped model.")] = False,
    reference: Annotated[
        list[Path] | None,
        typer.Option(help="More requests that must not be judged worse: JSON lines as `train` takes them."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    config: Config = None,
    data: DataFolder = None,
) -> None:
    """Correct the classifier by what people labelled, and use the correction if it is measurably better.

    Example: `logvision learn --data logvision-data`

    Exit code 1 when it is not better. The shipped model stays as it is; a running LogVision takes a
    promoted one up by itself.
    """
    settings = read_settings(config, {"lake": {"folder": data}})
    known = reference or []
    problems = [
        Problem("--reference", str(path), "a file of labelled requests")
        for path in known
        if not path.is_file()
    ]
    if problems:
        raise SetupError(problems)
    with open_stores(settings.lake.folder, settings.casebook.url, writer=False) as stores:
        if forget:
            was = forget_promoted(settings.lake.folder)
            err().print("the shipped model is used" + ("" if was else " already"))
            return
        shipped = parts.detector(settings.detect.rules, settings.detect.threshold)
        found = learn_from(
            stores.casebook, settings.lake.folder, shipped, SystemClock(), promote=not try_only, known=known
        )
    if as_json:
        said = {"promoted": not found.refused and not try_only, **found.figures()}
        sys.stdout.write(orjson.dumps(said).decode() + "\n")
    else:
        _show(found, try_only=try_only)
    if found.refused:
        raise typer.Exit(1)


def _show(found: Learned, *, try_only: bool) -> None:
    out().print(f"{count(found.labels)} labels, {count(found.attacks)} of them attacks")
    if found.before is not None and found.after is not None:
        for name, title in TITLES.items():
            out().print(f"{title:<38} {getattr(found.before, name):>9} → {getattr(found.after, name)}")
    if found.refused:
        out().print(f"refused: {'; '.join(found.refused)}", markup=False)
    elif try_only:
        out().print("it is better")
    else:
        out().print("promoted: it is used from now on")
