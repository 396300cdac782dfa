"""`logvision stream`: the job on Spark."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from logvision.app import streaming
from logvision.cli.options import (
    Brokers,
    CasebookUrl,
    Config,
    DataFolder,
    LiveUrl,
    Topic,
    kafka_flags,
    read_settings,
)
from logvision.cli.output import say
from logvision.errors import Problem, SetupError

Jars = Annotated[
    Path | None,
    typer.Option(help="Folder with Spark's Kafka source (deploy/fetch.py spark); without: Spark has it."),
]

KafkaSettings = Annotated[
    list[str] | None,
    typer.Option("--kafka-setting", help="NAME=VALUE of Kafka's Java client, e.g. security.protocol=SSL."),
]


def register(door: typer.Typer) -> None:
    door.command()(stream)


def stream(
    kafka: Brokers = None,
    topic: Topic = None,
    config: Config = None,
    data: DataFolder = None,
    casebook: CasebookUrl = None,
    live: LiveUrl = None,
    alerts: Annotated[
        str | None, typer.Option(help="Topic that gets every change of an incident as JSON with ECS names.")
    ] = None,
    checkpoint: Annotated[
        str | None, typer.Option(help="Spark's checkpoint: a folder or URL (default: in the data folder).")
    ] = None,
    master: Annotated[
        str | None, typer.Option(help="Spark's master, e.g. local[2]; without: as spark-submit says.")
    ] = None,
    jars: Jars = None,
    memory: Annotated[str | None, typer.Option(help="Memory of a local driver, e.g. 1g.")] = None,
    rows: Annotated[int, typer.Option(min=100, help="Lines of a batch at most.")] = 200_000,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between the beginnings of batches.")] = 1.0,
    once: Annotated[bool, typer.Option("--once", help="End when everything that is there is read.")] = False,
    kafka_setting: KafkaSettings = None,
    metrics_port: Annotated[
        int | None, typer.Option(help="Serve /metrics on this port of 127.0.0.1.")
    ] = None,
) -> None:
    """Read a Kafka topic on Spark: judged on the executors, kept in lake, casebook and live bus.

    Example: `logvision stream --kafka 127.0.0.1:9092 --master 'local[2]' --jars .cluster/spark`

    Needs the extras "spark" and "cluster", and Java 17. `logvision serve` shows what it finds.
    """
    flags: dict[str, Any] = {
        "kafka": kafka_flags(kafka, topic, None),
        "lake": {"folder": data},
        "casebook": {"url": casebook},
        "live": {"url": live},
    }
    settings = read_settings(config, flags)
    if not settings.kafka.brokers:
        raise SetupError(Problem("kafka.brokers", "none", "--kafka HOST:PORT"))
    job = streaming.Job(
        kafka=",".join(settings.kafka.brokers),
        topic=settings.kafka.topic,
        kafka_settings=pairs(kafka_setting or ()),
        alerts=alerts,
        checkpoint=checkpoint,
        master=master,
        jars=jars,
        memory=memory,
        rows=rows,
        every_s=every,
        once=once,
        metrics_port=metrics_port,
    )
    streaming.stream(settings, job, say)


def pairs(given: list[str] | tuple[str, ...]) -> dict[str, str]:
    """NAME=VALUE options. Raises SetupError with every one that is not."""
    wrong = [text for text in given if not text.partition("=")[0] or "=" not in text]
    if wrong:
        raise SetupError(
            Problem("--kafka-setting", repr(text.partition("=")[0]), "NAME=VALUE") for text in wrong
        )
    return {name: value for name, _, value in (text.partition("=") for text in given)}
