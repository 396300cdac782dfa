"""Executors that lose the broker in the middle of a batch, or die of it: the batch can be judged again."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from fleets import PARTITIONS, send
from py4j.protocol import Py4JJavaError
from pyspark import SparkContext
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

import fetch
from cluster_servers import make_topic
from logvision.app import parts
from logvision.app.capture import Capture
from logvision.app.stores import open_stores
from logvision.clock import SystemClock
from logvision.config import Settings
from logvision.engines.bundle import Bundle
from logvision.engines.spark import failures
from logvision.engines.spark.fold import Fold, Places
from logvision.engines.spark.session import jars_of, session
from logvision.engines.spark.stream import WAITS, Judges
from servers import Kafka
from spark_captures import generated

pytestmark = [pytest.mark.cluster("kafka"), pytest.mark.slow, pytest.mark.timeout(600)]

TOPIC = "executors"
SOON = {
    "kafka.default.api.timeout.ms": "3000",
    "kafka.request.timeout.ms": "3000",
    "kafkaConsumer.pollTimeoutMs": "3000",
}


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    gateway = SparkContext._gateway
    if gateway is not None:  # the Java of a module before has no source for Kafka and cannot be given one
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait(60)
        SparkContext._gateway = SparkContext._jvm = None
    made = session("local[1]", jars_of(fetch.folder("spark")), {"spark.driver.memory": "700m"})
    yield made
    made.stop()


@pytest.fixture(scope="module")
def capture() -> Capture:
    return generated(300)


@pytest.fixture
def fold(tmp_path: Path) -> Iterator[Fold]:
    with open_stores(tmp_path, writer=True) as stores:
        places = Places(stores.lake, stores.casebook)
        yield Fold(places, parts.knowledge(Settings()), parts.state(Settings()), clock=SystemClock())


@pytest.fixture
def judges(spark: SparkSession, fold: Fold) -> Judges:
    return Judges(spark, Bundle(0, fold.known.detector, fold.known.proxies))


def messages(spark: SparkSession, kafka: Kafka, topic: str = TOPIC) -> DataFrame:
    """Everything that a topic holds; a task for each partition, one after the other."""
    reader = spark.read.format("kafka").options(**(WAITS | SOON))
    options = {"kafka.bootstrap.servers": kafka.address, "subscribe": topic, "includeHeaders": "true"}
    return reader.options(**options).load()


def killing(frame: DataFrame, pid: int) -> DataFrame:
    """The same frame; the first task that runs kills this process, 0 for its own, once it has its rows."""

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        rows = list(batches)
        os.kill(pid or os.getpid(), signal.SIGKILL)
        yield from rows

    return frame.mapInArrow(run, frame.schema)


def judged(judges: Judges, frame: DataFrame, fold: Fold) -> int:
    return sum(
        part.events.num_rows + part.rejects.num_rows for part in judges.judge(frame, fold.order(), fold)
    )


def test_a_batch_whose_broker_or_executor_is_lost_is_judged_again(
    spark: SparkSession, judges: Judges, fold: Fold, capture: Capture, kafka: Kafka
) -> None:
    make_topic(kafka, TOPIC, PARTITIONS)
    send(kafka, TOPIC, capture.records, PARTITIONS)
    with pytest.raises((PySparkException, Py4JJavaError)) as broker:
        judged(judges, killing(messages(spark, kafka), kafka.pid), fold)
    assert failures.is_broker_lost(broker.value)
    assert "Timeout of " in failures.words(broker.value)
    kafka.kill()
    kafka.start()
    with pytest.raises((PySparkException, Py4JJavaError)) as executor:
        judged(judges, killing(messages(spark, kafka), 0), fold)
    assert (failures.is_lost(executor.value), failures.is_broker_lost(executor.value)) == (True, False)
    assert "Python worker exited unexpectedly" in failures.words(executor.value)
    assert judged(judges, messages(spark, kafka), fold) == capture.lines


def test_a_bug_of_ours_on_an_executor_is_none(
    spark: SparkSession, judges: Judges, fold: Fold, capture: Capture, kafka: Kafka
) -> None:
    make_topic(kafka, f"{TOPIC}-bug", PARTITIONS)
    send(kafka, f"{TOPIC}-bug", capture.records, PARTITIONS)

    def bug(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from (batch for batch in batches if batch.schema.field("route"))

    frame = messages(spark, kafka, f"{TOPIC}-bug")
    with pytest.raises((PySparkException, Py4JJavaError), match="route") as failed:
        judged(judges, frame.mapInArrow(bug, frame.schema), fold)
    assert not failures.is_lost(failed.value)
