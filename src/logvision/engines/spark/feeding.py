"""Captures as messages: given to the executors as if a broker had them, or sent through a real one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession

from logvision.engines.spark.fold import Fold
from logvision.engines.spark.messages import MESSAGE
from logvision.engines.spark.stream import Judges
from logvision.sources.kafka.origin import PLACE, SOURCE

TOPIC: Final = "capture"


def messages(records: Mapping[str, pa.Table], partitions: int, sent: dict[int, int]) -> pa.Table:
    """RECORD rows by source as MESSAGE rows, a source in one partition and in order, as a shipper sends them.

    `sent`: messages of each partition so far; counted on.
    """
    tables = []
    for source, rows in sorted(records.items()):
        partition = sum(source.encode()) % partitions
        begin = sent.get(partition, 0)
        sent[partition] = begin + rows.num_rows
        tables.append(_messages(source, rows, partition, begin))
    return pa.concat_tables(tables) if tables else MESSAGE.empty_table()


def feed(pieces: Iterable[pa.Table], judges: Judges, fold: Fold, tasks: int) -> None:
    """Take batches of MESSAGE rows through the executors into a fold, without a broker."""
    for number, piece in enumerate(pieces):
        frame = judges.frame(piece, tasks)
        fold.batch(f"{TOPIC}/{number}", judges.judge(frame, fold.order(), fold))


@dataclass(frozen=True, slots=True)
class Broker:
    """Sends through Kafka with Spark's own client."""

    spark: SparkSession
    bootstrap: str
    settings: Mapping[str, str] = field(default_factory=dict)  # of Kafka's client

    def make(self, topic: str, partitions: int) -> None:
        """Make a topic that is not there."""
        made = self._jvm().org.apache.kafka.clients.admin.NewTopic(topic, partitions, 1)
        self._ask(lambda admin, one: admin.createTopics(one(made)).all())

    def drop(self, topic: str) -> None:
        """Take a topic away with all that is in it."""
        self._ask(lambda admin, one: admin.deleteTopics(one(topic)).all())

    def send(self, topic: str, piece: pa.Table) -> None:
        """Send MESSAGE rows, each to its partition; acknowledged when it returns."""
        frame: DataFrame = self.spark.createDataFrame(piece)
        frame = frame.repartition(1).sortWithinPartitions("partition", "offset")
        options = {f"kafka.{name}": value for name, value in self.settings.items()}
        rows = frame.selectExpr("partition", "cast(null as binary) as key", "value", "headers")
        rows.write.format("kafka").options(**options).options(
            **{"kafka.bootstrap.servers": self.bootstrap, "topic": topic, "includeHeaders": "true"}
        ).save()

    def _jvm(self) -> Any:
        return self.spark.sparkContext._jvm

    def _ask(self, question: Any) -> None:
        jvm = self._jvm()
        properties = jvm.java.util.Properties()
        for name, value in {**self.settings, "bootstrap.servers": self.bootstrap}.items():
            properties.setProperty(name, value)
        admin = jvm.org.apache.kafka.clients.admin.Admin.create(properties)
        try:
            question(admin, jvm.java.util.Collections.singletonList).get()
        finally:
            admin.close()


def _messages(source: str, rows: pa.Table, partition: int, begin: int) -> pa.Table:
    count = rows.num_rows
    position = rows.column("position").cast(pa.string()).combine_chunks()
    places = pc.binary_join_element_wise("0", position, ":").cast(pa.binary()).to_pylist()
    values = [value for place in places for value in (source.encode(), place)]
    header = pa.StructArray.from_arrays(
        [pa.array([SOURCE, PLACE] * count, pa.string()), pa.array(values, pa.binary())],
        names=["key", "value"],
    )
    headers = pa.ListArray.from_arrays(pa.array(np.arange(0, 2 * count + 1, 2), pa.int32()), header)
    return pa.table(
        [
            pa.array([TOPIC] * count, pa.string()),
            pa.array(np.full(count, partition), pa.int32()),
            pa.array(np.arange(begin, begin + count), pa.int64()),
            rows.column("raw"),
            headers,
        ],
        schema=MESSAGE,
    )
