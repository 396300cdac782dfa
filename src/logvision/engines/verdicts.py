"""One JSON object per input line: what was said of it. For scripts that hold us to our word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, BinaryIO, Final

import pyarrow as pa

if TYPE_CHECKING:
    import polars as pl

_COLUMNS: Final = ["source", "position", "score", "attack", "rules", "outcome"]


class Verdicts:
    """Writes `source, line, event, score, attack, rules, outcome` as JSON lines, in input order.

    `line` counts from 1 within its source. Batches must come in reading order, as the engine gives
    them. A line that is no event has score 0, no rules and null elsewhere.
    """

    def __init__(self, out: BinaryIO, names: Mapping[str, str]) -> None:
        """`names`: source to the name that it was given by, in the order given; others keep theirs."""
        self._out = out
        self._names = names
        self._rank = {source: i for i, source in enumerate(names)}
        self._lines: dict[str, int] = {}

    def add(self, events: pa.Table, rejects: pa.Table) -> None:
        """Write one batch: every record of it stands in one of the two tables."""
        import polars as pl  # noqa: PLC0415 - 60 MB that other scans do without

        none = {"score": pl.Float32, "attack": pl.String, "rules": pl.String, "outcome": pl.String}
        judged = _plain(events.select(_COLUMNS)).with_columns(event=pl.lit(True))
        turned_down = _plain(rejects.select(["source", "position"])).with_columns(
            *(pl.lit(None, dtype).alias(name) for name, dtype in none.items()), event=pl.lit(False)
        )
        rows = pl.concat([judged, turned_down], how="diagonal_relaxed")
        for source in sorted(rows["source"].unique(), key=lambda name: self._rank.get(name, len(self._rank))):
            self._write(source, rows.filter(pl.col("source") == source).sort("position"))

    def _write(self, source: str, rows: pl.DataFrame) -> None:
        import polars as pl  # noqa: PLC0415

        before = self._lines.get(source, 0)
        self._lines[source] = before + rows.height
        said = rows.select(
            pl.lit(self._names.get(source, source)).alias("source"),
            (pl.int_range(pl.len()) + before + 1).alias("line"),
            "event",
            pl.col("score").fill_null(0.0).round(4),
            "attack",
            pl.col("rules").str.split(" ").fill_null([]),
            "outcome",
        ).write_ndjson()
        self._out.write(said.encode())


def _plain(table: pa.Table) -> pl.DataFrame:
    """Dictionary columns as strings: polars' categoricals would be shared over the process."""
    import polars as pl  # noqa: PLC0415

    fields = [pa.field(f.name, pa.string()) if pa.types.is_dictionary(f.type) else f for f in table.schema]
    frame = pl.from_arrow(table.cast(pa.schema(fields)))
    assert isinstance(frame, pl.DataFrame)
    return frame
