"""The job: Kafka to judged batches by Structured Streaming, each folded and committed by the driver."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import orjson
import pyarrow as pa
from py4j.protocol import Py4JJavaError, Py4JNetworkError
from pyspark import Broadcast
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from logvision.engines.bundle import Bundle
from logvision.engines.embedded import RETRY_S, TICK_S
from logvision.engines.spark.failures import is_broker_lost, is_lost, is_set_up_badly, words
from logvision.engines.spark.fold import Fold
from logvision.engines.spark.judging import SENT_DDL, Order, Part, task, unpack
from logvision.engines.spark.messages import MESSAGE
from logvision.errors import Problem, SetupError, StoreError

WAITS: Final[Mapping[str, str]] = {
    # A broker that is gone is told of within seconds, and asked again until it is back.
    "kafka.default.api.timeout.ms": "10000",
    "kafka.request.timeout.ms": "8000",
    "kafkaConsumer.pollTimeoutMs": "15000",
    "fetchOffset.numRetries": "1",
}


@dataclass(frozen=True, slots=True)
class Topic:
    """Where messages come from and how they are taken."""

    bootstrap: str  # host:port,…
    topic: str
    checkpoint: Path | str  # of Spark: offsets of each batch; a folder that outlives the job
    rows: int = 200_000  # of a batch at most, over all partitions
    every_s: float = 1.0  # between the beginnings of two batches
    kafka: Mapping[str, str] = field(default_factory=dict)  # of Kafka's client: security.protocol, …
    once: bool = False  # end when everything that is there now is read


class Judges:
    """Spreads the messages of a batch over the executors. The bundle is sent when it has changed."""

    def __init__(self, spark: SparkSession, bundle: Bundle) -> None:
        self._spark = spark
        self._bundle = bundle
        self._sent: Broadcast[Bundle] = spark.sparkContext.broadcast(bundle)

    def judge(self, messages: DataFrame, order: Order, fold: Fold) -> list[Part]:
        """The parts of a batch; `messages` are MESSAGE rows, those of a partition together and in order."""
        self._refresh(fold)
        sent = self._sent

        def run(batches: Any) -> Any:
            return task(sent.value, order, batches)

        rows = messages.select(*MESSAGE.names).mapInArrow(run, SENT_DDL).collect()
        return [unpack(row["said"], row["events"], row["rejects"]) for row in rows]

    def frame(self, messages: pa.Table, tasks: int) -> DataFrame:
        """MESSAGE rows as a frame that `judge` takes, for captures that come from no broker."""
        frame = self._spark.createDataFrame(messages)
        return frame.repartition(tasks, "partition").sortWithinPartitions("topic", "partition", "offset")

    def _refresh(self, fold: Fold) -> None:
        detector = fold.known.detector
        if detector is not self._bundle.detector:
            self._bundle = replace(self._bundle, number=self._bundle.number + 1, detector=detector)
            before, self._sent = self._sent, self._spark.sparkContext.broadcast(self._bundle)
            before.unpersist()


class Stream:
    """Runs the job until it is stopped, or with `once` to the end of what is there."""

    def __init__(
        self,
        spark: SparkSession,
        topic: Topic,
        judges: Judges,
        fold: Fold,
        *,
        stop: threading.Event,
    ) -> None:
        self._spark = spark
        self._topic = topic
        self._judges = judges
        self._fold = fold
        self._stop = stop
        self._query: StreamingQuery | None = None
        self._begun = threading.Event()
        self._folding = threading.Lock()  # held while a batch is judged and folded
        self._failure: BaseException | None = None
        self.problem: str | None = None  # why nothing can be read right now: Kafka
        self.trouble: str | None = None  # why nothing can be judged right now: Spark and its disks

    def progress(self) -> Mapping[str, Any]:
        """What Spark said of the last batch; empty: none yet."""
        query = self._query
        said = None if query is None else query.lastProgress
        if said is None:
            return {}
        found: Mapping[str, Any] = orjson.loads(said.json)
        return found

    def run(self) -> None:
        """Block until the end. A neighbour that is lost is waited for; raises what folding raised.

        Raises SetupError when the source or its settings are none, StoreError when Java is gone.
        """
        while not self._stop.is_set():
            try:
                self._query_to_its_end()
            except (PySparkException, Py4JJavaError) as error:
                self._ended(error)
                continue
            except (Py4JNetworkError, ConnectionError) as error:
                raise StoreError(f"Java has ended under the job: {words(error)}") from error
            if self._failure is not None:
                raise self._failure
            if self._topic.once:
                break
        self._fold.save()

    def _query_to_its_end(self) -> None:
        query = self._start()
        try:
            while not self._stop.is_set():
                if not query.isActive:
                    query.awaitTermination()
                    break
                time.sleep(TICK_S)
                self._fold.tick()
                if (self.problem or self.trouble) and query.recentProgress:
                    self.problem = self.trouble = None
        finally:
            with self._folding:  # a batch that is being folded is kept whole
                query.stop()
            self._query = None

    def _ended(self, error: PySparkException | Py4JJavaError) -> None:
        """A query that failed: by our own fault, or because it has lost a neighbour."""
        if self._stop.is_set():
            return
        if self._failure is not None:
            raise self._failure from error
        said = words(error)
        if is_set_up_badly(error):
            raise SetupError(
                Problem("Spark", said, "Kafka's source in --jars, settings that it takes")
            ) from error
        if not is_lost(error):
            raise error
        self.problem, self.trouble = (said, None) if is_broker_lost(error) else (None, said)
        self._stop.wait(RETRY_S)

    def _start(self) -> StreamingQuery:
        topic = self._topic
        reader = self._spark.readStream.format("kafka").options(**WAITS)
        reader = reader.options(**{f"kafka.{name}": value for name, value in topic.kafka.items()})
        frame = reader.options(
            **{
                "kafka.bootstrap.servers": topic.bootstrap,
                "subscribe": topic.topic,
                "startingOffsets": "earliest",
                "maxOffsetsPerTrigger": str(topic.rows),
                "includeHeaders": "true",
            }
        ).load()
        writer = frame.writeStream.foreachBatch(self._batch).option(
            "checkpointLocation", str(topic.checkpoint)
        )
        trigger = (
            writer.trigger(availableNow=True)
            if topic.once
            else writer.trigger(processingTime=f"{round(topic.every_s * 1000)} milliseconds")
        )
        self._begun.clear()
        self._query = trigger.start()
        self._begun.set()
        return self._query

    def _batch(self, frame: DataFrame, number: int) -> None:
        self._begun.wait()
        with self._folding:
            query = self._query
            if query is None or self._stop.is_set():
                raise StoreError("stopped")
            name = f"{query.id}/{number}"
            if self._fold.seen(name):
                return
            judged = False
            try:
                parts = self._judges.judge(frame, self._fold.order(), self._fold)
                judged = True
                self._fold.batch(name, parts)
            except BaseException as error:
                if judged or not is_lost(error):
                    self._failure = error
                raise
