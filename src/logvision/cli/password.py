"""`logvision password`: the hash of a password for the page."""

from __future__ import annotations

import sys

import typer

from logvision.errors import Problem, SetupError
from logvision.web.auth import hash_password

SHORTEST = 8


def register(door: typer.Typer) -> None:
    door.command()(password)


def password() -> None:
    """Ask for a password twice and print its hash, for `web.password_hash` in the settings.

    A script may give it on standard input instead: `pass show logvision | logvision password`
    """
    if sys.stdin.isatty():
        given = typer.prompt("Password", hide_input=True, confirmation_prompt="Once more", err=True)
    else:
        given = sys.stdin.readline().rstrip("\r\n")
    if len(given) < SHORTEST:
        raise SetupError(Problem("password", f"{len(given)} characters", f"at least {SHORTEST}"))
    print(hash_password(given))
