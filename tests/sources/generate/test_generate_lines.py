"""Formats of a line, character by character."""

# ruff: noqa: E501 (log lines are long)

from __future__ import annotations

import json
import re
from itertools import islice

import numpy as np
import polars as pl
import pytest

from logvision.sources.generate.lines import Format, labels, payload, render
from logvision.sources.generate.rows import SCHEMA
from logvision.sources.generate.traffic import Traffic

ROW = {
    "time": 1_795_433_405_250_000,
    "host": "shop.example.com",
    "client": "203.0.113.7",
    "user": "-",
    "method": "GET",
    "target": '/a?q="x\\y',
    "protocol": "HTTP/2.0",
    "status": 200,
    "bytes": 512,
    "referer": "-",
    "user_agent": "Größe\x01",
    "duration_us": 5_012_900,
    "attack": "sqli",
    "campaign": "sqlmap-4",
    "outcome": "worked",
    "stage": "exploit",
    "actor": "203.0.113.7",
}


def frame(**changes: object) -> pl.DataFrame:
    return pl.DataFrame([ROW | changes], schema=SCHEMA)


@pytest.mark.parametrize(
    ("form", "line"),
    [
        (
            Format.COMBINED,
            r'203.0.113.7 - - [23/Nov/2026:11:30:05 +0000] "GET /a?q=\x22x\x5Cy HTTP/2.0" 200 512 "-" "Gr\xC3\xB6\xC3\x9Fe\x01"',
        ),
        (
            Format.COMBINED_TIME,
            r'203.0.113.7 - - [23/Nov/2026:11:30:05 +0000] "GET /a?q=\x22x\x5Cy HTTP/2.0" 200 512 "-" "Gr\xC3\xB6\xC3\x9Fe\x01" 5.012',
        ),
        (
            Format.VHOST_COMBINED,
            r'shop.example.com:443 203.0.113.7 - - [23/Nov/2026:11:30:05 +0000] "GET /a?q=\x22x\x5Cy HTTP/2.0" 200 512 "-" "Gr\xC3\xB6\xC3\x9Fe\x01"',
        ),
        (
            Format.COMMON,
            r'203.0.113.7 - - [23/Nov/2026:11:30:05 +0000] "GET /a?q=\x22x\x5Cy HTTP/2.0" 200 512',
        ),
    ],
)
def test_a_row_is_written_as_nginx_writes_it(form: Format, line: str) -> None:
    assert render(frame(), form).to_list() == [line]


def test_a_json_line_holds_every_field() -> None:
    assert json.loads(render(frame(), Format.JSON)[0]) == {
        "time_iso8601": "2026-11-23T11:30:05+00:00",
        "remote_addr": "203.0.113.7",
        "remote_user": "",
        "host": "shop.example.com",
        "request_method": "GET",
        "request_uri": '/a?q="x\\y',
        "server_protocol": "HTTP/2.0",
        "status": 200,
        "body_bytes_sent": 512,
        "request_time": 5.012,
        "http_referer": "",
        "http_user_agent": "Größe\x01",
    }


def test_bytes_that_are_not_http_stand_alone_in_the_request() -> None:
    line = render(frame(method="", target="\x16\x03\x01", user_agent="-"), Format.COMBINED)[0]
    assert line == r'203.0.113.7 - - [23/Nov/2026:11:30:05 +0000] "\x16\x03\x01" 200 512 "-" "-"'


def test_the_label_of_an_attack_tells_class_outcome_stage_campaign_and_actor() -> None:
    assert labels(frame(), 7, np.array([1234])).to_list() == [
        '{"line":7,"position":1234,"label":"attack","class":"sqli","outcome":"worked","stage":"exploit",'
        '"campaign":"sqlmap-4","actor":"203.0.113.7"}'
    ]
    nobody = frame(attack=None, outcome=None, stage=None, campaign=None, actor=None)
    assert labels(nobody, 1, np.array([0])).to_list() == ['{"line":1,"position":0,"label":"normal"}']


def test_the_payload_is_all_lines_with_their_ends() -> None:
    data, offsets = payload(pl.Series(["ab", "", "cde"]))
    assert bytes(data) == b"ab\n\ncde\n"
    assert offsets.tolist() == [0, 3, 4, 8]


TEXT = r'"(?:[^"\\]|\\x[0-9A-F]{2})*"'
COMBINED = re.compile(
    rf"[0-9a-f.:]+ - \S+ \[\d\d/[A-Z][a-z]{{2}}/\d{{4}}:\d\d:\d\d:\d\d \+0000\] {TEXT} \d{{3}} \d+ {TEXT} {TEXT}"
)
SHAPES = {
    Format.COMBINED: COMBINED,
    Format.COMBINED_TIME: re.compile(COMBINED.pattern + r" \d+\.\d{3}"),
    Format.VHOST_COMBINED: re.compile(r"[a-z.]+:443 " + COMBINED.pattern),
    Format.COMMON: re.compile(COMBINED.pattern.removesuffix(f" {TEXT} {TEXT}")),
}


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    model = Traffic(
        seed=3, per_second=30.0, start=1_795_433_405_000_000, chunk_lines=12_000, attack_share=0.2
    )
    return pl.concat(islice((rows for rows in model.chunks() if rows is not None), 2))


@pytest.mark.parametrize("form", list(SHAPES))
def test_every_line_of_a_text_format_has_its_shape(rows: pl.DataFrame, form: Format) -> None:
    assert [line for line in render(rows, form) if not SHAPES[form].fullmatch(line)] == []


def test_every_json_line_is_an_object_with_the_row_in_it(rows: pl.DataFrame) -> None:
    told = [json.loads(line) for line in render(rows, Format.JSON)]
    assert [one["request_uri"] for one in told] == rows["target"].to_list()
    assert [one["status"] for one in told] == rows["status"].to_list()
