"""Training on a cluster, from the command line's side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from logvision.app.streaming import needs_spark
from logvision.detect.classifier import Classifier


def train_on_spark(
    labelled: Sequence[Path], *, name: str, made: str, master: str | None, memory: str | None
) -> tuple[Classifier, int]:
    """A classifier fitted by Spark MLlib, and how many requests taught it.

    `master`, `memory`: as for the job. Raises SetupError with every file and line that is none.
    """
    needs_spark()
    from logvision.engines.spark import training  # noqa: PLC0415 - an extra
    from logvision.engines.spark.session import session  # noqa: PLC0415

    spark = session(master, settings={"spark.driver.memory": memory} if memory else {})
    try:
        rows = training.read(spark, [str(path) for path in labelled])
        sources = [path.name for path in labelled]
        return training.train(spark, rows, name=name, made=made, sources=sources), rows.count()
    finally:
        spark.stop()
