"""Alerts to a topic: every change of an incident as one JSON document under ECS names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from logvision.engines.spark.failures import is_lost, words
from logvision.errors import StoreError
from logvision.incident import Incident
from logvision.lake import export

WAITS: Final[Mapping[str, str]] = {
    "kafka.max.block.ms": "10000",
    "kafka.request.timeout.ms": "8000",
    "kafka.delivery.timeout.ms": "10000",
}


class AlertTopic:
    """Sends incidents; the key is the incident's id, so that one incident's alerts stay in order."""

    def __init__(
        self, spark: SparkSession, bootstrap: str, topic: str, kafka: Mapping[str, str] | None = None
    ) -> None:
        self._spark = spark
        own = {f"kafka.{name}": value for name, value in (kafka or {}).items()}
        self._options = {**WAITS, **own, "kafka.bootstrap.servers": bootstrap, "topic": topic}
        self.problem: str | None = None  # why none can be sent right now

    def __call__(self, incidents: Sequence[Incident]) -> None:
        """Send these; acknowledged when it returns. Raises StoreError when the broker does not take them."""
        documents = export.incidents((i.to_dict() for i in incidents), export.Format.JSON, ecs=True)
        rows = [(incident.id, said.decode()) for incident, said in zip(incidents, documents, strict=True)]
        frame = self._spark.createDataFrame(rows, "key string, value string").coalesce(1)
        try:
            frame.write.format("kafka").options(**self._options).save()
        except (PySparkException, Py4JJavaError) as error:
            if not is_lost(error):
                raise
            self.problem = f"alerts: {words(error)}"
            raise StoreError(self.problem) from error
        self.problem = None
