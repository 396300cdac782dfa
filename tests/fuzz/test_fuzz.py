"""A seeded quarter of a minute of coverage-guided fuzzing; `make fuzz` goes on for longer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

READERS = Path(__file__).parent / "readers.py"
SECONDS = 6


@pytest.mark.slow
@pytest.mark.fuzz
@pytest.mark.parametrize("target", ["canonical", "units", "verify", "formats"])
def test_no_input_breaks_what_reads_hostile_text(target: str, tmp_path: Path) -> None:
    options = [
        "-seed=1",
        f"-max_total_time={SECONDS}",
        "-timeout=20",
        # The peak that libFuzzer would hold against a limit begins with that of the process that starts it.
        "-rss_limit_mb=0",
        "-malloc_limit_mb=512",
        "-max_len=2048",
        "-print_final_stats=1",
    ]
    done = subprocess.run(
        [
            sys.executable,
            str(READERS),
            target,
            str(tmp_path / "inputs"),
            *options,
            f"-artifact_prefix={tmp_path}/",
        ],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    runs = next(
        int(line.split()[-1]) for line in done.stderr.splitlines() if "number_of_executed_units" in line
    )
    assert runs > 50  # every seed at least was read
