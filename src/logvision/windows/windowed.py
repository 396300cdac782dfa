"""The windows of one batch: counts of dimensions in each of them, bounded and in the order of PARTIAL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from logvision import columns
from logvision.schema import PARTIAL, TIME
from logvision.windows import visitors
from logvision.windows.counting import MEASURES, Batch, Groups, Ints, present
from logvision.windows.dimensions import ALL, HOUR, kept
from logvision.windows.heavy import bounded


class Counted(NamedTuple):
    """One dimension in windows of one grain: each value that occurs in each of them, in no order."""

    dimension: str
    groups: Groups
    values: pa.StringArray
    group: Ints  # of each row, one of `groups`
    code: columns.Codes  # of each row, one of `values`; -1: null
    measures: Ints  # rows of MEASURES
    met: pa.Array  # of each group, a sketch of the addresses that it met; null: not asked


def counted(
    batch: Batch, groups: Groups, dimension: str, values: pa.StringArray, codes: columns.Codes
) -> Counted:
    """Count one dimension: its values, and which one each row of the batch has (-1: null)."""
    asked = dimension == ALL and groups.grain == HOUR
    met = _met(batch, groups) if asked else pa.nulls(groups.start.size, pa.binary())
    return Counted(dimension, groups, values, *batch.count(groups, codes, len(values)), met)


def table(counts: Sequence[Counted], sites: pa.StringArray) -> pa.Table:
    """PARTIAL of some dimensions, in their order; `sites`: those of their codes.

    All are sorted and bounded together: of few rows nearly all of the cost is that of the calls.
    """
    if not counts:
        return PARTIAL.empty_table()
    groups = [one.groups.start.size for one in counts]
    base = np.cumsum([0, *groups])
    window = np.concatenate([one.group + at for one, at in zip(counts, base, strict=False)])
    measures = np.concatenate([one.measures for one in counts])
    code = np.concatenate([one.code for one in counts])
    most = int(measures[:, 0].max())
    order = np.argsort(window * (most + 1) + (most - measures[:, 0]))
    limits = np.repeat([kept(one.dimension) for one in counts], groups)[window[order]]
    window, code, measures, error = bounded(window[order], code[order], measures[order], limits)
    ends = np.searchsorted(window, base)
    rows = np.diff(ends)
    dimensions = pa.array([one.dimension for one in counts], pa.string()).dictionary_encode()
    values = [
        columns.spread(one.values, code[begin:end])
        for one, begin, end in zip(counts, ends, ends[1:], strict=False)
    ]
    start = np.concatenate([one.groups.start for one in counts])[window]
    met = pa.concat_arrays([one.met for one in counts])
    return pa.table(
        {
            "grain": np.repeat(np.array([one.groups.grain for one in counts], np.int32), rows),
            "start": pa.array(start * 1_000_000, TIME),
            "site": columns.text(sites, np.concatenate([one.groups.site for one in counts])[window]),
            "dimension": columns.text(
                dimensions.dictionary, np.repeat(dimensions.indices.to_numpy(), rows).astype(np.int32)
            ),
            "value": pa.concat_arrays(values),
            **{name: np.ascontiguousarray(measures[:, at]) for at, name in enumerate(MEASURES)},
            "error": error,
            "visitors": met.take(pa.array(window)),
        },
        schema=PARTIAL,
    )


def _met(batch: Batch, groups: Groups) -> pa.Array:
    """A sketch of the addresses that each group met."""
    addresses, codes = columns.distinct(batch.events, "client_ip")
    known = codes >= 0
    width = max(len(addresses), 1)
    met, _ = present(groups.of_row[known] * width + codes[known], groups.start.size * width)
    group, code = met // width, met % width
    ends = np.searchsorted(group, np.arange(groups.start.size), side="right").tolist()
    sketches, begin = [], 0
    for end in ends:
        sketches.append(visitors.of(addresses.take(pa.array(code[begin:end]))))
        begin = end
    return pa.array(sketches, pa.binary())
