"""The distributed mode in figures: the Spark path beside the embedded engine, and latency to the browser.

    python bench/cluster.py [--parts embedded,local1,local2,latency] [--lines 800000] [--rate 2000]
                            [--seconds 240] [--results FOLDER] [LOG...]

Everything is real and on this machine (deploy/servers): a broker, a MongoDB-compatible server, Redis, the
job, a web process, a shipper. They share its cores, and their CPU is told apart by process.

`embedded`: `logvision scan` of the logs (generated with attacks, unless LOGs are given), start left out.
`local1`, `local2`: the same logs, shipped to a topic of 8 partitions, through the job on local[1] and
local[2], from when four tenths of them are folded: lines a second, CPU a line of each part.
`latency`: a log grows at --rate with attacks in it; each row that a browser's stream is shown is held against
the moment of its write. Steady state: the first 20 seconds are left out.

Each part's figures are printed and written as soon as they are known; a part that is run again replaces its
own. About 10 minutes in all. Exit code 1: a part failed or lost lines.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parent.parent / "deploy"))

from confluent_kafka.admin import AdminClient, NewTopic

import processes
from latency import Appender
from processes import Browser
from servers import Kafka, MongoDB, Redis, Server, ServerError
from servers.ours import LOGVISION, Fleet, Job, Shipper, Web
from speed import timed

PARTITIONS: Final = 8
ROWS: Final = 50_000  # lines of a batch at most
WARM: Final = 0.4  # of the lines of a throughput run, left out: the JVM compiles what it runs meanwhile
WARM_S: Final = 20.0  # of the latency run, left out
PATIENCE_S: Final = 240.0  # without a line more
ATTACK_EVERY: Final = 200  # lines of the latency run
BAR: Final = {"p50_s": 3.0, "p99_s": 8.0}  # at 2,000 lines/s on local[2]

ORDINARY: Final = (
    '81.2.{net}.{host} - - [{stamp}] "GET /item/{number}?ref=home HTTP/1.1" 200 {size} "-" '
    '"Mozilla/5.0 (X11; Linux x86_64) Firefox/157.0"\n'
)
ATTACK: Final = (
    '198.51.100.{host} - - [{stamp}] "GET /item/{number}?id=1%27+union+select+password+from+users-- '
    'HTTP/1.1" 403 {size} "-" "Mozilla/5.0 (X11; Linux x86_64) Firefox/157.0"\n'
)


def say(text: str) -> None:
    print(text, flush=True)


class Logs:
    """The lines of the throughput parts: generated at first use, one log a site so that partitions differ."""

    def __init__(self, given: Sequence[Path], lines: int, folder: Path) -> None:
        self._given, self._lines, self._folder = list(given), lines, folder

    def files(self) -> list[Path]:
        if not self._given:
            say(f"generating {self._lines:,} lines")
            sites = ("shop", "blog", "app", "docs", "media")
            for number, site in enumerate(sites):
                made = self._folder / f"{site}.log"
                words = ("--lines", str(self._lines // len(sites)), "--seed", str(7 + number), "--site", site)
                subprocess.run([*LOGVISION, "generate", "--out", str(made), *words], check=True)
                self._given.append(made)
        return self._given

    def count(self) -> int:
        total = 0
        for file in self.files():
            with file.open("rb") as log:
                total += sum(block.count(b"\n") for block in iter(lambda: log.read(1 << 24), b""))
        return total


def embedded(logs: Logs, folder: Path) -> dict[str, Any]:
    one = folder / "one.log"
    with logs.files()[0].open("rb") as log:
        one.write_bytes(log.readline())
    for turn in range(2):  # the first one compiles the rules
        start = timed("start", [*LOGVISION, "scan", str(one), "--data", str(folder / f"one{turn}"), "--json"])
    words = ["scan", *map(str, logs.files()), "--data", str(folder / "embedded"), "--json"]
    run = timed("embedded", [*LOGVISION, *words])
    lines, seconds, cpu = logs.count(), run.wall_s - start.wall_s, run.cpu_s - start.cpu_s
    return {
        "lines": lines,
        "seconds": round(seconds, 2),
        "lines_per_s": round(lines / seconds),
        "cpu_us_per_line": round(1e6 * cpu / lines, 2),
        "peak_mb": round(run.peak_mb),
    }


def throughput(cores: int, logs: Logs, folder: Path) -> dict[str, Any]:
    """The job over a topic that is full already."""
    total = logs.count()
    with fleet(folder, PARTITIONS) as (one, servers):
        before = processes.trees(servers)
        words = ["ship", *map(str, logs.files()), "--kafka", one.brokers, "--topic", one.topic, "--once"]
        shipped = timed("ship", [*LOGVISION, *words, "--state", str(folder / "ship.json")])
        took = processes.trees(servers)["kafka"] - before["kafka"]
        job = Job(folder / "job", one, master=f"local[{cores}]", memory="1g", rows=ROWS)
        marks: list[tuple[float, float, dict[str, float]]] = []
        with job:
            for lines in growth(job, total):
                marks.append((time.monotonic(), lines, processes.of_job(job) | processes.trees(servers)))
        kept = {
            "log": logs.files(),
            "topic": sorted((folder / "kafka" / "data").glob("lines-*/*.log")),
            "lake": sorted(one.lake.rglob("*.parquet")),
        }
    warm = next(mark for mark in marks if mark[1] >= total * WARM)
    (began, first, spent), (ended, last, used) = warm, marks[-1]
    if last <= first:
        raise ServerError(f"{last:,.0f} lines are too few batches to measure: give it more lines")
    lines = last - first
    cpu = {name: round(1e6 * (used[name] - spent[name]) / lines, 2) for name in used}
    job_us = sum(cpu[name] for name in processes.JOB)
    return {
        "lines": round(lines),
        "batches": len(marks) - 1 - marks.index(warm),
        "seconds": round(ended - began, 2),
        "lines_per_s": round(lines / (ended - began)),
        "cpu_us_per_line": round(job_us, 2),
        "cores_used": round(job_us * lines / 1e6 / (ended - began), 2),
        "cpu_us_per_line_of": cpu,
        "ship_us_per_line": round(1e6 * shipped.cpu_s / total, 2),
        "broker_in_us_per_line": round(1e6 * took / total, 2),
        "bytes_per_line": {name: round(size(*where) / total, 1) for name, where in kept.items()},
        "counted": round(last),
        "lost": total - round(last),
    }


def latency(rate: int, seconds: float, folder: Path) -> dict[str, Any]:
    with fleet(folder, 4) as (one, stores), ExitStack() as stack:
        log = folder / "access.log"
        log.touch()
        job = Job(folder / "job", one, master="local[2]", memory="1g")
        web, shipper = Web(folder / "web", one), Shipper(folder / "shipper", one, log)
        for server in (job, web, shipper):
            stack.enter_context(server)
        log.write_text(line(0, f"{datetime.now(UTC):%d/%b/%Y:%H:%M:%S +0000}"))
        next(growth(job, 1))  # Spark has started
        appender = Appender(log, rate, WARM_S + seconds, line)
        browser = Browser(web.port, appender)
        servers = {**stores, "web": web, "shipper": shipper}
        browser.start()
        appender.start()
        time.sleep(WARM_S)
        spent, began = processes.of_job(job) | processes.trees(servers), time.monotonic()
        batches, waiting = [], []
        while appender.is_alive():
            appender.join(1.0)
            told = metrics(job)
            batches.append(told.get("logvision_stream_batch_seconds", 0.0))
            waiting.append(len(appender.written) - folded(told))
        used, took = processes.of_job(job) | processes.trees(servers), time.monotonic() - began
        written = len(appender.written) + 1  # and the one before
        counted = max(growth(job, written), default=float(written))
        time.sleep(2.0)
        told = metrics(job)
        browser.stop()
    steady = [(number, each) for number, each in browser.found if number >= rate * WARM_S]
    seen = sorted(each for _, each in steady)
    if not seen:
        raise ServerError(f"the browser's stream showed no row in {seconds:g} s: {browser.problem}")
    return {
        "rate": rate,
        "seconds": seconds,
        **{f"p{p}_s": round(seen[min(len(seen) - 1, len(seen) * p // 100)], 3) for p in (50, 90, 99)},
        "max_s": round(seen[-1], 3),
        "rows_seen": len(seen),
        "written": written,
        "counted": round(counted),
        "lost": written - round(counted),
        "batch_s": {"median": sorted(batches)[len(batches) // 2], "max": max(batches)},
        "lines_not_yet_folded": {"median": sorted(waiting)[len(waiting) // 2], "max": max(waiting)},
        "median_s_of_each_10_s": medians(steady, 10 * rate),
        "incident_changes": round(told.get("logvision_correlate_incident_changes_total", 0)),
        "cores_used_by": {name: round((used[name] - spent[name]) / took, 3) for name in used},
        "stream_lost": browser.problem,
    }


def medians(found: Sequence[tuple[int, float]], lines: int) -> list[float]:
    """The middle of the latencies of each so many lines: one stall, or slow all the time."""
    groups: dict[int, list[float]] = {}
    for number, seconds in found:
        groups.setdefault(number // lines, []).append(seconds)
    return [round(sorted(group)[len(group) // 2], 2) for _, group in sorted(groups.items())]


def line(number: int, stamp: str) -> str:
    form = ATTACK if number % ATTACK_EVERY == ATTACK_EVERY - 1 else ORDINARY
    net, host = (0, number // ATTACK_EVERY % 20) if form is ATTACK else (number % 256, number % 251)
    return form.format(net=net, host=host, stamp=stamp, number=number, size=number % 9000)


@contextmanager
def fleet(folder: Path, partitions: int) -> Iterator[tuple[Fleet, Mapping[str, Server]]]:
    """Broker and stores, empty, with the topics; they end with the block."""
    folder.mkdir()
    with ExitStack() as stack:
        kafka, mongodb, redis = (
            Kafka(folder / "kafka"),
            MongoDB(folder / "mongodb"),
            Redis(folder / "redis"),
        )
        for server in (kafka, mongodb, redis):
            stack.enter_context(server)
        admin = AdminClient({"bootstrap.servers": kafka.address, "log_level": 0})
        topics = [NewTopic("lines", partitions, 1), NewTopic("alerts", 1, 1)]
        for made in admin.create_topics(topics).values():
            made.result(30)
        one = Fleet(
            kafka.address, "lines", folder / "lake", f"{mongodb.url}bench", redis.url, alerts="alerts"
        )
        yield one, {"kafka": kafka, "mongodb": mongodb, "redis": redis}


def growth(job: Job, total: float) -> Iterator[float]:
    """Lines that the job has folded, each time that they have grown, until `total`. Raises ServerError."""
    lines, deadline = 0.0, time.monotonic() + PATIENCE_S
    while lines < total:
        now = folded(metrics(job))
        if now > lines:
            lines, deadline = now, time.monotonic() + PATIENCE_S
            yield lines
        if not job.running or time.monotonic() > deadline:
            raise ServerError(f"the job stays at {lines:,.0f} of {total:,.0f} lines: {job.logged()}")
        time.sleep(0.05)


FOLDED: Final = ("logvision_fold_events_rows_total", "logvision_fold_rejects_rows_total")


def size(*files: Path) -> int:
    return sum(file.stat().st_size for file in files)


def folded(told: Mapping[str, float]) -> float:
    return sum(value for name, value in told.items() if name.startswith(FOLDED))


def metrics(job: Job) -> dict[str, float]:
    """What the job says of itself now; empty: it did not answer."""
    with suppress(OSError), urllib.request.urlopen(f"http://{job.address}/metrics", timeout=10) as answer:
        rows = re.findall(r"^([a-z_]+(?:\{[^}]*\})?) (\S+)$", answer.read().decode(), re.MULTILINE)
        return {name: float(value) for name, value in rows}
    return {}


class Results:
    """One JSON file for a day and a commit; parts of earlier runs of it stay."""

    def __init__(self, folder: Path) -> None:
        done = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
        )
        commit = done.stdout.strip() or "uncommitted"
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / f"cluster-{datetime.now(UTC):%Y-%m-%d}-{commit}.json"
        known = json.loads(self.file.read_text()) if self.file.exists() else {}
        self.found: dict[str, Any] = {**known, "commit": commit, "cores": os.cpu_count()}

    def keep(self, part: str, found: dict[str, Any], load: float) -> None:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        self.found[part] = {"at": at, "load_before": round(load, 2), **found}
        self.file.write_text(json.dumps(self.found, indent=2) + "\n")


def told(part: str, found: dict[str, Any]) -> str:
    """A part in one or two lines."""
    if "failed" in found:
        return f"{part:9} FAILED: {found['failed']}"
    if part != "latency":
        text = f"{part:9} {found['lines_per_s']:>8,} lines/s {found['cpu_us_per_line']:>7} us CPU a line"
        return text + "".join(
            f"\n{'':12}{n:10} {us}" for n, us in found.get("cpu_us_per_line_of", {}).items()
        )
    met = all(found[name] < bound for name, bound in BAR.items())
    text = f"latency at {found['rate']:,} lines/s: " + " ".join(
        f"{p} {found[f'{p}_s']} s" for p in ("p50", "p90", "p99", "max")
    )
    text += f" (bar p50 < {BAR['p50_s']:g}, p99 < {BAR['p99_s']:g}: {'held' if met else 'MISSED'})"
    text += f"\n{'':12}{found['rows_seen']:,} rows seen, {found['lost']} of {found['written']:,} lines lost"
    text += f"; a batch took {found['batch_s']['median']:.2f} s (median)"
    used = ", ".join(f"{name} {cores}" for name, cores in found["cores_used_by"].items())
    return f"{text}\n{'':12}cores used: {used}"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("logs", nargs="*", type=Path, help="plain logs for throughput; without: generated")
    parser.add_argument("--parts", default="embedded,local1,local2,latency")
    parser.add_argument("--lines", type=int, default=800_000, help="to generate")
    parser.add_argument("--rate", type=int, default=2_000, help="lines a second of the latency part")
    parser.add_argument("--seconds", type=float, default=240, help="of the latency part")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    lacking = [text for kind in (Kafka, MongoDB, Redis, Job) if (text := kind.lacking()) is not None]
    if lacking:
        raise SystemExit("\n".join(lacking))
    subprocess.run([*LOGVISION, "check"], check=True, stdout=subprocess.DEVNULL)  # compiles the rules once
    results, failed = Results(options.results), False
    with tempfile.TemporaryDirectory(prefix="logvision-cluster-bench-") as name:
        scratch = Path(name)
        logs = Logs(options.logs, options.lines, scratch)
        parts: dict[str, Callable[[], dict[str, Any]]] = {
            "embedded": lambda: embedded(logs, scratch),
            "local1": lambda: throughput(1, logs, scratch / "local1"),
            "local2": lambda: throughput(2, logs, scratch / "local2"),
            "latency": lambda: latency(options.rate, options.seconds, scratch / "latency"),
        }
        wanted = [part.strip() for part in options.parts.split(",")]
        if unknown := set(wanted) - parts.keys():
            parser.error(f"unknown parts {', '.join(unknown)}; expected some of {', '.join(parts)}")
        for part in wanted:
            load = os.getloadavg()[0]
            say(f"{part} ... (load {load:.1f})")
            try:
                found = parts[part]()
            except (ServerError, OSError) as error:
                found = {"failed": str(error)}
            failed |= "failed" in found or found.get("lost", 0) != 0
            results.keep(part, found, load)
            say(told(part, found))
    say(f"written: {results.file}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
