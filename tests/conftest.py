"""What the whole suite shares: what this machine lacks is said in one line, or is a failure in CI."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

# CI is repeatable: it tries the same examples each time. Elsewhere each run looks for new ones.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))),
    None,
)

SERVERS = {"java": "Java 17", "redis-server": "redis-server", "go": "Go"}
"""What runs or builds the servers of cluster tests."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what cannot run here, saying so; with LOGVISION_TEST_ALL=1 that is an error."""
    lacking: dict[str, str] = {}
    if CHROMIUM is None:
        lacking["browser"] = "no Chromium on the PATH"
    missing = [said for program, said in SERVERS.items() if shutil.which(program) is None]
    if missing:
        lacking["cluster"] = f"no {', '.join(missing)} on the PATH"
    left = [item for item in items if any(item.get_closest_marker(mark) for mark in lacking)]
    if not left:
        return
    said = ", ".join(f"{mark} tests ({why})" for mark, why in lacking.items())
    if os.environ.get("LOGVISION_TEST_ALL") == "1":
        raise pytest.UsageError(f"left out would be: {said}")
    items[:] = [item for item in items if item not in left]
    config.stash[LEFT_OUT] = f"left out: {len(left)} {said}"


LEFT_OUT = pytest.StashKey[str]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    said = config.stash.get(LEFT_OUT, None)
    if said:
        terminalreporter.write_line(said)


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser that browser tests drive."""
    assert CHROMIUM is not None  # such tests are left out without it
    return Path(CHROMIUM)
