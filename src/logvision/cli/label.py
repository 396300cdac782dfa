"""`logvision label`: what people say an event or an incident really was."""

from __future__ import annotations

import getpass
import sys
from datetime import UTC, datetime
from typing import Annotated

import orjson
import typer
from rich.text import Text

from logvision.app.stores import Stores, open_stores
from logvision.cli.exempt import As, AsJson
from logvision.cli.options import Config, DataFolder, read_settings
from logvision.cli.output import count, err, out, plain
from logvision.clock import SystemClock
from logvision.errors import Problem, SetupError
from logvision.label import Label, labels
from logvision.lake import queries
from logvision.lake.queries import Database
from logvision.schema import Attack

KNOWN_BY = (
    "the id of an incident, or SOURCE@POSITION of an event, as `logvision queue` and the page show them"
)


def register(door: typer.Typer) -> None:
    made = typer.Typer(
        name="label",
        help="Say what an event or an incident really was; `logvision learn` learns from it.\n\n"
        "Example: `logvision label add /var/log/nginx/access.log@930828 --benign`",
        no_args_is_help=True,
    )
    made.command()(add)
    made.command("list")(listed)
    door.add_typer(made)


def add(
    about: Annotated[
        str,
        typer.Argument(help="Id of an incident, or of an event: SOURCE@POSITION (path of the log, byte)."),
    ],
    attack: Annotated[Attack | None, typer.Option(help="It was an attack, of this class.")] = None,
    benign: Annotated[bool, typer.Option("--benign", help="It was none.")] = False,
    note: Annotated[str, typer.Option(help="Anything worth remembering.")] = "",
    author: As = None,
    config: Config = None,
    data: DataFolder = None,
) -> None:
    """Label an event, or all evidence of an incident.

    Example: `logvision label add /var/log/nginx/access.log@930828 --attack sqli`

    A later label of the same event replaces an earlier one.
    """
    if (attack is None) is not benign:
        raise SetupError(Problem("label", "both or neither", "either --attack CLASS or --benign"))
    settings = read_settings(config, {"lake": {"folder": data}})
    with open_stores(settings.lake.folder, settings.casebook.url, writer=False) as stores:
        made = _labels(stores, about, attack, author or getpass.getuser(), note)
        stores.casebook.label(made)
    err().print(f"{count(len(made))} labelled", markup=False)


def listed(as_json: AsJson = False, config: Config = None, data: DataFolder = None) -> None:
    """List labels, the newest first.

    Example: `logvision label list --json`
    """
    settings = read_settings(config, {"lake": {"folder": data}})
    with open_stores(settings.lake.folder, settings.casebook.url, writer=False) as stores:
        kept = stores.casebook.labels()
    for each in kept:
        if as_json:
            sys.stdout.write(orjson.dumps(each.to_dict()).decode() + "\n")
            continue
        said = "benign" if each.attack is None else each.attack.value
        out().print(Text.assemble((f"{said:<16}", "bold"), f"{plain(each.method)} {plain(each.target)}"))
        note = f": {plain(each.note)}" if each.note else ""
        out().print(Text(f"    {plain(each.event)}, {each.at:%Y-%m-%d %H:%M} by {plain(each.author)}{note}"))


def _labels(stores: Stores, about: str, attack: Attack | None, author: str, note: str) -> list[Label]:
    at = datetime.fromtimestamp(SystemClock().now(), UTC)
    case = stores.casebook.case(about)
    if case is not None:
        incident = case.incident
        return labels(
            incident.evidence,
            attack=attack, author=author, at=at, note=note, site=incident.site, incident=incident.id,
        )  # fmt: skip
    source, _, position = about.rpartition("@")
    database = Database(stores.lake)
    try:
        number = int(position) if position.isascii() and position.isdigit() and len(position) < 19 else -1
        event = queries.event(database, source, number) if source else None
    finally:
        database.close()
    if event is None:
        raise SetupError(Problem("label", repr(about), KNOWN_BY))
    return labels([event], attack=attack, author=author, at=at, note=note, site=event.site)
