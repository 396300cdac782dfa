from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
import typer

from logvision import __version__
from logvision.cli import COMMANDS, door

Command = Callable[..., tuple[int, str, str]]

NEEDED_BY_FEW = ("duckdb", "fastapi", "hyperscan", "polars", "sklearn")


def test_help_lists_every_command(command: Command) -> None:
    code, out, _ = command("--help")
    assert code == 0
    assert [name for name in COMMANDS if f" {name} " not in out] == []


@pytest.mark.parametrize("name", [n for n in COMMANDS if n not in {"watch", "generate"}])
def test_each_command_explains_itself_with_an_example(command: Command, name: str) -> None:
    code, out, _ = command(name, "--help")
    assert code == 0
    assert (
        f"logvision {name}"
        in out.partition("Options")[0].replace("logvision [OPTIONS]", "").partition("Usage")[2]
    )
    assert "Example" in out or "A script may" in out


def test_a_command_that_does_not_exist_is_refused(command: Command) -> None:
    code, _, err = command("explode")
    assert code == 2
    assert "No such command" in err


def test_the_version_is_printed(command: Command) -> None:
    assert command("--version") == (0, f"logvision {__version__}\n", "")


def test_the_list_of_commands_says_what_they_say_themselves() -> None:
    commands = typer.main.get_command(door()).commands
    assert {
        name: one.help.partition("\n\n")[0].replace("\n", " ") for name, one in commands.items()
    } == COMMANDS


@pytest.mark.parametrize("name", ["", "password", "top"])
def test_a_command_that_needs_little_imports_little(name: str) -> None:
    code = (
        "import sys; sys.argv = ['logvision', *sys.argv[1].split(), '--help']\n"
        "from logvision.cli import main\n"
        "try: main()\n"
        f"finally: print([m for m in {NEEDED_BY_FEW!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, name], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
