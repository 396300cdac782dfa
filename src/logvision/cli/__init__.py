"""The command line: one door. Each command is a module beside this one; `app` does the work."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterable
from contextlib import nullcontext
from importlib import import_module
from typing import Annotated, Final

import typer

from logvision import __version__
from logvision.app import memory
from logvision.cli.output import complain
from logvision.errors import LogVisionError, SetupError

COMMANDS: Final = {
    "watch": "Watch logs live: the page shows traffic and attacks while they happen.",
    "scan": "Read logs to their end: what happened, who attacked, did it work.",
    "serve": "Serve the page over a data folder that `scan` left, or that another LogVision is writing.",
    "top": "Show rate, totals, top routes, addresses and status, and the newest incidents, live.",
    "explain": "Say why a line is judged an attack, and why not: raw bytes, decoding, rules, model, "
    "probability.",
    "except": "Except what is known to be harmless from rules: where, for how long, and why.",
    "label": "Say what an event or an incident really was; `logvision learn` learns from it.",
    "queue": "List the events that a label would teach most: rules say one thing, the classifier another.",
    "backtest": "Judge kept events by a change and as it is now, and say what would come and what would go.",
    "report": "Write traffic, attacks and incidents of a data folder into one HTML file.",
    "export": "Write what a data folder holds, also while another LogVision writes to it.",
    "ship": "Send log lines to Kafka: each exactly once for LogVision's readers, in order within a log.",
    "doctor": "Check configuration, data folder and logs, and say what to do. Changes nothing.",
    "check": "Read configuration, rules and scenarios as `watch` would, without starting. Every mistake at "
    "once.",
    "password": "Ask for a password twice and print its hash, for `web.password_hash` in the settings.",
    "generate": "Write traffic that nobody sent: visitors, robots, attack campaigns, some of which succeed.",
    "train": "Learn a classifier from labelled requests (label: attack or benign); minutes, not hours.",
    "evaluate": "Measure the classifier alone: recall, and false alarms on ordinary requests.",
    "learn": "Correct the classifier by what people labelled, and use the correction if it is measurably "
    "better.",
    "stream": "Read a Kafka topic on Spark: judged on the executors, kept in lake, casebook and live bus.",
    "verify": "Put logs through Spark and through the embedded engine, and compare everything that they say.",
}
"""In the order in which `--help` lists them, with the first sentences of their own help: the list alone
imports none. A module of that name registers the command."""

MODULES: Final = {"except": "exempt"}  # a word of Python's own names no module

COMPLETING: Final = "_LOGVISION_COMPLETE"
"""Set by the shell whose completion asks (typer)."""

WITH_PANDAS: Final = frozenset({"stream", "verify"})
"""Commands that hand tables to Spark."""

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})
"""Errors of writing a result that are the disk's, not ours."""


def door(commands: Iterable[str] = COMMANDS) -> typer.Typer:
    """The command line with these commands, whose modules are imported now: two seconds for all of them."""
    made = _empty()
    for name in commands:
        import_module(f"logvision.cli.{MODULES.get(name, name)}").register(made)
    return made


def listing() -> typer.Typer:
    """The command line as it lists its commands, none of which it could run."""
    made = _empty()
    for name, told in COMMANDS.items():
        made.command(name, help=told)(_listed)
    return made


def _empty() -> typer.Typer:
    made = typer.Typer(
        name="logvision",
        help="Web access logs, live: what is happening, who attacks, did it work, why, and what to do.",
        no_args_is_help=True,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(_door)
    return made


def _listed() -> None:
    raise AssertionError("a command that is named is registered by its module")


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
    first = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    memory.choose()
    with nullcontext() if first in WITH_PANDAS else memory.without_pandas():
        _run(first)


def _run(first: str) -> None:
    """Run the command whose name is the first word given."""
    try:
        # A command that is named is the only one whose modules are needed; a shell that completes one names
        # it elsewhere.
        with memory.imports():
            command = (
                door([first]) if first in COMMANDS else door() if COMPLETING in os.environ else listing()
            )
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
