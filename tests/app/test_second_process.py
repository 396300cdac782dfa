"""A scan in two processes: the same as in one, and a second process that dies is told of."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from whole_runs import event_rows

import cli_logs
from logvision.app import parts
from logvision.app.scanning import Scan
from logvision.config import load
from logvision.engines.alone import Beside, Lost
from logvision.schema import RECORD

pytestmark = pytest.mark.slow


def test_a_scan_in_two_processes_finds_the_same_as_in_one(tmp_path: Path) -> None:
    log = cli_logs.mixed(tmp_path / "access.log")
    found = []
    for processes in (1, 2):
        data = tmp_path / f"data{processes}"
        run = Scan(load(None, {"lake": {"folder": data}}), [str(log)], keep=True, processes=processes)
        run.run()
        result = run.result()
        del result["seconds"]
        found.append((result, event_rows(data), [incident.to_dict() for incident in run.incidents()]))
    assert found[0] == found[1]
    assert found[0][0]["attacks"] == 1


def test_a_second_process_that_was_killed_is_told_of_by_its_signal() -> None:
    settings = load(None, {})
    known = parts.knowledge(settings)
    with Beside(parts.bundle(known, settings), known) as beside:
        os.kill(beside.pid, signal.SIGKILL)
        raw = pa.array([b"no matter"] * 100_000, pa.binary())
        records = pa.table(
            [raw, pa.array(["a"] * 100_000).dictionary_encode(), pa.array(range(100_000), pa.int64())],
            schema=RECORD,
        )
        with pytest.raises(Lost, match=r"ended \(SIGKILL\)"):
            beside(records, datetime(2024, 5, 14, tzinfo=UTC))()
