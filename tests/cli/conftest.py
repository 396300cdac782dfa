"""Commands in this very process, over a detector of few rules that compiles at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import whole_runs

from logvision.app import parts
from logvision.detect import Detector
from logvision.enrich.agent import Agents

RULES = {
    "sqli-union": ("SQL UNION SELECT", r"(?i)\bunion\s+select\b", "sqli"),
    "xss-tag": ("A script element", r"(?i)<script", "xss"),
}

RULE = """\
title: {title}
logsource: {{category: webserver}}
detection:
  selection: {{unit|re: '{expression}'}}
  condition: selection
level: high
tags: [attack.t1190]
logvision: {{attack: {attack}, confidence: 0.95}}
"""

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="session")
def few_rules(tmp_path_factory: pytest.TempPathFactory) -> Detector:
    """A detector of two rules, without a classifier."""
    folder = tmp_path_factory.mktemp("rules")
    for name, (title, expression, attack) in RULES.items():
        text = RULE.format(title=title, expression=expression, attack=attack)
        (folder / f"{name}.yml").write_text(text)
    return Detector.open([folder], builtin=False, model=None)


@pytest.fixture(scope="session")
def all_agents() -> Agents:
    return Agents()


@pytest.fixture
def command(
    few_rules: Detector,
    all_agents: Agents,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Command:
    """Runs a command; gives exit code, output and errors. The working folder is the test's own."""

    def open_(paths: tuple[Path, ...], *, threshold: float) -> Detector:
        assert not paths
        return replace(few_rules, threshold=threshold)

    monkeypatch.setattr(parts, "Detector", SimpleNamespace(open=open_))
    monkeypatch.setattr(parts, "Agents", lambda _folder: all_agents)
    monkeypatch.chdir(tmp_path)

    def run(*words: str | Path) -> tuple[int, str, str]:
        return whole_runs.command(monkeypatch, capfd, *words)

    return run
