"""LogVision's own processes of the distributed mode, each started and stopped like any server."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import fetch
from servers import jvm
from servers.process import Server, answers

LOGVISION = [sys.executable, "-m", "logvision"]


@dataclass(frozen=True)
class Fleet:
    """What the processes of one fleet share."""

    brokers: str
    topic: str
    lake: Path
    casebook: str  # mongodb://…
    live: str  # redis://…
    alerts: str | None = None  # topic

    def stores(self) -> list[str]:
        return ["--data", str(self.lake), "--casebook", self.casebook, "--live", self.live]


class Job(Server):
    """The job on Spark, in this machine's cores."""

    name = "job"

    def __init__(
        self,
        folder: Path,
        fleet: Fleet,
        *,
        master: str = "local[2]",
        memory: str = "700m",
        rows: int = 50_000,
    ) -> None:
        super().__init__(folder)
        self.fleet = fleet
        self.options = ["--master", master, "--memory", memory, "--rows", str(rows)]

    @classmethod
    def lacking(cls) -> str | None:
        if find_spec("pyspark") is None:
            return "no pyspark: pip install 'logvision[spark,cluster]'"
        return jvm.lacking("spark", "jars")

    def command(self) -> list[str]:
        fleet = self.fleet
        alerts = [] if fleet.alerts is None else ["--alerts", fleet.alerts]
        return [
            *LOGVISION,
            "stream",
            *("--kafka", fleet.brokers, "--topic", fleet.topic, *alerts, *fleet.stores()),
            *("--jars", str(fetch.folder("spark")), "--metrics-port", str(self.port), *self.options),
        ]

    def ready(self) -> bool:
        return answers(self.port)


class Web(Server):
    """One web process. `port` None: any."""

    name = "web"

    def __init__(self, folder: Path, fleet: Fleet, port: int | None = None) -> None:
        super().__init__(folder)
        self.fleet = fleet
        self.port = port or self.port

    @classmethod
    def lacking(cls) -> str | None:
        return None

    def command(self) -> list[str]:
        return [*LOGVISION, "serve", *self.fleet.stores(), "--port", str(self.port)]

    def ready(self) -> bool:
        return answers(self.port)


class _Worker(Server):
    """A process that nobody connects to: it is there once it was started."""

    @classmethod
    def lacking(cls) -> str | None:
        return None

    def ready(self) -> bool:
        return self.running


class Generator(_Worker):
    """Writes traffic with attacks to a log."""

    name = "generator"

    def __init__(self, folder: Path, log: Path, rate: float) -> None:
        super().__init__(folder)
        self.traffic, self.rate = log, rate

    def command(self) -> list[str]:
        return [
            *LOGVISION,
            "generate",
            *("--rate", str(self.rate), "--out", str(self.traffic), "--format", "json"),
        ]


class Shipper(_Worker):
    """Follows a log and sends its lines."""

    name = "shipper"

    def __init__(self, folder: Path, fleet: Fleet, log: Path) -> None:
        super().__init__(folder)
        self.fleet, self.traffic = fleet, log

    def command(self) -> list[str]:
        return [
            *LOGVISION,
            *("ship", str(self.traffic), "--kafka", self.fleet.brokers, "--topic", self.fleet.topic),
        ]
