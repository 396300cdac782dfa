"""A scan looks for incidents once per segment: the same as are found batch by batch."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from whole_runs import event_rows, scan

import cli_logs
from logvision.app import scanning
from logvision.engines.embedded import Options


def log(path: Path) -> Path:
    """Ordinary visits, one address that injects, one that guesses names of files, both over all of it."""
    lines = []
    for n in range(900):
        if n % 30 == 7:
            target = f"/item?id={n}%27%20UNION%20SELECT%20password%20FROM%20users--"
            lines.append(cli_logs.line(n, target, address="198.51.100.66"))
        elif n % 3 == 1:
            lines.append(cli_logs.line(n, f"/backup-{n}.zip", address="198.51.100.77", status=404))
        else:
            lines.append(cli_logs.line(n, f"/page/{n % 5}"))
    return cli_logs.write(path, lines)


@pytest.mark.slow
@pytest.mark.parametrize("flush_rows", [400, 100_000])
def test_incidents_of_a_history_do_not_depend_on_when_they_are_looked_for(
    flush_rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = log(tmp_path / "access.log")
    found: list[Any] = []
    for at_once in (True, False):
        own = {"read_bytes": 4096, "at_once": at_once, "flush_rows": flush_rows}
        monkeypatch.setattr(scanning, "Options", partial(_options, own))
        data = tmp_path / f"data-{at_once}"
        run = scan(file, data)
        told = [
            (i.id, i.actor, i.attacks, i.events, i.severity, i.outcome, i.first_seen, i.last_seen, i.rules)
            for i in run.incidents()
        ]
        found.append((told, event_rows(data)))
    assert found[0] == found[1]
    assert {actor for _, actor, *_ in found[0][0]} >= {"ip:198.51.100.66", "ip:198.51.100.77"}


def _options(own: dict[str, Any], **given: Any) -> Options:
    return Options(**(given | own))
