"""Generated captures, and executors of the Spark engine that are this very process: no JVM."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from logvision.app import parts
from logvision.app.capture import Capture
from logvision.config import Settings
from logvision.engines.bundle import Bundle
from logvision.engines.spark.feeding import messages
from logvision.engines.spark.fold import Fold
from logvision.engines.spark.judging import Part, judge, pack, unpack
from logvision.pipeline import Knowledge
from logvision.sources.generate import GenerateSource
from logvision.sources.several import Several

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def generated(lines: int, sources: int = 3, seed: int = 7, start: datetime = START) -> Capture:
    """Sites with their visitors and attackers, each with a log of its own."""
    logs = tuple(
        GenerateSource(
            seed=seed + number,
            rate=None,
            per_second=4.0,
            attack_share=0.1,
            start=start,
            lines=lines // sources,
            name=f"log{number}",
        )
        for number in range(sources)
    )
    return Capture.read(Several(logs))


def executor(settings: Settings | None = None) -> Knowledge:
    """What one executor knows."""
    known = parts.knowledge(settings or Settings())
    return Bundle(0, known.detector, known.proxies).knowledge()


def judged(sent: pa.Table, fold: Fold, executors: Sequence[Knowledge]) -> list[Part]:
    """The parts of a batch, a task for each partition; the executors take turns."""
    order, found = fold.order(), []
    for partition in pc.unique(sent["partition"]).to_pylist():
        own = sent.filter(pc.equal(sent["partition"], partition))
        part = pack(judge(own, order, executors[partition % len(executors)]))
        found.append(unpack(*(column[0].as_py() for column in part.columns)))
    return found


class Feed:
    """Takes a capture through executors in this process into a fold."""

    def __init__(self, partitions: int, rows: int, executors: Sequence[Knowledge]) -> None:
        self._partitions = partitions
        self._rows = rows
        self._executors = executors

    def batches(self, capture: Capture) -> list[pa.Table]:
        """MESSAGE rows, batch by batch."""
        sent: dict[int, int] = {}
        return [messages(piece, self._partitions, sent) for piece in capture.slices(self._rows)]

    def __call__(self, capture: Capture, fold: Fold) -> None:
        for number, sent in enumerate(self.batches(capture)):
            fold.batch(f"query/{number}", judged(sent, fold, self._executors))
