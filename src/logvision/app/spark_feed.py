"""How a capture comes to Spark when it is verified: through a broker, or as if it came from one."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from logvision.app import parts
from logvision.app.capture import Capture
from logvision.app.streaming import needs_spark
from logvision.app.verifying import ROWS, Feed
from logvision.config import Settings

if TYPE_CHECKING:
    from logvision.engines.spark.fold import Fold

PARTITIONS: Final = 4
"""Of the topic that a capture is sent through."""


@dataclass(frozen=True, slots=True)
class Way:
    """Where Spark runs and what a capture is sent through."""

    master: str | None = "local[2]"
    memory: str | None = None
    jars: Path | None = None
    kafka: str | None = None  # brokers; None: no broker, the executors are given the messages
    kafka_settings: Mapping[str, str] = field(default_factory=dict)
    rows: int = ROWS


@contextmanager
def feeding(settings: Settings, way: Way) -> Iterator[Feed]:
    """A feed for `verify`, with a Spark session that ends with the block. Raises SetupError."""
    needs_spark()
    from logvision.engines.spark.feeding import Broker, feed, messages  # noqa: PLC0415 - an extra
    from logvision.engines.spark.session import jars_of, session  # noqa: PLC0415
    from logvision.engines.spark.stream import Judges, Stream, Topic  # noqa: PLC0415

    jars = jars_of(way.jars) if way.jars is not None else []
    spark = session(way.master, jars, {"spark.driver.memory": way.memory} if way.memory else {})

    def without_broker(capture: Capture, fold: Fold) -> None:
        sent: dict[int, int] = {}
        pieces = (messages(piece, PARTITIONS, sent) for piece in capture.slices(way.rows))
        feed(pieces, Judges(spark, parts.bundle(fold.known, settings)), fold, PARTITIONS)

    def through_broker(capture: Capture, fold: Fold) -> None:
        assert way.kafka is not None  # else the other
        broker = Broker(spark, way.kafka, way.kafka_settings)
        name = f"logvision-verify-{secrets.token_hex(4)}"
        broker.make(name, PARTITIONS)
        try:
            sent: dict[int, int] = {}
            for piece in capture.slices(way.rows):
                broker.send(name, messages(piece, PARTITIONS, sent))
            with TemporaryDirectory(prefix="logvision-checkpoint-") as folder:
                topic = Topic(way.kafka, name, folder, way.rows, kafka=way.kafka_settings, once=True)
                judges = Judges(spark, parts.bundle(fold.known, settings))
                Stream(spark, topic, judges, fold, stop=threading.Event()).run()
        finally:
            broker.drop(name)

    try:
        yield without_broker if way.kafka is None else through_broker
    finally:
        spark.stop()
