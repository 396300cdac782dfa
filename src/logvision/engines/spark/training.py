"""Training on a cluster: the classifier fitted by Spark MLlib, in the artefact that scikit-learn writes.

The units, the hashed n-grams, the objective and the calibration are those of `detect.training`; only the
solver and the places where examples lie are others. No example leaves the executors but those held back for
calibration, as bare margins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.linalg import Vectors
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sql

from logvision.detect import training
from logvision.detect.classifier import BITS, Classifier, gathered
from logvision.detect.training import L1_SHARE, PENALTY
from logvision.errors import Problem, SetupError

ROUNDS: Final = 100
"""Iterations of the solver (OWL-QN), at most."""

HELD: Final = 3  # of so many examples one is held back
MARGINS: Final = 1_000_000  # of examples held back that calibrate, at most

_LINE: Final = "set string, label string, url string, user_agent string, referer string, _wrong string"


def read(spark: SparkSession, paths: Sequence[str]) -> DataFrame:
    """Labelled JSON lines (plain or .gz, in any place that Spark reads) as LABELLED rows.

    Raises SetupError when there are lines that are none.
    """
    lines = spark.read.schema(_LINE).option("columnNameOfCorruptRecord", "_wrong").json(list(paths)).cache()
    wrong = lines.where("_wrong is not null or label is null or url is null").count()
    if wrong:
        raise SetupError(
            Problem(", ".join(paths), f"{wrong} lines without", "JSON with label and url in each")
        )
    return lines.select(
        sql.coalesce("set", sql.lit("-")).alias("set"),
        (sql.col("label") == "attack").alias("attack"),
        sql.col("url").alias("target"),
        sql.nullif("user_agent", sql.lit("")).alias("user_agent"),
        sql.nullif("referer", sql.lit("")).alias("referer"),
    )


def train(
    spark: SparkSession, labelled: DataFrame, *, name: str, made: str, sources: Sequence[str]
) -> Classifier:
    """Learn a classifier from LABELLED rows; as `detect.training.train`, without a seed to need."""
    examples = labelled.mapInArrow(_examples, "text binary, folded binary, attack boolean")
    # A text that is both is ordinary.
    distinct = examples.groupBy("text").agg(
        sql.min("attack").alias("attack"), sql.first("folded").alias("folded")
    )
    distinct = distinct.cache()
    attacks = distinct.where("attack").count()
    ordinary = distinct.count() - attacks
    held = sql.pmod(sql.xxhash64("text"), sql.lit(HELD)) == 0
    weights = training.pruned(fit(distinct.where(~held)))
    margins, attack = _margins(spark, distinct.where(held), weights)
    card = {"name": name, "made": made, "sources": list(sources)}
    return training.calibrated(weights, margins, attack, (ordinary, attacks), card)


def fit(examples: DataFrame) -> npt.NDArray[np.float64]:
    """Weights per bucket: logistic regression of `attack` on counts of n-grams, classes weighted alike."""
    many = {row["attack"]: row["count"] for row in examples.groupBy("attack").count().collect()}
    total = sum(many.values())
    balance = {label: total / (2 * count) for label, count in many.items()}
    rows = examples.mapInArrow(counted, "attack boolean, buckets array<int>, counts array<double>").rdd.map(
        lambda row: (
            float(row["attack"]),
            balance[row["attack"]],
            Vectors.sparse(1 << BITS, row["buckets"], row["counts"]),
        )
    )
    learner = LogisticRegression(
        maxIter=ROUNDS,
        regParam=PENALTY,
        elasticNetParam=L1_SHARE,
        standardization=False,
        weightCol="weight",
    )
    frame = examples.sparkSession.createDataFrame(rows, ["label", "weight", "features"]).cache()
    fitted: npt.NDArray[np.float64] = learner.fit(frame).coefficients.toArray()
    return fitted


def counted(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Folded texts as sparse rows: buckets of n-grams and how often each, over the root of the length."""
    for batch in batches:
        flat, starts, ends = _flat(batch.column("folded"))
        matrix = training.counts(flat, starts, ends)
        matrix.sum_duplicates()
        matrix.sort_indices()
        offsets = pa.array(matrix.indptr, pa.int32())
        yield pa.RecordBatch.from_arrays(
            [
                batch.column("attack"),
                pa.ListArray.from_arrays(offsets, pa.array(matrix.indices, pa.int32())),
                pa.ListArray.from_arrays(offsets, pa.array(matrix.data, pa.float64())),
            ],
            names=["attack", "buckets", "counts"],
        )


def _examples(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """LABELLED rows as the folded texts of the units to learn."""
    for batch in batches:
        table = pa.Table.from_batches([batch]).cast(training.LABELLED)
        for attack, (units, texts) in enumerate(training.pieces(table)):
            if len(texts):
                flat, starts, ends = gathered(units, texts)
                offsets = pa.py_buffer(np.append(starts, ends[-1]).astype(np.int32))
                folded = pa.Array.from_buffers(pa.binary(), len(texts), [None, offsets, pa.py_buffer(flat)])
                labels = pa.array(np.full(len(texts), bool(attack)))
                text = units.texts.take(pa.array(texts)).cast(pa.binary())
                yield pa.RecordBatch.from_arrays([text, folded, labels], names=["text", "folded", "attack"])


def _margins(
    spark: SparkSession, held: DataFrame, weights: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    sent = spark.sparkContext.broadcast(weights)

    def judge(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        model = Classifier(sent.value, 1.0, 0.0, 0.0, {})
        for batch in batches:
            margins = model.margins(*_flat(batch.column("folded")))
            yield pa.RecordBatch.from_arrays(
                [pa.array(margins.astype(np.float64)), batch.column("attack")], names=["margin", "attack"]
            )

    found: Any = held.mapInArrow(judge, "margin double, attack boolean").limit(MARGINS).toArrow()
    return found["margin"].to_numpy(), found["attack"].to_numpy()


def _flat(
    texts: pa.BinaryArray,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Texts one after the other, and where each starts and ends."""
    offsets = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]
    flat = np.frombuffer(texts.buffers()[2], np.uint8)[offsets[0] : offsets[-1]]
    bounds = (offsets - offsets[0]).astype(np.int64)
    return flat, bounds[:-1], bounds[1:]
