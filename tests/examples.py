"""How many examples a property is held to: as many as it says in `make test`, a quarter in `make check`."""

from __future__ import annotations

from hypothesis import settings

ALL = 100
"""Examples of a property that says no number; the profile `quick` (tests/conftest.py) has a quarter."""


def examples(count: int) -> settings:
    """Of a property that needs more than others. The first example may take long: models are loaded."""
    return settings(max_examples=max(1, count * settings().max_examples // ALL), deadline=None)
