"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from logvision.config import Settings, load

Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", envvar="LOGVISION_CONFIG", help="Settings in TOML; flags win over it."),
]

DataFolder = Annotated[
    Path | None, typer.Option("--data", "-d", help="Data folder (default: logvision-data, or as configured).")
]


def read_settings(config: Path | None, flags: Mapping[str, Any]) -> Settings:
    """Settings from the file, the environment and this command's flags."""
    return load(config, flags)
