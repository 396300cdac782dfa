"""The distributed mode in figures: throughput of the Spark path beside the embedded engine, and latency.

    python bench/cluster.py LOG... [--rate 2000] [--seconds 120] [--results FOLDER]

Throughput and cost: the logs go through the embedded engine, then through executors on one and two cores
(`local[1]`, `local[2]`), without a broker, the start of Spark left out. Cost is CPU time of this process and
of everything that it started, per line. Latency: a broker, stores, the job and a web process are started (see
deploy/cluster.py); a log grows at `--rate`, is shipped, and each row that a page is shown is held against the
moment of its write.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "deploy"))

import cluster as deployed
from latency import Appender, follow
from logvision.app import parts
from logvision.app.capture import Capture
from logvision.app.spark_feed import Way, feeding
from logvision.app.stores import open_stores
from logvision.app.verifying import ROWS, Feed, by_embedded
from logvision.clock import SystemClock
from logvision.config import Settings
from logvision.engines.spark.fold import Fold, Places
from servers import Kafka, MongoDB, Redis
from servers.ours import Fleet, Job, Shipper, Web

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s() -> float:
    """CPU seconds of this process and all its descendants, living and waited for."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    return own.ru_utime + own.ru_stime + sum(_cpu_of(pid) for pid in _below(os.getpid()))


def _below(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *_below(child)]
    return found


def _cpu_of(pid: int) -> float:
    """With what it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / CLOCK_TICKS


def measured(lines: int, run: Callable[[], object]) -> dict[str, float]:
    """Lines a second and microseconds of CPU a line."""
    began, spent = time.perf_counter(), cpu_s()
    run()
    seconds, cpu = time.perf_counter() - began, cpu_s() - spent
    return {
        "seconds": round(seconds, 2),
        "lines_per_s": round(lines / seconds),
        "cpu_us_per_line": round(1e6 * cpu / lines, 2),
    }


def throughput(capture: Capture, rows: int) -> dict[str, Any]:
    settings, clock, found = Settings(), SystemClock(), {}
    ends: dict[str, int] = {}
    batches = []
    for piece in capture.slices(rows):
        ends |= {name: table["position"][-1].as_py() for name, table in piece.items()}
        batches.append(dict(ends))
    with tempfile.TemporaryDirectory() as folder:
        found["embedded"] = measured(
            capture.lines, partial(by_embedded, settings, Path(folder), capture, batches, clock)
        )
    # The first batches start processes and send them the rules.
    warm = Capture({name: table.slice(0, 500) for name, table in capture.records.items()})
    for cores in (1, 2):
        way = Way(master=f"local[{cores}]", memory="1g", rows=rows)
        with tempfile.TemporaryDirectory() as folder, feeding(settings, way) as feed:
            _through(feed, warm, Path(folder) / "warm")
            found[f"spark_{cores}"] = measured(
                capture.lines, partial(_through, feed, capture, Path(folder) / "lake")
            )
    return found


def _through(feed: Feed, capture: Capture, folder: Path) -> None:
    settings = Settings()
    with open_stores(folder, writer=True) as stores:
        places = Places(stores.lake, stores.casebook)
        fold = Fold(places, parts.knowledge(settings), parts.state(settings), clock=SystemClock())
        feed(capture, fold)
        fold.save()


def latency(rate: int, seconds: float) -> dict[str, Any]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="logvision-cluster-bench-")))
        kafka = stack.enter_context(Kafka(folder / "kafka"))
        mongodb = stack.enter_context(MongoDB(folder / "mongodb"))
        redis = stack.enter_context(Redis(folder / "redis"))
        deployed.make_topics(kafka.address)
        fleet = Fleet(
            kafka.address, deployed.TOPIC, folder / "lake", f"{mongodb.url}bench", redis.url, deployed.ALERTS
        )
        log = folder / "access.log"
        log.touch()
        stack.enter_context(Job(folder / "job", fleet))
        web = stack.enter_context(Web(folder / "web", fleet))
        stack.enter_context(Shipper(folder / "shipper", fleet, log))
        appender, shown, stop = Appender(log, rate, seconds), [], threading.Event()
        threading.Thread(target=follow, args=(web.port, appender, shown, stop), daemon=True).start()
        appender.start()
        appender.join()
        time.sleep(10)
        stop.set()
    warm = sorted(shown[len(shown) // 5 :])  # steady state: without the first batches
    at = {f"p{p}_s": round(warm[min(len(warm) - 1, len(warm) * p // 100)], 3) for p in (50, 90, 99)}
    return {"rate": rate, "seconds": seconds, "rows_seen": len(shown), **at, "max_s": round(warm[-1], 3)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("logs", nargs="*", help="for throughput; without: latency alone")
    parser.add_argument("--rate", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=120, help="0: throughput alone")
    parser.add_argument("--rows", type=int, default=ROWS, help="lines of a batch")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    result: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit,
        "cores": os.cpu_count(),
    }
    if options.logs:
        capture = Capture.read(parts.source(parts.Wanted(options.logs, ()), follow=False))
        result |= {"lines": capture.lines, "rows": options.rows, **throughput(capture, options.rows)}
    if options.seconds:
        result["latency"] = latency(options.rate, options.seconds)
    options.results.mkdir(parents=True, exist_ok=True)
    name = f"cluster-{result['at'][:10]}-{commit or 'uncommitted'}.json"
    (options.results / name).write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
