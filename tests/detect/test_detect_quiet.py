"""What is known from earlier batches, be it ordinary or not, changes nothing but the cost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from logvision.detect import recalled
from logvision.detect.cascade import Verification, judge
from logvision.detect.detector import Detector
from logvision.detect.fusion import Verdict
from logvision.detect.quiet import PAIRS, Quiet
from logvision.detect.recalled import PLACES, Recalled
from logvision.detect.scopes import Rows
from logvision.detect.units import Owners

TARGETS = ["/", "/index.html", "/?id=1' or 1=1--", "/a.css", "/.env", "server:443", "/?q=a"]
AGENTS = ["Mozilla/5.0 (X11; Linux x86_64)", "sqlmap/1.7"]
REFERERS = ["https://www.example.com/?q=1", "-"]
METHODS = ["GET", "TRACE", "CONNECT"]
CREDITS = 1000


def verdicts(detector: Detector, quiet: Quiet | None, targets: list[str], methods: list[str]) -> list[object]:
    """One row per target and method, with all agents and referers in turn."""
    owners = Owners(pa.array(targets), pa.array(AGENTS), pa.array(REFERERS))
    size = len(targets) * len(methods)
    target = np.arange(size) % len(targets)
    rows = Rows(
        (
            target.astype(np.int64),
            np.arange(size) % 2 + owners.first_agent,
            np.arange(size) // 2 % 2 + owners.first_referer,
        ),
        {
            "cs-method": (list(methods), np.arange(size) // len(targets)),
            "sc-status": ([200], np.zeros(size, np.int64)),
        },
    )
    judged = judge(detector.signatures, detector.model, detector.verification, owners, rows, quiet=quiet)
    return [judged.verdicts[i] if i >= 0 else None for i in judged.of_row]


def test_a_value_seen_before_gets_the_verdict_it_gets_alone(detector: Detector) -> None:
    quiet = Quiet(0)
    for targets, methods in (
        (TARGETS[:3], ["GET"]), (TARGETS, METHODS), (TARGETS, METHODS), (TARGETS[::-1], METHODS[::-1]),
    ):  # fmt: skip
        assert verdicts(detector, quiet, targets, methods) == verdicts(detector, None, targets, methods)


def test_only_what_carried_no_evidence_is_known(detector: Detector) -> None:
    quiet = Quiet(0)
    verdicts(detector, quiet, TARGETS, ["GET"])
    known = quiet.knows(quiet.hashes(pa.array(TARGETS), pa.array(AGENTS), pa.array(REFERERS)))
    assert known.tolist() == [True, True, False, True, False, True, True, True, False, True, True]


def recalled_of(quiet: Quiet, targets: list[str]) -> list[int]:
    return sorted(quiet.verdicts.of(quiet.hashes(pa.array(targets), pa.array(AGENTS), pa.array(REFERERS))))


def test_the_verdict_on_what_carried_evidence_is_recalled(detector: Detector) -> None:
    quiet = Quiet(0)
    verdicts(detector, quiet, TARGETS, ["GET"])
    assert recalled_of(quiet, TARGETS) == [2, 4, 8]
    read = detector.verification.read
    nothing_left = replace(detector, verification=Verification(credit=-CREDITS))
    assert verdicts(nothing_left, quiet, TARGETS, ["GET"]) == verdicts(detector, None, TARGETS, ["GET"])
    assert detector.verification.read == read


def test_a_target_that_a_rule_over_rows_asks_for_is_not_recalled(detector: Detector) -> None:
    quiet, targets = Quiet(0), ["/backup-example.zip?id=1' or 1=1--", "/?id=1' or 1=1--"]
    for methods in (["GET"], ["POST"], ["TRACE"]):
        assert verdicts(detector, quiet, targets, methods) == verdicts(detector, None, targets, methods)
        assert recalled_of(quiet, targets) == [1, 3]


def test_a_verdict_for_want_of_credit_is_not_recalled(detector: Detector) -> None:
    quiet, target = Quiet(0), ["/?id=1' or 1=1--"]
    poor = replace(detector, verification=Verification(credit=-CREDITS))
    verdicts(poor, quiet, target, ["GET"])
    assert recalled_of(quiet, target) == []
    assert verdicts(detector, quiet, target, ["GET"]) == verdicts(detector, None, target, ["GET"])
    assert 0 in recalled_of(quiet, target)


def test_of_two_texts_of_a_place_the_verdict_on_the_newer_is_recalled() -> None:
    known = Recalled()
    hashes = np.array([5, 5 + PLACES, 6], np.uint64)
    for each, score in zip(hashes, (0.1, 0.2, 0.2), strict=True):
        known.keep(np.array([each], np.uint64), [Verdict(score, None, ())])
    assert known.of(hashes) == {1: Verdict(0.2, None, ()), 2: Verdict(0.2, None, ())}
    assert Recalled().of(hashes) == {}


def test_too_many_distinct_verdicts_are_all_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recalled, "DISTINCT", 2)
    known = Recalled()
    hashes = np.arange(4, dtype=np.uint64)
    for number in range(4):
        known.keep(hashes[number : number + 1], [Verdict(number / 10, None, ())])
    assert known.of(hashes) == {3: Verdict(0.3, None, ())}


def test_an_ordinary_target_is_judged_again_where_the_method_is_odd(detector: Detector) -> None:
    quiet = Quiet(0)
    assert verdicts(detector, quiet, ["/"], ["GET"]) == [None]
    assert verdicts(detector, quiet, ["/"], ["TRACE"]) == verdicts(detector, None, ["/"], ["TRACE"]) != [None]


def test_the_same_text_is_known_apart_as_target_agent_and_referer() -> None:
    quiet = Quiet(1)
    same = pa.array(["x"])
    target, agent, referer = quiet.hashes(same, same, same)
    quiet.learn(np.array([agent]))
    assert quiet.knows(np.array([target, agent, referer])).tolist() == [False, True, False]


def test_of_one_pair_two_texts_are_known_and_a_third_takes_the_place_of_the_oldest() -> None:
    quiet = Quiet(1)
    hashes = np.array([5, 5 + PAIRS, 5 + 2 * PAIRS], np.uint64)
    for each in hashes:
        quiet.learn(np.array([each], np.uint64))
    assert quiet.knows(hashes).tolist() == [False, True, True]


def test_bytes_of_another_protocol_are_not_read_as_a_path(detector: Detector) -> None:
    (verdict,) = verdicts(detector, None, ["\\x16\\x03\\x01/../../etc"], ["GET"])
    assert verdict.attack == "protocol"  # type: ignore[attr-defined]
    assert "verify.path" not in verdict.rules  # type: ignore[attr-defined]


def test_another_bundle_starts_with_nothing_known(detector: Detector) -> None:
    detector.quiet.learn(np.array([7], np.uint64))
    detector.quiet.verdicts.keep(np.array([8], np.uint64), [Verdict(0.9, None, ())])
    other = replace(detector, threshold=0.6).quiet
    assert other.knows(np.array([7], np.uint64)).tolist() == [False]
    assert other.verdicts.of(np.array([8], np.uint64)) == {}
