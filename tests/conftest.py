"""What the whole suite shares: what this machine lacks is said in one line, or is a failure in CI."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from examples import ALL
from logvision import native
from servers import Flume, Kafka, MongoDB, Nginx, Redis, Rsyslog, SecureKafka, Server

pytest_plugins = ["cluster_servers"]

NEEDS: dict[str, type[Server]] = {
    "kafka": Kafka,
    "secure_kafka": SecureKafka,
    "redis_server": Redis,
    "mongodb": MongoDB,
    "flume": Flume,
    "rsyslog": Rsyslog,
    "nginx": Nginx,
}
"""Fixtures of `cluster_servers` and what they start."""

# Each run looks for new examples; CI prints what it takes to try a failing one again.
settings.register_profile("ci", print_blob=True)
settings.register_profile("quick", max_examples=ALL // 4)
if os.environ.get("CI"):
    settings.load_profile("ci")

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))),
    None,
)


LEFT_OUT = pytest.StashKey[str]()


def pytest_report_header() -> str:
    return f"native core: {native.STATE}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what cannot run here; the summary says so, and with LOGVISION_TEST_ALL=1 that is an error."""
    reasons = {item: found for item in items if (found := _lacking(item))}
    if not reasons:
        return
    items[:] = [item for item in items if item not in reasons]
    counted = "; ".join(f"{count} tests: {why}" for why, count in Counter(reasons.values()).items())
    config.stash[LEFT_OUT] = f"left out: {counted}"
    if hasattr(config, "workeroutput"):  # one of several processes: the first one has the word
        config.workeroutput["left_out"] = config.stash[LEFT_OUT]


def _lacking(item: pytest.Item) -> str | None:
    """What this machine lacks to run a test; None: nothing."""
    if item.get_closest_marker("browser") and CHROMIUM is None:
        return "no Chromium on the PATH"
    if item.get_closest_marker("fuzz") and importlib.util.find_spec("atheris") is None:
        return "no atheris"
    mark = item.get_closest_marker("cluster")
    if mark is None:
        return None
    # A mark names what a test starts without a fixture.
    names = (*mark.args, *getattr(item, "fixturenames", ()))
    named = [NEEDS[name] for name in names if name in NEEDS]
    servers = named or [Kafka, Redis, MongoDB]
    return next(filter(None, (server.lacking() for server in servers)), None)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Every process collects the same tests, so any of them can tell what was left out."""
    said = getattr(node, "workeroutput", {}).get("left_out")
    if said:
        node.config.stash[LEFT_OUT] = said


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.config.stash.get(LEFT_OUT, None) and os.environ.get("LOGVISION_TEST_ALL") == "1":
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    said = config.stash.get(LEFT_OUT, None)
    if said:
        terminalreporter.write_line(said)


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser that browser tests drive."""
    assert CHROMIUM is not None  # such tests are left out without it
    return Path(CHROMIUM)
