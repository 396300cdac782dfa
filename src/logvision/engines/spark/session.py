"""The Spark session: one set of settings wherever it runs."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from py4j.protocol import Py4JNetworkError
from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession

from logvision.errors import Problem, SetupError

SETTINGS: Final[Mapping[str, str]] = {
    "spark.app.name": "logvision",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    # Executors' processes stay, with the rules that they were sent.
    "spark.python.worker.reuse": "true",
    "spark.log.level": "ERROR",
}
"""What a session has unless `spark-submit` or the operator says otherwise."""


def session(
    master: str | None = None, jars: Sequence[Path] = (), settings: Mapping[str, str] | None = None
) -> SparkSession:
    """Start a session, or take the one that `spark-submit` prepared (`master` None).

    `jars`: put before executors and driver, e.g. Spark's Kafka source. `settings` win over SETTINGS. Raises
    SetupError when there is no Java 17, or Spark does not start.
    """
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        raise SetupError(Problem("Java", "none on the PATH, no JAVA_HOME", "Java 17 or later, for Spark"))
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder
    wanted = dict(SETTINGS)
    if master is not None:
        wanted["spark.master"] = master
        if master.startswith("local"):
            # A laptop's own name may lead nowhere.
            wanted |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    if jars:
        wanted["spark.jars"] = ",".join(str(jar) for jar in jars)
    for name, value in (wanted | dict(settings or {})).items():
        builder = builder.config(name, value)
    try:
        return builder.getOrCreate()
    except PySparkRuntimeError as error:
        raise SetupError(Problem("Spark", str(error), "a master that can be reached")) from error


def end(spark: SparkSession) -> None:
    """Stop a session; may be called when its Java is gone."""
    with suppress(Py4JNetworkError, ConnectionError):
        spark.stop()


def jars_of(folder: Path) -> list[Path]:
    """The jars of a folder. Raises SetupError when there are none."""
    found = sorted(folder.glob("*.jar")) if folder.is_dir() else []
    if not found:
        raise SetupError(
            Problem(str(folder), "no jars", "Spark's Kafka source: python deploy/fetch.py spark")
        )
    return found
