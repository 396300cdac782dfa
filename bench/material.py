"""What detection quality is measured on: logs and labelled requests of a data folder, and our own lists."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from logvision.detect.training import read_log

HERE = Path(__file__).parent
LOOKALIKES = HERE / "lookalikes"
PROBES = HERE / "probes"


@dataclass(frozen=True)
class Request:
    """What is judged: a distinct target (with its answer), agent or referer of a site, or a labelled one."""

    target: str | None
    agent: str | None = None
    referer: str | None = None
    method: str | None = "GET"
    lines: int = 1
    status: int | None = None

    @property
    def digest(self) -> str:
        return _digest(self.target, self.agent, self.referer)

    @property
    def answered(self) -> str:
        """Names the request together with its answer."""
        return _digest(
            self.target, self.agent, self.referer, None if self.status is None else str(self.status)
        )

    def is_among(self, reviewed: Container[str]) -> bool:
        """Whether it was read and found to be an attack, whatever the answer or with this one."""
        return self.digest in reviewed or self.answered in reviewed


def _digest(*parts: str | None) -> str:
    text = "\n".join(part or "" for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:12]


@dataclass
class Site:
    """The distinct parts of one log's requests, and the lines as indices into them."""

    name: str
    parts: list[Request]
    lines: np.ndarray[Any, Any]  # (distinct lines, 3) indices into parts, -1: none
    counts: np.ndarray[Any, Any]
    requests: np.ndarray[Any, Any]  # per distinct line: which distinct request (target) it is


def sites(folder: Path) -> Iterator[Site]:
    """The logs of a data folder, each reduced to its distinct parts."""
    for path in sorted((folder / "logs").glob("*.log.gz")):
        events = read_log(path)
        grouped = events.group_by(["method", "target", "status", "user_agent", "referer"]).aggregate(
            [([], "count_all")]
        )
        rows = grouped.to_pylist()
        parts: dict[Request, int] = {}
        lines: list[tuple[int, int, int]] = []
        requests: dict[tuple[Any, Any], int] = {}
        of_request: list[int] = []
        for row in rows:
            found = (
                Request(row["target"], method=row["method"], status=row["status"]),
                Request(None, agent=row["user_agent"]),
                Request(None, referer=row["referer"]),
            )
            lines.append(tuple(parts.setdefault(one, len(parts)) for one in found))  # type: ignore[arg-type]
            of_request.append(requests.setdefault((row["method"], row["target"]), len(requests)))
        yield Site(
            path.name.split(".")[0], list(parts), np.array(lines).reshape(-1, 3),
            np.array([row["count_all"] for row in rows]), np.array(of_request),
        )  # fmt: skip


def labelled(folder: Path, sample: int) -> list[tuple[str, str, bool, Request]]:
    """Distinct (set, class, is an attack, request), at most `sample` of a set and class, chosen by digest."""
    groups: dict[tuple[str, str, bool], dict[str, Request]] = defaultdict(dict)
    with gzip.open(folder / "labelled.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            request = Request(
                row["url"],
                row.get("user_agent") or None,
                row.get("referer") or None,
                row.get("method") or "GET",
            )
            group = (row["set"], (row["class"] or "-").split(":")[0] or "protocol", row["label"] == "attack")
            groups[group][request.digest] = request
    chosen = []
    for (name, kind, attack), found in sorted(groups.items()):
        for digest in sorted(found)[: sample or None]:
            chosen.append((name, kind, attack, found[digest]))
    return chosen


def lookalikes() -> list[tuple[str, Request]]:
    """Our own hard ordinary requests: (kind, request); a line is a target, `referer: …` or `agent: …`."""
    return [(kind, request_of(line)) for kind, line in listed(LOOKALIKES)]


def probes() -> list[tuple[str, Request]]:
    """Our own probes for files and pages, each answered 200 and 404: (kind and answer, request)."""
    return [
        (f"{kind} {status}", Request(line, "Mozilla/5.0", status=status))
        for status in (200, 404)
        for kind, line in listed(PROBES)
    ]


def listed(folder: Path) -> Iterator[tuple[str, str]]:
    """Lines of the lists in a folder, with the name of their list."""
    for path in sorted(folder.glob("*.txt")):
        for line in path.read_text().splitlines():
            if line and not line.startswith("# "):
                yield path.stem, line


def request_of(line: str) -> Request:
    """A line of a look-alike file as a request; `404 /x` is one that was answered so."""
    if line[:3].isdigit() and line[3:5] == " /":
        return Request(line[4:], "Mozilla/5.0", status=int(line[:3]))
    if line.startswith("referer: "):
        return Request("/", "Mozilla/5.0", line[9:])
    if line.startswith("agent: "):
        return Request("/", line[7:])
    return Request(line, "Mozilla/5.0")
