"""A correction of the classifier from labels: better on what it did not see, or refused with figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pytest

from logvision.app import regression
from logvision.detect import Detector
from logvision.detect.classifier import BITS, Classifier, gathered, scorable
from logvision.detect.correction import FEWEST, Learned, Reference, learn
from logvision.detect.split import split
from logvision.detect.units import Owners
from logvision.errors import SetupError
from logvision.label import Label
from logvision.schema import Attack

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
WORDS = "alpha beta gamma delta kilo lima mike nova oscar papa red sierra tango".split()  # noqa: SIM905
BENIGN = [f'<div class="{word}">{word}</div>' for word in WORDS]
ATTACKS = [f"{n}' or '{n}'='{n}" for n in range(6)] + [f"<script>alert({n})</script>" for n in range(6)]


@pytest.fixture(scope="module")
def reference(detector: Detector) -> Reference:
    return Reference.of_rules(detector)


def labels(benign: Sequence[str], attacks: Sequence[str]) -> list[Label]:
    return [
        Label(f"log@{number}", attack, "ann", NOW, f"/s?q={quote(value)}", user_agent="Mozilla/5.0")
        for number, (value, attack) in enumerate(
            [*((value, None) for value in benign), *((value, Attack.SQLI) for value in attacks)]
        )
    ]


@pytest.fixture(scope="module")
def learned(detector: Detector, reference: Reference) -> Learned:
    return learn(labels(BENIGN, ATTACKS), detector, reference, made="2026-05-01")


def doubt(model: Classifier | None, value: str) -> float:
    """How sure the classifier is that a value is an attack."""
    assert model is not None
    none = pa.array([], pa.string())
    units = split(Owners(pa.array([f"/s?q={quote(value)}"]), none, none))
    return float(model.probability(model.margins(*gathered(units, scorable(units)))).max())


def test_the_reference_holds_requests_of_either_kind(reference: Reference) -> None:
    attacks = reference.requests.column("attack").to_pylist()
    assert attacks.count(True) > 100
    assert attacks.count(False) > 100


def test_what_was_labelled_benign_is_doubted_less_also_where_it_was_not_seen(
    learned: Learned, detector: Detector
) -> None:
    assert learned.refused == ()
    assert learned.before is not None
    assert learned.after is not None
    assert learned.after.loss < learned.before.loss / 2
    unseen = '<div class="zulu">zulu</div>'
    assert doubt(learned.model, unseen) < doubt(detector.model, unseen) / 2
    corrected = replace(detector, model=learned.model)
    targets = [f"/s?q={quote(attack)}" for attack in ATTACKS]
    none = [None] * len(targets)
    assert corrected.judge(targets, none, none, ["GET"] * len(targets))["attack"].null_count == 0


def test_the_reference_is_judged_no_worse(learned: Learned) -> None:
    assert learned.before is not None
    assert learned.after is not None
    assert (learned.after.missed, learned.after.alarms) <= (learned.before.missed, learned.before.alarms)
    assert learned.after.error <= learned.before.error + 0.01


def test_the_card_says_where_it_comes_from_and_the_artefact_gives_it_back(
    learned: Learned, detector: Detector, tmp_path: Path
) -> None:
    assert learned.model is not None
    assert detector.model is not None
    card = learned.model.card
    assert (card["base"], card["made"]) == (detector.model.card["name"], "2026-05-01")
    assert card["correction"]["after"]["loss"] == learned.after.loss if learned.after else None
    learned.model.save(tmp_path / "model.npz")
    again = Classifier.open(tmp_path / "model.npz")
    np.testing.assert_allclose(again.weights, learned.model.weights, atol=1e-6)


@pytest.mark.parametrize(("size", "fault"), [(1 << 16, "shape"), (0, "shape"), (1 << BITS, "slope")])
def test_an_artefact_of_another_size_or_without_its_calibration_is_none(
    size: int, fault: str, tmp_path: Path
) -> None:
    path = tmp_path / "model.npz"
    card = np.frombuffer(b'{"scale": 1.0, "intercept": 0.0, "least": 0.3}', np.uint8)
    np.savez(path, weights=np.zeros(size, np.int8), card=card)
    with pytest.raises(SetupError, match=rf"model\.npz.*{fault}"):
        Classifier.open(path)


def test_the_same_labels_give_the_same_model(
    learned: Learned, detector: Detector, reference: Reference
) -> None:
    again = learn(labels(BENIGN, ATTACKS), detector, reference, made="2026-05-01")
    assert again.figures() == learned.figures()
    assert again.model is not None
    assert learned.model is not None
    assert np.array_equal(again.model.weights, learned.model.weights)


@pytest.mark.parametrize(
    ("benign", "attacks"),
    [([], []), (BENIGN, []), (BENIGN[: FEWEST - 2], ["x"]), ([], ATTACKS * 2)],
    ids=["none", "no attacks", "too few", "attacks alone"],
)
def test_too_few_labels_are_refused(
    benign: list[str], attacks: list[str], detector: Detector, reference: Reference
) -> None:
    found = learn(labels(benign, attacks), detector, reference, made="2026-05-01")
    assert found.model is None
    assert "it takes 20 and some of either kind" in found.refused[0]


def test_labels_that_say_what_the_model_says_already_bring_no_gain_and_are_refused(
    detector: Detector, reference: Reference
) -> None:
    plain = [f"page {word} (new)" for word in WORDS]
    found = learn(labels(plain, ATTACKS), detector, reference, made="2026-05-01")
    assert found.before is not None
    assert found.after is not None
    better = found.after.loss <= found.before.loss * 0.98
    assert better == (found.refused == ())


def test_labels_that_say_different_things_of_one_kind_are_refused(
    detector: Detector, reference: Reference
) -> None:
    found = learn(
        labels(BENIGN[::2] + ATTACKS[::2], BENIGN[1::2] + ATTACKS[1::2]), detector, reference, made="x"
    )
    assert found.refused != ()


@pytest.fixture(scope="module")
def held() -> pa.Table:
    return regression.requests()


def test_the_traffic_that_models_are_held_against_is_the_same_every_time(held: pa.Table) -> None:
    assert held.equals(regression.requests())
    sets = held.column("set").to_pylist()
    assert sets.count(regression.ORDINARY) >= 300
    assert {"sqli", "xss", "traversal", "rce", "ssti"} < set(sets)
    assert held.column("attack").to_pylist() == [each != regression.ORDINARY for each in sets]


def test_right_labels_are_learned_from_also_when_held_against_it(
    detector: Detector, reference: Reference, held: pa.Table
) -> None:
    found = learn(labels(BENIGN, ATTACKS), detector, reference, made="x", held=held)
    assert found.refused == ()
    assert found.after is not None
    assert set(found.after.held) >= {"ordinary", "sqli", "xss"}


INVERTED = {
    "all": (ATTACKS, BENIGN),
    "one class": ([f"{n}' or '{n}'='{n}" for n in range(40)], BENIGN),
    "with some right ones": (ATTACKS + BENIGN[:4], BENIGN[4:]),
}


@pytest.mark.parametrize(("benign", "attacks"), INVERTED.values(), ids=INVERTED.keys())
def test_labels_that_say_the_opposite_are_refused_and_it_is_said_why(
    benign: list[str], attacks: list[str], detector: Detector, reference: Reference, held: pa.Table
) -> None:
    found = learn(labels(benign, attacks), detector, reference, made="x", held=held)
    assert any(
        "not learned from" in reason or "prove to be an attack" in reason for reason in found.refused
    ), found.refused


def test_labels_against_what_is_proven_are_refused_with_one_of_them(
    detector: Detector, reference: Reference
) -> None:
    proven = [f"{n}' or {n}={n} union all select {n},{n}-- " for n in range(20)]
    given = [
        replace(each, target=each.target.replace("/s?q=", "/item?id=")) for each in labels(proven, BENIGN)
    ]
    found = learn(given, detector, reference, made="x")
    assert "20 of 33 labels call ordinary what rules and the reading of its payload prove" in found.refused[0]
    assert found.refused[0].endswith("log@0")


def test_labels_that_the_classifier_reads_nothing_of_bring_no_gain(
    detector: Detector, reference: Reference
) -> None:
    found = learn(labels(WORDS, [f"{word} page" for word in WORDS]), detector, reference, made="x")
    assert found.refused != ()
