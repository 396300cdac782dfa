"""From a line appended to a log to its row in the live stream, at a given rate, with the page open.

    python bench/latency.py [--rate 5000] [--seconds 300] [--keep-page-closed]

Each line carries its number; the moment of its write is remembered, and every row that the stream
shows is held against it. The stream shows a sample, so latency is of the rows shown; that none is
lost is checked at the end by the server's own count.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

LINE = (
    '{ip} - - [{stamp}] "GET /item/{number}?ref=home HTTP/1.1" 200 {size} "-" '
    '"Mozilla/5.0 (X11; Linux x86_64) Firefox/157.0"\n'
)
BURSTS = 20  # a second: how a busy server's log buffer comes out


Line = Callable[[int, str], str]
"""A line by its number and its time as a log writes it."""


def ordinary(number: int, stamp: str) -> str:
    ip = f"81.2.{number % 256}.{number % 251}"
    return LINE.format(ip=ip, stamp=stamp, number=number, size=number % 9000)


class Appender(threading.Thread):
    """Appends `rate` lines a second; `written[n]` is when line n was handed to the kernel."""

    def __init__(self, path: Path, rate: int, seconds: float, line: Line = ordinary) -> None:
        super().__init__(daemon=True)
        self.path = path
        self.rate = rate
        self.seconds = seconds
        self.line = line
        self.written: list[float] = []

    def run(self) -> None:
        begun = time.monotonic()
        with self.path.open("ab", buffering=0) as log:
            while (elapsed := time.monotonic() - begun) < self.seconds:
                due = int(elapsed * self.rate) - len(self.written)
                if due > 0:
                    first = len(self.written)
                    stamp = datetime.now(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
                    lines = (self.line(number, stamp) for number in range(first, first + due))
                    log.write("".join(lines).encode())
                    self.written.extend([time.monotonic()] * due)
                time.sleep(1 / BURSTS)


def follow(port: int, appender: Appender, found: list[float], stop: threading.Event) -> None:
    """Read the stream and note how old each shown row is when it arrives."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/api/stream?kinds=events")
    answer = connection.getresponse()
    while not stop.is_set():
        line = answer.readline()
        if not line.startswith(b"data: "):
            continue
        now = time.monotonic()
        for row in json.loads(line[6:])["rows"]:
            number = int(row["path"].rpartition("/")[2])
            found.append(now - appender.written[number])


def page(port: int, stop: threading.Event) -> None:
    """A browser with the overview open, as an operator has it."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where a browser is

    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        tab = browser.new_page(viewport={"width": 1440, "height": 900})
        tab.goto(f"http://127.0.0.1:{port}/overview?from=now-15m")
        while not stop.is_set():
            tab.wait_for_timeout(500)
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=int, default=5_000)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--no-page", action="store_true", help="without a browser beside")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="logvision-latency-")))
        log = folder / "access.log"
        log.touch()
        logvision = str(Path(sys.executable).with_name("logvision"))
        command = [logvision, "watch", str(log), "--data", str(folder / "data"), "--port", "0"]
        server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        stack.callback(end, server)
        assert server.stderr is not None
        port = int(server.stderr.readline().split("http://127.0.0.1:")[1].split("/")[0])
        threading.Thread(target=server.stderr.read, daemon=True).start()
        appender = Appender(log, options.rate, options.seconds)
        found: list[float] = []
        stop = threading.Event()
        threads = [threading.Thread(target=follow, args=(port, appender, found, stop), daemon=True)]
        if not options.no_page and shutil.which("chromium"):
            threads.append(threading.Thread(target=page, args=(port, stop), daemon=True))
        for thread in threads:
            thread.start()
        time.sleep(5 if len(threads) > 1 else 1)
        appender.start()
        appender.join()
        time.sleep(3)
        stop.set()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/totals", timeout=30) as answer:
            totals = json.load(answer)
        usage = Path(f"/proc/{server.pid}/status").read_text()
    found.sort()
    result = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
        ).stdout.strip(),
        "rate": options.rate,
        "seconds": options.seconds,
        "page_open": len(threads) > 1,
        "lines_written": len(appender.written),
        "lines_counted": totals["read"],
        "rows_seen": len(found),
        **{f"p{p}_s": round(found[min(len(found) - 1, len(found) * p // 100)], 4) for p in (50, 90, 99)},
        "max_s": round(found[-1], 4),
        "peak_mb": round(int(usage.split("VmHWM:")[1].split()[0]) / 1024, 1),
        "cores": os.cpu_count(),
    }
    options.results.mkdir(parents=True, exist_ok=True)
    name = f"latency-{result['at'][:10]}-{result['commit'] or 'uncommitted'}.json"
    (options.results / name).write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


def end(server: subprocess.Popen[str]) -> None:
    server.send_signal(signal.SIGTERM)
    server.wait(30)


if __name__ == "__main__":
    main()
