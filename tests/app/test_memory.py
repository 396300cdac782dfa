"""What a process that runs the engine must not load: it would stand in memory from first line to last, and
a small log would wait for it."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa

from logvision import pipeline
from logvision.columns import constant
from logvision.detect.behaviour import Behaviour
from logvision.enrich.agent import Agents
from logvision.entries import user_folder
from logvision.formats import Formats
from logvision.schema import RECORD

HEAVY = (
    *("pandas", "polars", "duckdb", "pyspark", "sklearn", "lightgbm", "matplotlib", "fastapi", "asyncio"),
    *("rich.console", "yaml", "ua_parser", "pyarrow.dataset", "logvision.app.reporting"),
    "logvision.detect.training",
)

_LOADED = f"""
import sys
from logvision.cli import main

try:
    main()
finally:
    print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""

LINE = '192.0.2.7 - - [01/May/2026:00:00:01 +0000] "GET /item/{n}?q={n} HTTP/1.1" 200 512 "-" "curl/8.5"\n'


def test_a_scan_loads_no_heavy_library_that_it_does_not_use(tmp_path: Path) -> None:
    Agents(user_folder(os.environ))  # what the first start on a machine reads, the others have from the cache
    Behaviour.open()
    log = tmp_path / "access.log"
    log.write_text("".join(LINE.format(n=n) for n in range(300)))
    told = loaded("scan", log, "--data", tmp_path / "data", "--json")
    assert told.stderr.strip().splitlines()[-1] == "[]"
    assert '"events":300' in told.stdout


def loaded(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """A command, whose last line of errors is what it loaded of HEAVY."""
    command = [sys.executable, "-c", _LOADED, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)


def test_what_a_line_is_judged_to_be_is_said_without_pandas() -> None:
    told = loaded("explain", LINE.format(n=1), "--json")
    assert "pandas" not in told.stderr
    assert '"attack":null' in told.stdout


def test_pandas_is_still_found_by_who_asks_for_it_after_arrow_did_without() -> None:
    asks = """
import sys
from importlib.util import find_spec
from logvision.app import memory

before = find_spec("pandas")
memory.choose()
with memory.without_pandas():
    import pyarrow as pa

    pa.array([0])
assert "pandas" not in sys.modules
assert (find_spec("pandas") is None) == (before is None)
"""
    subprocess.run([sys.executable, "-c", asks], capture_output=True, timeout=300, check=True)


def test_what_questions_took_goes_back_although_what_came_meanwhile_stays() -> None:
    asks = """
import ctypes
from logvision.app import memory

class Heap(ctypes.Structure):  # mallinfo2 of malloc.h
    names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in names.split()]

memory.settle(lasting=True)
library = memory._glibc()
library.mallinfo2.restype = Heap
before = library.mallinfo2().fordblks
both = [(bytes(256 << 10), bytes(2_000)) for _ in range(200)]
stays = [small for _, small in both]
del both
print((library.mallinfo2().fordblks - before) >> 20)
"""
    told = subprocess.run(
        [sys.executable, "-c", asks], capture_output=True, text=True, timeout=300, check=True
    )
    assert int(told.stdout) < 5  # MB of gaps, of 50 that were taken


def test_what_a_question_took_goes_back_although_nobody_asks_again() -> None:
    asks = """
import time
from pathlib import Path
from logvision.app import memory

def resident() -> int:
    return int(Path("/proc/self/status").read_text().split("RssAnon:")[1].split()[0]) >> 10

memory.settle(lasting=True)
import duckdb
connection = duckdb.connect(config={"threads": 2})
connection.execute("select 1").fetchall()
before = resident()
connection.execute("select i, count(*) from range(1_000_000) t(i) group by i order by 2 limit 1").fetchall()
until = time.monotonic() + 30
while resident() - before > 20 and time.monotonic() < until:
    time.sleep(0.1)
print(resident() - before)
"""
    command = [sys.executable, "-c", asks]
    told = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    assert int(told.stdout) <= 20  # MB, of about 60


def test_lines_go_once_they_are_parsed() -> None:
    raw = [LINE.format(n=n).encode() for n in range(50)]
    columns = [pa.array(raw, pa.binary()), constant("a.log", 50), pa.array(range(50), pa.int64())]
    flow = pipeline.begin(pa.table(columns, schema=RECORD), datetime(2026, 6, 1, tzinfo=UTC))
    known: Any = SimpleNamespace(formats=Formats())
    parsed = pipeline.parse(flow, known)
    assert (len(parsed.events), len(parsed.records)) == (50, 0)


def test_of_a_large_array_only_what_is_written_takes_memory() -> None:
    asks = """
from logvision.app import memory

memory.choose()
from numpy._core.multiarray import _set_madvise_hugepage
print(_set_madvise_hugepage(False))  # gives what was set before
"""
    command = [sys.executable, "-c", asks]
    told = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    assert told.stdout == "False\n"
