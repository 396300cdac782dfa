"""Detection quality, leave one site out: what is caught, what is flagged without cause, and by which stage.

    python bench/quality.py --data FOLDER [--folds 4] [--sample 1500] [--crs 1 2] [--dump FOLDER]

FOLDER holds `logs/*.log.gz` (access logs of one site each) and `labelled.jsonl.gz`
({set, label, class, url, user_agent, referer} a line). Sites and labelled sets are dealt over the folds; a
fold is judged by a classifier that saw none of its sites and sets (`--folds 0`: by the shipped one).
Nothing of the logs is kept: `bench/reviewed.tsv` holds digests of what was read and found to be an attack;
every other alarm in a log counts as false. Labelled attacks of which a log line shows nothing (`shown.py`)
are counted apart, as `named_only`. The labelled rows of the class sensitive are mostly bare pages
of products (`/owa/`, `/login.action`), for which everybody asks who uses the product: beside their total they
are parted by what their path names, a file or tool that no page leads to, or a page (`named.py`, which knows
nothing of the detector). Probes of our own (`bench/probes`) are judged as answered 200 and 404.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import crs
from ancestor import Ancestor
from figures import INJECTIONS, Results, Tally, show, summary
from logvision.detect import Detector
from logvision.detect.cascade import Verification
from logvision.detect.fusion import Evidence
from logvision.detect.training import LABELLED, NOT_LEARNED, believed, train
from material import Request, Site, labelled, lookalikes, probes, sites
from named import names_a_file
from shown import payload, shown

HERE = Path(__file__).parent
REVIEWED = HERE / "reviewed.tsv"
BARE = {"httpparams", "grananqvist"}
"""Sets whose ordinary side is bare values, no requests of a site: their alarms are shown apart."""


class Silent(Verification):
    """No verification: what signatures (and the classifier) say by themselves."""

    def of(self, texts: Sequence[bytes], kinds: Sequence[int], *, bounded: bool) -> list[Sequence[Evidence]]:
        return [()] * len(texts)


def judged(
    detector: Detector, requests: Sequence[Request], *, span: int = 20_000
) -> Iterator[tuple[float, str]]:
    """Score and rules of every request; attacks are what reaches the threshold."""
    for start in range(0, len(requests), span):
        part = requests[start : start + span]
        table = detector.judge(
            *([getattr(r, n) for r in part] for n in ("target", "agent", "referer", "method", "status"))
        )
        for score, rules in zip(
            table.column("score").to_pylist(), table.column("rules").to_pylist(), strict=True
        ):
            yield score, rules or ""


def stages(shipped: Detector, model: Any) -> dict[str, Detector]:
    """The cascade cut off after each stage; the last is the product."""
    return {
        "signatures": replace(shipped, model=None, verification=Silent()),
        "verified": replace(shipped, model=None, verification=Verification()),
        "all": replace(shipped, model=model, verification=Verification()),
    }


def table_of(rows: Sequence[tuple[str, str, bool, Request]]) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {"set": s, "attack": a, "target": r.target or "/", "user_agent": r.agent, "referer": r.referer}
            for s, _, a, r in rows
        ],
        LABELLED,
    )


def measure(arguments: argparse.Namespace) -> Results:
    """Every fold judged by what did not see it."""
    results = Results()
    reviewed = set()
    if REVIEWED.exists():
        pairs = (line.split("\t") for line in REVIEWED.read_text().splitlines() if line[:1] != "#")
        reviewed = {digest for digest, verdict in pairs if verdict == "true"}
    shipped = Detector.open()
    every_site = list(sites(arguments.data))
    every_label = labelled(arguments.data, arguments.sample)
    sets = sorted({name for name, *_ in every_label})
    dump = arguments.dump
    for level in arguments.crs:
        with crs.core_rules(level) as rules:
            _core_rules(results, f"crs{level}", rules, every_site, every_label, reviewed)
    for fold in range(max(arguments.folds, 1)):
        alone = arguments.folds == 0
        here = [s for i, s in enumerate(every_site) if alone or i % arguments.folds == fold]
        held = {s for i, s in enumerate(sets) if alone or i % arguments.folds == fold}
        model, ancestor = shipped.model, None
        known: frozenset[str] | None = None
        if not alone:
            known = frozenset(payload(r.target or "") for s, _, a, r in every_label if a and s not in held)
            others = [s for i, s in enumerate(every_site) if i % arguments.folds != fold]
            model, ancestor = _learned(shipped, others, [r for r in every_label if r[0] not in held])
        cut = stages(shipped, model)
        for site in here:
            _site(results, site, cut, ancestor, reviewed, dump)
        _labels(results, [r for r in every_label if r[0] in held], cut, ancestor, known, dump)
        print(f"fold {fold + 1} of {max(arguments.folds, 1)} judged", file=sys.stderr)
        if fold == 0:
            for request in _lists(results.lookalikes, lookalikes(), cut, ancestor):
                print(f"look-alike flagged: {request}", file=sys.stderr)
            _lists(results.probes, probes(), cut, ancestor)
    return results


def _learned(shipped: Detector, others: Sequence[Site], rows: list[Any]) -> tuple[Any, Ancestor]:
    bare = replace(shipped, model=None)
    ordinary = []
    for site in others:
        parts = [p for p in site.parts if p.target is not None]
        scores = [score for score, _ in judged(bare, parts)]
        ordinary += [(site.name, "", False, p) for p, score in zip(parts, scores, strict=True) if score < 0.3]
    rows = [*rows, *ordinary]
    model = train(believed(table_of(rows), bare), name="fold", made="", sources=())
    attacks = [r.target or "/" for s, _, a, r in rows if a and s not in NOT_LEARNED]
    return model, Ancestor.train([r.target or "/" for _, _, a, r in rows if not a], attacks)


def _site(
    results: Results,
    site: Site,
    cut: dict[str, Detector],
    ancestor: Ancestor | None,
    reviewed: set[str],
    dump: Any,
) -> None:
    true = np.array([p.is_among(reviewed) for p in site.parts])[site.lines].any(axis=1)
    scores = {name: list(judged(detector, site.parts)) for name, detector in cut.items()}
    found = {name: np.array([s for s, _ in each]) >= 0.5 for name, each in scores.items()}
    if ancestor is not None:
        of_part = ancestor.score([p.target or "" for p in site.parts]) >= 0.5
        found["ancestor"] = of_part & np.array([p.target is not None for p in site.parts])
    ordinary = np.zeros(site.requests.max() + 1, bool)
    ordinary[site.requests[~true]] = True
    for name, of_part in found.items():
        alarm = of_part[site.lines].any(axis=1)
        false = np.zeros(len(ordinary), bool)
        false[site.requests[alarm & ~true]] = True
        results.sites[site.name][name] = Tally(
            int(ordinary.sum()),
            int(false.sum()),
            int(site.counts[~true].sum()),
            int(site.counts[alarm & ~true].sum()),
        )
    results.sites[site.name]["true"] = Tally(
        len(np.unique(site.requests[true])), 0, int(site.counts[true].sum())
    )
    of_line = np.array([s for s, _ in scores["all"]])[site.lines].max(axis=1)
    best = np.zeros(len(ordinary))
    np.maximum.at(best, site.requests, of_line)
    for score, is_ordinary in zip(best.tolist(), ordinary.tolist(), strict=True):
        results.bins[min(int(score * 10), 9)][0 if is_ordinary else 1] += 1
    if dump:
        used = np.zeros(len(site.parts), np.int64)
        for column in range(3):
            np.add.at(used, site.lines[:, column], site.counts)
        with (dump / "alarms.tsv").open("a") as out:
            for part, (score, rules), count in zip(site.parts, scores["all"], used.tolist(), strict=True):
                if score >= 0.35:
                    mark = "true" if part.is_among(reviewed) else "new"
                    text = "\t".join(repr(t) for t in (part.target, part.agent, part.referer) if t)
                    out.write(
                        f"{site.name}\t{mark}\t{score:.2f}\t{rules}\t{count}\t{part.answered}\t{part.method}\t{part.status}\t{text}\n"
                    )


def _core_rules(
    results: Results,
    name: str,
    rules: crs.CoreRules,
    every_site: Sequence[Site],
    rows: list[Any],
    reviewed: set[str],
) -> None:
    """ModSecurity on the same requests: of the logs one line of each, with its agent and referer."""
    for (source, kind, attack, request), flag in zip(rows, rules.blocked([r[3] for r in rows]), strict=True):
        _count(results, source, kind, attack, request, {name: flag}, None)
    for tallies, found in ((results.lookalikes, lookalikes()), (results.probes, probes())):
        for (kind, _), flag in zip(found, rules.blocked([r for _, r in found]), strict=True):
            tallies[kind][name].add(flag)
    for site in every_site:
        true = np.array([p.is_among(reviewed) for p in site.parts])[site.lines].any(axis=1)
        first = np.unique(site.requests, return_index=True)[1]
        whole = [
            Request(t.target, a.agent, r.referer, t.method)
            for t, a, r in (tuple(site.parts[i] for i in line) for line in site.lines[first])
        ]
        alarm = np.array(rules.blocked(whole), bool)
        ordinary = ~true[first]
        lines = np.bincount(site.requests, np.where(true, 0, site.counts))[site.requests[first]]
        results.sites[site.name][name] = Tally(
            int(ordinary.sum()), int((alarm & ordinary).sum()),
            int(lines[ordinary].sum()), int(lines[alarm & ordinary].sum()),
        )  # fmt: skip
    print(f"{name} asked", file=sys.stderr)


def _count(
    results: Results,
    source: str,
    kind: str,
    attack: bool,
    request: Request,
    flags: Mapping[str, bool],
    known: frozenset[str] | None,
) -> None:
    fresh = False
    if not attack:
        group = results.benign[source]
    else:
        visible = shown(kind, request.target, request.agent, request.referer)
        group = (results.attacks if visible else results.hidden)[source, kind]
        fresh = (
            visible
            and kind in INJECTIONS
            and known is not None
            and payload(request.target or "") not in known
        )
    parted = None
    if attack and kind == "sensitive":
        parted = results.sensitive["files" if names_a_file(request.target or "") else "pages"]
    for name, flag in flags.items():
        group[name].add(flag)
        if parted is not None:
            parted[name].add(flag)
        if fresh:
            results.fresh[kind][name].add(flag)


def _labels(
    results: Results,
    rows: list[Any],
    cut: dict[str, Detector],
    ancestor: Ancestor | None,
    known: frozenset[str] | None,
    dump: Any,
) -> None:
    requests = [r for *_, r in rows]
    flags = {
        name: [s >= 0.5 for s, _ in judged(detector, requests)]
        for name, detector in cut.items()
        if name != "all"
    }
    full = list(judged(cut["all"], requests))
    flags["all"] = [s >= 0.5 for s, _ in full]
    if ancestor is not None:
        flags["ancestor"] = (ancestor.score([r.target or "" for r in requests]) >= 0.5).tolist()
    for number, (source, kind, attack, request) in enumerate(rows):
        each = {name: bool(flagged[number]) for name, flagged in flags.items()}
        _count(results, source, kind, attack, request, each, known)
    for (source, kind, attack, r), (score, _) in zip(rows, full, strict=True):
        if (attack and shown(kind, r.target, r.agent, r.referer)) or (not attack and source not in BARE):
            results.bins[min(int(score * 10), 9)][int(attack)] += 1
    if dump:
        with (dump / "labelled.tsv").open("a") as out:
            for (source, kind, attack, request), (score, rules) in zip(rows, full, strict=True):
                if (score < 0.5) == attack:
                    visible = shown(kind, request.target, request.agent, request.referer)
                    label = ("miss" if visible else "named") if attack else "false"
                    out.write(
                        f"{label}\t{source}\t{kind}\t{score:.2f}\t{rules}\t{request.target!r}"
                        f"\t{request.agent!r}\t{request.referer!r}\n"
                    )


def _lists(
    tallies: dict[str, dict[str, Tally]],
    found: Sequence[tuple[str, Request]],
    cut: dict[str, Detector],
    ancestor: Ancestor | None,
) -> list[tuple[float, str, Request]]:
    """Count what each stage flags of our own lists; gives what the product flags, with score and rules."""
    flagged = []
    requests = [r for _, r in found]
    for name, detector in cut.items():
        for (kind, request), (score, rules) in zip(found, judged(detector, requests), strict=True):
            tallies[kind][name].add(score >= 0.5)
            if name == "all" and score >= 0.5:
                flagged.append((round(score, 2), rules, request))
    if ancestor is not None:
        for (kind, _), score in zip(found, ancestor.score([r.target or "" for r in requests]), strict=True):
            tallies[kind]["ancestor"].add(bool(score >= 0.5))
    return flagged


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--folds", type=int, default=4, help="0: the shipped classifier judges everything")
    parser.add_argument("--sample", type=int, default=0, help="at most so many of a labelled set and class")
    parser.add_argument(
        "--crs", type=int, nargs="*", default=[], help="paranoia levels at which ModSecurity is asked as well"
    )
    parser.add_argument("--dump", type=Path, help="folder for misses and alarms as text, to be read by eye")
    parser.add_argument("--no-keep", action="store_true", help="write no result file")
    arguments = parser.parse_args()
    if arguments.crs and not crs.installed():
        parser.error("--crs: nginx with its ModSecurity module and modsecurity-crs are not installed")
    if arguments.dump:
        arguments.dump.mkdir(parents=True, exist_ok=True)
        for name in ("alarms.tsv", "labelled.tsv"):
            (arguments.dump / name).write_text("")
    found = summary(measure(arguments))
    show(found)
    if not arguments.no_keep:
        commit = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True, cwd=HERE
        ).stdout.strip()
        day = datetime.now(UTC).date().isoformat()
        kept = {"date": day, "commit": commit, "folds": arguments.folds, "sample": arguments.sample, **found}
        (HERE / "results").mkdir(exist_ok=True)
        (HERE / "results" / f"quality-{day}-{commit}.json").write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
