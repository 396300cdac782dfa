"""Documents: YAML files of plain data."""

from __future__ import annotations

from typing import Any, Final

import orjson
import yaml

LOADER: Final = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader  # a tenth of the time


class DocumentError(Exception):
    """A text that is no YAML, or no plain data; says why in one line."""


def read(text: str) -> Any:
    """What a text says; raises DocumentError."""
    try:
        return yaml.load(text, LOADER)  # noqa: S506 - a safe one
    except yaml.YAMLError as error:
        raise DocumentError(" ".join(str(error).split())) from None


def plain(documents: list[Any]) -> bytes | None:
    """Documents as JSON; None: it would not give them back as they are (dates, numbers for keys)."""
    try:
        said = orjson.dumps(documents, option=orjson.OPT_PASSTHROUGH_DATETIME)
    except TypeError:
        return None
    return said if orjson.loads(said) == documents else None
