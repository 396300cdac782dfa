"""Shapes of events: what all tests of some filters say of one event. Filters are asked once per shape.

A log has few shapes: what the filters say of each is remembered over batches. Columns of many values are read
only for events of which the others do not yet decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from logvision import columns
from logvision.detect import filters
from logvision.detect.filters import All, AnyOf, Filter, Not, Test
from logvision.enrich.kept import Kept
from logvision.windows.counting import present

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

COARSE: Final = ("status", "method", "kind", "bot", filters.CLAIM)
"""Columns of few values, which are read for every event."""

VALUES_KEPT: Final = 8_192
"""Values of a column of COARSE of which is remembered what its tests say."""

SHAPES_KEPT: Final = 16_384
"""Shapes of which is remembered what the filters say."""

BITS: Final = 62
"""Tests of one column that are asked together: what they say is one integer."""

MANY: Final = 3
"""From so many tests on that search texts, it is asked first in which any of them finds something."""

_GET: Final = pa.array(["GET"])
_NO_INT16: Final = -(1 << 15)  # stands for null: no status is so low


class Shapes:
    """The shapes that some filters tell apart; for one thread."""

    def __init__(self, conditions: Sequence[Filter]) -> None:
        self._conditions = tuple(conditions)
        self._bits: dict[Test, int] = {}  # of a shape, the bit of each test
        self._needs: dict[int, Mask] = {}  # by what is known of every event: which of `_dear` decide
        self._answers: dict[int, Mask] = {}  # by shape: which filters it fits
        tests = dict.fromkeys(test for condition in conditions for test in _tests(condition))
        coarse = [test for test in tests if test.field in COARSE or test.field in filters.NUMBER_FIELDS]
        self._coarse = [
            (_Numbers if field in filters.NUMBER_FIELDS else _Texts)(field, some, self._numbered(some))
            for field, some in _by_field(coarse)
        ]
        self._told = (1 << len(self._bits)) - 1  # the bits that are known of every event
        # What a GET leaves open is asked of nearly all events, and apart from what is asked of few.
        methods = [test for test in coarse if test.field == "method"]
        get = sum(self._bits[test] for test in methods if filters.fits(_GET, test)[0])
        often = {
            test
            for condition in conditions
            for test in self._open(condition, get, sum(self._bits[test] for test in methods))
        }
        self._dear = [
            _Texts(field, some, self._numbered(some))
            for part in (often, tests.keys() - often)
            for field, some in _by_field(test for test in tests if test in part and test not in coarse)
        ]

    def _numbered(self, tests: Sequence[Test]) -> int:
        """Give each a bit; the first of them."""
        first = len(self._bits)
        self._bits |= {test: 1 << first + at for at, test in enumerate(tests)}
        return first

    def of(self, events: pa.Table) -> tuple[Mask, Ints]:
        """Which shapes fit which filters (a row per shape, a column per filter), and the shape of each event.

        Shapes of which all filters say the same may differ. EVENT rows, at least one; columns that are not
        there are null.
        """
        shapes, which = [0], np.zeros(events.num_rows, np.int64)
        for column in self._coarse:
            shapes, which = _joined(shapes, which, *column.read(events))
        for number, text in enumerate(self._dear):
            wanted = np.array([self._need(shape & self._told)[number] for shape in shapes])
            rows = np.flatnonzero(wanted[which])
            if rows.size:
                answers, codes = text.read(events, rows)
                of_row = np.zeros(which.size, np.int64)
                of_row[rows] = codes + 1
                shapes, which = _joined(shapes, which, [0, *answers], of_row)
        return np.array([self._answer(shape) for shape in shapes]), which

    def _answer(self, shape: int) -> Mask:
        found = self._answers.get(shape)
        if found is None:
            if len(self._answers) >= SHAPES_KEPT:
                self._answers.clear()
            fits = [self._fits(condition, shape, -1) is True for condition in self._conditions]
            found = self._answers[shape] = np.array(fits, np.bool_)
        return found

    def _need(self, shape: int) -> Mask:
        found = self._needs.get(shape)
        if found is None:
            if len(self._needs) >= SHAPES_KEPT:
                self._needs.clear()
            decide = {
                test for condition in self._conditions for test in self._open(condition, shape, self._told)
            }
            needs = [not decide.isdisjoint(column.tests) for column in self._dear]
            found = self._needs[shape] = np.array(needs, np.bool_)
        return found

    def _open(self, condition: Filter, shape: int, told: int) -> Iterator[Test]:
        """The tests on which it still depends whether an event fits of which so much is told."""
        if self._fits(condition, shape, told) is not None:
            return
        match condition:
            case Test():
                yield condition
            case Not(part):
                yield from self._open(part, shape, told)
            case All(parts) | AnyOf(parts):
                for part in parts:
                    yield from self._open(part, shape, told)

    def _fits(self, condition: Filter, shape: int, told: int) -> bool | None:
        """Whether a shape fits; None: what is told of it does not decide."""
        match condition:
            case Test():
                bit = self._bits.get(condition, 0)  # while bits are given, some have none yet
                return bool(shape & bit) if told & bit else None
            case Not(part):
                fits = self._fits(part, shape, told)
                return None if fits is None else not fits
            case All(parts):
                every = [self._fits(part, shape, told) for part in parts]
                return False if False in every else None if None in every else True
            case AnyOf(parts):
                some = [self._fits(part, shape, told) for part in parts]
                return True if True in some else None if None in some else False


class _Texts:
    """A text column and the tests of it."""

    def __init__(self, field: str, tests: Sequence[Test], first: int) -> None:
        """`first`: the bit of the first test."""
        self.tests = tuple(tests)
        self._field = field
        self._first = first
        self._null = sum(1 << first + at for at, test in enumerate(tests) if None in test.values)
        self._kept: Kept[int] = Kept(VALUES_KEPT, self._ask)
        searched = [e for test in tests if (e := filters.expression(test)) is not None]
        self._any = "|".join(searched) if len(searched) >= MANY else None

    def read(self, events: pa.Table, rows: Ints | None = None) -> tuple[list[int], Ints]:
        """What the tests say of these rows (None: all): distinct answers, as bits, and which one each has."""
        if self._field not in events.column_names:
            return [self._null], np.zeros(events.num_rows if rows is None else rows.size, np.int64)
        values, codes = columns.distinct(events, self._field)
        if rows is not None:
            codes = codes[rows]
            if len(values) > 2 * codes.size:
                values, codes = columns.used(values, codes)
        answers, of_value = self._kept.answers(values) if rows is None else self._ask(values)
        of_code: Ints = np.append(of_value, len(answers)).astype(np.int64)  # the last answers code -1
        return [*answers, self._null], of_code[codes]

    def _ask(self, texts: pa.StringArray) -> tuple[Sequence[int], columns.Codes]:
        if self._any is None:
            return _distinct([filters.fits(texts, test) for test in self.tests], self._first)
        likely = np.flatnonzero(pc.match_substring_regex(texts, self._any, ignore_case=True).to_numpy(False))
        few, masks = texts.take(pa.array(likely)), []
        for test in self.tests:
            mask = np.zeros(len(texts), np.bool_)
            searched = filters.expression(test) is not None
            mask[likely if searched else slice(None)] = filters.fits(few if searched else texts, test)
            masks.append(mask)
        return _distinct(masks, self._first)


class _Numbers:
    """A column of numbers and the tests of it."""

    def __init__(self, field: str, tests: Sequence[Test], first: int) -> None:
        """`first`: the bit of the first test."""
        self.tests = tuple(tests)
        self._field = field
        self._first = first
        self._kept: dict[float, int] = {}

    def read(self, events: pa.Table) -> tuple[list[int], Ints]:
        """As `_Texts.read`, of all rows."""
        column = events[self._field]
        if pa.types.is_int16(column.type):
            given = pc.fill_null(column, _NO_INT16).to_numpy().astype(np.int64)
            low = int(given.min())
            used, place = present(given - low, int(given.max()) - low + 1)
            values = np.where(used + low == _NO_INT16, np.inf, used + low)
        else:
            given = pc.cast(column, pa.float64()).fill_null(np.inf).to_numpy()
            values, place = np.unique(given, return_inverse=True)
        wanted = values.tolist()
        new = [value for value in wanted if value not in self._kept]
        if new:
            if len(self._kept) + len(new) > VALUES_KEPT:
                self._kept, new = {}, wanted
            asked = np.array(new)
            answers, codes = _distinct([filters.holds(asked, test) for test in self.tests], self._first)
            self._kept |= {value: answers[code] for value, code in zip(new, codes.tolist(), strict=True)}
        return [self._kept[value] for value in wanted], place


def _by_field(tests: Iterable[Test]) -> Iterator[tuple[str, list[Test]]]:
    """Tests by their column, at most BITS at once."""
    fields: dict[str, list[Test]] = {}
    for test in tests:
        fields.setdefault(test.field, []).append(test)
    for field, every in fields.items():
        for at in range(0, len(every), BITS):
            yield field, every[at : at + BITS]


def _tests(condition: Filter) -> Iterator[Test]:
    match condition:
        case Test():
            yield condition
        case Not(part):
            yield from _tests(part)
        case All(parts) | AnyOf(parts):
            for part in parts:
                yield from _tests(part)


def _distinct(masks: Sequence[Mask], first: int) -> tuple[list[int], columns.Codes]:
    """The distinct answers of some tests, as bits from `first` on, and which one each value has."""
    said = np.zeros(masks[0].size, np.min_scalar_type((1 << len(masks)) - 1))
    for at, mask in enumerate(masks):
        said |= mask.astype(said.dtype) << said.dtype.type(at)
    answers, codes = present(said.astype(np.int64), 1 << len(masks))
    return [answer << first for answer in answers.tolist()], codes.astype(np.int32)


def _joined(shapes: list[int], which: Ints, answers: list[int], codes: Ints) -> tuple[list[int], Ints]:
    """The shapes that one more column makes of these, and which one each event has."""
    if len(answers) == 1:
        return [shape | answers[0] for shape in shapes], which
    found, which = present(which * len(answers) + codes, len(shapes) * len(answers))
    return [shapes[at // len(answers)] | answers[at % len(answers)] for at in found.tolist()], which
