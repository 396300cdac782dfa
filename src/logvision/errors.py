"""What can go wrong, by how it is treated. Bad data is never an exception: it is a REJECT row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit


class LogVisionError(Exception):
    """Base of every error that LogVision raises on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in what the operator gave us: where it stands, what came, what was expected."""

    where: str
    got: str
    expected: str

    def __str__(self) -> str:
        return f"{self.where}: got {self.got}; expected {self.expected}"


class SetupError(LogVisionError):
    """Bad set-up: configuration, rules, paths, ports. Carries every mistake found, not the first.

    The command line prints one line per problem and exits with code 2.
    """

    def __init__(self, problems: Iterable[Problem] | Problem) -> None:
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(p) for p in self.problems))


class SourceError(LogVisionError):
    """A source was lost while running. The engine waits and opens it again at the last commit."""


class StoreError(LogVisionError):
    """A store (lake, casebook, live) cannot take or give data now. Nothing may be committed past it;
    the engine waits and tries again."""


def without_secrets(url: str) -> str:
    """An address as it may be shown: without user, password and options."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.scheme else parts.path
