"""A correction of the classifier from a few labels: the shipped weights, moved a little, and proven first.

The corrected model is the shipped one plus a small change of the weights that labelled texts hold:
gradient descent on the logistic loss with a pull back to the shipped weights (fine-tuning with an L2
anchor: Chelba and Acero, 2004). So a handful of labels changes what they speak of and little else. Needs
no training library.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from logvision.detect import training
from logvision.detect.cascade import Verification
from logvision.detect.classifier import LONGEST, SIZES, Classifier, ngrams
from logvision.detect.detector import Detector
from logvision.detect.selftest import request
from logvision.detect.training import LABELLED, Examples
from logvision.label import Label
from logvision.schema import PAYLOADS

FOLDS: Final = 5
FEWEST: Final = 20
"""Labels below which nothing is learned: too few to measure anything by."""

STEPS: Final = 100
RATE: Final = 1.0
KEPT: Final = 16.0
"""How much keeping to the reference weighs beside the labels."""

ANCHOR: Final = 0.02
"""How strongly weights are pulled back; with RATE, no label moves a weight far in STEPS steps."""

GAIN: Final = 0.02
"""The share of its loss on held-out labels that a correction must take away."""

COIN: Final = 0.6931
"""The loss of whoever says one half to everything."""

WORSE: Final = 0.01
"""How much larger its error on held-out requests of the reference may be."""

WORSE_OF_A_SET: Final = 0.02
"""The same of requests of one class, or of ordinary ones, that it never learns from: wrong labels may
unlearn one class and leave all others as they are."""

PROVEN: Final = 0.85
"""Score that rules and the reading of a payload give without the classifier, from which it is an attack."""

CONTRADICTED: Final = 0.2
"""Share of the labels that say ordinary of a proven attack, from which on the labels are not believed. What
is proven wrongly somewhere is the business of exceptions."""

_CLIPPED: Final = 1e-4

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figures:
    """What a model does to labels that it did not learn from, and to the reference requests."""

    loss: float  # mean logistic loss of the classifier on units of held-out labels
    wrong: int  # held-out labels that the whole detector judges wrongly
    error: float  # mean squared error (Brier) of the classifier on held-out units of the reference
    missed: int  # attacks of the reference and of what is held out that the whole detector does not find
    alarms: int  # ordinary requests of these that it takes for attacks
    # Mean squared error of the classifier by set of the held-out requests of `learn`.
    held: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Learned:
    """A corrected model, and whether it is better."""

    model: Classifier | None  # null: too few labels
    labels: int
    attacks: int
    before: Figures | None
    after: Figures | None
    refused: tuple[str, ...]  # why it must not be promoted; empty: it is better

    def figures(self) -> dict[str, Any]:
        """For a card, a report, a page."""
        return {
            "labels": self.labels,
            "attacks": self.attacks,
            "before": None if self.before is None else asdict(self.before),
            "after": None if self.after is None else asdict(self.after),
            "refused": list(self.refused),
        }


@dataclass(frozen=True, slots=True)
class Reference:
    """Requests whose truth is known, so that a correction does not unlearn them."""

    requests: pa.Table  # LABELLED

    @staticmethod
    def of_rules(detector: Detector) -> Reference:
        """What rules about payloads say in their tests that they match, and what all say that they pass."""
        rows = []
        for rule in detector.rules.rules:
            # Whether a name is on a list is nothing that a classifier could keep or forget.
            matching = rule.tests.match if rule.attack in PAYLOADS else ()
            for texts, attack in ((matching, True), (rule.tests.passes, False)):
                for text in texts:
                    target, agent, referer, _ = request(text)
                    fields = {"set": rule.id, "attack": attack, "target": target}
                    rows.append(
                        fields | {"user_agent": agent, "referer": None if referer == "-" else referer}
                    )
        return Reference(pa.Table.from_pylist(rows, LABELLED))


def learn(
    labels: Sequence[Label],
    detector: Detector,
    reference: Reference,
    *,
    made: str,
    held: pa.Table | None = None,
) -> Learned:
    """A correction of the detector's classifier, measured by cross-validation over the labels.

    All labels of one target are held out together. `made`: the date for the card. `held`: LABELLED requests
    that are only measured on, by their sets. Deterministic. Cost: seconds, most of it judging the reference
    twice.
    """
    table = _table(labels)
    attacks = sum(label.attack is not None for label in labels)
    base = detector.model
    if base is None or len(labels) < FEWEST or not 0 < attacks < len(labels):
        why = f"{len(labels)} labels, {attacks} of them attacks; it takes {FEWEST} and some of either kind"
        return Learned(None, len(labels), attacks, None, None, (why,))
    tests = _by_set(held)
    known_all = reference.requests if held is None else pa.concat_tables([reference.requests, held])
    folds, known_folds = _folds(table), _folds(reference.requests)
    losses: list[tuple[Floats, Floats]] = []
    known: list[tuple[Floats, Floats]] = []
    wrong = [0, 0]
    for number in range(FOLDS):
        held, others = _parted(table, folds == number)
        known_held, known_others = _parted(reference.requests, known_folds == number)
        model = corrected(base, training.examples(others), training.examples(known_others))
        units, known_units = training.examples(held), training.examples(known_held)
        losses.append((_losses(base, units), _losses(model, units)))
        known.append((_errors(base, known_units), _errors(model, known_units)))
        for which, each in enumerate((base, model)):
            wrong[which] += sum(_wrong(detector, each, held))
    final = corrected(base, training.examples(table), training.examples(reference.requests))
    before, after = (
        Figures(
            _mean([pair[number] for pair in losses]),
            wrong[number],
            _mean([pair[number] for pair in known]),
            *_wrong(detector, model, known_all),
            {name: round(float(_errors(model, each).mean()), 5) for name, each in tests.items()},
        )
        for number, model in enumerate((base, final))
    )
    refused = (*_contradicted(labels, detector, table), *_against(before, after))
    card = {
        **base.card,
        "name": f"{base.card.get('name', 'model')}+{len(labels)}",
        "made": made,
        "base": base.card.get("name"),
        "correction": {
            "labels": len(labels),
            "attacks": attacks,
            "before": asdict(before),
            "after": asdict(after),
        },
    }
    return Learned(replace(final, card=card), len(labels), attacks, before, after, refused)


def corrected(base: Classifier, examples: Examples, known: Examples) -> Classifier:
    """The base model moved towards these examples, attacks and ordinary ones weighing alike, while it keeps
    to what it says of `known` (Li and Hoiem, Learning without Forgetting, 2016)."""
    texts = len(examples.starts)
    if not texts:
        return base
    mine, its = _grams(examples), _grams(known)
    rows = np.concatenate([mine[0], its[0] + texts])
    used, of_gram = np.unique(np.concatenate([mine[1], its[1]]), return_inverse=True)
    share = np.concatenate([mine[2], its[2]])
    attack = examples.attack.astype(np.float64)
    said = base.probability(base.margins(known.flat, known.starts, known.ends)).astype(np.float64)
    wanted = np.concatenate([attack, said])
    balance = np.concatenate(
        [
            np.where(examples.attack, 0.5 / max(attack.sum(), 1), 0.5 / max((1 - attack).sum(), 1)),
            np.full(len(said), KEPT / max(len(said), 1)),
        ]
    )
    start = base.weights[used].astype(np.float64)
    weights = start.copy()
    for _ in range(STEPS):
        margins = np.bincount(rows, weights[of_gram] * share, len(wanted))
        p = 1 / (1 + np.exp(-np.clip(base.slope * margins + base.intercept, -30, 30)))
        pull = balance * (p - wanted) * base.slope
        gradient = np.bincount(of_gram, pull[rows] * share, len(used))
        weights -= RATE * (gradient + ANCHOR * (weights - start))
    moved = base.weights.copy()
    moved[used] = weights.astype(np.float32)
    # As an artefact keeps them, in 8 bits: what is measured is what will be used.
    step = np.float32(np.abs(moved).max() / 127) or np.float32(1)
    return replace(base, weights=np.round(moved / step) * step)


def _folds(table: pa.Table) -> npt.NDArray[np.int64]:
    """Requests of one target are of one fold."""
    return np.array([zlib.crc32(target.encode()) % FOLDS for target in table.column("target").to_pylist()])


def _parted(table: pa.Table, held: npt.NDArray[np.bool_]) -> tuple[pa.Table, pa.Table]:
    return table.filter(pa.array(held)), table.filter(pa.array(~held))


def _grams(examples: Examples) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32], Floats]:
    """Per n-gram of all texts: which text, which bucket, and its share in the text's margin."""
    rows: list[npt.NDArray[np.int64]] = []
    columns: list[npt.NDArray[np.uint32]] = []
    for size in SIZES:
        buckets = ngrams(examples.flat, size)
        for row, (first, last) in enumerate(
            zip(examples.starts.tolist(), examples.ends.tolist(), strict=True)
        ):  # labels are few
            of_text = buckets[first : max(min(last - size + 1, first + LONGEST), first)]
            rows.append(np.full(len(of_text), row, np.int64))
            columns.append(of_text)
    of_gram = np.concatenate(rows)
    share = 1 / np.sqrt(np.maximum(examples.ends - examples.starts, 4)).astype(np.float64)
    return of_gram, np.concatenate(columns), share[of_gram]


def _table(labels: Sequence[Label]) -> pa.Table:
    rows = [
        {
            "set": "labels",
            "attack": label.attack is not None,
            "target": label.target,
            "user_agent": label.user_agent,
            "referer": label.referer,
        }
        for label in labels
    ]
    return pa.Table.from_pylist(rows, LABELLED)


def _losses(model: Classifier, examples: Examples) -> Floats:
    """The logistic loss of each text."""
    p = model.probability(model.margins(examples.flat, examples.starts, examples.ends)).astype(np.float64)
    p = np.clip(np.where(examples.attack, p, 1 - p), _CLIPPED, 1)
    loss: Floats = -np.log(p)
    return loss


def _errors(model: Classifier, examples: Examples) -> Floats:
    """The squared error of each text."""
    p = model.probability(model.margins(examples.flat, examples.starts, examples.ends)).astype(np.float64)
    return (p - examples.attack) ** 2


def _mean(losses: Sequence[Floats]) -> float:
    every = np.concatenate(losses)
    return round(float(every.mean()), 5) if every.size else 0.0


def _wrong(detector: Detector, model: Classifier, table: pa.Table) -> tuple[int, int]:
    """Attacks missed and ordinary requests taken for attacks by the whole detector with this model."""
    targets, agents, referers = (table.column(name).to_pylist() for name in LABELLED.names[2:])
    with_model = replace(detector, model=model, verification=Verification())
    judged = with_model.judge(targets, agents, referers, ["GET"] * table.num_rows)
    said = judged.column("attack").is_valid().to_numpy()
    attack = table.column("attack").to_numpy(zero_copy_only=False)
    return int((attack & ~said).sum()), int((~attack & said).sum())


def _by_set(held: pa.Table | None) -> dict[str, Examples]:
    """What there is to measure on of each set."""
    if held is None:
        return {}
    sets = np.array(held.column("set").to_pylist())
    found = {str(name): training.examples(held.filter(pa.array(sets == name))) for name in np.unique(sets)}
    return {name: each for name, each in found.items() if len(each.attack)}


def _contradicted(labels: Sequence[Label], detector: Detector, table: pa.Table) -> list[str]:
    """Why the labels are not believed, when too many call ordinary what is proven without the classifier."""
    targets, agents, referers = (table.column(name).to_pylist() for name in LABELLED.names[2:])
    alone = replace(detector, model=None, verification=Verification())
    judged = alone.judge(targets, agents, referers, ["GET"] * table.num_rows)
    proven = judged.column("attack").is_valid().to_numpy() & (judged.column("score").to_numpy() >= PROVEN)
    wrong = np.flatnonzero(proven & ~table.column("attack").to_numpy(zero_copy_only=False))
    if wrong.size <= CONTRADICTED * table.num_rows:
        return []
    return [
        f"{wrong.size} of {table.num_rows} labels call ordinary what rules and the reading of its payload"
        f" prove to be an attack, as {labels[int(wrong[0])].event}"
    ]


def _against(before: Figures, after: Figures) -> list[str]:
    """Why the second is not better."""
    found = []
    if after.loss >= before.loss * (1 - GAIN):
        found.append(f"the loss on held-out labels went from {before.loss:.4f} to {after.loss:.4f}, no gain")
    if after.loss >= COIN:
        found.append(
            f"a loss of {after.loss:.4f} on held-out labels is no better than a coin's: they disagree"
        )
    if after.error > before.error + WORSE:
        found.append(f"the error on the reference went from {before.error:.4f} to {after.error:.4f}")
    for name, error in after.held.items():
        if error > before.held[name] + WORSE_OF_A_SET:
            found.append(
                f"the error on requests of the set {name}, which is not learned from, went from"
                f" {before.held[name]:.4f} to {error:.4f}"
            )
    for name, what in (
        ("wrong", "held-out labels judged wrongly"),
        ("missed", "known attacks missed"),
        ("alarms", "known ordinary requests taken for attacks"),
    ):
        was, now = getattr(before, name), getattr(after, name)
        if now > was:
            found.append(f"{what}: {now} instead of {was}")
    return found
