"""What `Formats` remembers, is told, and shows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from logvision.columns import constant
from logvision.errors import SetupError
from logvision.formats import Formats, detect, parse_line
from logvision.schema import RECORD

READ_AT = datetime(2024, 1, 1, tzinfo=UTC)
COMBINED = b'203.0.113.7 - - [10/Oct/2023:13:55:36 +0000] "GET /a?b HTTP/1.1" 200 5 "-" "x"'
VHOST = b"www.example.com:443 " + COMBINED


def parse(formats: Formats, lines: list[bytes], source: str = "a.log") -> list[dict[str, Any]]:
    table = pa.table(
        [pa.array(lines, pa.binary()), constant(source, len(lines)), pa.array(range(len(lines)), pa.int64())],
        schema=RECORD,
    )
    return formats.parse(table, READ_AT).events.to_pylist()  # type: ignore[no-any-return]


def column(formats: Formats, lines: list[bytes], name: str) -> list[Any]:
    return [row[name] for row in parse(formats, lines)]


def test_two_formats_in_one_file_are_both_known_with_their_shares() -> None:
    formats = Formats()
    sites = column(formats, [COMBINED, VHOST, COMBINED, COMBINED] * 50, "site")

    assert sites == [None, "www.example.com", None, None] * 50
    assert formats.known() == {"a.log": [("combined", 1.0, 0.75), ("vhost_combined", 1.0, 0.25)]}


def test_a_format_that_changes_mid_file_is_followed() -> None:
    formats = Formats()

    assert column(formats, [COMBINED] * 100, "site") == [None] * 100
    assert column(formats, [VHOST] * 100, "site") == ["www.example.com"] * 100


def test_a_snapshot_is_json_and_carries_the_header_over_a_restart() -> None:
    before = Formats()
    parse(
        before,
        [
            b"#Fields: date time c-ip cs-method cs-uri-stem sc-status",
            b"2023-05-02 17:42:15 203.0.113.7 GET / 200",
        ],
    )
    after = Formats()
    after.restore(json.loads(json.dumps(before.snapshot())))

    assert after.known() == before.known()
    assert column(after, [b"2023-05-02 17:42:16 203.0.113.8 GET /x 404"], "path") == ["/x"]
    assert parse(Formats(), [b"2023-05-02 17:42:16 203.0.113.8 GET /x 404"]) == []


def test_a_header_of_one_source_does_not_reach_another() -> None:
    formats = Formats()
    parse(formats, [b"#Fields: date time c-ip cs-method cs-uri-stem sc-status"], "a.log")

    assert len(parse(formats, [b"2023-05-02 17:42:16 203.0.113.8 GET /x 404"], "a.log")) == 1
    assert len(parse(formats, [b"2023-05-02 17:42:16 203.0.113.8 GET /x 404"], "b.log")) == 0


def test_a_header_in_the_middle_changes_only_what_follows() -> None:
    first, second = b"#Fields: date time cs-uri-stem c-ip", b"#Fields: date time c-ip cs-uri-stem"
    lines = [
        first,
        *[b"2023-05-02 17:42:16 /x 203.0.113.8"] * 60,
        second,
        *[b"2023-05-02 17:42:16 203.0.113.8 /x"] * 60,
    ]

    assert column(Formats(), lines, "path") == ["/x"] * 120


@pytest.mark.parametrize(
    ("tail", "duration"),
    [
        (b" 0", 0),
        (b" 3", 3_000_000),
        (b" 5123", 5123),
        (b" 0.003", 3000),
        (b" 0.003 0.002", 3000),
        (b' "-" 1.250', 1_250_000),
    ],
)
def test_the_duration_behind_a_line_is_read_in_its_unit(tail: bytes, duration: int) -> None:
    assert column(Formats(), [COMBINED + tail] * 50, "duration_us") == [duration] * 50


def test_the_unit_of_a_bare_integer_follows_from_the_first_lines_and_is_kept() -> None:
    seconds, micro = Formats(), Formats()
    parse(seconds, [COMBINED + b" %d" % (n % 3) for n in range(300)])
    parse(micro, [COMBINED + b" %d" % (n * 100 + 100) for n in range(300)])

    assert column(seconds, [COMBINED + b" 600"], "duration_us") == [600_000_000]
    assert column(micro, [COMBINED + b" 30"], "duration_us") == [30]


PASTED = {
    "nginx": (
        "log_format site '$remote_addr - $remote_user [$time_local] \"$request\" '\n"
        '    \'$status $body_bytes_sent "$http_referer" "$http_user_agent" $host $request_time\';',
        COMBINED + b" www.example.com 0.250",
        {"site": "www.example.com", "duration_us": 250_000, "path": "/a"},
    ),
    "apache": (
        'LogFormat "%v %a %u %t \\"%m %U%q %H\\" %>s %B %D \\"%{X-Forwarded-For}i\\"" mine',
        b'www.example.com 203.0.113.7 bob [10/Oct/2023:13:55:36 +0000] "GET /a?b HTTP/1.1" 404 12 1500'
        b' "198.51.100.1"',
        {
            "site": "www.example.com",
            "user": "bob",
            "status": 404,
            "duration_us": 1500,
            "forwarded": "198.51.100.1",
        },
    ),
    "bare": (
        "$time_iso8601|$remote_addr|$request_method|$uri|$args|$status|$bytes_sent",
        b"2023-10-10T13:55:36+02:00|203.0.113.7|GET|/a|b|200|77",
        {"target": "/a?b", "query": "b", "bytes": 77, "method": "GET"},
    ),
    "words": (
        "$msec $remote_addr $request_method $uri $args $status",
        b"1696946136.250 203.0.113.7 GET /a b 200",
        {"target": "/a?b", "time": datetime(2023, 10, 10, 13, 55, 36, 250_000, UTC)},
    ),
    "json": (
        'log_format j escape=json \'{"t":"$time_iso8601","c":"$remote_addr","r":"$request",\'\n'
        '  \'"s":$status,"d":"$request_time"}\';',
        b'{"t":"2023-10-10T13:55:36Z","c":"203.0.113.7","r":"GET /\\"x HTTP/1.1","s":200,"d":"0.001"}',
        {"target": '/"x', "duration_us": 1000},
    ),
    "named": ("apache_combined_us", COMBINED + b" 3", {"duration_us": 3}),
}


@pytest.mark.parametrize("name", PASTED)
@pytest.mark.parametrize("copies", [1, 100])
def test_a_pasted_directive_is_a_format(name: str, copies: int) -> None:
    directive, line, expected = PASTED[name]
    rows = parse(Formats({"*.log": directive}), [line] * copies)

    assert [{key: row[key] for key in expected} for row in rows] == [expected] * copies


def test_a_pinned_source_is_read_by_its_format_alone() -> None:
    formats = Formats({"a*": "vhost_combined"})

    assert len(parse(formats, [COMBINED, VHOST], "a.log")) == 1
    assert len(parse(formats, [COMBINED, VHOST], "b.log")) == 2


def test_bars_of_a_pinned_format_are_not_those_that_compose_writes() -> None:
    formats = Formats(
        {"a*": '$host | $remote_addr | [$time_local] | "$request" | $status | $body_bytes_sent'}
    )
    bare = b'www.example.com | 203.0.113.7 | [10/Oct/2023:13:55:36 +0000] | "GET /a HTTP/1.1" | 200 | 5'

    assert column(formats, [bare, b"web-1  | " + bare] * 50, "site") == ["www.example.com"] * 100


def test_every_mistake_in_the_pins_is_told_at_once() -> None:
    with pytest.raises(SetupError) as caught:
        Formats({"a": "nonsense", "b": "$remote_addr $status", "c": "$time_local$request", "d": "combined"})

    assert [problem.where for problem in caught.value.problems] == [
        'formats."a"',
        'formats."b"',
        'formats."b"',
        'formats."c"',
    ]


def test_detection_ranks_formats_by_how_much_they_explain() -> None:
    assert detect([COMBINED] * 3 + [VHOST, b"junk", b"", b"# x"]) == [
        ("combined", 0.6),
        ("vhost_combined", 0.2),
    ]
    assert detect([b"junk"]) == []
    assert detect([]) == []


def test_one_line_is_explained_with_its_format_and_fields() -> None:
    answer = parse_line(COMBINED + b" 0.005")
    fields = answer.pop("fields")

    assert answer == {"format": "combined+timing", "confidence": 1.0, "reason": None}
    assert {key: value for key, value in fields.items() if value is not None} == {
        "time": "2023-10-10T13:55:36Z",
        "peer_ip": "203.0.113.7",
        "method": "GET",
        "target": "/a?b",
        "path": "/a",
        "query": "b",
        "protocol": "HTTP/1.1",
        "status": 200,
        "bytes": 5,
        "user_agent": "x",
        "duration_us": 5000,
    }
    assert parse_line(b"junk") == {"format": None, "confidence": 0.0, "fields": None, "reason": "no_format"}


def test_explaining_a_line_uses_what_its_source_taught_and_teaches_nothing() -> None:
    formats = Formats()
    parse(formats, [b"#Fields: date time c-ip cs-method cs-uri-stem sc-status"])
    before = formats.snapshot()

    assert parse_line(b"2023-05-02 17:42:16 203.0.113.8 GET /x 404", formats, "a.log")["format"] == "w3c"
    assert formats.snapshot() == before
