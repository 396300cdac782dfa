"""Training and measuring the classifier: labelled requests in, an artefact with its model card out.

Units, not requests, are learned: of an attack its oddest unit, of an ordinary request all of them.
scikit-learn is needed here alone and imported when called.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from logvision.columns import constant
from logvision.detect.classifier import BITS, SIZES, Classifier, gathered, ngrams, scorable
from logvision.detect.detector import Detector
from logvision.detect.split import split
from logvision.detect.units import Ints, Kind, Owners, Units
from logvision.errors import Problem, SetupError
from logvision.formats import Formats
from logvision.schema import RECORD

LABELLED: Final = pa.schema(
    [
        pa.field("set", pa.string(), nullable=False),  # where it comes from; the unit of leave-one-out
        pa.field("attack", pa.bool_(), nullable=False),
        pa.field("target", pa.string(), nullable=False),
        pa.field("user_agent", pa.string()),
        pa.field("referer", pa.string()),
    ]
)
"""One row is one labelled request."""

NOT_LEARNED: Final = frozenset({"csic2010", "fwaf_bad"})
"""Sets whose attack side is not learned: most of CSIC's show nothing in the URL, Fwaf repeats one scanner."""


ORDINARY_BELOW: Final = 0.3
"""A request of a log is learned as ordinary when rules and verification give it less than this."""

LONG_AFTER: Final = datetime(9999, 12, 1, tzinfo=UTC)
"""A time of reading that makes no line too late: training looks at requests, not at the clock."""

WRONG: Final = 10
"""Lines that are told of a file of labelled requests before the rest of it is left unread."""

_JUDGED: Final = ("target", "user_agent", "referer", "method")

PENALTY: Final = 1e-5
L1_SHARE: Final = 0.15
"""Elastic net: weight of the penalty beside the mean loss, and the share of its part that makes zeros."""

PRIOR: Final = 0.05
"""Share of attacks among units that hold marks of syntax, assumed for calibration."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Distinct texts with their labels, ready to be counted."""

    flat: npt.NDArray[np.uint8]
    starts: Ints
    ends: Ints
    attack: npt.NDArray[np.bool_]


def read(paths: Iterable[Path]) -> pa.Table:
    """Labelled JSON lines ({set, label, url, user_agent, referer}, .gz or plain) as a LABELLED table.

    Raises SetupError with the first lines that are none: a file of another kind has no others.
    """
    rows: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for path in paths:
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    row = orjson.loads(line)
                    rows.append(
                        {
                            "set": str(row.get("set", path.stem)),
                            "attack": row["label"] == "attack",
                            "target": row["url"],
                            "user_agent": row.get("user_agent") or None,
                            "referer": row.get("referer") or None,
                        }
                    )
                except (orjson.JSONDecodeError, KeyError, TypeError) as error:
                    problems.append(
                        Problem(f"{path}:{number}", _said(error), "a JSON object with label and url")
                    )
                    if len(problems) == WRONG:
                        raise SetupError(problems) from None
    if problems:
        raise SetupError(problems)
    return pa.Table.from_pylist(rows, LABELLED)


def _said(error: Exception) -> str:
    return f"an object without {error}" if isinstance(error, KeyError) else str(error)


def read_log(path: Path) -> pa.Table:
    """The requests of an access log (.gz or plain) as a PARSED table; lines that are none are left out."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as lines:
        raw = lines.read().splitlines()
    records = pa.table(
        [pa.array(raw, pa.binary()), constant(path.name, len(raw)), pa.array(range(len(raw)), pa.int64())],
        schema=RECORD,
    )
    return Formats().parse(records, LONG_AFTER).events


def ordinary(path: Path, detector: Detector) -> pa.Table:
    """The distinct requests of a log that rules and verification leave alone, as LABELLED rows.

    `detector` should hold no classifier, else it would teach itself.
    """
    events = read_log(path)
    rows = events.group_by(list(_JUDGED)).aggregate([])
    columns = [rows.column(name).to_pylist() for name in _JUDGED]
    score = detector.judge(*columns).column("score").to_numpy()
    kept = rows.filter(pa.array(score < ORDINARY_BELOW))
    return pa.table(
        [
            pa.array([path.name] * len(kept), pa.string()),
            pa.array([False] * len(kept), pa.bool_()),
            *(kept.column(name).cast(pa.string()).combine_chunks() for name in LABELLED.names[2:]),
        ],
        schema=LABELLED,
    )


def believed(table: pa.Table, detector: Detector) -> pa.Table:
    """A LABELLED table without what is called ordinary and judged an attack: labels are wrong as well.

    `detector` should hold no classifier, else it would teach itself.
    """
    columns = [table.column(name).to_pylist() for name in LABELLED.names[2:]]
    methods = ["GET"] * len(table)
    score = detector.judge(columns[0], columns[1], columns[2], methods).column("score").to_numpy()
    attack = table.column("attack").to_numpy(zero_copy_only=False)
    return table.filter(pa.array(attack | (score < detector.threshold)))


def train_from(attacks: Path, logs: Sequence[Path], out: Path, seed: int = 1, *, made: str) -> Classifier:
    """Learn from labelled JSON lines and from access logs, and write the artefact.

    Of the logs, what rules and verification without a classifier score below ORDINARY_BELOW is ordinary; the
    rest is not learned at all. Same files, same seed, same artefact. `made`: the date for the card.
    """
    detector = Detector.open(model=None)
    tables = [believed(read([attacks]), detector), *(ordinary(path, detector) for path in logs)]
    sources = [attacks.name, f"{len(logs)} access logs, what rules and verification left unflagged"]
    model = train(pa.concat_tables(tables), name=out.stem, made=made, sources=sources, seed=seed)
    model.save(out)
    return model


def pieces(table: pa.Table) -> tuple[tuple[Units, Ints], tuple[Units, Ints]]:
    """The ordinary and the attacking units to learn from a LABELLED table; a text may stand in both."""
    parts: list[tuple[Units, Ints]] = []
    for attack in (False, True):
        chosen = table.filter(pa.array(table.column("attack").to_numpy(zero_copy_only=False) == attack))
        if attack:
            learned = ~np.isin(
                chosen.column("set").to_numpy(zero_copy_only=False).astype(str), list(NOT_LEARNED)
            )
            chosen = chosen.filter(pa.array(learned))
        owners = Owners(*(chosen.column(name).fill_null("-").combine_chunks() for name in LABELLED.names[2:]))
        units = split(owners)
        at = scorable(units)
        parts.append((units, _distinct(units, _oddest(units, at, chosen.num_rows) if attack else at)))
    return parts[0], parts[1]


def _distinct(units: Units, some: Ints) -> Ints:
    """One unit of each text among some, ascending: an agent of a thousand requests is one text."""
    chosen = np.unique(some)
    codes = units.texts.take(pa.array(chosen)).dictionary_encode().indices.to_numpy()
    return chosen[np.sort(np.unique(codes, return_index=True)[1])]


def examples(table: pa.Table) -> Examples:
    """The units to learn from a LABELLED table; a text that is both is ordinary."""
    (plain, ordinary), (units, texts) = pieces(table)
    known = set(plain.texts.take(pa.array(ordinary)).to_pylist())
    fresh = np.array([t for t in texts.tolist() if units.texts[t].as_py() not in known], np.int64)
    parts = [gathered(plain, ordinary), gathered(units, fresh)]
    shift = len(parts[0][0])
    return Examples(
        np.concatenate([parts[0][0], parts[1][0]]),
        np.concatenate([parts[0][1], parts[1][1] + shift]),
        np.concatenate([parts[0][2], parts[1][2] + shift]),
        np.concatenate([np.zeros(len(parts[0][1]), bool), np.ones(len(parts[1][1]), bool)]),
    )


def train(table: pa.Table, *, name: str, made: str, sources: Sequence[str], seed: int = 1) -> Classifier:
    """Learn a classifier from a LABELLED table.

    Logistic regression on the counts of hashed n-grams over the root of the length, classes weighted
    alike, then Platt scaling on a third held back. `made` is the date for the card. Same table, same
    weights; about a minute for 75,000 units. Raises SetupError where there is too little of either kind.
    """
    from sklearn.linear_model import SGDClassifier  # noqa: PLC0415

    found = examples(table)
    matrix = counts(found.flat, found.starts, found.ends)
    order = np.random.default_rng(seed).permutation(len(found.attack))
    cut = len(order) * 2 // 3
    fit, held = order[:cut], order[cut:]
    seen = (int((~found.attack).sum()), int(found.attack.sum()))
    if any(part.all() or not part.any() for part in (found.attack[fit], found.attack[held])):
        got = f"{seen[1]:,} texts to learn from in attacks, {seen[0]:,} in ordinary requests"
        raise SetupError(Problem("labelled requests", got, "several of either"))
    learner = SGDClassifier(
        loss="log_loss", alpha=PENALTY, penalty="elasticnet", l1_ratio=L1_SHARE, class_weight="balanced",
        max_iter=12, tol=None, random_state=seed, average=True,
    )  # fmt: skip
    learner.fit(matrix[fit], found.attack[fit])
    weights = pruned(learner.coef_[0])
    card = {"name": name, "made": made, "sources": list(sources)}
    return calibrated(weights, np.asarray(matrix @ weights)[held], found.attack[held], seen, card)


def pruned(weights: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Weights of an artefact: what is too small to tell is nothing."""
    kept = weights.astype(np.float32)
    kept[np.abs(kept) < np.abs(kept).max() / 400] = 0
    return kept


def calibrated(
    weights: npt.NDArray[np.float32],
    margins: npt.NDArray[Any],
    attack: npt.NDArray[np.bool_],
    seen: tuple[int, int],
    card: Mapping[str, Any],
) -> Classifier:
    """The artefact of these weights, whoever fitted them; `margins` of examples held back, with their labels.

    `seen`: ordinary and attacking examples in all, for the card.
    """
    slope, intercept = platt(margins, attack)
    # The logistic function in a form that no margin overflows.
    measured = _measured(np.exp(-np.logaddexp(0, -(slope * margins + intercept))), attack)
    whole = {
        **card, "sizes": list(SIZES), "bits": BITS,
        "ordinary": seen[0], "attacks": seen[1], "held_out": measured,
    }  # fmt: skip
    return Classifier(weights, slope, intercept, 0.3, whole)


def evaluate(model: Classifier, table: pa.Table) -> dict[str, Any]:
    """Recall and false alarms of the classifier alone on the units of a LABELLED table."""
    found = examples(table)
    return _measured(model.probability(model.margins(found.flat, found.starts, found.ends)), found.attack)


def counts(flat: npt.NDArray[np.uint8], starts: Ints, ends: Ints) -> Any:
    """One sparse row a text: counts of n-gram buckets over the root of its length, as `margins` does."""
    from scipy.sparse import csr_matrix  # noqa: PLC0415

    rows: list[Ints] = []
    columns: list[npt.NDArray[np.uint32]] = []
    for size in SIZES:
        buckets = ngrams(flat, size)
        sizes = np.maximum(ends - size + 1 - starts, 0)
        at = np.repeat(starts - np.concatenate([[0], np.cumsum(sizes)[:-1]]), sizes) + np.arange(sizes.sum())
        rows.append(np.repeat(np.arange(len(starts)), sizes))
        columns.append(buckets[at])
    row, column = np.concatenate(rows), np.concatenate(columns)
    weight = 1 / np.sqrt(np.maximum(ends - starts, 4))
    return csr_matrix((weight[row].astype(np.float32), (row, column)), shape=(len(starts), 1 << BITS))


def platt(margins: npt.NDArray[Any], attack: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and intercept of a sigmoid over margins (Platt 1999) by damped Newton steps."""
    scale = float(np.std(margins)) or 1.0
    design = np.stack([margins / scale, np.ones_like(margins)], 1).astype(np.float64)
    # Platt's soft targets keep the slope finite where a set is separable.
    yes, no = int(attack.sum()), int((~attack).sum())
    wanted = np.where(attack, (yes + 1) / (yes + 2), 1 / (no + 2))
    weight = np.where(attack, PRIOR / max(yes, 1), (1 - PRIOR) / max(no, 1))
    at = np.array([1.0, 0.0])

    def loss(where: npt.NDArray[np.float64]) -> float:
        z = design @ where
        return float((weight * (np.logaddexp(0, z) - wanted * z)).sum())

    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(design @ at, -30, 30)))
        gradient = design.T @ (weight * (p - wanted))
        hessian = (design * (weight * p * (1 - p))[:, None]).T @ design + 1e-9 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        while loss(at - step) > loss(at) and np.abs(step).max() > 1e-9:
            step = step / 2
        at = at - step
    return float(at[0] / scale), float(at[1])


def _measured(p: npt.NDArray[Any], attack: npt.NDArray[np.bool_]) -> dict[str, Any]:
    ordinary = np.sort(p[~attack])[::-1]
    result: dict[str, Any] = {}
    for rate in (0.01, 0.001, 0.0001):
        bar = float(ordinary[min(int(len(ordinary) * rate), len(ordinary) - 1)])
        result[f"recall_at_{rate}"] = round(float((p[attack] > bar).mean()), 4)
    result["recall"] = round(float((p[attack] >= 0.5).mean()), 4)
    result["false_alarms"] = round(float((p[~attack] >= 0.5).mean()), 6)
    return result


def _marks(units: Units, marks: bytes) -> Ints:
    """How many of some bytes each unit has."""
    table = np.zeros(256, bool)
    table[list(marks)] = True
    running = np.concatenate([[0], np.cumsum(table[units.buffer])])
    first = np.concatenate([[0], units.ends[:-1] + 1])
    found: Ints = running[units.ends] - running[first]
    return found


def _oddest(units: Units, at: Ints, targets: int) -> Ints:
    """Of each attack the unit with the most marks of syntax.

    What every browser's agent and every referer consists of is no mark: else of an attack that shows nothing
    the agent would be learned, and with it the browser.
    """
    count = _marks(units, b"<>'\"`;|$(){}[]\\^*#=&!")
    headers = (units.kind & int(Kind.AGENT | Kind.REFERER)) != 0
    bare = _marks(units, b"<>'\"`|${}\\^")
    count = np.where(headers, np.where(bare > 0, count, -1), count)
    rank = np.zeros(len(units.text), np.int64) - 1
    rank[at] = count[units.text[at]]
    uses = np.flatnonzero(rank[units.unit] >= 0)
    order = uses[np.lexsort((rank[units.unit[uses]], units.owner[uses] % targets))]
    owner = units.owner[order] % targets
    last = np.append(np.flatnonzero(np.diff(owner)), len(owner) - 1) if len(owner) else owner
    return units.unit[order[last]]
