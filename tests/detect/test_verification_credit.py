"""A scan by a tool is verified in full; what credit does not cover is still judged by rules and model."""

from __future__ import annotations

import pyarrow as pa
import pytest

from logvision.detect import Detector, cascade, detect
from logvision.detect.units import Kind
from logvision.schema import EVENT


@pytest.fixture
def detector() -> Detector:
    return Detector.open()


def events(targets: list[str]) -> pa.Table:
    rows = len(targets)
    columns = {
        field.name: pa.array([None] * rows, pa.string()).dictionary_encode()
        if pa.types.is_dictionary(field.type)
        else pa.nulls(rows, field.type)
        for field in EVENT
    }
    columns["target"] = pa.array(targets).dictionary_encode()
    names = [name for name in EVENT.names if name not in {"score", "attack", "rules", "outcome"}]
    columns["time"] = pa.array([0] * rows, EVENT.field("time").type)
    columns["source"] = pa.array(["log"] * rows).dictionary_encode()
    columns["position"] = pa.array(range(rows), pa.int64())
    return pa.table({name: columns[name] for name in names})


ATTACKS = [f"/item?id={i}' OR {i} BETWEEN {i} AND SLEEP({i})--" for i in range(1000)]


def test_a_thousand_new_attacks_in_one_batch_are_all_read(detector: Detector) -> None:
    judged = detect(events(ATTACKS), detector)
    assert set(judged.column("attack").to_pylist()) == {"sqli"}
    assert detector.verification.left_over == 0


def test_without_credit_what_is_new_is_left_to_rules_and_model_and_credit_comes_back_with_the_rows(
    detector: Detector,
) -> None:
    detector.verification.credit = 0.0
    judged = detect(events(ATTACKS), detector)
    assert detector.verification.read == 32  # one for every 32nd row, begun
    assert detector.verification.left_over == 968
    assert min(judged.column("score").to_pylist()) > 0.2  # suspected, all of them
    detect(events(["/"] * 8000), detector)
    assert detector.verification.credit == 1000 / 32 - 32 + 8000 / 32


def test_explaining_a_line_takes_nothing_from_the_live_credit(detector: Detector) -> None:
    before = detector.verification.credit
    detector.judge(ATTACKS[:10], [None] * 10, [None] * 10, ["GET"] * 10)
    assert detector.verification.credit == before


def test_what_was_read_lately_is_remembered_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cascade, "_REMEMBERED", 4)
    verification = cascade.Verification()
    read = []
    for text in (b"a", b"b", b"c", b"a", b"d", b"a", b"b"):
        verification.of([text], [int(Kind.VALUE)], bounded=True)
        read.append(verification.read)
    assert read == [1, 2, 3, 3, 4, 4, 5]
    assert cascade.CREDIT - verification.credit == 5
    assert len(verification._young) + len(verification._old) <= 4


def test_what_stands_twice_in_a_batch_is_read_once() -> None:
    verification = cascade.Verification()
    payload = b"1' UNION SELECT 1--"
    once, other, again = verification.of([payload, b"b", payload], [int(Kind.VALUE)] * 3, bounded=False)
    assert [piece.rule for piece in once] == ["verify.sql"]
    assert (other, again) == ((), once)
    assert verification.read == 2


def test_without_credit_the_first_units_are_read_and_of_the_others_nothing_is_said() -> None:
    verification = cascade.Verification(credit=2.5)
    texts = [b"a" * 1024, b"b", b"c", b"d"]
    assert verification.of(texts, [int(Kind.VALUE)] * 4, bounded=True) == [(), ()]
    assert (verification.read, verification.left_over) == (2, 2)
