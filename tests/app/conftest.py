"""Parts that are costly to make and never change are made once for all tests of whole runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from whole_runs import RULE

from logvision.app import parts
from logvision.detect import Detector, detector
from logvision.enrich.agent import Agents


@pytest.fixture(scope="session")
def shipped() -> Detector:
    """The package's own rules and model, compiled."""
    return Detector.open()


@pytest.fixture(scope="session")
def agents() -> Agents:
    return Agents()


@pytest.fixture
def quick(shipped: Detector, agents: Agents, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs take the compiled rules over: a detector is immutable, so they are the same."""

    def open_(paths: tuple[Path, ...], *, threshold: float) -> Detector:
        assert not paths
        return replace(shipped, threshold=threshold)

    monkeypatch.setattr(parts, "Detector", SimpleNamespace(open=open_))
    monkeypatch.setattr(parts, "Agents", lambda _folder: agents)


@pytest.fixture
def one_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Instead of the package's own rules a folder with a single one, which compiles at once."""
    folder = tmp_path / "shipped-rules"
    folder.mkdir()
    (folder / "dotenv.yml").write_text(RULE)
    monkeypatch.setattr(detector, "BUILTIN", folder)
    return folder
