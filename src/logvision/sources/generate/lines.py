"""From rows of requests to lines of text in the formats that servers write."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import polars as pl
import pyarrow as pa

ODD = r'["\\\x00-\x1f\x7f-\x{10FFFF}]'
"""Characters that nginx and Apache do not write as they are."""


class Format(StrEnum):
    """What a line looks like."""

    COMBINED = "combined"
    COMBINED_TIME = "combined_time"  # combined, then the request time in seconds
    VHOST_COMBINED = "vhost_combined"
    COMMON = "common"
    JSON = "json"  # nginx with escape=json, one object a line


def render(rows: pl.DataFrame, form: Format) -> pl.Series:
    """One line of text per row, without its line end."""
    if form is Format.JSON:
        return _json(rows)
    texts = {name: _escaped(rows[name], _hex_escape) for name in ("target", "referer", "user_agent")}
    request = pl.when(pl.col("method") == "").then(pl.col("target")).otherwise(
        pl.concat_str(pl.col("method"), pl.lit(" "), pl.col("target"), pl.lit(" "), pl.col("protocol"))
    )  # fmt: skip
    pieces = [
        pl.col("client"),
        pl.lit(" - "),
        pl.col("user"),
        pl.col("clock"),
        request,
        pl.lit('" '),
        pl.col("status").cast(pl.String),
        pl.lit(" "),
        pl.col("bytes").cast(pl.String),
    ]
    if form is not Format.COMMON:
        pieces += [pl.lit(' "'), pl.col("referer"), pl.lit('" "'), pl.col("user_agent"), pl.lit('"')]
    if form is Format.COMBINED_TIME:
        pieces += [pl.lit(" "), _seconds()]
    if form is Format.VHOST_COMBINED:
        pieces = [pl.col("host"), pl.lit(":443 "), *pieces]
    clock = _by_second(rows["time"], ' [%d/%b/%Y:%H:%M:%S +0000] "')
    return rows.with_columns(clock=clock, **texts).select(line=pl.concat_str(pieces))["line"]


def payload(lines: pl.Series) -> tuple[pa.Buffer, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """The bytes of all lines, each with its "\\n", and where each begins (one more: the end)."""
    text = (lines + "\n").to_arrow(compat_level=pl.CompatLevel.oldest())
    offsets = np.frombuffer(text.buffers()[1], np.int64)[text.offset : text.offset + len(text) + 1]
    data = text.buffers()[2]
    return data if data is not None else pa.py_buffer(b""), offsets


def labels(
    rows: pl.DataFrame, first_line: int, positions: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> pl.Series:
    """One JSON object per row: which line it is (from 1), where it begins in B, what it is, whose."""
    head = pl.concat_str(
        pl.lit('{"line":'),
        pl.Series(np.arange(first_line, first_line + rows.height)).cast(pl.String),
        pl.lit(',"position":'),
        pl.Series(positions).cast(pl.String),
        pl.lit(',"label":"'),
        pl.when(pl.col("attack").is_null()).then(pl.lit('normal"')).otherwise(pl.lit('attack"')),
    )
    told = pl.concat_str(
        pl.when(pl.col("attack").is_null())
        .then(pl.lit(""))
        .otherwise(
            pl.concat_str(
                pl.lit(',"class":"'),
                pl.col("attack").fill_null(""),
                pl.lit('","outcome":"'),
                pl.col("outcome").fill_null(""),
                pl.lit('","stage":"'),
                pl.col("stage").fill_null(""),
                pl.lit('"'),
            )
        ),
        pl.when(pl.col("campaign").is_null())
        .then(pl.lit(""))
        .otherwise(
            pl.concat_str(
                pl.lit(',"campaign":"'),
                pl.col("campaign").fill_null(""),
                pl.lit('","actor":"'),
                pl.col("actor").fill_null(""),
                pl.lit('"'),
            )
        ),
        pl.lit("}"),
    )
    return rows.select(label=pl.concat_str(head, told))["label"]


def _json(rows: pl.DataFrame) -> pl.Series:
    texts = {name: _escaped(rows[name], _json_escape) for name in ("target", "referer", "user_agent", "user")}
    pieces = [
        pl.lit('{"time_iso8601":"'),
        pl.col("clock"),
        pl.lit('","remote_addr":"'),
        pl.col("client"),
        pl.lit('","remote_user":"'),
        pl.col("user").replace("-", ""),
        pl.lit('","host":"'),
        pl.col("host"),
        pl.lit('","request_method":"'),
        pl.col("method"),
        pl.lit('","request_uri":"'),
        pl.col("target"),
        pl.lit('","server_protocol":"'),
        pl.col("protocol"),
        pl.lit('","status":'),
        pl.col("status").cast(pl.String),
        pl.lit(',"body_bytes_sent":'),
        pl.col("bytes").cast(pl.String),
        pl.lit(',"request_time":'),
        _seconds(),
        pl.lit(',"http_referer":"'),
        pl.col("referer").replace("-", ""),
        pl.lit('","http_user_agent":"'),
        pl.col("user_agent").replace("-", ""),
        pl.lit('"}'),
    ]
    clock = _by_second(rows["time"], "%Y-%m-%dT%H:%M:%S+00:00")
    return rows.with_columns(clock=clock, **texts).select(line=pl.concat_str(pieces))["line"]


def _by_second(times: pl.Series, form: str) -> pl.Series:
    """Times as text; the work is done once per distinct second."""
    seconds, place = np.unique(times.to_numpy() // 1_000_000, return_inverse=True)
    return pl.from_epoch(pl.Series(seconds), time_unit="s").dt.strftime(form).gather(place)


def _seconds() -> pl.Expr:
    millis = pl.col("duration_us") // 1000
    return pl.concat_str(
        (millis // 1000).cast(pl.String), pl.lit("."), (millis % 1000).cast(pl.String).str.zfill(3)
    )


def _escaped(column: pl.Series, escape: dict[int, str]) -> pl.Series:
    """The column with odd characters escaped; only values that hold any (attacks) are touched one by one."""
    odd = column.str.contains(ODD).arg_true()
    if not odd.len():
        return column
    mended = [_translate(value, escape) for value in column.gather(odd)]
    return column.clone().scatter(odd, mended)


_hex_escape = {code: f"\\x{code:02X}" for code in (*range(32), 34, 92, *range(127, 256))}
_json_escape = {code: f"\\u{code:04x}" for code in (*range(32), 127)} | {34: '\\"', 92: "\\\\"}


def _translate(value: str, escape: dict[int, str]) -> str:
    if escape is _hex_escape:  # by byte of its UTF-8 form, as servers do
        value = value.encode().decode("latin-1")
    return value.translate(escape)
