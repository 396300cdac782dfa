"""What is wrong with the parts of a running system, as the Health page and the operator are told of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

PERIOD_S: Final = 5.0  # between two tellings of a state that does not change
LOOK_S: Final = 0.5  # a changed state is told this soon

Problems = Mapping[str, Callable[[], str | None]]
"""Name of a part to what is wrong with it now; None: nothing."""


def checks(problems: Problems) -> list[Mapping[str, Any]]:
    """A row of GET /api/health for every part."""
    return [
        {"name": name, "ok": problem is None, "detail": problem or "as it should be"}
        for name, ask in problems.items()
        for problem in [ask()]
    ]


class Teller:
    """Tells the operator what has gone wrong, or is well again, since the last time."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._said: dict[str, str] = {}

    def tell(self, wrong: Mapping[str, str]) -> None:
        """`wrong`: all that is wrong now, by the name of the part."""
        for name, detail in wrong.items():
            if self._said.get(name) != detail:
                self._say(f"{name}: {detail}")
        for name in self._said.keys() - wrong.keys():
            self._say(f"{name}: well again")
        self._said = dict(wrong)
