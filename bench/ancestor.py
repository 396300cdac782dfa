"""The baseline to beat: the model of LogVision's ancestor, character bigrams of the whole request, hashed
and weighted by TF-IDF, under a logistic regression.

It sees target, agent and referer as one text and knows no rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

import numpy as np
import numpy.typing as npt

BUCKETS = 1 << 16


@dataclass(frozen=True)
class Ancestor:
    """A trained baseline."""

    pipeline: Any

    @staticmethod
    def train(ordinary: Sequence[str], attacks: Sequence[str]) -> Ancestor:
        """Learn from whole targets; same texts, same model. A minute for 150,000 texts."""
        from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer  # noqa: PLC0415
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
        from sklearn.pipeline import make_pipeline  # noqa: PLC0415

        pipeline = make_pipeline(
            HashingVectorizer(analyzer="char", ngram_range=(2, 2), n_features=BUCKETS, norm=None),
            TfidfTransformer(),
            LogisticRegression(solver="liblinear", max_iter=200),
        )
        labels = np.concatenate([np.zeros(len(ordinary)), np.ones(len(attacks))])
        return Ancestor(pipeline.fit([_read(t) for t in (*ordinary, *attacks)], labels))

    def score(self, targets: Sequence[str]) -> npt.NDArray[np.float64]:
        """Probability of an attack per target."""
        if not targets:
            return np.zeros(0)
        found: npt.NDArray[np.float64] = self.pipeline.predict_proba([_read(t) for t in targets])[:, 1]
        return found


def _read(target: str) -> str:
    return unquote_plus(target[:4096])
