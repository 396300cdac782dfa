"""The plan on paper for so many lines a second, from what bench/cluster.py measured: a table for the docs.

    python bench/plan.py bench/results/cluster-DATE-COMMIT.json [--rate 1000000]

Uses the figures of local[2]. A core is planned to be busy for 70 % of the time.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

BUSY: Final = 0.7
COPIES: Final = 3  # of each message
TOPIC_DAYS: Final = 3  # as long as LogVision may be away
LAKE_DAYS: Final = 90
DAY: Final = 86_400


def plan(found: Mapping[str, Any], rate: int) -> list[tuple[str, str, str]]:
    """Rows of the table: what, how it is computed, what comes out."""
    part = found["local2"]
    us: Mapping[str, float] = part["cpu_us_per_line_of"]
    size: Mapping[str, float] = part["bytes_per_line"]
    judge, driver = us["executors"] + us["jvm"], us["driver"]
    broker = part["broker_in_us_per_line"] * COPIES + us["kafka"]
    stores = us["mongodb"] + us["redis"]
    ship, into, out = part["ship_us_per_line"], part["broker_in_us_per_line"], us["kafka"]
    jobs = math.ceil(cores(rate, driver))
    partitions = math.ceil(2 * cores(rate, judge) / jobs) * jobs
    topic, lake = rate * size["topic"] * COPIES, rate * size["lake"] * DAY / 1e12
    kept = topic * TOPIC_DAYS * DAY / 1e12
    return [
        ("shippers", f"{ship:.1f} µs a line", f"{cores(rate, ship):.0f} cores, over all that log"),
        (
            "executors",
            f"{us['executors']:.1f} µs a line, JVM {us['jvm']:.1f}",
            f"{cores(rate, judge):.0f} cores",
        ),
        (
            "drivers",
            f"{driver:.1f} µs a line; one folds with one core",
            f"{jobs} jobs, each {rate / jobs:,.0f} lines/s of some sites",
        ),
        ("partitions", "2 for each core of the executors, as many for each job", f"{partitions}"),
        (
            "brokers, CPU",
            f"{into:.1f} µs a line in for each copy, {out:.1f} out",
            f"{cores(rate, broker):.0f} cores, 3 brokers or more",
        ),
        (
            "brokers, disk",
            f"{size['topic']:.0f} B a line ({size['log']:.0f} in the log), {COPIES} copies",
            f"{topic / 1e6:,.0f} MB/s, {kept:,.0f} TB for {TOPIC_DAYS} days",
        ),
        (
            "lake",
            f"{size['lake']:.1f} B a line",
            f"{lake:,.1f} TB a day, {lake * LAKE_DAYS:,.0f} TB for {LAKE_DAYS} days",
        ),
        ("stores", f"{stores:.1f} µs a line", f"{cores(rate, stores):.0f} cores, a database for each job"),
    ]


def cores(rate: int, us_per_line: float) -> float:
    return rate * us_per_line / 1e6 / BUSY


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("result", type=Path)
    parser.add_argument("--rate", type=int, default=1_000_000)
    options = parser.parse_args()
    print(f"| for {options.rate:,} lines/s | measured ({options.result.name}) | needs |\n|---|---|---|")
    for row in plan(json.loads(options.result.read_text()), options.rate):
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
