"""Redis, as the distribution packages it."""

from __future__ import annotations

import shutil

from servers.process import Server, answers


class Redis(Server):
    """Keeps nothing on disk: a stopped one comes back empty."""

    name = "redis"

    @classmethod
    def lacking(cls) -> str | None:
        return None if shutil.which("redis-server") else "no redis-server on the PATH"

    @property
    def url(self) -> str:
        return f"redis://{self.address}/0"

    def command(self) -> list[str]:
        network = ["--port", str(self.port), "--bind", "127.0.0.1"]
        return ["redis-server", *network, "--save", "", "--appendonly", "no", "--dir", str(self.folder)]

    def ready(self) -> bool:
        return answers(self.port, b"PING\r\n", b"+PONG\r\n")
