"""`logvision watch`: read history, follow what comes, serve the page."""

from __future__ import annotations

from collections.abc import Iterable
from glob import glob
from pathlib import Path
from typing import Annotated, Any

import typer

from logvision.app import parts
from logvision.app.watching import watch as run
from logvision.cli.options import (
    Brokers,
    CasebookUrl,
    Config,
    DataFolder,
    KafkaSet,
    LiveUrl,
    Topic,
    kafka_flags,
    read_settings,
)
from logvision.cli.output import err, say
from logvision.sources.base import Source


def register(door: typer.Typer) -> None:
    door.command()(watch)


def watch(
    files: Annotated[
        list[str] | None,
        typer.Argument(help="Log files or globs to follow; - is standard input. None: generated traffic."),
    ] = None,
    config: Config = None,
    data: DataFolder = None,
    casebook: CasebookUrl = None,
    live: LiveUrl = None,
    syslog: Annotated[
        list[str] | None,
        typer.Option(help="Listen for syslog: udp://127.0.0.1:5140, tcp://… or syslog://… for both."),
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to serve the page on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to serve the page on; 0 is any free one.")] = None,
    history: Annotated[
        bool | None, typer.Option("--history/--no-history", help="Read what is there before following.")
    ] = None,
    kafka: Brokers = None,
    topic: Topic = None,
    group: Annotated[
        str | None, typer.Option(help="Readers of a group share the topic (default: logvision).")
    ] = None,
    kafka_set: KafkaSet = None,
    rate: Annotated[float | None, typer.Option(help="Lines per second of generated traffic.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of generated traffic.")] = None,
) -> None:
    """Watch logs live: the page shows traffic and attacks while they happen.

    Without files and without a configured source it generates traffic with attacks and watches that.
    """
    flags: dict[str, Any] = {
        "source": {
            "paths": tuple(files) if files else None,
            "syslog": tuple(syslog) if syslog else None,
            "history": history,
            "rate": rate,
            "seed": seed,
        },
        "kafka": kafka_flags(kafka, topic, kafka_set, group),
        "lake": {"folder": data},
        "casebook": {"url": casebook},
        "live": {"url": live},
        "web": {"host": host, "port": port},
    }
    settings = read_settings(config, flags)
    source: Source
    if settings.source.paths or settings.source.syslog or settings.kafka.brokers:
        wanted = parts.Wanted(
            settings.source.paths,
            settings.source.syslog,
            history=settings.source.history,
            kafka=settings.kafka,
        )
        source = parts.source(wanted, follow=True)
    else:
        from logvision.sources.generate import Format, GenerateSource  # noqa: PLC0415 - 45 MB for a demo only

        source = GenerateSource(seed=settings.source.seed, rate=settings.source.rate, format=Format.JSON)
        if "folder" not in settings.lake.model_fields_set:
            settings = settings.model_copy(
                update={
                    "lake": settings.lake.model_copy(update={"folder": Path("logvision-demo").absolute()})
                }
            )

    def announce(url: str, password: str | None) -> None:
        err().print(f"[bold]LogVision[/] shows it live at [bold]{url}[/]   (Ctrl-C ends it)")
        if password is not None:
            err().print(
                f"Password: [bold]{password}[/]   (made now and shown this once; it stays over restarts."
                " One of your own: logvision password)"
            )
        for path in absent(settings.source.paths):
            say(f"{path}: nothing is there yet; it is read as soon as it comes")

    run(settings, source, announce, say)


def absent(paths: Iterable[str]) -> list[str]:
    """Files and globs to which nothing belongs now: they are waited for, or misspelt."""
    return [path for path in paths if path != "-" and not glob(path)]  # noqa: PTH207 - may be absolute
