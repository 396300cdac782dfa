"""A writer that is killed at any moment leaves every event once, and says where to go on."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lake_folders import stored_rows
from logvision.lake.compaction import sweep
from logvision.lake.segments import Lake

TESTS = Path(__file__).parents[1]

WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from event_tables import event
from lake_folders import commit
from logvision.lake import compaction
from logvision.lake.segments import Lake

compaction.FANOUT = 3
with Lake.open(Path(sys.argv[1]), writer=True) as lake:
    print("open", flush=True)
    while True:
        done = sum(counts.events for counts in lake.resume().counts.values())
        commit(lake, [event(position=done + i + 1) for i in range(4)])
        compaction.compact(lake, now=0.0, grace_s=0.0)
"""


@pytest.mark.slow
def test_a_killed_writer_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    folder, moments = tmp_path / "data", random.Random(7)
    before = rounds = 0
    while rounds < 8 or not before:  # on a loaded machine none of eight may come to its first commit
        rounds += 1
        assert rounds < 100
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder), str(TESTS)], stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"open\n"
            time.sleep(moments.uniform(0.05, 0.4))  # the moment is the point of the test
            writer.kill()
        with Lake.open(folder, writer=False) as lake:
            positions = [row["position"] for row in stored_rows(lake)]
            assert positions == list(range(1, len(positions) + 1))
            counts = lake.resume().counts.get("access.log")
            assert (counts.events if counts else 0) == len(positions)
            assert len(positions) >= before
            before = len(positions)
    with Lake.open(folder, writer=True) as lake:
        sweep(lake, now=0.0, grace_s=0.0)
        assert [row["position"] for row in stored_rows(lake)] == list(range(1, before + 1))
