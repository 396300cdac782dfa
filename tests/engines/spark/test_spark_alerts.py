"""Alerts that cannot be sent: a lost broker is waited for, a bug is raised."""

from __future__ import annotations

from typing import Any, Self

import pytest
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from logvision.engines.spark.alerts import AlertTopic
from logvision.errors import StoreError


class Failed(Py4JJavaError):  # type: ignore[misc]
    """A task that failed in the JVM, as its words."""

    def __init__(self, words: str) -> None:
        self.words = words

    def __str__(self) -> str:
        return self.words


class Session:
    """Stands in for a session whose writes end with an error."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __getattr__(self, name: str) -> Any:
        return self if name == "write" else self.again

    def again(self, *_: object, **__: object) -> Self:
        return self

    def save(self) -> None:
        raise self.error


LOST = "An error occurred.\n: org.apache.kafka.common.errors.TimeoutException: Topic alerts not present"


@pytest.mark.parametrize("error", [Failed(LOST), PySparkException("the stream ended")])
def test_a_broker_that_does_not_take_them_is_a_lost_neighbour(error: Exception) -> None:
    with pytest.raises(StoreError, match=r"^alerts: "):
        AlertTopic(Session(error), "127.0.0.1:1", "alerts")([])  # type: ignore[arg-type]


def test_a_failure_of_our_own_functions_is_raised_as_it_is() -> None:
    ours = "An error occurred.\n: org.apache.spark.api.python.PythonException: KeyError: 'x'"
    with pytest.raises(Failed, match="KeyError"):
        AlertTopic(Session(Failed(ours)), "127.0.0.1:1", "alerts")([])  # type: ignore[arg-type]
