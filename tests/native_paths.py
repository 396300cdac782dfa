"""Running code with and without the native core, to hold both to the same answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from logvision import native


@contextmanager
def without_core() -> Iterator[None]:
    """The pure paths run, as on a machine where the core is not built."""
    with patch.object(native, "HERE", False):
        yield
