"""The command line: one door. Each command is a module beside this one; `app` does the work."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Annotated, Final

import typer

from logvision import __version__
from logvision.app import memory
from logvision.cli.output import complain
from logvision.errors import LogVisionError, SetupError

COMMANDS: Final = (
    *("watch", "scan", "serve", "top", "explain", "except", "label", "queue", "backtest", "report"),
    *("export", "ship", "doctor", "check", "password", "generate", "train", "evaluate", "learn"),
    *("stream", "verify"),
)
"""In the order in which `--help` lists them. A module of that name registers the command."""

MODULES: Final = {"except": "exempt"}  # a word of Python's own names no module

LEAN: Final = frozenset({"watch", "scan"})
"""Commands that run the engine here, and whose memory counts."""

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})
"""Errors of writing a result that are the disk's, not ours."""


def door(commands: Iterable[str] = COMMANDS) -> typer.Typer:
    """The command line with these commands, whose modules are imported now: two seconds for all of them."""
    made = typer.Typer(
        name="logvision",
        help="Web access logs, live: what is happening, who attacks, did it work, why, and what to do.",
        no_args_is_help=True,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(_door)
    for name in commands:
        import_module(f"logvision.cli.{MODULES.get(name, name)}").register(made)
    return made


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"logvision {__version__}")
        raise typer.Exit


def _door(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """What every command shares."""


def main() -> None:
    """Run a command. Exit codes: 0 done, 1 the answer is no, 2 bad set-up (one line per mistake)."""
    try:
        first = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
        memory.choose()
        if first in LEAN:
            memory.without_pandas()
        # A command that is named is the only one whose modules are needed.
        with memory.imports():
            command = door([first] if first in COMMANDS else COMMANDS)
        try:
            command()
        finally:
            sys.stdout.flush()
    except SetupError as error:
        complain(error.problems)
        sys.exit(2)
    except LogVisionError as error:
        complain([str(error)])
        sys.exit(2)
    except BrokenPipeError:
        # The reader of our output went away (`| head`): that is its right.
        _let_go_of_output()
        sys.exit(0)
    except OSError as error:
        if error.errno not in FULL:
            raise
        complain([f"{error.filename or 'the output'} cannot be written: {error.strerror}"])
        _let_go_of_output()
        sys.exit(2)


def _let_go_of_output() -> None:
    """What still waits for standard output would fail once more when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
