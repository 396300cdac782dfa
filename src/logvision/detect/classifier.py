"""Stage B: a linear model over hashed character n-grams of units, scored for all units of a batch at once.

Only units that hold something other than plain words are scored; a list of names is the business of
rules. The artefact is one file of arrays with its model card inside, and no code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from logvision import native
from logvision.detect.units import Ints, Kind, Units
from logvision.errors import Problem, SetupError

BITS: Final = 17
"""Weights: 2 ** BITS buckets."""

SIZES: Final = (2, 3, 4)
"""Lengths of the n-grams, in bytes."""

SCORED: Final = int(Kind.NAME | Kind.VALUE | Kind.PATH | Kind.AGENT | Kind.REFERER)

LONGEST: Final = 4096
"""Bytes of a unit that are scored."""

_FOLD: Final = np.arange(256, dtype=np.uint8)
_FOLD[65:91] += 32  # lower case
_FOLD[48:58] = 48  # any digit
_FOLD[128:] = 128  # any byte outside ASCII
_ROOT: Final = np.sqrt(np.arange(LONGEST + 3, dtype=np.float64))
_PLAIN: Final = np.zeros(256, bool)
_PLAIN[list(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-/,:@+~%")] = True
_PLAIN[128:] = True
_ODD: Final = ~_PLAIN
_ODD[10] = False  # the end of a unit


@dataclass(frozen=True, slots=True)
class Scores:
    """Units that the model finds suspicious, and how much: a calibrated probability."""

    units: Ints
    scores: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Classifier:
    """Weights per bucket and the calibration: p = 1 / (1 + exp(-(slope * margin + intercept)))."""

    weights: npt.NDArray[np.float32]
    slope: float
    intercept: float
    least: float  # scores below are not reported: nothing to verify
    card: Mapping[str, Any]

    @staticmethod
    def open(path: Path) -> Classifier:
        """Read an artefact; raises SetupError if it is none."""
        try:
            with np.load(path, allow_pickle=False) as arrays:
                card = json.loads(bytes(arrays["card"]).decode())
                weights = arrays["weights"].astype(np.float32) * np.float32(card["scale"])
            if weights.shape != (1 << BITS,):
                raise ValueError(f"weights of shape {weights.shape}")
            return Classifier(weights, card["slope"], card["intercept"], card["least"], card)
        except (OSError, KeyError, ValueError) as error:
            raise SetupError(
                Problem(str(path), str(error), f"a model artefact (npz with {1 << BITS:,} weights and card)")
            ) from error

    def save(self, path: Path) -> None:
        """Write the artefact, weights in 8 bits."""
        scale = float(np.abs(self.weights).max()) / 127 or 1.0
        card = {
            **self.card,
            "scale": scale,
            "slope": self.slope,
            "intercept": self.intercept,
            "least": self.least,
        }
        np.savez_compressed(
            path,
            weights=np.round(self.weights / scale).astype(np.int8),
            card=np.frombuffer(json.dumps(card, indent=1).encode(), np.uint8),
        )

    def score(self, units: Units) -> Scores:
        """Suspicious units of a batch. Cost: about 10 ns a byte of the units that are not plain."""
        at = scorable(units)
        if not len(at):
            return Scores(at, np.zeros(0, np.float32))
        if native.HERE:
            first = np.append(0, units.ends[:-1] + 1)
            margins = native.units.margins(
                units.buffer, first[at], units.ends[at], _FOLD, self.weights, _ROOT
            )
        else:
            margins = self.margins(*gathered(units, at))
        scores = self.probability(margins)
        keep = scores >= self.least
        return Scores(at[keep], scores[keep])

    def margins(self, flat: npt.NDArray[np.uint8], starts: Ints, ends: Ints) -> npt.NDArray[np.float32]:
        """The model's sum for every text: weights of its n-grams over the root of their number."""
        total: npt.NDArray[np.float32] = np.zeros(len(starts), np.float32)
        for size in SIZES:
            buckets = ngrams(flat, size)
            running = np.concatenate([[0.0], np.cumsum(self.weights[buckets], dtype=np.float64)])
            last = np.maximum(ends - size + 1, starts)
            total += (running[last] - running[starts]).astype(np.float32)
        total /= np.sqrt(np.maximum(ends - starts, 4)).astype(np.float32)
        return total

    def contributions(self, text: bytes, most: int = 8) -> list[tuple[str, float]]:
        """The n-grams of one text that weigh most, either way, as they are folded; for explanations."""
        flat = np.full(min(len(text), LONGEST) + 2, 2, np.uint8)
        flat[1:-1] = _FOLD[np.frombuffer(text[:LONGEST], np.uint8)]
        total: dict[str, float] = {}
        for size in SIZES:
            for start, weight in enumerate(self.weights[ngrams(flat, size)].tolist()):
                if weight:
                    name = flat[start : start + size].tobytes().decode("latin-1").replace("\x02", "␂")
                    total[name] = total.get(name, 0.0) + weight / max(len(flat), 4) ** 0.5
        return sorted(total.items(), key=lambda each: -abs(each[1]))[:most]

    def probability(self, margins: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Margins to calibrated probabilities."""
        z = np.clip(self.slope * margins + self.intercept, -30, 30).astype(np.float32)
        p: npt.NDArray[np.float32] = 1 / (1 + np.exp(-z))
        return p


def scorable(units: Units) -> Ints:
    """Units with something other than plain words in them."""
    return np.flatnonzero(units.marked(_ODD, SCORED) & ((units.kind & SCORED) != 0))


def gathered(units: Units, texts: Ints) -> tuple[npt.NDArray[np.uint8], Ints, Ints]:
    """The first LONGEST bytes of some texts, folded, one after the other with a mark at each end."""
    first = np.concatenate([[0], units.ends[:-1] + 1])[texts]
    sizes = np.minimum(units.ends[texts] - first, LONGEST)
    stops = np.cumsum(sizes + 2)
    starts = stops - sizes - 2
    into = np.ones(int(stops[-1]) if len(stops) else 0, bool)
    into[starts] = into[stops - 1] = False
    at = np.flatnonzero(into)
    flat = np.full(len(into), 2, np.uint8)
    flat[at] = _FOLD[units.buffer[at + np.repeat(first - starts - 1, sizes)]]
    return flat, starts, stops


def ngrams(flat: npt.NDArray[np.uint8], size: int) -> npt.NDArray[np.uint32]:
    """The bucket of the n-gram that starts at each byte (multiplicative hashing, Knuth 6.4)."""
    key = np.zeros(max(len(flat) - size + 1, 0), np.uint32)
    for offset in range(size):
        key = key * np.uint32(257) + flat[offset : len(flat) - size + 1 + offset]
    key = (key ^ np.uint32(size)) * np.uint32(2654435761)
    return key >> np.uint32(32 - BITS)
