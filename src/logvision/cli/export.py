"""`logvision export`: events, incidents or rejects of a data folder as JSON lines, CSV or Parquet."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from logvision.app.exporting import What, exported
from logvision.cli.asking import From, Query, Site, To, asked
from logvision.cli.options import Config, DataFolder, read_settings
from logvision.cli.output import err, size
from logvision.errors import Problem, SetupError
from logvision.lake.export import Format


def register(door: typer.Typer) -> None:
    door.command()(export)


def export(
    what: Annotated[What, typer.Argument(help="What to export.")],
    config: Config = None,
    data: DataFolder = None,
    format_: Annotated[
        Format, typer.Option("--format", "-f", help="json is one object a line.")
    ] = Format.JSON,
    ecs: Annotated[bool, typer.Option("--ecs", help="Names and units of the Elastic Common Schema.")] = False,
    to_file: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write to this file (default: standard output).")
    ] = None,
    query: Query = None,
    site: Site = None,
    start: From = None,
    end: To = None,
) -> None:
    """Write what a data folder holds, also while another LogVision writes to it.

    Example: `logvision export events --data logvision-data --format csv --query "attack:*" --out attacks.csv`

    In CSV a cell that a spreadsheet would run as a formula begins with an apostrophe.
    """
    settings = read_settings(config, {"lake": {"folder": data}})
    question = asked(start, end, site, query)
    if to_file is None and format_ is Format.PARQUET and sys.stdout.isatty():
        raise SetupError(Problem("--out", "nothing", "a file: Parquet is not for a terminal"))
    url, folder = settings.casebook.url, settings.lake.folder
    with closing(exported(folder, what, format_, question, casebook_url=url, ecs=ecs)) as parts:
        if to_file is None:
            for part in parts:
                sys.stdout.buffer.write(part)
            sys.stdout.buffer.flush()
        else:
            _write(to_file, parts)


def _write(file: Path, parts: Iterator[bytes]) -> None:
    first = next(parts, b"")  # a mistake is told before a file is made
    written = 0
    try:
        with file.open("wb") as opened:
            for part in chain([first], parts):
                written += opened.write(part)
    except OSError as error:
        raise SetupError(
            Problem("--out", f"{file}: {error.strerror}", "a file that can be written")
        ) from None
    err().print(f"{size(written)} written to {file}", markup=False)
