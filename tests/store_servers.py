"""Real servers of the stores, on free ports of this machine, stopped and started by their own process ids."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

PATIENCE_S = 30.0


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
    """The mongod on the PATH when LOGVISION_TEST_MONGOD=1, else FerretDB over SQLite."""
    if os.environ.get("LOGVISION_TEST_MONGOD") == "1":
        return Server(
            lambda port, kept: [
                *("mongod", "--port", f"{port}", "--bind_ip", "127.0.0.1", "--dbpath", str(kept)),
            ],
            folder,
        )
    program = str(ferretdb())
    return Server(lambda port, kept: [program, f"127.0.0.1:{port}", str(kept)], folder)


def ferretdb() -> Path:
    """FerretDB as a program, built by Go the first time, which takes a minute or two.

    `go install` of its command gives one that refuses to start: it wants files that its releases add.
    """
    source = Path(__file__).parent / "cluster" / "mongodb"
    version = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(source.iterdir()))).hexdigest()[
        :12
    ]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "logvision-tests"
    program = cache / f"ferretdb-{version}"
    if not program.exists():
        with tempfile.TemporaryDirectory() as build:
            shutil.copytree(source, build, dirs_exist_ok=True)
            words = ["go", "build", "-mod=mod", "-tags=ferretdb_no_postgresql", "-trimpath", "-ldflags=-s"]
            subprocess.run([*words, "-o", "ferretdb", "."], cwd=build, check=True, capture_output=True)
            cache.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path(build) / "ferretdb", cache / f"{program.name}.{os.getpid()}")
            (cache / f"{program.name}.{os.getpid()}").replace(program)
    return program
