"""Bad input, through the whole of a scan: each line is an event or a counted reject, and nothing stops."""

from __future__ import annotations

import gzip
import random
from pathlib import Path
from typing import Any

import orjson
import pytest
from whole_runs import command, event_rows, line, reject_rows, scan, sizes

from logvision.schema import RAW_KEPT
from logvision.sources.base import LINE_LIMIT

pytestmark = [pytest.mark.usefixtures("quick"), pytest.mark.slow]


def counts(result: dict[str, Any]) -> tuple[int, int, int, int]:
    return result["read"], result["events"], result["rejects"], result["filtered"]


def test_each_bad_line_is_counted_with_its_reason_and_kept_and_the_good_ones_stay(tmp_path: Path) -> None:
    log, data = tmp_path / "access.log", tmp_path / "data"
    tls = rb'203.0.113.7 - - [14/May/2024:12:00:00 +0000] "\x16\x03\x01\x02\x00\x01" 400 2 "-" "-"' + b"\n"
    lines: list[tuple[bytes, str | None]] = [
        (line(1), None),
        (b"\0" * 300 + b"\n", "binary"),
        (line(2).replace(b"GET /", b"GET /\0"), "binary"),
        (tls, None),
        (line(3).replace(b"GET / HTTP/1.1", b"\x16\x03\x01\x02\xfe\xff"), None),
        (line(4, "/café"), None),
        (line(5, "/x").replace(b"/x", b"/\xff\xfe"), None),
        (b"\n", "empty"),
        (line(6)[:60] + b"\n", "no_format"),
        (line(7).replace(b"14/May", b"31/Feb"), "bad_time"),
        (b"x" * (LINE_LIMIT + 5) + b"\n", "too_long"),
        (line(8, "/" + "a" * (1 << 19)), None),
        (line(9), None),
    ]
    log.write_bytes(b"".join(raw for raw, _ in lines))
    result = scan(log, data).result()

    refused = [(raw, reason) for raw, reason in lines if reason is not None]
    assert counts(result) == (13, 7, 6, 0)
    assert result["log_bytes"] == log.stat().st_size
    assert result["reject_reasons"] == {
        "bad_time": 1, "binary": 2, "empty": 1, "no_format": 1, "too_long": 1
    }  # fmt: skip
    assert [(row["reason"], row["raw"]) for row in reject_rows(data)] == [
        (reason, raw[:RAW_KEPT]) for raw, reason in refused
    ]
    rows = event_rows(data)
    assert [row["bytes"] for row in rows] == [1, 2, 3, 4, 5, 8, 9]
    assert [row["method"] for row in rows] == ["GET", None, None, "GET", "GET", "GET", "GET"]
    assert [row["path"] for row in rows[1:5]] == [
        r"\x16\x03\x01\x02\x00\x01", "\x16\x03\x01\x02\\xfe\\xff", "/café", r"/\xff\xfe"
    ]  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2])
def test_of_random_bytes_each_line_is_in_exactly_one_place(tmp_path: Path, seed: int) -> None:
    log, data = tmp_path / "access.log", tmp_path / "data"
    log.write_bytes(random.Random(seed).randbytes(300_000))
    result = scan(log, data).result()

    lines = log.read_bytes().split(b"\n")
    read = len(lines) - (lines[-1] == b"")
    # A line that begins with "#" is somebody's comment, and counts as filtered.
    comments = sum(raw.startswith(b"#") for raw in lines)
    assert counts(result) == (read, 0, read - comments, comments)
    assert sum(row["size"] for row in reject_rows(data)) == 300_000


def test_random_bytes_between_good_lines_cost_none_of_them(tmp_path: Path) -> None:
    log, data = tmp_path / "access.log", tmp_path / "data"
    chance = random.Random(3)
    junk = [chance.randbytes(chance.randrange(1, 400)).replace(b"\n", b"") + b"\n" for _ in range(500)]
    log.write_bytes(b"".join(raw for n in range(500) for raw in (junk[n], line(n))))
    result = scan(log, data).result()

    assert counts(result)[:2] == (1000, 500)
    assert sizes(data) == list(range(500))


def test_an_empty_file_is_an_empty_result(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.touch()
    result = scan(log, tmp_path / "data").result()

    assert counts(result) == (0, 0, 0, 0)
    assert (result["first"], result["last"], result["status"]) == (None, None, {})


def test_a_binary_file_gives_rejects_alone(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    header = b"\x7fELF\x02\x01\x01" + b"\0" * 9
    log.write_bytes(header + random.Random(4).randbytes(50_000) + b"\0" * 50_000)
    result = scan(log, tmp_path / "data").result()

    assert result["events"] == 0
    assert result["read"] == result["rejects"] + result["filtered"] > 100


def test_a_last_line_without_an_end_is_a_line(tmp_path: Path) -> None:
    log, data = tmp_path / "access.log", tmp_path / "data"
    log.write_bytes(line(1) + line(2)[:-1])
    assert counts(scan(log, data).result()) == (2, 2, 0, 0)

    log.write_bytes(line(1) + line(2) + line(3)[:70])
    half = scan(log, tmp_path / "other")
    assert counts(half.result()) == (3, 2, 1, 0)
    assert half.result()["reject_reasons"] == {"no_format": 1}


def test_many_lines_over_the_limit_are_counted_and_only_their_beginning_is_kept(tmp_path: Path) -> None:
    log, data = tmp_path / "access.log", tmp_path / "data"
    with log.open("wb") as file:
        for number in range(20):
            file.write(line(number))
            file.write(b"a" * (3 * LINE_LIMIT // 2) + b"\n")
    result = scan(log, data).result()

    assert counts(result) == (40, 20, 20, 0)
    assert result["log_bytes"] == log.stat().st_size
    assert {len(row["raw"]) for row in reject_rows(data)} == {RAW_KEPT}


@pytest.mark.parametrize(
    "time",
    [
        "01/Jan/0001:00:00:00 +0000", "31/Dec/9999:23:59:59 +0000", "14/May/1969:12:00:00 +0000",
        "14/Mai/2024:12:00:00 +0000", "29/Feb/2023:12:00:00 +0000", "32/May/2024:12:00:00 +0000",
        "14/May/2024:25:00:00 +0000", "14/May/2024:12:61:00 +0000", "14/May/2024:12:00:00 +9999",
        "00/May/2024:12:00:00 +0000", "14/May/99999999:12:00:00 +0000", "-", "",
    ],
)  # fmt: skip
def test_an_absurd_date_is_a_reject_and_moves_no_window(tmp_path: Path, time: str) -> None:
    log, data = tmp_path / "access.log", tmp_path / "data"
    log.write_bytes(line(1) + line(2, time=time) + line(3, time="14/May/2024:12:00:01 +0000"))
    result = scan(log, data).result()

    assert counts(result) == (3, 2, 1, 0)
    assert set(result["reject_reasons"]) <= {"bad_time", "no_format"}
    assert (result["first"], result["last"]) == ("2024-05-14T12:00:00.000000Z", "2024-05-14T12:00:01.000000Z")


def test_formats_that_change_line_by_line_are_all_read(tmp_path: Path) -> None:
    log, data = tmp_path / "access.log", tmp_path / "data"
    said = {
        "time_iso8601": "2024-05-14T12:00:00+00:00", "remote_addr": "203.0.113.8", "status": "404",
        "request": "GET /json HTTP/1.1", "body_bytes_sent": "7",
    }  # fmt: skip
    w3c = b"#Fields: date time c-ip cs-method cs-uri-stem sc-status sc-bytes\n"
    row = b"2024-05-14 12:00:00 203.0.113.9 GET /w3c 200 8\n"
    log.write_bytes((line(6, "/combined") + orjson.dumps(said) + b"\n" + w3c + row) * 50)
    result = scan(log, data).result()

    assert counts(result) == (200, 150, 0, 50)
    assert result["status"] == {"200": 100, "404": 50}
    assert [row["path"] for row in event_rows(data)] == ["/combined", "/json", "/w3c"] * 50


def test_verdicts_stand_in_input_order_one_for_each_line_whatever_it_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    log, verdicts = tmp_path / "access.log", tmp_path / "verdicts.jsonl"
    junk = [b"\0\n", b"\n", b"half", b"\xff\n"]
    log.write_bytes(b"".join([line(1), junk[0], junk[1], line(2, "/.env"), junk[3], junk[2]]))
    code, out, _ = command(monkeypatch, capfd, "scan", log, "--json", "--verdicts", verdicts)

    assert code == 0
    assert orjson.loads(out)["read"] == 6
    rows = [orjson.loads(raw) for raw in verdicts.read_bytes().splitlines()]
    assert [(row["line"], row["event"], row["attack"]) for row in rows] == [
        (1, True, None), (2, False, None), (3, False, None), (4, True, "sensitive"), (5, False, None),
        (6, False, None),
    ]  # fmt: skip


def test_an_archive_that_is_cut_short_is_read_as_far_as_it_goes_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "access.log.gz"
    chance = random.Random(5)
    whole = gzip.compress(b"".join(line(n, f"/{chance.randbytes(8).hex()}") for n in range(20_000)))
    log.write_bytes(whole[: len(whole) // 2])
    code, out, errors = command(monkeypatch, capfd, "scan", log, "--json")

    result = orjson.loads(out)
    assert code == 0
    assert 5_000 < result["events"] < 15_000
    assert result["rejects"] <= 1  # the line in which it was cut
    assert errors.count("\n") == 1
    assert "access.log.gz is damaged or cut short after" in errors


def test_what_a_log_says_does_not_reach_the_terminal_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "access.log"
    evil = "\x1b]0;owned\x07\x9b31m\u202e"
    log.write_bytes(
        b"".join(
            line(n, f"/?id={n}%27%20UNION%20SELECT%20password%20FROM%20users--{evil}", agent=evil)
            for n in range(30)
        )
    )
    code, out, errors = command(monkeypatch, capfd, "scan", log)

    assert code == 0
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(out + errors)


def test_a_log_without_requests_is_said_to_be_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "error.log"
    log.write_text("2026/05/01 10:00:00 [error] 12#0: *1 open() failed\n")
    code, out, errors = command(monkeypatch, capfd, "scan", log)
    said = "logvision: no line is a request; `logvision doctor` says why, of the same files\n"
    assert (code, "Rejects: no_format 1\n" in out, errors) == (0, True, said)
