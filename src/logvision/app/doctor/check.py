"""What one check found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """How it is."""

    OK = "ok"
    WARN = "warn"  # works, and something is lost
    FAIL = "fail"  # does not work


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `detail` and `samples` may hold log text: hostile."""

    name: str
    state: State
    detail: str  # one sentence
    source: str | None = None  # the log it is about; null: the set-up
    advice: tuple[str, ...] = ()  # what to do, each a sentence or a line of configuration
    samples: tuple[str, ...] = ()  # lines of the log that show it

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"state": self.state.value}
