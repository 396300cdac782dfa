"""A real browser before real web processes: what is missing stands on the page, and any process may go."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from fleet import Page
from logvision.live.base import HEALTH, NOW
from logvision.live.redis import RedisLive
from servers import MongoDB
from servers.process import Server, answers

pytestmark = [pytest.mark.cluster, pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
HEALTHY = {"sources": [], "checks": [{"name": "engine", "ok": True, "detail": "reading and committing"}]}
PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield opened
        opened.close()


class Nginx(Server):
    """nginx with the configuration of deploy/proxy before two web processes."""

    name = "nginx"

    def __init__(self, folder: Path, ports: tuple[str, str]) -> None:
        super().__init__(folder)
        self._ports = ports

    @classmethod
    def lacking(cls) -> str | None:
        return None if shutil.which("nginx", path="/usr/sbin:/usr/bin") else "no nginx"

    def command(self) -> list[str]:
        words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1"]
        files = [self.folder / "privkey.pem", self.folder / "fullchain.pem"]
        subprocess.run([*words, "-keyout", files[0], "-out", files[1]], check=True, capture_output=True)
        text = (ROOT / "deploy/proxy/nginx.conf").read_text()
        for asked, given in (
            ("10.0.0.11:8710", f"127.0.0.1:{self._ports[0]}"),
            ("10.0.0.12:8710", f"127.0.0.1:{self._ports[1]}"),
            ("listen 443", f"listen 127.0.0.1:{self.port}"),
            ("/etc/ssl/logvision", str(self.folder)),
        ):
            assert asked in text
            text = text.replace(asked, given)
        whole = self.folder / "nginx.conf"
        whole.write_text(
            f"daemon off; master_process off; pid {self.folder}/nginx.pid; error_log stderr;\n"
            f"events {{ }}\nhttp {{ access_log off; {text} }}\n"
        )
        return [shutil.which("nginx", path="/usr/sbin:/usr/bin") or "nginx", "-c", str(whole)]

    def ready(self) -> bool:
        return answers(self.port)


def test_while_the_casebook_is_away_every_page_says_so_in_both_languages(
    serve: Callable[..., Page], engine: RedisLive, mongodb: MongoDB, browser: Browser, tmp_path: Path
) -> None:
    web = serve()
    engine.publish(HEALTH, HEALTHY)
    web.until(lambda: web.failing() == set(), "all to be well")
    page = browser.new_page()
    page.goto(web.url)
    expect(page.get_by_role("main")).to_contain_text("61", timeout=PATIENCE_MS)
    banner = page.get_by_role("alert", name="Missing right now")
    assert banner.count() == 0
    mongodb.kill()
    try:
        expect(banner).to_contain_text("Casebook is not available.", timeout=PATIENCE_MS)
        expect(banner).to_contain_text("mongodb://127.0.0.1:")
        page.screenshot(path=tmp_path / "missing-en.png")
        page.evaluate("localStorage.setItem('logvision.language', 'zh')")
        page.reload()
        chinese = page.get_by_role("alert", name="当前缺失的部分")
        expect(chinese).to_contain_text("案卷不可用。", timeout=PATIENCE_MS)
        page.screenshot(path=tmp_path / "missing-zh.png")
    finally:
        mongodb.start()
    expect(chinese).to_have_count(0, timeout=PATIENCE_MS)
    page.close()


def test_a_browser_behind_the_proxy_goes_on_live_when_its_process_is_killed(
    serve: Callable[..., Page], engine: RedisLive, browser: Browser, tmp_path: Path
) -> None:
    webs = [serve(), serve()]
    ports = tuple(web.url.rstrip("/").rpartition(":")[2] for web in webs)
    with Nginx(tmp_path / "nginx", (ports[0], ports[1])) as proxy:
        context = browser.new_context(ignore_https_errors=True)
        page = context.new_page()
        page.goto(f"https://127.0.0.1:{proxy.port}/")
        rate = page.get_by_role("main")

        def shows(number: int) -> bool:
            """Whether the page shows this rate, which the engine tells again and again."""
            engine.publish(NOW, {"t": 0, "rate": number, "requests": number, "attacks": 0, "totals": {}})
            return f"{number}" in rate.inner_text()

        webs[0].until(lambda: shows(777), "the live rate")
        webs[0].kill()
        webs[1].until(lambda: shows(888), "the live rate by the other process")
        webs[1].until(lambda: page.get_by_role("status").first.inner_text().strip() == "Live", "Live")
        context.close()
