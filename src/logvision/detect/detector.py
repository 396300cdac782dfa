"""The detector: rules, model and settings in one frozen bundle, and the step that judges events with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from logvision.columns import distinct, text
from logvision.detect.fusion import ORDINARY, Evidence, Verdict, fuse
from logvision.detect.rules import RuleSet
from logvision.detect.signature import Rows, Signatures
from logvision.detect.units import Ints, Owners, Units, split
from logvision.schema import EVENT, Outcome

BUILTIN: Final = Path(__file__).parent.parent / "rules"
"""The rules that come with the package."""

SHOWN: Final = 0.1
"""Below this score an ordinary event names no rules: one weak rule is no evidence worth a column."""


@dataclass(frozen=True)
class Detector:
    """Everything a verdict depends on. Immutable, picklable; the same bundle gives the same verdicts."""

    signatures: Signatures
    threshold: float = 0.5

    @staticmethod
    def open(paths: Sequence[Path] = (), *, builtin: bool = True, threshold: float = 0.5) -> Detector:
        """Read rules (the package's own first, unless told not to) and compile them; about a second.

        Raises RuleError (a SetupError) with every mistake of every rule file.
        """
        rules = RuleSet.load([*([BUILTIN] if builtin else []), *paths])
        return Detector(Signatures(rules), threshold)

    def reloaded(self, paths: Sequence[Path] = (), *, builtin: bool = True) -> Detector:
        """The same detector with its rules read again; raises RuleError and leaves this one as it is."""
        rules = RuleSet.load([*([BUILTIN] if builtin else []), *paths])
        return self if rules.version == self.rules.version else replace(self, signatures=Signatures(rules))

    @property
    def rules(self) -> RuleSet:
        return self.signatures.rules

    @property
    def version(self) -> str:
        """Names this bundle: a digest of its rules."""
        return self.rules.version

    def judge(
        self,
        targets: Sequence[str | None],
        agents: Sequence[str | None],
        referers: Sequence[str | None],
        methods: Sequence[str | None],
    ) -> pa.Table:
        """Verdicts on bare requests: score (float32), attack (null: ordinary), rules (null: none)."""
        columns = [pa.array(c, pa.string()).dictionary_encode() for c in (targets, agents, referers, methods)]
        table = pa.table(dict(zip(("target", "user_agent", "referer", "method"), columns, strict=True)))
        table = table.append_column("status", pa.nulls(len(table), pa.int16()))
        return _judged(table, self)


def detect(events: pa.Table, detector: Detector) -> pa.Table:
    """Judge events: adds score, attack, rules and outcome to an enriched table, which makes it EVENT."""
    judged = _judged(events, detector)
    for name in judged.column_names:
        events = events.append_column(name, judged.column(name))
    events = events.append_column("outcome", _outcome(events))
    return events.select(EVENT.names).cast(EVENT)


def _judged(events: pa.Table, detector: Detector) -> pa.Table:
    targets, target = distinct(events, "target")
    agents, agent = distinct(events, "user_agent")
    referers, referer = distinct(events, "referer")
    owners = Owners(targets, agents, referers)
    codes = (
        target.astype(np.int64),
        np.where(agent < 0, -1, agent.astype(np.int64) + owners.first_agent),
        np.where(referer < 0, -1, referer.astype(np.int64) + owners.first_referer),
    )
    rows = Rows(codes, _columns(events))
    verdicts = judge_rows(detector, split(owners), owners, rows)
    return _table(verdicts, rows.size, detector.threshold)


def judge_rows(detector: Detector, units: Units, owners: Owners, rows: Rows) -> dict[int, Verdict]:
    """Verdicts of the rows that have any evidence, by row."""
    found = detector.signatures.find(units, rows)
    rules = detector.rules.rules
    evidence: dict[int, list[Evidence]] = {}
    # The loops below run over the suspicious few, never over all rows.
    for index, unit in zip(found.unit_rule.tolist(), found.unit.tolist(), strict=True):
        rule = rules[index]
        evidence.setdefault(unit, []).append(Evidence(rule.id, rule.attack, rule.confidence))
    of_unit = {unit: fuse(pieces) for unit, pieces in evidence.items()}
    of_owner = _worst(of_unit, units, owners)
    by_row: dict[int, list[Evidence]] = {}
    for index, row in zip(found.row_rule.tolist(), found.row.tolist(), strict=True):
        rule = rules[index]
        by_row.setdefault(row, []).append(Evidence(rule.id, rule.attack, rule.confidence))
    return _rows(of_owner, by_row, rows, owners)


def _worst(of_unit: dict[int, Verdict], units: Units, owners: Owners) -> dict[int, Verdict]:
    """An owner is as bad as its worst unit; its rules are those of all its units."""
    if not of_unit:
        return {}
    suspicious = np.zeros(len(units.text), bool)
    suspicious[list(of_unit)] = True
    uses = np.flatnonzero(suspicious[units.unit])
    of_owner: dict[int, Verdict] = {}
    for owner, unit in zip(units.owner[uses].tolist(), units.unit[uses].tolist(), strict=True):
        known = of_owner.get(owner)
        of_owner[owner] = of_unit[unit] if known is None else worse(known, of_unit[unit])
    return of_owner


def worse(a: Verdict, b: Verdict) -> Verdict:
    """The higher score and its class, with the rules of both."""
    top = a if a.score >= b.score else b
    return top if a.rules == b.rules else Verdict(top.score, top.attack, tuple(sorted({*a.rules, *b.rules})))


def _rows(
    of_owner: dict[int, Verdict], by_row: dict[int, list[Evidence]], rows: Rows, owners: Owners
) -> dict[int, Verdict]:
    table = np.zeros(owners.size + 1, bool)
    table[list(of_owner)] = True
    hit = table[rows.owners[0]] | table[rows.owners[1]] | table[rows.owners[2]]
    hit[list(by_row)] = True
    at = np.flatnonzero(hit)
    verdicts: dict[int, Verdict] = {}
    seen: dict[tuple[int, int, int], Verdict] = {}
    for row, *triple in zip(at.tolist(), *(codes[at].tolist() for codes in rows.owners), strict=True):
        key = (triple[0], triple[1], triple[2])
        verdict = seen.get(key)
        if verdict is None:
            verdict = ORDINARY
            for owner in key:
                if owner in of_owner:
                    verdict = worse(verdict, of_owner[owner])
            seen[key] = verdict
        if row in by_row:
            verdict = worse(verdict, fuse(by_row[row]))
        verdicts[row] = verdict
    return verdicts


def _columns(events: pa.Table) -> dict[str, np.ndarray[Any, Any]]:
    methods, method = distinct(events, "method")
    names = np.array([*(m.upper() for m in methods.to_pylist()), ""], dtype=object)
    status = events.column("status").fill_null(-1).to_numpy()
    return {"cs-method": names[method], "sc-status": status}


def _table(verdicts: dict[int, Verdict], size: int, threshold: float) -> pa.Table:
    score = np.zeros(size, np.float32)
    attack = np.full(size, -1, np.int32)
    rules = np.full(size, -1, np.int32)
    attacks: dict[str, int] = {}
    named: dict[str, int] = {}
    for row, verdict in verdicts.items():
        score[row] = verdict.score
        if verdict.attack is not None and verdict.score >= threshold:
            attack[row] = attacks.setdefault(verdict.attack.value, len(attacks))
        if verdict.score >= SHOWN and verdict.rules:
            rules[row] = named.setdefault(" ".join(verdict.rules), len(named))
    return pa.table(
        {
            "score": pa.array(score, pa.float32()),
            "attack": text(pa.array(list(attacks), pa.string()), attack),
            "rules": text(pa.array(list(named), pa.string()), rules),
        }
    )


_BLOCKED: Final = (400, 403, 405, 406, 429, 444, 501)
_MISSED: Final = (404, 410)


def _outcome(events: pa.Table) -> pa.DictionaryArray:
    """What the status alone can say: refused or not there; never that it worked."""
    status = events.column("status").fill_null(0).to_numpy()
    names = [Outcome.UNKNOWN.value, Outcome.BLOCKED.value, Outcome.MISSED.value]
    codes = np.zeros(len(status), np.int32)
    codes[np.isin(status, _BLOCKED)] = 1
    codes[np.isin(status, _MISSED)] = 2
    codes[events.column("attack").is_null().to_numpy()] = -1
    return text(pa.array(names, pa.string()), codes)


__all__ = ["Detector", "Ints", "detect"]
