"""What injection tools send: at least 95 of 100 caught, and nine of ten of every class."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from urllib.parse import quote

import pytest

from logvision.detect import Detector

BENCH = Path(__file__).parents[2] / "bench"
CARRIERS = {
    "redirect": "/login?next=",
    "ssrf": "/fetch?url=",
    "lfi": "/view?page=",
    "rfi": "/index.php?page=",
}


def target(kind: str, payload: str) -> str:
    if kind == "path":
        return payload
    if kind == "agent":
        return "/"
    safe = "%/:;=()'" if "%" in payload else "/:"
    return CARRIERS.get(kind, "/item?id=") + quote(payload, safe=safe)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["payloads.txt", "payloads-held-out.txt"])
def test_payloads_of_tools_are_caught(name: str) -> None:
    lines = [line for line in (BENCH / name).read_text().splitlines() if not line.startswith("# ")]
    pairs = [(kind, payload) for kind, _, payload in (line.partition(" ") for line in lines)]
    targets = [target(kind, payload) for kind, payload in pairs]
    judged = Detector.open().judge(
        targets,
        [payload if kind == "agent" else "Mozilla/5.0" for kind, payload in pairs],
        [None] * len(pairs),
        ["GET"] * len(pairs),
    )
    caught = [attack is not None for attack in judged.column("attack").to_pylist()]
    total = Counter(kind for kind, _ in pairs)
    found = Counter(kind for (kind, _), hit in zip(pairs, caught, strict=True) if hit)
    assert sum(caught) >= 0.95 * len(pairs)
    assert {kind: found[kind] / total[kind] for kind in total if found[kind] < 0.9 * total[kind]} == {}
