"""The classifier fitted by Spark MLlib: the features, scores and artefact of scikit-learn's path."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pytest
from pyspark.ml.linalg import Vectors
from pyspark.sql import SparkSession

from logvision.detect import training
from logvision.detect.classifier import BITS, Classifier
from logvision.engines.spark import training as on_spark
from logvision.engines.spark.session import session
from logvision.errors import SetupError

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(300)]

WORDS = ("shoes", "red hat", "café", "order-17", "O'Brien", "50% off", "a+b", "x=1", "(draft)", "[new]")
PAYLOADS = (
    *("1' OR '1'='1", "1 UNION SELECT name FROM users--", "<script>alert(1)</script>", "../../etc/passwd"),
    *("<img src=x onerror=alert(1)>", "$(cat /etc/passwd)", "{{7*7}}", "';DROP TABLE a;--"),
)


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    made = session("local[2]", settings={"spark.driver.memory": "700m"})
    yield made
    made.stop()


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    chance = np.random.default_rng(5)
    rows = []
    for number in range(600):
        attack = number % 2 == 1
        word = str(chance.choice(PAYLOADS if attack else WORDS))
        value = f"{word}{chance.integers(1000)}{'' if attack else chance.choice(list('!?*;=&'))}"
        rows.append({"set": "made", "label": "attack" if attack else "benign", "url": f"/s?q={value}"})
    path = tmp_path_factory.mktemp("labelled") / "labelled.jsonl.gz"
    path.write_bytes(gzip.compress(b"".join(orjson.dumps(row) + b"\n" for row in rows)))
    return path


def test_features_and_scores_are_the_same_on_every_path(labelled: Path) -> None:
    found = training.examples(training.read([labelled]))
    weights = np.random.default_rng(1).normal(size=1 << BITS).astype(np.float32)
    model = Classifier(weights, 1.5, -0.5, 0.3, {})
    by_model = model.margins(found.flat, found.starts, found.ends)
    by_sklearn = training.counts(found.flat, found.starts, found.ends) @ weights
    folded = [found.flat[a:b].tobytes() for a, b in zip(found.starts, found.ends, strict=True)]
    batch = pa.RecordBatch.from_arrays([pa.array(folded), pa.array(found.attack)], names=["folded", "attack"])
    (counted,) = on_spark.counted([batch])
    by_spark = [
        Vectors.sparse(1 << BITS, row["buckets"], row["counts"]).dot(weights) for row in counted.to_pylist()
    ]
    assert len(by_spark) > 300
    scores = [model.probability(np.asarray(m, np.float32)) for m in (by_model, by_sklearn, by_spark)]
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-6)
    np.testing.assert_allclose(scores[0], scores[2], atol=1e-6)


def test_both_trainers_write_one_artefact_and_come_to_like_scores(
    spark: SparkSession, labelled: Path, tmp_path: Path
) -> None:
    table = training.read([labelled])
    one = training.train(table, name="ngram", made="2026-01-01", sources=["made"])
    rows = on_spark.read(spark, [str(labelled)])
    other = on_spark.train(spark, rows, name="ngram", made="2026-01-01", sources=["made"])
    assert other.card.keys() == one.card.keys()
    assert {name: other.card[name] for name in ("ordinary", "attacks")} == {
        name: one.card[name] for name in ("ordinary", "attacks")
    }
    other.save(tmp_path / "ngram.npz")
    loaded = Classifier.open(tmp_path / "ngram.npz")
    found = training.examples(table)
    by_one, by_other = (
        model.probability(model.margins(found.flat, found.starts, found.ends)) for model in (one, loaded)
    )
    assert np.corrcoef(by_one, by_other)[0, 1] > 0.95
    assert ((by_one >= 0.5) == (by_other >= 0.5)).mean() > 0.9  # another solver


def test_the_same_requests_give_the_same_weights(spark: SparkSession, labelled: Path) -> None:
    rows = on_spark.read(spark, [str(labelled)])
    one, other = (on_spark.train(spark, rows, name="ngram", made="2026-01-01", sources=[]) for _ in range(2))
    np.testing.assert_allclose(one.weights, other.weights, atol=1e-5)


def test_lines_that_are_no_requests_are_refused(spark: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "labelled.jsonl"
    path.write_text('{"label": "attack", "url": "/"}\nno JSON\n{"label": "attack"}\n')
    with pytest.raises(SetupError, match="2 lines without"):
        on_spark.read(spark, [str(path)])
