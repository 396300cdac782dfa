"""`logvision top`: what happens now, in the terminal."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Final

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from logvision.app.glancing import Glance, PasswordNeeded, Remote
from logvision.cli.options import Config, read_settings
from logvision.cli.output import count, err, out, plain, size
from logvision.clock import SystemClock

PASSWORD: Final = "LOGVISION_PASSWORD"  # noqa: S105 - the name of a variable
GRAVE: Final = {"critical": "bold red", "high": "red", "medium": "yellow"}
HEADS: Final = {"route": "routes", "client_ip": "addresses", "status": "status"}

Look = Callable[[], Glance]


def register(door: typer.Typer) -> None:
    door.command()(top)


def top(
    files: Annotated[
        list[str] | None, typer.Argument(help="Logs to follow directly. None: ask a running LogVision.")
    ] = None,
    config: Config = None,
    url: Annotated[
        str | None, typer.Option(help="The running LogVision (default: this machine's, as configured).")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--from", help="Count from here on, e.g. now-15m (default: now-1h; of files everything)."
        ),
    ] = None,
    every: Annotated[float, typer.Option(help="Seconds between two looks.", min=0.2)] = 2.0,
    once: Annotated[
        bool, typer.Option("--once", help="Print it once and end; so it does when piped.")
    ] = False,
) -> None:
    """Show rate, totals, top routes, addresses and status, and the newest incidents, live.

    Example: `logvision top /var/log/nginx/access.log`, or beside a running `watch`: `logvision top`

    A password is asked for where one is needed, or taken from LOGVISION_PASSWORD.
    """
    settings = read_settings(config, {})
    single = once or not out().is_terminal
    if files:
        looking = _of_files(settings, files, start, follow=not single)
    else:
        host = f"[{settings.web.host}]" if ":" in settings.web.host else settings.web.host
        looking = _of_url(url or f"http://{host}:{settings.web.port}/", start or "now-1h")
    with looking as look:
        if single:
            out().print(frame(look()))
            return
        try:
            with Live(frame(look()), console=out(), screen=True, auto_refresh=False) as live:
                while True:
                    time.sleep(every)
                    live.update(frame(look()), refresh=True)
        except KeyboardInterrupt:
            return


@contextmanager
def _of_files(settings: Any, files: Sequence[str], start: str | None, *, follow: bool) -> Iterator[Look]:
    # The engine and DuckDB: a second that asking a running LogVision does not need.
    from logvision.app.following import following  # noqa: PLC0415
    from logvision.cli.asking import asked  # noqa: PLC0415

    asked(start, None, None, None)
    if follow:
        err().print("compiling the rules ...")
    with following(settings, files, SystemClock(), follow=follow) as found:
        yield lambda: found.glance(asked(start, None, None, None))


@contextmanager
def _of_url(url: str, start: str) -> Iterator[Look]:
    remote = Remote(url)
    try:
        remote.glance({"from": start})
    except PasswordNeeded:
        remote.login(os.environ.get(PASSWORD) or typer.prompt("Password", hide_input=True, err=True))
    yield lambda: remote.glance({"from": start})


def frame(glance: Glance) -> RenderableType:
    """The whole picture of one moment."""
    totals = glance.totals
    parts = (
        f"{totals['rate_now']:,.1f}/s",
        f"{count(totals['requests'])} requests",
        f"{count(totals['visitors'])} visitors",
        f"{size(totals['bytes'])} sent",
        f"{count(totals['client_errors'])} client errors",
        f"{count(totals['server_errors'])} server errors",
    )
    attacks = Text(f"{count(totals['attacks'])} attack requests", "bold red" if totals["attacks"] else "")
    grid = Table.grid(padding=(0, 3))
    for _ in HEADS:
        grid.add_column(overflow="ellipsis")
    grid.add_row(*(_ranking(HEADS[name], rows) for name, rows in glance.tops.items()))
    return Group(
        Text.assemble(("LogVision", "bold"), f"  {plain(glance.where)}", no_wrap=True, overflow="ellipsis"),
        Text.assemble("  ".join(parts), "  ", attacks),
        Text(),
        grid,
        Text(),
        _incidents(glance.incidents, totals["incidents_open"]),
    )


def _ranking(title: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="bold")
    room = (out().width - 69) // 2  # beside three times two numbers, the statuses and what parts the columns
    table.add_column(title, overflow="ellipsis", no_wrap=True, max_width=max(12, min(room, 44)))
    table.add_column("requests", justify="right", min_width=8)
    table.add_column("attacks", justify="right", min_width=7)
    for row in rows:
        attacks = Text(count(row["attacks"]), "red") if row["attacks"] else Text("")
        table.add_row(Text(plain(row["value"])), count(row["requests"]), attacks)
    return table


def _incidents(rows: Sequence[Mapping[str, Any]], total: int) -> RenderableType:
    if not rows:
        return Text("no incidents", "dim")
    table = Table(box=None, pad_edge=False, header_style="bold", expand=out().is_terminal)
    for title, width in (("last seen (UTC)", 19), ("severity", 8), ("outcome", 7)):
        table.add_column(title, no_wrap=True, width=width)
    table.add_column(f"incidents ({count(total)} open)", no_wrap=True, overflow="ellipsis", ratio=1)
    for row in rows:
        table.add_row(
            Text(plain(row["last_seen"][:19].replace("T", " "))),
            Text(plain(row["severity"]), GRAVE.get(row["severity"], "")),
            Text(plain(row["outcome"])),
            Text(plain(row["summary"])),
        )
    return table
