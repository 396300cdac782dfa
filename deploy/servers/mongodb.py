"""A server that speaks MongoDB's protocol: a real `mongod` where one is on the PATH, or FerretDB."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal

import fetch
from servers.process import Server, answers

Kind = Literal["mongod", "ferretdb"]


class MongoDB(Server):
    """Keeps its data in its folder: a stopped or killed one comes back with it."""

    name = "mongodb"

    def __init__(self, folder: Path, kind: Kind | None = None) -> None:
        """`kind` None: mongod where there is one."""
        super().__init__(folder)
        self.kind: Kind = kind or self.kinds()[0]

    @classmethod
    def kinds(cls) -> list[Kind]:
        """What can run here, the real one first."""
        found: list[Kind] = ["mongod"] if shutil.which("mongod") else []
        return [*found, "ferretdb"] if fetch.fetched("ferretdb") else found

    @classmethod
    def lacking(cls) -> str | None:
        if cls.kinds():
            return None
        return "no mongod on the PATH, no FerretDB in .cluster: python deploy/fetch.py ferretdb (needs Go)"

    @property
    def url(self) -> str:
        return f"mongodb://{self.address}/"

    def command(self) -> list[str]:
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        if self.kind == "ferretdb":
            return [str(fetch.folder("ferretdb") / "ferretdb"), self.address, str(data)]
        return [
            "mongod",
            "--port",
            str(self.port),
            "--bind_ip",
            "127.0.0.1",
            "--dbpath",
            str(data),
            "--quiet",
        ]

    def ready(self) -> bool:
        return answers(self.port)
