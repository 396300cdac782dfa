"""What Spark raises when something fails, in whatever shape: whose doing it is, and in which words.

A task that fails reaches the driver as py4j's own error, a query that fails as one of pyspark's; both carry
Java's stack trace. What is ours is Python, and stands in it by name.
"""

from __future__ import annotations

from typing import Final

from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException, PySparkException, PythonException

KAFKA: Final = "org.apache.kafka"
"""What stands in a failure of the broker or of its client."""

CONFIG: Final = "org.apache.kafka.common.config.ConfigException"
"""What stands in a failure of settings that Kafka's client does not take."""

PYTHON: Final = "org.apache.spark.api.python.PythonException"
"""What stands in a failure of our functions on an executor."""

CAUSE: Final = "Caused by: "
TASK: Final = "most recent failure: "
"""Before what a task failed of, where it ran in brackets."""

LIMIT: Final = 300  # characters of an operator's line


def is_lost(error: BaseException) -> bool:
    """Whether a neighbour is lost: a broker, an executor, a disk that Spark writes to.

    Bad set-up is none, nor a bug of ours.
    """
    if isinstance(error, PythonException) or not isinstance(error, (PySparkException, Py4JJavaError)):
        return False
    return not is_set_up_badly(error) and PYTHON not in _said(error)


def is_set_up_badly(error: BaseException) -> bool:
    """Whether Spark has no source for Kafka, or Kafka's client does not take its settings."""
    return isinstance(error, AnalysisException) or CONFIG in _said(error)


def is_broker_lost(error: BaseException) -> bool:
    """Whether that neighbour is Kafka."""
    return is_lost(error) and KAFKA in _said(error)


def words(error: BaseException) -> str:
    """What went wrong first, in one line."""
    lines = [line.strip() for line in _said(error).splitlines() if line.strip()] or [type(error).__name__]
    tasks = [line.partition(TASK)[2].partition("): ")[2] for line in lines if TASK in line]
    causes = [line.removeprefix(CAUSE) for line in lines if line.startswith(CAUSE)]
    told = [cause for cause in causes if ": " in cause]  # one that is a mere name says nothing
    return [*lines[:1], *tasks, *told][-1][:LIMIT]


def _said(error: BaseException) -> str:
    """Message and Java's stack trace, which pyspark's own errors keep beside it."""
    return f"{error}\n{getattr(error, '_stackTrace', None) or ''}"
