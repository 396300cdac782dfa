"""Verdicts of a detector on single requests."""

from __future__ import annotations

from logvision.detect import Detector


def attack(detector: Detector, target: str) -> str | None:
    found: str | None = detector.judge([target], ["Mozilla/5.0"], [None], ["GET"]).column("attack")[0].as_py()
    return found
