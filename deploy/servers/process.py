"""A server as a process of its own: started, waited for, stopped by its own process id."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path

START_S = 180.0  # a JVM on a machine that has little to spare
STOP_S = 30.0
LOOK_S = 0.05
TOLD = 4_000  # characters of the log in an error's message


class ServerError(Exception):
    """A server did not start, or went away; the message ends with what it logged last."""


class Server(ABC):
    """One server. It ends with the thread that started it, also when that is killed."""

    name: str

    def __init__(self, folder: Path) -> None:
        """`folder`: for its data and its log; made if need be."""
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / f"{self.name}.log"
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    @abstractmethod
    def lacking(cls) -> str | None:
        """Why it cannot run on this machine; None: it can."""

    @abstractmethod
    def command(self) -> list[str]:
        """How it is started; may write files into the folder first."""

    @abstractmethod
    def ready(self) -> bool:
        """Whether it answers."""

    @property
    def pid(self) -> int:
        """Its process id. Raises ServerError when it is not running."""
        if self._process is None:
            raise ServerError(f"{self.name} was not started")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended since."""
        return self._process is not None and self._process.poll() is None

    @property
    def address(self) -> str:
        """Where clients find it: host:port."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, or start it again on the same port with its data; returns once it answers."""
        self.launch()
        assert self._process is not None
        deadline = time.monotonic() + START_S
        while not self.ready():
            status = self._process.poll()
            if status is not None:
                raise ServerError(f"{self.name} ended with {status} while starting: {self.logged()}")
            if time.monotonic() > deadline:
                self.kill()
                raise ServerError(f"{self.name} did not answer within {START_S:g} s: {self.logged()}")
            time.sleep(LOOK_S)

    def launch(self) -> None:
        """Start it and do not wait until it answers."""
        if answers(self.port):
            raise ServerError(f"{self.name} cannot start: something listens on {self.address} already")
        command = self.command()
        if shutil.which("setpriv"):  # util-linux: the server ends when this process does
            command = ["setpriv", "--pdeathsig", "KILL", *command]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                start_new_session=True,  # a Ctrl-C is for us, who stop it in its turn
            )

    def stop(self) -> None:
        """Ask it to end, and wait; kill it if it does not. May be called when it is not running."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Let it hang, as behind a broken network: connections stay and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """After `pause`."""
        os.kill(self.pid, signal.SIGCONT)

    def logged(self) -> str:
        """What it logged last."""
        return self.log.read_text(errors="replace")[-TOLD:] if self.log.exists() else ""

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        process.send_signal(signal.SIGCONT)  # one that hangs hears nothing
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_S)

    def __enter__(self) -> Server:
        try:
            self.start()
        except BaseException:  # a Ctrl-C while it starts, too
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int, ask: bytes = b"", hear: bytes = b"") -> bool:
    """Whether something listens on a port of 127.0.0.1 and, when asked, says what it should."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0) as connection:
            if not ask:
                return True
            connection.sendall(ask)
            return connection.recv(len(hear)) == hear
    except OSError:
        return False
