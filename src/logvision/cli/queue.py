"""`logvision queue`: the events about which rules and classifier disagree most."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import orjson
import typer
from rich.text import Text

from logvision.app.stores import open_stores
from logvision.cli.asking import From, Query, Site, To, asked
from logvision.cli.exempt import AsJson
from logvision.cli.options import Config, DataFolder, read_settings
from logvision.cli.output import err, out, plain
from logvision.lake import queries
from logvision.lake.queries import Database


def register(door: typer.Typer) -> None:
    door.command("queue")(show)


def show(
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=1000)] = 20,
    as_json: AsJson = False,
    query: Query = None,
    site: Site = None,
    start: From = None,
    end: To = None,
    config: Config = None,
    data: DataFolder = None,
) -> None:
    """List the events that a label would teach most: rules say one thing, the classifier another.

    Example: `logvision queue --from now-7d`

    Each target comes once; what was labelled already does not come.
    """
    settings = read_settings(config, {"lake": {"folder": data}})
    with open_stores(settings.lake.folder, settings.casebook.url, writer=False) as stores:
        labelled = {each.event for each in stores.casebook.labels()}
        database = Database(stores.lake)
        try:
            question = asked(start, end, site, query)
            found = queries.doubts(database, question, limit=limit, labelled=labelled)
        finally:
            database.close()
    if not found and not as_json:
        err().print("rules and classifier agree")
    for doubt in found:
        event = doubt.event
        if as_json:
            sys.stdout.write(orjson.dumps(asdict(doubt)).decode() + "\n")
            continue
        said = f"{event.attack or 'ordinary'} {event.score:.2f}"
        who = "only the model doubts it" if doubt.side == "model" else "the model sees nothing"
        out().print(Text.assemble((f"{said:<16}", "bold"), f"{plain(event.method)} {plain(event.target)}"))
        out().print(
            Text(f"    {plain(event.id)}, {event.time:%Y-%m-%d %H:%M:%S}, {who}: {' '.join(event.rules)}")
        )
