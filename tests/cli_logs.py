"""Logs for tests of commands: ordinary lines, attacks, and text that wants to be obeyed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

START = datetime(2024, 5, 14, 12, tzinfo=UTC)
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0"
HOSTILE_AGENT = "=cmd|'/c calc'!A1 <img src=x onerror=alert(1)> [red]\u202e"
HOSTILE_TARGET = "/a?q=%27%20UNION%20SELECT%20<script>alert(1)</script>"


def line(
    number: int = 0,
    target: str = "/",
    *,
    address: str | None = None,
    time: datetime | None = None,
    status: int = 200,
    agent: str = AGENT,
) -> str:
    """A line in combined form, one second and one address further with each number."""
    at = (START + timedelta(seconds=number) if time is None else time).strftime("%d/%b/%Y:%H:%M:%S %z")
    who = address or f"203.0.113.{number % 200}"
    return f'{who} - - [{at}] "GET {target} HTTP/1.1" {status} {1000 + number} "-" "{agent}"'


def write(path: Path, lines: Iterable[str]) -> Path:
    path.write_text("".join(f"{one}\n" for one in lines), "utf-8")
    return path


def mixed(path: Path) -> Path:
    """60 ordinary lines, one attack whose every text is hostile, and one line that is none."""
    lines = [line(n, f"/page/{n % 5}", status=404 if n % 10 == 0 else 200) for n in range(60)]
    lines.append(line(60, HOSTILE_TARGET, address="198.51.100.66", agent=HOSTILE_AGENT))
    lines.append("=1+1 \x1b[31mnot a log line <script>alert(2)</script>")
    return write(path, lines)
