"""Generated attack campaigns against incidents: one each, its stage, its outcome; and none of quiet days.

    python bench/campaigns.py [--lines 200000] [--seeds 11 12 13] [--results FOLDER]

A campaign is a label of the generator: line by line what was tried, how far it came and how it went. Held
against it are the incidents that stand by themselves and have a line of it as evidence.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

LOGVISION = str(Path(sys.executable).with_name("logvision"))
STAGES = ("recon", "probe", "exploit", "foothold")
OUTCOMES = ("worked", "unknown", "missed", "blocked")
START = "2026-05-01T00:00:00"


@dataclass
class Campaign:
    """What the generator says of one campaign."""

    name: str
    lines: int = 0
    stages: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    incidents: list[dict[str, Any]] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return self.name.rpartition("-")[0]

    @property
    def stage(self) -> str:
        return max(self.stages, key=STAGES.index)

    @property
    def worked(self) -> bool:
        return self.outcomes["worked"] > 0


def run(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def generated(folder: Path, seed: int, lines: int, *, attacks: bool) -> Path:
    log = folder / f"{seed}-{'mixed' if attacks else 'quiet'}.log"
    options = ["--labels", f"{log}.labels"] if attacks else ["--no-attacks"]
    command = [LOGVISION, "generate", "--out", str(log), "--lines", str(lines), "--seed", str(seed)]
    run([*command, "--start", START, *options])
    return log


def found(log: Path) -> list[dict[str, Any]]:
    """Incidents of the log that stand by themselves."""
    data = f"{log}.data"
    run([LOGVISION, "scan", str(log), "--data", data, "--json"])
    text = run([LOGVISION, "export", "incidents", "--data", data, "--format", "json"])
    return [incident for incident in map(json.loads, text.splitlines()) if incident["part_of"] is None]


def campaigns(log: Path) -> tuple[dict[str, Campaign], dict[int, dict[str, Any]]]:
    every: dict[str, Campaign] = {}
    by_position: dict[int, dict[str, Any]] = {}
    with Path(f"{log}.labels").open() as labels:
        for label in map(json.loads, labels):
            by_position[label["position"]] = label
            if label.get("outcome") is None:
                continue
            one = every.setdefault(label["campaign"], Campaign(label["campaign"]))
            one.lines += 1
            one.stages[label["stage"]] += 1
            one.outcomes[label["outcome"]] += 1
    return every, by_position


def compare(log: Path) -> dict[str, Any]:
    incidents = found(log)
    every, labels = campaigns(log)
    strangers = []
    for incident in incidents:
        names = {labels[each["position"]].get("campaign") for each in incident["evidence"]}
        owners = [every[name] for name in sorted(names & every.keys())]
        for owner in owners:
            owner.incidents.append(incident)
        if not owners:
            strangers.append(incident)
    wrong: dict[str, list[str]] = defaultdict(list)
    for one in every.values():
        if len(one.incidents) != 1:
            wrong["number"].append(f"{one.name}: {len(one.incidents)} incidents for {one.lines} lines")
            continue
        incident = one.incidents[0]
        if incident["stage"] != one.stage:
            wrong["stage"].append(f"{one.name}: {incident['stage']}, not {one.stage} {dict(one.stages)}")
        if (incident["outcome"] == "worked") != one.worked:
            wrong["outcome"].append(f"{one.name}: {incident['outcome']}, not {dict(one.outcomes)}")
    events = [
        (labels[each["position"]]["outcome"], each["outcome"])
        for one in every.values()
        for incident in one.incidents
        for each in incident["evidence"]
        if labels[each["position"]].get("outcome") is not None and each["outcome"] is not None
    ]
    return {
        "campaigns": len(every),
        "one_incident_each": len(every) - len(wrong["number"]),
        "stage_wrong": len(wrong["stage"]),
        "outcome_wrong": len(wrong["outcome"]),
        "strangers": len(strangers),
        "evidence_outcomes": len(events),
        "evidence_outcomes_right": sum(a == b for a, b in events),
        "evidence_confusion": {f"{a}->{b}": n for (a, b), n in Counter(events).most_common()},
        "wrong": dict(wrong),
        "stranger_classes": Counter(
            " ".join(s["attacks"]) + f" x{min(s['events'], 9)}" for s in strangers
        ).most_common(20),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lines", type=int, default=200_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12, 13])
    parser.add_argument("--results", type=Path, help="keep the figures in this folder")
    options = parser.parse_args()
    result: dict[str, Any] = {"date": datetime.now(UTC).date().isoformat(), "lines": options.lines}
    with tempfile.TemporaryDirectory(prefix="logvision-bench-") as name:
        for seed in options.seeds:
            log = generated(Path(name), seed, options.lines, attacks=True)
            quiet = generated(Path(name), seed, options.lines, attacks=False)
            calm = found(quiet)
            classes = Counter(" ".join(s["attacks"]) for s in calm).most_common(12)
            result[str(seed)] = {
                **compare(log), "quiet_day_incidents": len(calm), "quiet_day_classes": classes,
            }  # fmt: skip
            print(json.dumps(result[str(seed)], indent=1))
    if options.results is not None:
        commit = run(["git", "rev-parse", "--short", "HEAD"]).strip()
        path = options.results / f"campaigns-{result['date']}-{commit}.json"
        path.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
