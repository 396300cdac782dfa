"""Servers of the stores for tests that start them as they need them; see `deploy/servers`."""

from __future__ import annotations

from pathlib import Path

from servers import MongoDB, Redis, Server
from servers.process import free_port

__all__ = ["Server", "free_port", "mongodb_server", "redis_server"]


def redis_server(folder: Path) -> Server:
    """Keeps nothing over a restart."""
    return Redis(folder)


def mongodb_server(folder: Path) -> Server:
    """The mongod on the PATH, or else FerretDB over SQLite."""
    return MongoDB(folder)
