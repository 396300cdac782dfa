"""Hard ordinary requests of many kinds of application: at most two in a hundred may be flagged."""

from __future__ import annotations

from pathlib import Path

import pytest

from logvision.detect import Detector

FOLDER = Path(__file__).parents[2] / "bench" / "lookalikes"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def requests() -> list[tuple[str, str, str, str | None, int | None]]:
    """(kind, target, agent, referer, status) of every line; `404 /x` was answered so."""
    found: list[tuple[str, str, str, str | None, int | None]] = []
    for path in sorted(FOLDER.glob("*.txt")):
        for line in path.read_text().splitlines():
            if line.startswith("referer: "):
                found.append((path.stem, "/", AGENT, line[9:], None))
            elif line.startswith("agent: "):
                found.append((path.stem, "/", line[7:], None, None))
            elif line[:3].isdigit():
                found.append((path.stem, line[4:], AGENT, None, int(line[:3])))
            elif not line.startswith("# "):
                found.append((path.stem, line, AGENT, None, None))
    return found


@pytest.mark.slow
def test_at_most_two_in_a_hundred_look_alikes_are_flagged() -> None:
    asked = requests()
    assert len(asked) >= 500
    _, targets, agents, referers, statuses = zip(*asked, strict=True)
    judged = Detector.open().judge(targets, agents, referers, ["GET"] * len(asked), statuses)
    attacks = judged.column("attack").to_pylist()
    flagged = [one for one, attack in zip(asked, attacks, strict=True) if attack is not None]
    assert len(flagged) <= len(asked) * 0.02, flagged
