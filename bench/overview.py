"""The Overview over many events: from the page's first question to its last answer, as a browser asks.

    python bench/overview.py [--data FOLDER] [--lines 10000000] [--rounds 3] [--results FOLDER]

Without a data folder, one is made: generated traffic of five sites over ten days, scanned and compacted.
`logvision serve` answers over five connections at once, which is what a browser gives a page beside its live
stream. Each round begins with a process that has answered nothing yet and has come to rest after its start
(cold), and asks twice again (warm).
On a machine that has other work, judge by `cpu_ms`: what the cold page costs the server.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from logvision.lake import queries
from logvision.lake.compaction import compact
from logvision.lake.segments import Lake

CONNECTIONS = 5
DAYS = 10
RANGES = {"1 h": timedelta(hours=1), "24 h": timedelta(days=1), "7 d": timedelta(days=7), "all": None}
BESIDE = timedelta(seconds=77)  # no range is one that the server has asked itself about at its start
FILTERS = ("", "status:404", "path:/admin*", "client:{busy}", "-bot:*")

PANELS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("totals", {}),
    ("series", {"points": 120, "by": "all"}),
    ("top/path", {"limit": 12, "order": "requests"}),
    ("top/client_ip", {"limit": 12, "order": "requests"}),
    ("top/status", {"limit": 10}),
    ("top/method", {"limit": 7}),
    ("top/country", {"limit": 250}),
    ("events", {"limit": 100}),
    *((f"top/{name}", {"limit": 10}) for name in ("agent", "os", "device")),
    *((f"top/{name}", {"limit": 11}) for name in ("bot", "referer")),
    *((f"top/{name}", {"limit": 10}) for name in ("site", "network", "protocol")),
)
"""What the page's panels ask, in the order in which they stand."""


@contextmanager
def serving(data: Path) -> Iterator[tuple[int, int]]:
    """Port and process of a server over this folder."""
    logvision = str(Path(sys.executable).with_name("logvision"))
    command = [logvision, "serve", "--data", str(data), "--port", "0"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        said = ""
        while "http://127.0.0.1:" not in said:
            said = server.stderr.readline()
        threading.Thread(target=server.stderr.read, daemon=True).start()
        yield int(said.split("http://127.0.0.1:")[1].split("/")[0].split()[0]), server.pid
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def overview(port: int, state: dict[str, str]) -> dict[str, float]:
    """Seconds of every panel, and of the whole."""
    waiting = list(reversed(PANELS))
    took: dict[str, float] = {}
    lock = threading.Lock()
    failed: list[str] = []

    def connection() -> None:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        while True:
            with lock:
                if not waiting:
                    break
                path, params = waiting.pop()
            began = time.perf_counter()
            line.request("GET", f"/api/{path}?{urlencode(state | params)}")
            answer = line.getresponse()
            body = answer.read()
            took[path] = time.perf_counter() - began
            if answer.status != 200:
                failed.append(f"{path}: {answer.status} {body[:200]!r}")
        line.close()

    threads = [threading.Thread(target=connection) for _ in range(CONNECTIONS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took["whole"] = time.perf_counter() - began
    if failed:
        raise SystemExit("\n".join(failed))
    return took


def cpu(pid: int) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rest(pid: int) -> None:
    """Wait until a process has nothing more to do."""
    before = -1.0
    while cpu(pid) - before > 0.02:
        before = cpu(pid)
        time.sleep(0.5)


def memory(pid: int) -> float:
    """Largest resident memory of a process so far, MB."""
    return int(Path(f"/proc/{pid}/status").read_text().split("VmHWM:")[1].split()[0]) / 1024


def measure(data: Path, last: datetime, busy: str, rounds: int) -> list[dict[str, Any]]:
    rows = []
    for name, length in RANGES.items():
        for text in FILTERS:
            state = {} if length is None else {"from": (last - length - BESIDE).isoformat()}
            state |= {"q": text.format(busy=busy)} if text else {}
            cold, warm, spent, peaks, slowest = [], [], [], [], []
            for _ in range(rounds):
                with serving(data) as (port, pid):
                    overview(port, {"from": (last + timedelta(days=1)).isoformat()})  # libraries are loaded
                    rest(pid)
                    before = cpu(pid)
                    took = overview(port, state)
                    spent.append(cpu(pid) - before)
                    cold.append(took.pop("whole"))
                    slowest.append(max(took.items(), key=lambda one: one[1]))
                    warm += [overview(port, state)["whole"] for _ in range(2)]
                    peaks.append(memory(pid))
            worst = max(slowest, key=lambda one: one[1])
            rows.append(
                {
                    "range": name,
                    "filter": text,
                    "cold_ms": round(1000 * statistics.median(cold)),
                    "cold_least_ms": round(1000 * min(cold)),
                    "warm_ms": round(1000 * statistics.median(warm)),
                    "cpu_ms": round(1000 * min(spent)),
                    "slowest": worst[0],
                    "slowest_ms": round(1000 * worst[1]),
                    "peak_mb": round(max(peaks)),
                }
            )
            print("  ".join(f"{k} {v!s:>6}" for k, v in rows[-1].items()), flush=True)
    return rows


def make(folder: Path, lines: int) -> Path:
    """A compacted lake of generated traffic."""
    logvision = str(Path(sys.executable).with_name("logvision"))
    log, data = folder / "access.log", folder / "data"
    generate = [logvision, "generate", "--out", str(log), "--lines", str(lines), "--hours", str(24 * DAYS)]
    subprocess.run([*generate, "--format", "vhost_combined", "--seed", "7"], check=True)
    subprocess.run(
        [logvision, "scan", str(log), "--data", str(data), "--json"], check=True, stdout=subprocess.DEVNULL
    )
    log.unlink()
    with Lake.open(data, writer=True) as lake:
        compact(lake, now=time.time(), grace_s=0)
    return data


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="an existing data folder instead of a generated one")
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="logvision-bench-") as folder:
        data = options.data or make(Path(folder), options.lines)
        with Lake.open(data, writer=False) as lake:
            files = lake.catalogue.events
            last = max(file.time_last for file in files if file.time_last)
            database = queries.Database(lake)
            busy = queries.top(database, queries.Question(), queries.Dimension.CLIENT_IP, limit=1).rows[0]
            database.close()
            result = {
                "at": datetime.now(UTC).isoformat(timespec="seconds"),
                "commit": subprocess.run(
                    ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
                ).stdout.strip(),
                "cores": os.cpu_count(),
                "events": sum(file.rows for file in files),
                "segments": len(files),
                "partials": sum(file.rows for file in lake.catalogue.partials),
                "lake_mb": round(lake.catalogue.size / 1e6, 1),
            }
        print("  ".join(f"{k} {v}" for k, v in result.items()), flush=True)
        result["panels"] = len(PANELS)
        result["runs"] = measure(data, last, busy.value or "", options.rounds)
    options.results.mkdir(parents=True, exist_ok=True)
    name = f"overview-{str(result['at'])[:10]}-{result['commit'] or 'uncommitted'}.json"
    (options.results / name).write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
