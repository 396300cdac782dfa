"""`logvision except`: exceptions from rules, kept in the casebook of a data folder."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import orjson
import typer
from rich.text import Text

from logvision.app import parts
from logvision.app.silenced import counted, without
from logvision.app.stores import open_stores
from logvision.cli.options import Config, DataFolder, read_settings
from logvision.cli.output import count, err, out, plain
from logvision.clock import SystemClock
from logvision.errors import Problem, SetupError
from logvision.exemption import Exemption, shape_of
from logvision.incident import iso
from logvision.lake.queries import Database

UNITS: Final = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
SHOWN: Final = 20  # incidents
SCOPE: Final = ("rule", "route", "parameter", "shape", "site", "network")

As = Annotated[str | None, typer.Option("--author", help="Who decides (default: who is logged in).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]


def register(door: typer.Typer) -> None:
    made = typer.Typer(
        name="except",
        help="Except what is known to be harmless from rules: where, for how long, and why.\n\n"
        "Example: `logvision except list`",
        no_args_is_help=True,
    )
    made.command()(add)
    made.command("list")(listed)
    made.command()(show)
    made.command()(remove)
    door.add_typer(made)


def add(
    reason: Annotated[str, typer.Option(help="Why.")],
    rule: Annotated[str | None, typer.Option(help="Id of a rule, e.g. sqli-union-select, verify.*")] = None,
    route: Annotated[str | None, typer.Option(help="Route, e.g. /search or /api/*")] = None,
    parameter: Annotated[
        str | None, typer.Option(help="Name of a parameter, {path}, {user_agent} or {referer}.")
    ] = None,
    shape: Annotated[str | None, typer.Option(help="Shape of its value, e.g. a'a")] = None,
    like: Annotated[str | None, typer.Option(help="A value instead, whose shape is taken.")] = None,
    site: Annotated[str | None, typer.Option(help="Virtual host.")] = None,
    network: Annotated[str | None, typer.Option(help="Address or network of the clients.")] = None,
    lasting: Annotated[str | None, typer.Option("--for", help="How long, e.g. 12h, 30d, 8w.")] = None,
    author: As = None,
    config: Config = None,
    data: DataFolder = None,
) -> None:
    """Add an exception. It counts within a second, also in a LogVision that runs.

    Example: `logvision except add --rule verify.sql --route /search --parameter q --for 90d --reason course`

    What is not given holds for any; `*` in a text stands for anything.
    """
    settings = read_settings(config, {"lake": {"folder": data}})
    now = _now()
    if like is not None:
        shape = shape_of(like.encode("utf-8", "surrogateescape"))
    made = Exemption.made(
        author=author or getpass.getuser(),
        reason=reason,
        created=now,
        expires=None if lasting is None else now + _span(lasting),
        rule=rule,
        route=route,
        parameter=parameter,
        shape=shape,
        site=site,
        network=network,
    )
    with open_stores(settings.lake.folder, settings.casebook.url, writer=False) as stores:
        stores.casebook.exempt(made)
    out().print(made.id, markup=False)


def listed(
    every: Annotated[bool, typer.Option("--all", help="Also those that ended or expired.")] = False,
    as_json: AsJson = False,
    config: Config = None,
    data: DataFolder = None,
) -> None:
    """List exceptions, and how many events each has silenced.

    Example: `logvision except list --all`
    """
    settings = read_settings(config, {"lake": {"folder": data}})
    with open_stores(settings.lake.folder, settings.casebook.url, writer=False) as stores:
        database = Database(stores.lake)
        try:
            for each in stores.casebook.exemptions():
                if every or each.holds(_now()):
                    found = counted(database, each.id)
                    _say(each, {"events": found.requests, "last": found.last}, as_json=as_json)
        finally:
            database.close()


def show(
    exception: Annotated[str, typer.Argument(help="Id of an exception.")],
    as_json: AsJson = False,
    config: Config = None,
    data: DataFolder = None,
) -> None:
    """Show one exception, and the incidents that there would be without it.

    Example: `logvision except show 1f6c0a9be2d4`
    """
    settings = read_settings(config, {"lake": {"folder": data}})
    with open_stores(settings.lake.folder, settings.casebook.url, writer=False) as stores:
        each = next((e for e in stores.casebook.exemptions() if e.id == exception), None)
        if each is None:
            raise _unknown(exception)
        incidents = without(stores, each.id, parts.knowledge(settings, settings.lake.folder).detector)
        database = Database(stores.lake)
        try:
            totals = counted(database, each.id)
        finally:
            database.close()
    numbers = {"events": totals.requests, "clients": totals.visitors, "last": totals.last}
    whole = {"incidents": [incident.to_dict() for incident in incidents]} if as_json else {}
    _say(each, numbers | whole, as_json=as_json)
    if not as_json:
        out().print(f"    incidents without it: {count(len(incidents))}")
        for incident in incidents[:SHOWN]:
            out().print(Text(f"    {incident.severity.value:<9} {plain(incident.summary)}"))


def remove(
    exception: Annotated[str, typer.Argument(help="Id of an exception.")],
    author: As = None,
    config: Config = None,
    data: DataFolder = None,
) -> None:
    """Take an exception back. It is kept in the list of all.

    Example: `logvision except remove 1f6c0a9be2d4`
    """
    settings = read_settings(config, {"lake": {"folder": data}})
    with open_stores(settings.lake.folder, settings.casebook.url, writer=False) as stores:
        ended = stores.casebook.end_exemption(exception, author=author or getpass.getuser(), at=_now())
    if ended is None:
        raise _unknown(exception)
    err().print(f"{ended.id} does not count any more", markup=False)


def _say(each: Exemption, numbers: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(orjson.dumps({**each.to_dict(), **numbers}).decode() + "\n")
        return
    scope = "  ".join(
        f"{name} {plain(value)}" for name in SCOPE if (value := getattr(each, name)) is not None
    )
    until = "for good" if each.expires is None else f"until {iso(each.expires)[:16]}Z"
    if each.ended is not None:
        until = f"ended {iso(each.ended)[:16]}Z by {plain(each.ended_by)}"
    out().print(Text.assemble((each.id, "bold"), f"  {scope}"))
    out().print(Text(f"    {until}, by {plain(each.author)}: {plain(each.reason)}"))
    last = "" if numbers["last"] is None else f", the last at {iso(numbers['last'])[:19]}Z"
    out().print(Text(f"    events silenced: {count(numbers['events'])}{last}"))


def _span(text: str) -> timedelta:
    digits, unit = text[:-1], text[-1:]
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5 and unit in UNITS):
        raise SetupError(Problem("--for", repr(text), "a number of hours, days or weeks: 12h, 30d, 8w"))
    return int(digits) * UNITS[unit]


def _unknown(exception: str) -> SetupError:
    return SetupError(Problem("exception", repr(exception), "an id that `logvision except list --all` shows"))


def _now() -> datetime:
    return datetime.fromtimestamp(SystemClock().now(), UTC)
