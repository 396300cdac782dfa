from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from cli_logs import HOSTILE_AGENT, HOSTILE_TARGET, mixed
from logvision.schema import EVENT

pytestmark = pytest.mark.slow

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def data(command: Command, tmp_path: Path) -> Path:
    code, _, _ = command("scan", mixed(tmp_path / "access.log"), "--data", tmp_path / "data", "--json")
    assert code == 0
    return tmp_path / "data"


def test_events_come_newest_first_one_object_a_line(command: Command, data: Path) -> None:
    code, out, _ = command("export", "events", "--data", data)
    rows = [json.loads(row) for row in out.splitlines()]
    assert code == 0
    assert len(rows) == 61
    assert list(rows[0]) == EVENT.names
    assert (rows[0]["target"], rows[0]["user_agent"]) == (HOSTILE_TARGET, HOSTILE_AGENT)
    assert rows[-1]["time"] == "2024-05-14T12:00:00Z"


def test_a_filter_and_a_range_limit_the_events(command: Command, data: Path) -> None:
    _, out, _ = command(
        "export",
        "events",
        "-d",
        data,
        "-q",
        "status:404",
        "--from",
        "2024-05-14T12:00:10",
        "--to",
        "2024-05-14T12:00:30",
    )
    assert [json.loads(row)["time"][17:19] for row in out.splitlines()] == ["20", "10"]


def test_ecs_names_on_request(command: Command, data: Path) -> None:
    _, out, _ = command("export", "events", "-d", data, "--ecs", "-q", "attack:*")
    row = json.loads(out)
    assert row["client.ip"] == "198.51.100.66"
    assert row["http.response.status_code"] == 200
    assert row["@timestamp"] == "2024-05-14T12:01:00Z"


def test_csv_runs_nothing_in_a_spreadsheet(command: Command, data: Path) -> None:
    for what in ("events", "incidents", "rejects"):
        _, out, _ = command("export", what, "-d", data, "--format", "csv")
        rows = list(csv.reader(io.StringIO(out)))
        assert len(rows) > 1
        cells = [cell for row in rows for cell in row]
        assert [cell for cell in cells if cell.startswith(("=", "+", "@", "|", "%"))] == []
    assert "'=1+1 " in out


def test_incidents_with_their_evidence(command: Command, data: Path) -> None:
    _, out, _ = command("export", "incidents", "-d", data)
    found = [json.loads(row) for row in out.splitlines()]
    assert [(one["actor"], one["status"]) for one in found] == [("ip:198.51.100.66", "open")]
    assert found[0]["evidence"][0]["target"] == HOSTILE_TARGET


def test_rejects_with_their_reason_and_their_bytes_shown(command: Command, data: Path) -> None:
    _, out, _ = command("export", "rejects", "-d", data)
    row = json.loads(out)
    assert row["reason"] == "binary"
    assert row["raw"] == "=1+1 \\x1b[31mnot a log line <script>alert(2)</script>"


@pytest.mark.parametrize(("what", "rows"), [("events", 61), ("incidents", 1), ("rejects", 1)])
def test_parquet_into_a_file(command: Command, data: Path, what: str, rows: int) -> None:
    code, out, err = command("export", what, "-d", data, "-f", "parquet", "-o", "out.parquet")
    assert (code, out) == (0, "")
    assert err.endswith("written to out.parquet\n")
    assert pq.read_table("out.parquet").num_rows == rows


def test_mistakes_are_told_before_a_file_is_made(command: Command, tmp_path: Path, data: Path) -> None:
    code, _, err = command("export", "events", "-d", tmp_path / "nowhere", "-o", "out.json")
    assert (code, err.split(";")[0]) == (2, f"logvision: {tmp_path / 'nowhere'}: got no lake there")
    code, _, err = command("export", "events", "-d", data, "-q", "nonsense:1", "-o", "out.json")
    assert code == 2
    assert "nonsense" in err
    code, _, err = command("export", "events", "-d", data, "--from", "yesterday", "-o", "out.json")
    assert code == 2
    assert "'yesterday' is not a time" in err
    assert not Path("out.json").exists()


def test_a_file_that_cannot_be_written_is_one_sentence(command: Command, data: Path) -> None:
    code, _, err = command("export", "events", "-d", data, "-o", "missing/out.json")
    assert (code, err.split(";")[0]) == (
        2,
        "logvision: --out: got missing/out.json: No such file or directory",
    )


def test_a_reader_that_goes_away_is_no_error(data: Path) -> None:
    export = [sys.executable, "-m", "logvision", "export", "events", "-d", str(data)]
    with subprocess.Popen(export, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
