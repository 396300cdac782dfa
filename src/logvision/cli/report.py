"""`logvision report`: what a data folder holds, as one HTML file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from logvision.app.reporting import Wanted, gather, write
from logvision.app.stores import open_stores
from logvision.cli.asking import From, Query, Site, To, asked
from logvision.cli.options import Config, DataFolder, read_settings
from logvision.cli.output import err
from logvision.clock import SystemClock
from logvision.enrich.network import Networks
from logvision.respond.report import Asked
from logvision.respond.words import Language


def register(door: typer.Typer) -> None:
    door.command()(report)


def report(
    config: Config = None,
    data: DataFolder = None,
    to_file: Annotated[Path, typer.Option("--out", "-o", help="Write to this file.")] = Path("report.html"),
    language: Annotated[Language, typer.Option("--lang", help="Language of the report.")] = Language.EN,
    query: Query = None,
    site: Site = None,
    start: From = None,
    end: To = None,
) -> None:
    """Write traffic, attacks and incidents of a data folder into one HTML file.

    Example: `logvision report --data logvision-data --from now-7d --out week.html`

    The file needs nothing else: no script, no network. It prints well and follows light and dark.
    """
    settings = read_settings(config, {"lake": {"folder": data}})
    wanted = Wanted(asked(start, end, site, query), Asked(start, end, site, query), language)
    networks = Networks.open(settings.network.country_db, settings.network.asn_db)
    with open_stores(settings.lake.folder, settings.casebook.url, writer=False) as stores:
        made = datetime.fromtimestamp(SystemClock().now(), UTC)
        found = gather(stores, wanted, made, networks.attribution())
    write(found, to_file, language)
    err().print(f"report written to {to_file}", markup=False)
