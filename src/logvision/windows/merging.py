"""Merging partials, one dimension after the other: what stands in memory beside them is of one dimension."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from logvision import columns
from logvision.schema import PARTIAL, TIME
from logvision.windows import visitors
from logvision.windows.counting import MEASURES, Ints, total
from logvision.windows.dimensions import ALL, OTHER_SITES, SITES_KEPT, kept
from logvision.windows.heavy import bounded


def merged(tables: Sequence[pa.Table]) -> pa.Table:
    """One row per window and value, by grain, dimension, start and site, in each window the largest first.

    A question reads one dimension of one grain: in this order a stored table skips the rest. Values of
    equal requests stand in no order.
    """
    part = np.repeat(np.arange(len(tables)), [table.num_rows for table in tables])
    return _combined(pa.concat_tables(tables), part)


def rolled(partials: pa.Table, grain: int) -> pa.Table:
    """The same counts in windows of `grain` seconds."""
    start = partials["start"].cast(pa.int64()).to_numpy()
    width = grain * 1_000_000
    wider = {
        "grain": pa.array(np.full(start.size, grain, np.int32)),
        # Division rounds down, so windows before 1970 are right too.
        "start": pa.array(start // width * width, TIME),
    }
    rows = [wider.get(name, partials[name]) for name in PARTIAL.names]
    return _combined(pa.table(rows, schema=PARTIAL), np.unique(start, return_inverse=True)[1])


class _Windows(NamedTuple):
    """Windows by number, in the order of grain, start and site (null first)."""

    grains: Ints  # s, ascending
    starts: Ints  # µs since the epoch, ascending
    sites: pa.StringArray  # by text
    of_row: Ints

    @classmethod
    def of(cls, rows: pa.Table) -> Self:
        grains, grain = np.unique(rows["grain"].to_numpy(), return_inverse=True)
        starts, start = np.unique(rows["start"].cast(pa.int64()).to_numpy(), return_inverse=True)
        sites, site = columns.distinct(rows, "site")
        by_text = pc.sort_indices(sites)
        place = np.append(np.argsort(by_text.to_numpy()) + 1, 0)  # of code -1, null, the first
        of_row = (grain * starts.size + start) * place.size + place[site]
        return cls(grains.astype(np.int64), starts, sites.take(by_text), of_row)

    def table(self, numbers: Ints) -> dict[str, pa.Array]:
        """Columns `grain`, `start` and `site` of windows."""
        moment, site = np.divmod(numbers, len(self.sites) + 1)
        grain, start = np.divmod(moment, self.starts.size)
        return {
            "grain": pa.array(self.grains[grain].astype(np.int32)),
            "start": pa.array(self.starts[start], TIME),
            "site": columns.text(self.sites, (site - 1).astype(np.int32)),
        }


def _combined(rows: pa.Table, part: Ints) -> pa.Table:
    """`part`: of which of the former windows each row tells. What each of those dropped adds up."""
    if not rows.num_rows:
        return PARTIAL.empty_table()
    names, dimension = columns.distinct(rows, "dimension")
    code_of = {name: code for code, name in enumerate(names.to_pylist())}
    windows = _Windows.of(rows)
    named = _named(rows, windows, dimension == code_of[ALL]) if ALL in code_of else windows
    if named is not windows:  # some of them become one
        part = np.unique(part * (int(windows.of_row.max()) + 1) + windows.of_row, return_inverse=True)[1]
    done = [
        _of_dimension(rows, named, part, chosen, name)
        for name in sorted(code_of)
        if (chosen := np.flatnonzero(dimension == code_of[name])).size
    ]
    by_grain = [of_grain(table, grain) for grain in named.grains.tolist() for table in done]
    return pa.concat_tables(by_grain).unify_dictionaries().combine_chunks()


def of_grain(partials: pa.Table, grain: int) -> pa.Table:
    """The rows of one grain of a table that is in the order of `merged`; nothing is copied."""
    grains = partials["grain"].to_numpy()
    begin, end = np.searchsorted(grains, grain, "left"), np.searchsorted(grains, grain, "right")
    return partials.slice(begin, end - begin)


def _of_dimension(rows: pa.Table, windows: _Windows, part: Ints, chosen: Ints, dimension: str) -> pa.Table:
    """The `chosen` rows, which are all of one dimension, by window."""
    its = rows.select(["value", *MEASURES, "error", "visitors"]).take(pa.array(chosen))
    window = windows.of_row[chosen]
    values = its["value"].combine_chunks().dictionary_encode()
    code = columns.codes_of(values)
    pair = window * (len(values.dictionary) + 1) + code + 1
    order = np.argsort(pair, kind="stable")
    begins = np.flatnonzero(np.concatenate([[True], np.diff(pair[order]) > 0]))
    sums = np.stack([np.add.reduceat(its[name].to_numpy()[order], begins) for name in MEASURES], 1)
    window_, code_ = window[order[begins]], code[order[begins]]
    # A row that only tells of what was dropped is needed where nothing else is left of its window.
    nothing = sums[:, 0] == 0
    left = ~nothing | ~np.isin(window_, window_[~nothing])
    by_size = np.flatnonzero(left)[np.lexsort((-sums[left, 0], window_[left]))]
    found, value, sums, taken = bounded(window_[by_size], code_[by_size], sums[by_size], kept(dimension))
    error = taken + _lost(its["error"].to_numpy(), part[chosen], window, found)
    met = _met(its["visitors"], window, found) if dimension == ALL else pa.nulls(found.size, pa.binary())
    return pa.table(
        {
            **windows.table(found),
            "dimension": columns.constant(dimension, found.size),
            "value": columns.spread(values.dictionary, value),
            **{name: np.ascontiguousarray(sums[:, at]) for at, name in enumerate(MEASURES)},
            "error": error,
            "visitors": met,
        },
        schema=PARTIAL,
    )


def _lost(error: Ints, part: Ints, window: Ints, asked: Ints) -> Ints:
    """What the parts of each window asked for had dropped before, added up."""
    some = np.flatnonzero(error)
    if not some.size:
        return np.zeros(asked.size, np.int64)
    width = int(part.max()) + 1
    keys, at = np.unique(window[some] * width + part[some], return_inverse=True)
    most = np.zeros(keys.size, np.int64)
    np.maximum.at(most, at, error[some])
    names, at = np.unique(keys // width, return_inverse=True)
    sums = total(at, names.size, most)
    place = np.minimum(np.searchsorted(names, asked), names.size - 1)
    return np.where(names[place] == asked, sums[place], 0)


def _met(sketches: pa.ChunkedArray, window: Ints, asked: Ints) -> pa.Array:
    """One sketch of each window asked for: of those that have several, their union."""
    met: dict[int, list[bytes]] = {}
    known = sketches.is_valid().to_numpy()
    for number, sketch in zip(window[known].tolist(), sketches.drop_null().to_pylist(), strict=True):
        met.setdefault(number, []).append(sketch)
    found = [met.get(number, ()) for number in asked.tolist()]
    united = [None if not one else one[0] if len(one) == 1 else visitors.union(one) for one in found]
    return pa.array(united, pa.binary())


def _named(rows: pa.Table, windows: _Windows, whole: npt.NDArray[np.bool_]) -> _Windows:
    """Windows of which no moment has more than SITES_KEPT sites: the smallest become OTHER_SITES.

    `whole`: which rows are of ALL. Nearly always that is so already, and `windows` themselves come back.
    """
    width = len(windows.sites) + 1
    found, at = np.unique(windows.of_row[whole], return_inverse=True)
    moment, site = np.divmod(found, width)
    if int(np.unique(moment, return_counts=True)[1].max(initial=0)) <= SITES_KEPT:
        return windows
    names = windows.sites.to_pylist()
    if OTHER_SITES not in names:
        names.append(OTHER_SITES)
    other = names.index(OTHER_SITES)
    requests = total(at, found.size, rows["requests"].to_numpy()[whole])
    order = np.lexsort((site, -requests, moment))
    order = order[site[order] - 1 != other]
    nth = np.arange(order.size) - np.searchsorted(moment[order], moment[order])
    known = np.isin(windows.of_row, found[order[nth < SITES_KEPT - 1]])
    code = np.where(known, windows.of_row % width - 1, other).astype(np.int32)
    renamed = columns.text(pa.array(names, pa.string()), code)
    return _Windows.of(rows.set_column(rows.column_names.index("site"), "site", renamed))
