"""The whole system in a real browser: generated traffic with attacks, from the engine to the page.

With LOGVISION_SCREENSHOTS=docs/images it also makes the picture that stands in the README.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
PATIENCE_MS = 60_000  # a loaded machine is slow, not wrong


@contextmanager
def watching(*arguments: str) -> Iterator[str]:
    """The address of a running `logvision watch`, until the block ends."""
    command = [sys.executable, "-m", "logvision", "watch", "--port", "0", *arguments]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said = process.stderr.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+/", said)
    assert found, said + process.stderr.read()
    yield found.group()
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    process.stderr.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running `logvision watch` on generated traffic."""
    with watching("--data", str(tmp_path_factory.mktemp("live") / "data"), "--rate", "60") as found:
        yield found


@pytest.fixture
def past(tmp_path: Path) -> Iterator[str]:
    """The same on a log of the last six hours."""
    log = tmp_path / "access.log"
    command = ["generate", "--out", str(log), "--lines", "120000", "--hours", "6", "--seed", "7"]
    subprocess.run([sys.executable, "-m", "logvision", *command], check=True, capture_output=True)
    with watching("--data", str(tmp_path / "data"), str(log)) as found:
        yield found


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A tab in which every complaint of the browser is a failure."""
    context = browser.new_context(viewport={"width": 1440, "height": 960}, locale="en-US")
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    yield opened
    context.close()
    assert complaints == []


def test_traffic_and_attacks_show_while_they_happen(address: str, page: Page) -> None:
    page.goto(f"{address}intrusion?from=now-15m")
    expect(page.get_by_text("Likely worked").first).to_be_visible(timeout=PATIENCE_MS)
    page.goto(f"{address}overview?from=now-15m")
    expect(page.get_by_text("Requests over time")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("text=/^\\d[\\d,.]*\\s?\\/s$/").first).to_be_visible(timeout=PATIENCE_MS)


def test_the_picture_of_the_readme_can_be_made(past: str, page: Page, tmp_path: Path) -> None:
    folder = Path(os.environ.get("LOGVISION_SCREENSHOTS", tmp_path))
    page.goto(f"{past}health")
    expect(page.get_by_text("120,000").first).to_be_visible(timeout=PATIENCE_MS)
    page.goto(f"{past}intrusion?from=now-6h")
    expect(page.get_by_text("Likely worked").first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("canvas").first).to_be_visible(timeout=PATIENCE_MS)
    page.wait_for_timeout(2_000)  # the map's own animation, for the picture's sake
    page.screenshot(path=folder / "intrusion.png")
    assert (folder / "intrusion.png").stat().st_size > 20_000
