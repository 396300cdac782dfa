"""`logvision ship`: log files into a Kafka topic."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Annotated, Any

import typer

from logvision.app import parts
from logvision.cli.options import Brokers, Config, KafkaSet, Topic, kafka_flags, read_settings
from logvision.cli.output import count, err, say
from logvision.errors import Problem, SetupError


def register(door: typer.Typer) -> None:
    door.command()(ship)


def ship(
    files: Annotated[list[str] | None, typer.Argument(help="Log files or globs to follow.")] = None,
    config: Config = None,
    kafka: Brokers = None,
    topic: Topic = None,
    kafka_set: KafkaSet = None,
    state: Annotated[Path, typer.Option(help="Position file: how far each log was acknowledged.")] = Path(
        "logvision-ship.json"
    ),
    host: Annotated[
        str | None,
        typer.Option(help="Before the path in each source's name (default: this host)."),
    ] = None,
    history: Annotated[
        bool | None, typer.Option("--history/--no-history", help="Send what is there before following.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Send what is there and end.")] = False,
) -> None:
    """Send log lines to Kafka: each exactly once for LogVision's readers, in order within a log.

    Example: `logvision ship /var/log/nginx/access.log --kafka 10.0.0.5:9092 --topic access-logs`
    """
    flags: dict[str, Any] = {
        "source": {"paths": tuple(files) if files else None, "history": history},
        "kafka": kafka_flags(kafka, topic, kafka_set),
    }
    settings = read_settings(config, flags)
    problems = []
    if not settings.source.paths:
        problems.append(Problem("log files", "none", "at least one path"))
    if not settings.kafka.brokers:
        problems.append(Problem("kafka.brokers", "none", "--kafka HOST:PORT"))
    if "-" in settings.source.paths:
        problems.append(Problem("log files", "-", "files: standard input cannot be read again after a crash"))
    if problems:
        raise SetupError(problems)
    source = parts.source(
        parts.Wanted(settings.source.paths, (), history=settings.source.history), follow=not once
    )
    with parts.cluster_extra("kafka"):
        from logvision.app.shipping import ship as run  # noqa: PLC0415 - an extra
    host = socket.gethostname() if host is None else host
    err().print(f"[bold]LogVision[/] ships to {settings.kafka.topic}   (Ctrl-C ends it)")
    lines = run(source, parts.target(settings.kafka), state.absolute(), host, say)
    say(f"{count(lines)} lines sent and acknowledged")
