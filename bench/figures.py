"""Figures of the quality bench: who flagged how many of what, as tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

STAGES = ("signatures", "verified", "all", "ancestor", "crs1", "crs2")
"""The cascade cut off after each stage, the ancestor's model, ModSecurity's core rules at two levels."""

INJECTIONS = (
    "sqli", "nosqli", "xss", "lfi", "rfi", "rce", "php", "ssti", "jndi", "ssrf", "xxe", "ldap", "ssi",
    "redirect",
)  # fmt: skip
"""Classes of the labelled sets that are injections; the rest stand in the table but not in the mean."""


@dataclass
class Tally:
    """How many of one group were flagged."""

    total: int = 0
    flagged: int = 0
    lines: int = 0
    lines_flagged: int = 0

    def add(self, flagged: bool, lines: int = 1) -> None:
        self.total += 1
        self.flagged += flagged
        self.lines += lines
        self.lines_flagged += lines * flagged

    @property
    def share(self) -> float:
        return self.flagged / self.total if self.total else 0.0


@dataclass
class Results:
    """Everything that is printed and kept."""

    sites: dict[str, dict[str, Tally]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Tally))
    )
    attacks: dict[tuple[str, str], dict[str, Tally]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Tally))
    )
    benign: dict[str, dict[str, Tally]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Tally))
    )
    lookalikes: dict[str, dict[str, Tally]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Tally))
    )
    probes: dict[str, dict[str, Tally]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Tally))
    )
    hidden: dict[tuple[str, str], dict[str, Tally]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Tally))
    )  # labelled as attacks, but no line of a log shows it: see `shown`
    fresh: dict[str, dict[str, Tally]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Tally))
    )  # injections whose payload stands in nothing that was trained on, by class
    sensitive: dict[str, dict[str, Tally]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Tally))
    )  # the class of that name once more, parted by what the path names: see `named`
    bins: dict[int, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))


def summary(results: Results) -> dict[str, Any]:
    """The figures that the project's numbers are about."""
    names = STAGES
    classes: dict[str, dict[str, Tally]] = defaultdict(lambda: defaultdict(Tally))
    for (_, kind), stages_ in results.attacks.items():
        for name, tally in stages_.items():
            classes[kind][name].total += tally.total
            classes[kind][name].flagged += tally.flagged
    out: dict[str, Any] = {}
    for name in names:
        injected = [classes[kind][name] for kind in INJECTIONS if classes[kind][name].total]
        if not injected:
            continue
        of_sites = [s[name] for s in results.sites.values()]
        alike = [s[name] for s in results.lookalikes.values()]
        out[name] = {
            "injections_caught": sum(t.flagged for t in injected) / sum(t.total for t in injected),
            "named_only": _share(results.hidden, name),
            "mean_over_classes": float(np.mean([t.share for t in injected])),
            "fresh_payloads": _share(results.fresh, name),
            "sensitive": classes["sensitive"][name].share,
            "sensitive_files": results.sensitive["files"][name].share,
            "sensitive_pages": results.sensitive["pages"][name].share,
            "false_alarms_requests": sum(t.flagged for t in of_sites)
            / max(sum(t.total for t in of_sites), 1),
            "false_alarms_lines": sum(t.lines_flagged for t in of_sites)
            / max(sum(t.lines for t in of_sites), 1),
            "lookalikes": sum(t.flagged for t in alike) / max(sum(t.total for t in alike), 1),
        }
    return {
        "stages": out,
        "classes": _shares(classes),
        "sets": _shares({f"{s} {k}": v for (s, k), v in results.attacks.items()}),
        "named_only": _shares({f"{s} {k}": v for (s, k), v in results.hidden.items()}),
        "fresh_payloads": _shares(results.fresh),
        "sensitive": _shares(results.sensitive),
        "ordinary_sets": _shares(results.benign),
        "sites": {
            s: {n: [t.flagged, t.total, t.lines_flagged, t.lines] for n, t in v.items()}
            for s, v in sorted(results.sites.items())
        },
        "lookalikes": _shares(results.lookalikes),
        "probes": _shares(results.probes),
        "calibration": {f"{b / 10:.1f}": counts for b, counts in sorted(results.bins.items())},
    }


def _share(groups: Mapping[Any, Mapping[str, Tally]], name: str) -> float:
    tallies = [group[name] for group in groups.values() if name in group]
    return sum(t.flagged for t in tallies) / max(sum(t.total for t in tallies), 1)


def _shares(groups: Mapping[str, Mapping[str, Tally]]) -> dict[str, dict[str, list[int]]]:
    return {k: {n: [t.flagged, t.total] for n, t in v.items()} for k, v in sorted(groups.items())}


def show(found: dict[str, Any]) -> None:
    """The tables, as text."""
    print(
        f"{'':12}{'injections':>12}{'mean class':>12}{'fresh':>8}{'named only':>12}"
        f"{'sensitive':>11}{'its files':>11}{'its pages':>11}"
        f"{'FA requests':>13}{'FA lines':>11}{'look-alikes':>13}"
    )
    for name, row in found["stages"].items():
        print(
            f"{name:12}{row['injections_caught']:12.3f}{row['mean_over_classes']:12.3f}"
            f"{row['fresh_payloads']:8.3f}{row['named_only']:12.3f}{row['sensitive']:11.3f}"
            f"{row['sensitive_files']:11.3f}{row['sensitive_pages']:11.3f}"
            f"{row['false_alarms_requests']:13.6f}{row['false_alarms_lines']:11.7f}{row['lookalikes']:13.3f}"
        )
    for title in (
        *("classes", "sensitive", "fresh_payloads", "sets", "named_only", "ordinary_sets"),
        *("lookalikes", "probes"),
    ):
        print(f"\n{title}: flagged share after each stage (of how many)")
        for key, row in found[title].items():
            cells = "".join(f"{n[:10]:>12} {f / max(t, 1):.3f}" for n, (f, t) in row.items())
            print(f"{key:34}{cells}   ({max(t for _, t in row.values())})")
    print(
        "\nsites: alarms not reviewed as true, of distinct requests, of lines; true attacks (requests, lines)"
    )
    for key, row in found["sites"].items():
        f, t, lf, lt = row["all"]
        print(f"{key:10}{f:6} of {t:7}{lf:8} of {lt:8}   true {row['true'][1]:6}{row['true'][3]:8}")
    print("\ncalibration: score, ordinary, attacks, share of attacks")
    for key, (ordinary, attacks) in found["calibration"].items():
        print(f"{key}  {ordinary:8} {attacks:8}  {attacks / max(ordinary + attacks, 1):.3f}")
