"""The command line: one door. Each command is a module beside this one; `app` does the work."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from logvision import __version__
from logvision.cli import generate, scan, watch
from logvision.cli.output import complain
from logvision.errors import SetupError, StoreError

door = typer.Typer(
    name="logvision",
    help="Web access logs, live: what is happening, who attacks, did it work, why, and what to do.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"logvision {__version__}")
        raise typer.Exit


@door.callback()
def _door(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """What every command shares."""


watch.register(door)
scan.register(door)
generate.register(door)


def main() -> None:
    """Run a command. Exit codes: 0 done, 1 the answer is no, 2 bad set-up (one line per mistake)."""
    try:
        door()
    except SetupError as error:
        complain(error.problems)
        sys.exit(2)
    except StoreError as error:
        complain([str(error)])
        sys.exit(2)
    except BrokenPipeError:
        # The reader of our output went away (`| head`): that is its right.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
