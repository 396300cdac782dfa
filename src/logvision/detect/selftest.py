"""The tests that rules carry: does each rule match what it says it must, and pass what it must."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from logvision.detect.rules import Rule
from logvision.detect.scopes import Rows
from logvision.detect.signature import Signatures
from logvision.detect.split import split
from logvision.detect.units import Ints, Owners


@dataclass(frozen=True, slots=True)
class Failure:
    """A test of a rule that did not come out as the rule says."""

    rule: Rule
    text: str
    matched: bool

    def __str__(self) -> str:
        return f"{self.rule.path}: {'matches' if self.matched else 'does not match'} {self.text!r}"


_METHOD = re.compile(r"[A-Z]{3,12} (?=\S+$)")
_STATUS = re.compile(r"[1-5]\d\d (?=(?:[A-Z]{3,12} )?(?:/|https?://))")
_UNKNOWN = -1  # a status that is neither asked for nor filtered out


def answered(text: str) -> tuple[str, int]:
    """A test text without the status that it may begin with, and this status, else _UNKNOWN."""
    status = _STATUS.match(text)
    return (text[status.end() :], int(status.group())) if status else (text, _UNKNOWN)


def request(text: str) -> tuple[str, str, str, str]:
    """(target, agent, referer, method) of a test text (docs/rules.md says how one is written)."""
    text, _ = answered(text)
    if text.startswith("agent: "):
        return "/", text[7:], "-", "GET"
    if text.startswith("referer: "):
        return "/", "Mozilla/5.0", text[9:], "GET"
    method = _METHOD.match(text)
    if method:
        return text[method.end() :], "Mozilla/5.0", "-", method.group().strip()
    return text, "Mozilla/5.0", "-", "GET"


def failures(signatures: Signatures) -> list[Failure]:
    """Every test of every rule that fails; all tests run in one pass."""
    cases = [
        (rule, text, expected)
        for rule in signatures.rules.rules
        for texts, expected in ((rule.tests.match, True), (rule.tests.passes, False))
        for text in texts
    ]
    if not cases:
        return []
    requests = [request(text) for _, text, _ in cases]
    targets, agents, referers = (pa.array([r[i] for r in requests]) for i in range(3))
    owners = Owners(targets, agents, referers)
    size = np.arange(len(cases))
    columns: dict[str, tuple[list[Any], Ints]] = {
        "cs-method": ([r[3] for r in requests], size),
        "sc-status": ([answered(text)[1] for _, text, _ in cases], size),
    }
    rows = Rows((size, size + owners.first_agent, size + owners.first_referer), columns)
    units = split(owners)
    found = signatures.find(units, rows)
    held: set[tuple[int, int]] = set(zip(found.row_rule.tolist(), found.row.tolist(), strict=True))
    users = np.argsort(units.unit, kind="stable")
    bounds = np.searchsorted(units.unit[users], np.arange(len(units.text) + 1))
    for index, unit in zip(found.unit_rule.tolist(), found.unit.tolist(), strict=True):
        for owner in units.owner[users[bounds[unit] : bounds[unit + 1]]].tolist():
            held.add((index, owner % len(cases)))
    number = {rule.id: index for index, rule in enumerate(signatures.rules.rules)}
    return [
        Failure(rule, text, not expected)
        for case, (rule, text, expected) in enumerate(cases)
        if ((number[rule.id], case) in held) is not expected
    ]
