"""Bad input ends as a counted reject with a reason, or as an event, and never stops anything."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from logvision.columns import constant
from logvision.formats import Formats
from logvision.formats.lines import LINE_LIMIT
from logvision.schema import PARSED, RAW_KEPT, RECORD, REJECT
from logvision.sources import base

READ_AT = datetime(2024, 1, 1, 12, tzinfo=UTC)
LINE = b'203.0.113.7 - - [10/Oct/2023:13:55:36 +0000] "GET /a HTTP/1.1" 200 5 "-" "x"'


def records(lines: list[bytes], source: str = "a.log") -> pa.Table:
    return pa.table(
        [pa.array(lines, pa.binary()), constant(source, len(lines)), pa.array(range(len(lines)), pa.int64())],
        schema=RECORD,
    )


def reasons(lines: list[bytes]) -> list[str | None]:
    """Why each line was rejected; None: it is an event."""
    parsed = Formats().parse(records(lines), READ_AT)
    why: list[str | None] = [None] * len(lines)
    for row in parsed.rejects.to_pylist():
        why[row["position"]] = row["reason"]
    assert parsed.events.column("position").to_pylist() == [
        i for i, reason in enumerate(why) if reason is None
    ]
    return why


@pytest.mark.parametrize("copies", [1, 100])
def test_each_kind_of_bad_line_has_its_reason(copies: int) -> None:
    given: list[tuple[bytes, str | None]] = [
        (LINE + b"\n", None),
        (b"\xef\xbb\xbf" + LINE + b"\r\n", None),
        (b"", "empty"),
        (b"\n", "empty"),
        (b" \t \r\n", "empty"),
        (b"\xef\xbb\xbf\n", "empty"),
        (LINE[:40] + b"\0" + LINE[40:] + b"\n", "binary"),
        (b"\0" * 100 + LINE + b"\n", "binary"),
        (bytes(range(1, 9)) + b"\n", "binary"),
        (b"\x89PNG\r\x1a\x0b\xff\xfe\n", "binary"),
        (b"GET / HTTP/1.1\n", "no_format"),
        (LINE[:50] + b"\n", "no_format"),
        (LINE.replace(b"10/Oct", b"31/Feb") + b"\n", "bad_time"),
        (LINE.replace(b"2023", b"1989") + b"\n", "bad_time"),
        (LINE.replace(b"10/Oct/2023:13", b"02/Jan/2024:12") + b"\n", "bad_time"),
        (LINE.replace(b"10/Oct/2023:13", b"02/Jan/2024:11") + b"\n", None),
        (LINE.replace(b" 200 ", b" 999999 ") + b"\n", "no_format"),
        (LINE.replace(b" 200 ", b" 20 ") + b"\n", "bad_field"),
        (LINE.replace(b" 5 ", b" " + b"9" * 19 + b" ") + b"\n", "bad_field"),
        (b'{"time": "2023-10-10T13:55:36Z", "uri": \n', "bad_json"),
        (b'{"time": "2023-10-10T13:55:36Z"}\n', "bad_json"),
        (b'{"time": {}, "uri": []}\n', "bad_json"),
        (b"#Software: x\n", "directive"),
    ]

    assert reasons([line for line, _ in given] * copies) == [why for _, why in given] * copies


def test_a_line_cut_at_the_limit_is_too_long_and_a_whole_one_is_read() -> None:
    whole = LINE[:-2] + b"x" * (LINE_LIMIT - len(LINE)) + b'"\n'
    cut = whole[:-1] + b"y"
    parsed = Formats().parse(records([whole, cut, LINE]), READ_AT)

    assert parsed.events.column("position").to_pylist() == [0, 2]
    assert parsed.rejects.to_pylist() == [
        {
            "reason": "too_long",
            "raw": cut[:RAW_KEPT],
            "size": LINE_LIMIT,
            "source": "a.log",
            "position": 1,
            "read_at": READ_AT,
        }
    ]


def test_the_limit_is_that_of_the_sources() -> None:
    assert LINE_LIMIT == base.LINE_LIMIT


@pytest.mark.slow
def test_a_megabyte_of_quotes_and_backslashes_takes_no_time() -> None:
    # Quadratic work would run into the suite's time limit.
    for piece in (
        b'"',
        b'" ',
        b'\\"',
        b"\\",
        b" ",
        b" [",
        b'" 200 ',
        b", ",
        b" : ",
        b"=",
        b'="',
        b"\t",
        b"{",
        b"%2",
    ):
        body = piece * (LINE_LIMIT // 2 // len(piece))
        for line in (
            body,
            LINE + b" " + body,
            LINE[:46] + body,
            LINE[:-1] + body,
            b"<30>" + body,
            b'{"log":' + body,
        ):
            assert len(reasons([line + b"\n"])) == 1


def test_invalid_utf8_becomes_escapes_and_valid_text_stays() -> None:
    line = LINE.replace(b"/a", b"/\xff\xc3\xa4?\xfe").replace(b'"x"', b'"\xe4\xb8\xad\x80"')
    for copies in (1, 60):
        (row, *_) = Formats().parse(records([line] * copies), READ_AT).events.to_pylist()

        assert (row["target"], row["path"], row["query"]) == ("/\\xffä?\\xfe", "/\\xffä", "\\xfe")
        assert row["user_agent"] == "中\\x80"


def test_no_records_give_empty_tables() -> None:
    parsed = Formats().parse(RECORD.empty_table(), READ_AT)

    assert (parsed.events.schema, parsed.rejects.schema) == (PARSED, REJECT)
    assert (len(parsed.events), len(parsed.rejects)) == (0, 0)


def test_only_bad_lines_give_no_events_and_the_right_schema() -> None:
    parsed = Formats().parse(records([b"x\n"] * 100), READ_AT)

    assert parsed.events.schema == PARSED
    assert len(parsed.rejects) == 100


def test_records_in_many_chunks_of_several_sources_come_out_in_input_order() -> None:
    parts = [records([LINE, b"junk\n"], source) for source in ("a", "b", "a", "c")]
    parsed = Formats().parse(pa.concat_tables(parts), READ_AT)

    assert parsed.events.column("source").to_pylist() == ["a", "b", "a", "c"]
    assert parsed.rejects.column("source").to_pylist() == ["a", "b", "a", "c"]


@pytest.mark.parametrize("length", [3, 100])
def test_a_slice_of_a_table_is_read_like_a_table_of_its_own(length: int) -> None:
    whole = records([LINE.replace(b"/a", b"/%d" % n) for n in range(200)])
    parsed = Formats().parse(whole.slice(50, length), READ_AT)

    assert parsed.events.column("path").to_pylist() == [f"/{n}" for n in range(50, 50 + length)]
    assert parsed.events.column("position").to_pylist() == list(range(50, 50 + length))


def test_text_columns_come_out_in_one_chunk_without_needless_values() -> None:
    events = Formats().parse(records([LINE] * 1000), READ_AT).events

    assert [events.column(name).num_chunks for name in PARSED.names] == [1] * len(PARSED.names)
    assert events.column("path").chunk(0).dictionary.to_pylist() == ["/a"]
