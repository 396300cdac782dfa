"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from logvision.config import Settings, load
from logvision.errors import Problem, SetupError

Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", envvar="LOGVISION_CONFIG", help="Settings in TOML; flags win over it."),
]

DataFolder = Annotated[
    Path | None, typer.Option("--data", "-d", help="Data folder (default: logvision-data, or as configured).")
]

CasebookUrl = Annotated[
    str | None,
    typer.Option("--casebook", help="Where incidents are kept: sqlite, or mongodb://host:port/database."),
]

LiveUrl = Annotated[
    str | None, typer.Option("--live", help="How pages hear of what happens: memory, or redis://host:port/0.")
]

Brokers = Annotated[
    list[str] | None, typer.Option("--kafka", help="Kafka brokers, host:port; repeatable, or by comma.")
]

Topic = Annotated[str | None, typer.Option(help="Kafka topic of log lines (default: access-logs).")]

KafkaSet = Annotated[
    list[str] | None,
    typer.Option(
        "--kafka-set",
        metavar="NAME=VALUE",
        help="A property of the Kafka client, e.g. security.protocol=SSL; secrets belong into --config.",
    ),
]


def kafka_flags(
    brokers: list[str] | None, topic: str | None, properties: list[str] | None, group: str | None = None
) -> dict[str, Any]:
    """The [kafka] section as given on the command line. Raises SetupError."""
    wrong = [text for text in properties or () if "=" not in text]
    if wrong:
        raise SetupError([Problem("--kafka-set", repr(text), "NAME=VALUE") for text in wrong])
    given = dict(text.split("=", 1) for text in properties or ())
    found = tuple(broker.strip() for text in brokers or () for broker in text.split(",") if broker.strip())
    return {"brokers": found or None, "topic": topic, "group": group, "settings": given or None}


def read_settings(config: Path | None, flags: Mapping[str, Any]) -> Settings:
    """Settings from the file, the environment and this command's flags."""
    return load(config, flags)


def created(file: Path) -> BinaryIO:
    """A file to write to, empty. Raises SetupError where there can be none."""
    try:
        return file.open("wb")
    except OSError as error:
        got = error.strerror or str(error)
        raise SetupError(Problem(str(file), got.lower(), "a file that can be written")) from None
