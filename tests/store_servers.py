"""Real servers of the stores, on free ports of this machine, stopped and started by their own process ids."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

PATIENCE_S = 30.0
GO_BIN = Path(os.environ.get("GOBIN") or Path(os.environ.get("GOPATH") or Path.home() / "go") / "bin")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Server:
    """A program that listens on one port. Stopping it keeps its folder and its port."""

    def __init__(self, words: Callable[[int, Path], list[str]], folder: Path) -> None:
        self.port = free_port()
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self._words = words(self.port, folder)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it and wait until it listens."""
        with (self.folder / "said.txt").open("ab") as said:
            self._process = subprocess.Popen(self._words, stdout=said, stderr=said, cwd=self.folder)
        deadline = time.monotonic() + PATIENCE_S
        while not self._listens():
            assert self._process.poll() is None, (self.folder / "said.txt").read_text()
            assert time.monotonic() < deadline, f"{self._words[0]} does not listen"
            time.sleep(0.02)
        return self

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        """End it without a word, as a crash does; may be called twice."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def redis_server(folder: Path) -> Server:
    """Keeps nothing over a restart."""
    return Server(
        lambda port, _: ["redis-server", "--port", f"{port}", "--bind", "127.0.0.1", "--save", ""], folder
    )


def mongodb_server(folder: Path) -> Server:
    """FerretDB with SQLite, or the mongod on the PATH when LOGVISION_TEST_MONGOD is set."""
    mongod = os.environ.get("LOGVISION_TEST_MONGOD") and shutil.which("mongod")
    if mongod:
        return Server(
            lambda port, kept: [mongod, "--port", f"{port}", "--bind_ip", "127.0.0.1", "--dbpath", str(kept)],
            folder,
        )
    ferretdb = shutil.which("ferretdb") or str(GO_BIN / "ferretdb")
    return Server(
        lambda port, kept: [
            *(ferretdb, "--handler=sqlite", f"--sqlite-url=file:{kept}/", "--telemetry=disable"),
            *(
                f"--listen-addr=127.0.0.1:{port}",
                "--debug-addr=-",
                f"--state-dir={kept}",
                "--log-level=error",
            ),
        ],
        folder,
    )
