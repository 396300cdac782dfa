"""`logvision check`: are configuration, rules and scenarios sound."""

from __future__ import annotations

from typing import Annotated

import typer

from logvision.app.checking import check as run
from logvision.cli.options import Config
from logvision.cli.output import count, out


def register(door: typer.Typer) -> None:
    door.command()(check)


def check(
    config: Config = None,
    tests: Annotated[
        bool, typer.Option("--tests/--no-tests", help="Also run the tests that rules and scenarios carry.")
    ] = True,
) -> None:
    """Read configuration, rules and scenarios as `watch` would, without starting. Every mistake at once.

    Example: `logvision check --config /etc/logvision.toml`

    Exit code 2 when something is wrong.
    """
    found = run(config, tests=tests)
    for rule in found.unusable:
        out().print(f"left out: {rule}", markup=False)
    parts = f"{count(found.rules)} rules, {count(found.scenarios)} scenarios"
    out().print(f"sound: {parts}" + (f", {count(found.tests)} tests passed" if tests else ""))
