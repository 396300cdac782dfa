"""Throughput of the full pipeline (parse, enrich, detect, persist) beside GoAccess on the same file.

    python bench/speed.py [--lines 2000000] [--file access.log] [--rounds 3]

Whole processes are timed from outside, in turn: wall, CPU, peak memory. GoAccess (statistics only)
takes part where it is installed. The generated log is as varied as real ones: of 2 million lines 18 % have
a target of their own, in 1,570 user agents, 282 bytes a line.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from logvision import native


@dataclass(frozen=True)
class Run:
    """One process from start to end."""

    what: str
    wall_s: float
    cpu_s: float
    peak_mb: float


def timed(what: str, command: list[str]) -> Run:
    """Run a command to its end; figures are the kernel's own (wait4)."""
    # As installed: Python may keep the code that it compiled, and read it again.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(
            f"{' '.join(command)} ended with {process.returncode}:\n{errors.decode(errors='replace')}"
        )
    return Run(what, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def logvision() -> str:
    return str(Path(sys.executable).with_name("logvision"))


def generate(path: Path, lines: int) -> None:
    subprocess.run(
        [
            logvision(),
            "generate",
            "--out",
            str(path),
            "--lines",
            str(lines),
            "--seed",
            "7",
            "--start",
            "2026-05-01T00:00:00",
        ],
        check=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lines", type=int, default=2_000_000)
    parser.add_argument("--file", type=Path, help="an existing combined log instead of a generated one")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="logvision-bench-") as folder:
        file = options.file or Path(folder) / "access.log"
        if options.file is None:
            generate(file, options.lines)
        report(compare(file, Path(folder), options.rounds), options.results)


def compare(file: Path, folder: Path, rounds: int) -> dict[str, Any]:
    """LogVision and GoAccess in turn, `rounds` times; medians and the ratio pair by pair."""
    goaccess = shutil.which("goaccess")
    ours: list[Run] = []
    theirs: list[Run] = []
    stored = 0
    with file.open("rb") as source:
        events = sum(block.count(b"\n") for block in iter(lambda: source.read(1 << 24), b""))
    for turn in range(rounds):
        data = folder / f"data-{turn}"
        command = [logvision(), "scan", str(file), "--data", str(data), "--json"]
        ours.append(timed("logvision", command))
        stored = sum(f.stat().st_size for f in (data / "events").glob("*.parquet"))
        shutil.rmtree(data)
        if goaccess:
            command = [goaccess, str(file), "--log-format=COMBINED", "--no-global-config", "--no-progress"]
            theirs.append(timed("goaccess", [*command, "-o", str(folder / "goaccess.json")]))
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
        ).stdout.strip(),
        "native_core": native.STATE,
        "lines": events,
        "file_mb": round(file.stat().st_size / 1e6, 1),
        "cores": os.cpu_count(),
        "bytes_per_event": round(stored / max(events, 1), 2),
        "lines_per_s": round(events / median([run.wall_s for run in ours])),
        "goaccess_version": version(goaccess) if goaccess else None,
        "times_goaccess": round(median([b.wall_s / a.wall_s for a, b in zip(ours, theirs, strict=True)]), 2)
        if theirs
        else None,
        "runs": [
            asdict(run) for pair in zip(ours, theirs or ours, strict=True) for run in dict.fromkeys(pair)
        ],
    }


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def version(goaccess: str) -> str:
    return subprocess.run([goaccess, "--version"], capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )[0]


def report(result: dict[str, Any], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    name = f"speed-{str(result['at'])[:10]}-{result['commit'] or 'uncommitted'}.json"
    (folder / name).write_text(json.dumps(result, indent=2) + "\n")
    runs = [Run(**run) for run in result["runs"]]
    print(f"{result['lines']:,} lines, {result['file_mb']} MB, native core {result['native_core']}")
    print(f"{'':12}{'lines/s':>10}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}   (medians of runs in turn)")
    for what in dict.fromkeys(run.what for run in runs):
        own = [run for run in runs if run.what == what]
        wall, cpu, peak = (median([getattr(run, of) for run in own]) for of in ("wall_s", "cpu_s", "peak_mb"))
        print(f"{what:12}{result['lines'] / wall:>10,.0f}{wall:>9.2f}{cpu:>9.2f}{peak:>9.0f}")
    print(f"{result['bytes_per_event']} bytes an event in the lake", end="")
    ratio = result["times_goaccess"]
    print(f"; {ratio} times as fast as {result['goaccess_version']}" if ratio else "; no GoAccess here")


if __name__ == "__main__":
    main()
