"""Which formats lines are of, and what one line says: for `doctor`, `explain` and configuring a source."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

import pyarrow as pa

from logvision.columns import constant
from logvision.formats.parse import Formats
from logvision.schema import RECORD

SOURCE: Final = "lines"
ANY_TIME: Final = datetime(9999, 12, 1, tzinfo=UTC)
"""A time of reading that makes no line too late: these functions judge the format, not the clock."""


def detect(lines: Iterable[bytes]) -> list[tuple[str, float]]:
    """The formats of the lines as (name, confidence 0 to 1), the surest first; empty: none fits.

    Confidence is the format's own certainty times its share of all lines that are neither empty nor comments.
    """
    formats = Formats()
    records = _records(list(lines))
    parsed = formats.parse(records, ANY_TIME)
    reasons = parsed.rejects.column("reason").to_pylist()
    beside = sum(reason in {"empty", "directive"} for reason in reasons)
    share = len(parsed.events) / max(len(records) - beside, 1)
    ranked = [(name, round(sure * part * share, 4)) for name, sure, part in formats.known().get(SOURCE, [])]
    return sorted(ranked, key=lambda item: (-item[1], item[0]))


def parse_line(raw: bytes, formats: Formats | None = None, source: str = SOURCE) -> dict[str, Any]:
    """What one line is: `format`, `confidence`, `fields` (columns of PARSED; time as ISO 8601) or `reason`.

    With `formats` the line is read as the next one of that source would be; `formats` itself learns nothing.
    """
    scratch = formats.scratch(source) if formats is not None else Formats()
    parsed = scratch.parse(_records([raw], source), ANY_TIME)
    answer: dict[str, Any] = {"format": None, "confidence": 0.0, "fields": None, "reason": None}
    if len(parsed.rejects):
        answer["reason"] = parsed.rejects.column("reason")[0].as_py()
        return answer
    (name, sure, _), *_ = scratch.known()[source]
    fields = parsed.events.drop_columns(["source", "position"]).to_pylist()[0]
    fields["time"] = fields["time"].isoformat().replace("+00:00", "Z")
    return answer | {"format": name, "confidence": sure, "fields": fields}


def _records(lines: list[bytes], source: str = SOURCE) -> pa.Table:
    positions = range(len(lines))
    return pa.table(
        [pa.array(lines, pa.binary()), constant(source, len(lines)), pa.array(positions, pa.int64())],
        schema=RECORD,
    )
