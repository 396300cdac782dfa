"""The columnar and the exact reader give the same events, whatever the lines and however they are cut."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logvision.columns import constant
from logvision.formats import Formats
from logvision.schema import RECORD

pytestmark = pytest.mark.slow

SAMPLES = Path(__file__).parent.parent / "samples" / "formats"
READ_AT = datetime(2024, 1, 1, tzinfo=UTC)
LINES = [
    line
    for path in sorted(SAMPLES.glob("*.log"))
    if path.stem not in {"w3c", "cloudfront", "combined+duration"}
    for line in path.read_bytes().splitlines()
    if line and not line.startswith(b"#")
]
HEADER = b"#Fields: date time c-ip cs-method cs-uri-stem cs-uri-query sc-status cs(User-Agent) time-taken"
W3C = b"2023-05-02 17:42:15 203.0.113.7 GET /a.aspx id=1&b=?2 200 Mozilla/5.0+(X11) 46"
HOSTILE = [
    b'"',
    b" ",
    b"\\",
    b'\\"',
    b"\\\\",
    b"[",
    b"]",
    b"-",
    b":",
    b"?",
    b"\t",
    b",",
    b"\xff",
    b"\xc3\xa9",
    b"{",
    b"\r",
    b"9",
    b"'",
]

pieces = st.one_of(
    st.sampled_from(HOSTILE), st.binary(min_size=1, max_size=3).filter(lambda b: b"\n" not in b)
)


@st.composite
def spoiled(draw: st.DrawFn, lines: list[bytes]) -> bytes:
    """A sample line with up to three places replaced, removed or added to."""
    line = draw(st.sampled_from(lines))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(line)))
        line = line[:at] + draw(pieces) + line[at + draw(st.integers(0, 2)) :]
    return line


def outcomes(formats: Formats, lines: list[bytes]) -> list[dict[str, Any]]:
    table = pa.table(
        [
            pa.array([line + b"\n" for line in lines], pa.binary()),
            constant("a.log", len(lines)),
            pa.array(range(len(lines)), pa.int64()),
        ],
        schema=RECORD,
    )
    parsed = formats.parse(table, READ_AT)
    parsed.events.validate(full=True)
    found = {row["position"]: row for row in parsed.events.to_pylist()}
    rejected = {row["position"]: {"reason": row["reason"]} for row in parsed.rejects.to_pylist()}
    assert not found.keys() & rejected.keys()
    every = found | rejected
    return [{k: v for k, v in every[index].items() if k != "position"} for index in range(len(lines))]


def alone(lines: list[bytes]) -> list[dict[str, Any]]:
    """One line a batch: too few for the columnar reader."""
    formats = Formats()
    return [outcomes(formats, [line])[0] for line in lines]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(LINES).flatmap(lambda line: st.lists(spoiled([line]), min_size=30, max_size=40)))
def test_spoiled_lines_of_one_format_read_the_same_in_bulk_and_alone(lines: list[bytes]) -> None:
    assert outcomes(Formats(), lines) == alone(lines)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(spoiled(LINES), min_size=30, max_size=60))
def test_spoiled_lines_of_all_formats_mixed_read_the_same_in_bulk_and_alone(lines: list[bytes]) -> None:
    assert outcomes(Formats(), lines) == alone(lines)


def test_json_objects_of_many_shapes_each_too_few_for_the_bulk_keep_their_own_values() -> None:
    shape = (
        b'{"timestamp":"2023-10-10T13:55:36Z","httpRequest":{"requestMethod":"GET","requestUrl":"/%d",'
        b'%s"status":200,"userAgent":"curl/8.4.%d"}}'
    )
    peer, odd = b'"remoteIp":"203.0.113.%d",', b'" remoteIp":"203.0.113.%d",'
    lines = [shape % (n, (odd if n % 3 == 0 else peer) % n, n) for n in range(50)]

    assert outcomes(Formats(), lines) == alone(lines)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(spoiled([W3C]), min_size=30, max_size=40))
def test_spoiled_lines_under_a_w3c_header_read_the_same_in_bulk_and_alone(lines: list[bytes]) -> None:
    assert outcomes(Formats(), [HEADER, *lines]) == alone([HEADER, *lines])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(spoiled(LINES), min_size=30, max_size=60), st.lists(st.integers(0, 60), max_size=4))
def test_where_a_stream_is_cut_into_batches_changes_nothing(lines: list[bytes], cuts: list[int]) -> None:
    formats = Formats()
    edges = sorted({0, len(lines), *(cut for cut in cuts if cut < len(lines))})
    cut = [row for a, b in pairwise(edges) for row in outcomes(formats, lines[a:b])]

    assert cut == outcomes(Formats(), lines)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.binary(max_size=200).filter(lambda b: b"\n" not in b), min_size=1, max_size=40))
def test_random_bytes_end_in_exactly_one_place_each(lines: list[bytes]) -> None:
    assert len(outcomes(Formats(), lines)) == len(lines)
