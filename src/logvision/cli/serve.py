"""`logvision serve`: the page over a data folder."""

from __future__ import annotations

from typing import Annotated

import typer

from logvision.app.serving import serve as run
from logvision.cli.options import CasebookUrl, Config, DataFolder, LiveUrl, read_settings
from logvision.cli.output import err, say


def register(door: typer.Typer) -> None:
    door.command()(serve)


def serve(
    config: Config = None,
    data: DataFolder = None,
    casebook: CasebookUrl = None,
    live: LiveUrl = None,
    host: Annotated[str | None, typer.Option(help="Address to serve the page on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to serve the page on; 0 is any free one.")] = None,
) -> None:
    """Serve the page over a data folder that `scan` left, or that another LogVision is writing.

    Example: `logvision serve --data logvision-data --port 8711`

    Several may serve the same stores, also on several machines: then incidents are kept in MongoDB and the
    page hears of what happens by Redis.
    """
    flags = {
        "lake": {"folder": data},
        "casebook": {"url": casebook},
        "live": {"url": live},
        "web": {"host": host, "port": port},
    }
    settings = read_settings(config, flags)

    def announce(url: str, password: str | None) -> None:
        err().print(f"[bold]LogVision[/] shows {settings.lake.folder} at [bold]{url}[/]   (Ctrl-C ends it)")
        if password is not None:
            err().print(f"The password is [bold]{password}[/] and will not be shown again.")

    run(settings, announce, say)
