"""The detector: rules, model and settings in one frozen bundle, and the step that judges events with it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from logvision.columns import distinct, firsts, recode, text, used
from logvision.detect.cascade import Judged, Verification, judge
from logvision.detect.classifier import Classifier
from logvision.detect.compiled import compiled, opened
from logvision.detect.fusion import ORDINARY
from logvision.detect.quiet import Quiet
from logvision.detect.rules import GIVEN, RuleSet
from logvision.detect.scopes import Rows
from logvision.detect.signature import Signatures
from logvision.detect.units import Ints, Owners
from logvision.entries import user_folder
from logvision.schema import EVENT, Outcome

BUILTIN: Final = Path(__file__).parent.parent / "rules"
"""The rules that come with the package."""

MODEL_FILE: Final = Path(__file__).parent.parent / "models" / "ngram-v1.npz"
"""The classifier that comes with the package."""

SHOWN: Final = 0.1
"""Below this score an ordinary event names no rules: one weak rule is no evidence worth a column."""


@dataclass(frozen=True)
class Detector:
    """Everything a verdict depends on. Immutable, picklable; the same bundle gives the same verdicts."""

    signatures: Signatures
    model: Classifier | None = None
    threshold: float = 0.5
    verification: Verification = field(default_factory=Verification, compare=False)
    quiet: Quiet = field(init=False, default_factory=Quiet, compare=False, repr=False)

    @staticmethod
    def open(
        paths: Sequence[Path] = (),
        *,
        builtin: bool = True,
        model: Path | None = MODEL_FILE,
        threshold: float = 0.5,
        cached: bool = True,
    ) -> Detector:
        """Read rules (the package's own first, unless told not to) and the model, and compile; seconds.

        `model` None: go without a classifier. `cached`: take compiled rules from the user's cache folder and
        leave them there, which makes it tenths of a second. Raises SetupError; RuleError with every mistake
        of every file.
        """
        folder = user_folder(os.environ) if cached else None
        signatures = opened([*([BUILTIN] if builtin else []), *paths], folder)
        classifier = Classifier.open(model) if model is not None else None
        return Detector(signatures, classifier, threshold)

    def reloaded(self, paths: Sequence[Path] = (), *, builtin: bool = True) -> Detector:
        """The same detector with its rules read again; raises RuleError and leaves this one as it is."""
        every = [*([BUILTIN] if builtin else []), *paths]
        if RuleSet.load(every, trying=False).version == self.rules.version:
            return self
        return replace(self, signatures=compiled(every))

    @property
    def rules(self) -> RuleSet:
        return self.signatures.rules

    @property
    def version(self) -> str:
        """Names this bundle: the digest of its rules and the name of its model."""
        return f"{self.rules.version}-{self.model.card.get('name', 'model') if self.model else 'none'}"

    def judge(
        self,
        targets: Sequence[str | None],
        agents: Sequence[str | None],
        referers: Sequence[str | None],
        methods: Sequence[str | None],
        statuses: Sequence[int | None] | None = None,
    ) -> pa.Table:
        """Verdicts on bare requests: score (float32), attack (null: ordinary), rules (null: none).

        `statuses`: how they were answered, where that is known; left out: of none.
        """
        columns = [pa.array(c, pa.string()).dictionary_encode() for c in (targets, agents, referers, methods)]
        table = pa.table(dict(zip(("target", "user_agent", "referer", "method"), columns, strict=True)))
        known = pa.nulls(len(table), pa.int16()) if statuses is None else pa.array(statuses, pa.int16())
        return _judged(table.append_column("status", known), self, bounded=False)


def detect(events: pa.Table, detector: Detector, *, bounded: bool = True) -> pa.Table:
    """Judge events: adds score, attack, rules and outcome to an enriched table.

    Columns that EVENT has not are left out; with route and kind it is EVENT, which needs neither.
    `bounded`: as a live batch is judged; without it everything is read, whatever the cost.
    """
    judged = _judged(events, detector, bounded=bounded)
    columns = {name: table.column(name) for table in (events, judged) for name in table.column_names}
    columns["outcome"] = _outcome(events, judged)
    fields = [field for field in EVENT if field.name in columns]
    return pa.table([columns[field.name] for field in fields], schema=pa.schema(fields))


def _judged(events: pa.Table, detector: Detector, *, bounded: bool) -> pa.Table:
    targets, target = used(*distinct(events, "target"))
    agents, agent = used(*distinct(events, "user_agent"))
    referers, referer = used(*distinct(events, "referer"))
    owners = Owners(targets, agents, referers)
    codes = (
        target.astype(np.int64),
        np.where(agent < 0, -1, agent.astype(np.int64) + owners.first_agent),
        np.where(referer < 0, -1, referer.astype(np.int64) + owners.first_referer),
    )
    rows = Rows(codes, _Columns(events))
    judged = judge(
        detector.signatures,
        detector.model,
        detector.verification,
        owners,
        rows,
        quiet=detector.quiet if bounded else None,
    )
    return _table(judged, detector.threshold)


class _Columns(dict[str, tuple[list[Any], Ints]]):
    """What rules over rows compare (`Rows.columns`), each made when a rule asks for it: most are not."""

    def __init__(self, events: pa.Table) -> None:
        super().__init__()
        self._events = events

    def __missing__(self, name: str) -> tuple[list[Any], Ints]:
        made = self[name] = _MADE[name](self._events)
        return made


def _methods(events: pa.Table) -> tuple[list[Any], Ints]:
    methods, codes = _optional(events, "method")
    return [None if method is None else method.upper() for method in methods], codes


def _statuses(events: pa.Table) -> tuple[list[Any], Ints]:
    status = events.column("status").fill_null(-1).to_numpy()
    rows, codes = firsts(status)
    return status[rows].tolist(), codes.astype(np.int64)


def _given(events: pa.Table, column: str) -> tuple[list[Any], Ints]:
    """Whether rows have something in this column: null or GIVEN."""
    return [None, GIVEN], events.column(column).is_valid().to_numpy().astype(np.int64)


def _optional(events: pa.Table, column: str) -> tuple[list[Any], Ints]:
    """The distinct values of a column and which one each row has; all null where there is no such column."""
    if column not in events.column_names:
        return [None], np.zeros(len(events), np.int64)
    values, codes = distinct(events, column)
    named = [*values.to_pylist(), None]  # -1, null, is the last
    return named, np.where(codes < 0, len(named) - 1, codes).astype(np.int64)


_MADE: Final[dict[str, Callable[[pa.Table], tuple[list[Any], Ints]]]] = {
    "cs-method": _methods,
    "sc-status": _statuses,
    "cs-host": partial(_optional, column="site"),
    "cs-user-agent": partial(_given, column="user_agent"),
    "cs-referer": partial(_given, column="referer"),
}


def _table(judged: Judged, threshold: float) -> pa.Table:
    """Score, attack and rules of every row, each worked out once per distinct verdict."""
    verdicts = [*judged.verdicts, ORDINARY]  # -1 in `of_row` is the last
    score = np.array([verdict.score for verdict in verdicts], np.float32)
    attack = [v.attack.value if v.attack is not None and v.score >= threshold else None for v in verdicts]
    rules = [" ".join(v.rules) if v.rules and v.score >= SHOWN else None for v in verdicts]
    return pa.table(
        {
            "score": pa.array(score[judged.of_row], pa.float32()),
            "attack": recode(pa.array(attack, pa.string()), judged.of_row),
            "rules": recode(pa.array(rules, pa.string()), judged.of_row),
        }
    )


_BLOCKED: Final = frozenset({400, 403, 405, 406, 429, 444, 501})
_MISSED: Final = frozenset({404, 410})


def outcome_of(status: int | None) -> tuple[str, str]:
    """How an attack went as far as its status alone can say, and why. It never says that it worked."""
    if status in _BLOCKED:
        return Outcome.BLOCKED.value, f"answered {status}: the request was refused"
    if status in _MISSED:
        return Outcome.MISSED.value, f"answered {status}: what it was after is not there"
    return Outcome.UNKNOWN.value, "the status alone does not tell whether it worked"


_OUTCOMES: Final = (Outcome.UNKNOWN, Outcome.BLOCKED, Outcome.MISSED)
_OF_STATUS: Final = np.zeros(600, np.int32)
_OF_STATUS[list(_BLOCKED)], _OF_STATUS[list(_MISSED)] = 1, 2


def _outcome(events: pa.Table, judged: pa.Table) -> pa.DictionaryArray:
    attacks = np.flatnonzero(judged.column("attack").is_valid().to_numpy())
    status = events.column("status").take(pa.array(attacks)).fill_null(0).to_numpy()
    codes = np.full(len(events), -1, np.int32)
    codes[attacks] = _OF_STATUS[np.where((status >= 0) & (status < len(_OF_STATUS)), status, 0)]
    return text(pa.array(_OUTCOMES, pa.string()), codes)
