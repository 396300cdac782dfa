"""Failures that Spark reports: a neighbour that is lost is waited for, our own bug is raised."""

from __future__ import annotations

import pytest
from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException, PySparkException, PythonException

from logvision.engines.spark import failures


class Failed(Py4JJavaError):  # type: ignore[misc]
    """A task that failed in the JVM, as its words."""

    def __init__(self, words: str) -> None:
        self.words = words

    def __str__(self) -> str:
        return self.words


READING = """An error occurred while calling o57.collectToPython.
: org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 2.0 failed 1 times
\tat org.apache.spark.scheduler.DAGScheduler.abortStage(DAGScheduler.scala:2900)
Caused by: org.apache.kafka.common.errors.TimeoutException: Timeout of 10000ms expired
\tat java.base/java.lang.Thread.run(Thread.java:840)
"""
CRASHED = """An error occurred while calling o57.collectToPython.
: org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 failed, most recent failure: \
Lost task 0.0 in stage 1 (TID 3) (10.0.0.1 executor 2): org.apache.spark.SparkException: Python worker exited
Caused by: java.io.EOFException
"""
FULL = "terminated with exception: No space left on device\nCaused by: java.io.IOException: No space left"
CONFIGURED = """An error occurred while calling o57.collectToPython.
: org.apache.kafka.common.KafkaException: Failed to create new KafkaAdminClient
Caused by: org.apache.kafka.common.config.ConfigException: Invalid value x for configuration acks
"""
OURS = """An error occurred while calling o57.collectToPython.
: org.apache.spark.SparkException: Job aborted due to stage failure
Caused by: org.apache.spark.api.python.PythonException: Traceback (most recent call last):
KeyError: 'route'
"""


@pytest.mark.parametrize(
    ("error", "lost", "broker"),
    [
        (Failed(READING), True, True),
        (PySparkException(READING), True, True),
        (Failed(CRASHED), True, False),
        (PySparkException(FULL), True, False),
        (Failed(OURS), False, False),
        (PySparkException(OURS), False, False),
        (PythonException("KeyError: 'route'"), False, False),
        (Failed(CONFIGURED), False, False),
        (AnalysisException("Failed to find data source: kafka"), False, False),
        (ValueError("org.apache.kafka"), False, False),
    ],
)
def test_what_is_lost_is_told_from_what_is_ours_in_any_shape(
    error: Exception, lost: bool, broker: bool
) -> None:
    assert (failures.is_lost(error), failures.is_broker_lost(error)) == (lost, broker)


def test_an_operator_is_told_what_went_wrong_first() -> None:
    assert failures.words(Failed(READING)) == (
        "org.apache.kafka.common.errors.TimeoutException: Timeout of 10000ms expired"
    )
    assert failures.words(Failed(CRASHED)) == "org.apache.spark.SparkException: Python worker exited"
    assert failures.words(PySparkException("the stream ended\nat once")) == "the stream ended"
    assert failures.words(PySparkException("x" * 1000)) == "x" * failures.LIMIT
    assert failures.words(Failed("")) == "Failed"
