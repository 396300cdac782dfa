"""Spots: what one client sent to one place of a site and what came back, its own control requests too.

One answer tells little; how the answers to different payloads differ tells much: a page that stays the
same whatever was sent ignores it, one that follows the truth of a condition obeys it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from logvision.detect.asked import Asked
from logvision.detect.ordinary import NEAR, near

ANSWERS_KEPT: Final = 48
CONDITIONS_KEPT: Final = 32
CONTROLS_KEPT: Final = 8

DOORS_KEPT: Final = 64
WRONG: Final = 5
"""Sign-ins with one answer from which on it is that of a wrong password, if hardly any had another."""

FEW: Final = 3
"""Answers to different payloads, below which nothing is said of how they lie."""


class Answer(NamedTuple):
    """What came back for one payload."""

    size: int  # B; -1: not logged, or a HEAD
    duration_us: int | None
    asked: Asked


@dataclass(frozen=True, slots=True)
class Shape:
    """How the 2xx answers of a spot lie."""

    slope: float  # B that a character of the payload adds
    middle: float | None  # residual size of the most common answer; None: there is no such
    names: int  # different names among those with the most common answer
    apart: bool  # three or more sizes, hardly two of them alike

    def residual(self, answer: Answer) -> float:
        return answer.size - self.slope * answer.asked.length

    def common(self, answer: Answer) -> bool:
        """Whether this is the answer that most payloads get."""
        return self.middle is not None and near(round(self.residual(answer)), round(self.middle))


_NO_SHAPE: Final = Shape(0.0, None, 0, apart=False)


@dataclass(slots=True)
class Spot:
    """The answers to one client at one route; bounded."""

    answers: list[Answer] = field(default_factory=list)  # status 2xx, the latest
    conditions: list[Answer] = field(default_factory=list)  # of these, with a condition: the latest
    controls: list[int] = field(default_factory=list)  # sizes of answers 200 to sound requests, the first
    refused: int = 0  # payloads that the application would not take: 400, 404, 422
    broken: int = 0  # payloads that it broke on: 500, 502, 503
    obeyed: bool = False  # a condition or a delay was followed, at any time
    doors: list[int] = field(default_factory=list)  # status of each password sent, the latest
    left: bool = False  # a payload was more than what somebody may look for: see `carrier.sought`
    # Of the answers, until the next one; null: not asked since.
    _shape: Shape | None = field(default=None, compare=False)

    def note(self, answer: Answer) -> None:
        self._shape = None
        self.answers.append(answer)
        del self.answers[:-ANSWERS_KEPT]
        if answer.asked.condition:
            self.conditions.append(answer)
            del self.conditions[:-CONDITIONS_KEPT]

    def try_door(self, status: int) -> None:
        self.doors.append(status)
        del self.doors[:-DOORS_KEPT]

    def wrong_password(self) -> int | None:
        """The status that says that a password was wrong; None: not known."""
        usual = max(set(self.doors), key=self.doors.count, default=0)
        count = self.doors.count(usual)
        return usual if count >= WRONG and count >= 0.8 * len(self.doors) else None

    def control(self, size: int) -> None:
        if len(self.controls) < CONTROLS_KEPT:
            self.controls.append(size)

    def like_control(self, size: int) -> bool:
        """Whether a sound request of the same client was answered so."""
        return any(near(size, control) for control in self.controls)

    def one_file(self, answer: Answer) -> bool:
        """Whether this is what one file gets, however its path is written: payloads of three lengths that
        name it were answered with this very size, and of those that name others, two at least, none was."""
        same = [each for each in self.answers if each.size == answer.size]
        others = [each for each in self.answers if each.asked.name not in ("", answer.asked.name)]
        return (
            len({each.asked.length for each in same}) >= FEW
            and not any(each.size == answer.size for each in others)
            and len({each.asked.name for each in others}) > 1
        )

    def quick_us(self) -> int | None:
        """The middle of the durations of payloads that asked for no delay, µs."""
        times = [a.duration_us for a in self.answers if a.asked.delay_s is None and a.duration_us is not None]
        return int(np.median(times)) if times else None

    def shape(self) -> Shape:
        """How the answers lie. Cost is that of ANSWERS_KEPT answers, once after the latest came."""
        if self._shape is None:
            self._shape = self._found_shape() if len(self.answers) >= FEW else _NO_SHAPE
        return self._shape

    def _found_shape(self) -> Shape:
        answers = list({a.asked.payload: a for a in self.answers if a.asked.delay_s is None}.values())
        if len(answers) < FEW:
            return _NO_SHAPE
        sizes = np.array([a.size for a in answers], float)
        lengths = np.array([a.asked.length for a in answers], float)
        slope = _slope(sizes, lengths)
        residuals = sizes - slope * lengths
        order = np.argsort(residuals, kind="stable")
        ordered = residuals[order]
        width = np.maximum(NEAR, ordered / 64)
        until = np.searchsorted(ordered, ordered + width, side="right")
        counts = until - np.arange(ordered.size)
        best = int(np.argmax(counts))
        inside = order[best : int(until[best])]
        is_common = counts[best] >= FEW and counts[best] >= 0.4 * ordered.size
        return Shape(
            slope=slope,
            middle=float(np.median(residuals[inside])) if is_common else None,
            names=len({answers[i].asked.name for i in inside.tolist()}) if is_common else 0,
            apart=not is_common and float(np.ptp(sizes)) > 256,
        )

    def follows(self) -> bool | None:
        """Whether the answers follow the truth of the conditions sent; None: too few of them to tell.

        One pair tells only if the true one was answered like a sound request.
        """
        verdict = None
        if not self.conditions:
            return verdict
        for word in ("and", "or"):
            true, false = (self._of(word + sign) for sign in "+-")
            if not true or not false:
                continue
            high, low = float(np.median(true)), float(np.median(false))
            gap = max(96.0, max(high, low) / 50)
            steady = _together(true, high) and _together(false, low)
            few = len(true) + len(false) < 4
            if steady and abs(high - low) > gap:
                if not few or self.like_control(round(high)):
                    return True
            elif not few:
                verdict = False
        return verdict

    def _of(self, condition: str) -> Sequence[int]:
        return [a.size for a in self.conditions if a.asked.condition == condition]

    def document(self) -> list[Any]:
        """JSON-ready."""
        answers = [
            [[a.size, a.duration_us, list(a.asked)] for a in kept] for kept in (self.answers, self.conditions)
        ]
        return [*answers, self.controls, self.refused, self.broken, self.obeyed, self.doors, self.left]

    @staticmethod
    def of(document: Sequence[Any]) -> Spot:
        """What `document` gave."""
        answers, conditions, controls, *rest = document
        kept = [[Answer(size, took, Asked(*asked)) for size, took, asked in a] for a in (answers, conditions)]
        return Spot(kept[0], kept[1], list(controls), *rest)


def _together(sizes: Sequence[int], middle: float) -> bool:
    """Whether nearly all lie about the middle."""
    return sum(near(size, round(middle)) for size in sizes) >= 0.8 * len(sizes)


def _slope(sizes: np.ndarray[Any, Any], lengths: np.ndarray[Any, Any]) -> float:
    """B that a character of the payload adds where the page repeats it; 0: it does not."""
    if sizes.size < 4 or np.ptp(lengths) < 12 or np.ptp(sizes) == 0:
        return 0.0
    x, y = lengths - lengths.mean(), sizes - sizes.mean()
    slope = float(x @ y / (x @ x))
    related = float(x @ y) / float(np.sqrt((x @ x) * (y @ y)))
    return slope if related > 0.95 and 0.5 <= slope <= 6 else 0.0
