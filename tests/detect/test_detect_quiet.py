"""What is known to be ordinary changes nothing but the cost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from logvision.detect.cascade import judge
from logvision.detect.detector import Detector
from logvision.detect.quiet import PAIRS, Quiet
from logvision.detect.scopes import Rows
from logvision.detect.units import Owners

TARGETS = ["/", "/index.html", "/?id=1' or 1=1--", "/a.css", "/.env", "server:443", "/?q=a"]
AGENTS = ["Mozilla/5.0 (X11; Linux x86_64)", "sqlmap/1.7"]
REFERERS = ["https://www.example.com/?q=1", "-"]
METHODS = ["GET", "TRACE", "CONNECT"]


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.open()


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
    assert replace(detector, threshold=0.6).quiet.knows(np.array([7], np.uint64)).tolist() == [False]
