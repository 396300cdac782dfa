"""How an engine numbers the texts of a column is no part of what it says: another does it another way."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from logvision import pipeline
from logvision.app import parts
from logvision.config import Settings
from logvision.incident import Incident
from logvision.schema import RECORD, REJECT
from spark_captures import executor, generated

READ_AT = datetime(2026, 3, 3, tzinfo=UTC)


def renumbered(events: pa.Table, random: np.random.Generator) -> pa.Table:
    """The same rows, the values of every text column numbered at random, among them some of no row."""
    columns = []
    for name in events.column_names:
        column = events[name].combine_chunks()
        if isinstance(column, pa.DictionaryArray):
            values = pa.concat_arrays(
                [column.dictionary, pa.array(["of no row"]).cast(column.dictionary.type)]
            )
            places = random.permutation(len(values))
            number = np.empty(len(values), np.int32)
            number[places] = np.arange(len(values))
            codes = column.indices.fill_null(-1).to_numpy(zero_copy_only=False)
            indices = pa.array(number[codes], pa.int32(), mask=codes < 0)
            column = pa.DictionaryArray.from_arrays(indices, values.take(pa.array(places)))
        columns.append(column)
    return pa.table(columns, schema=events.schema)


class Half:
    """What an engine does with judged rows, batch by batch."""

    def __init__(self) -> None:
        self.known, self.state = parts.knowledge(Settings()), parts.state(Settings())

    def take(self, events: pa.Table) -> tuple[list[dict[str, object]], list[Incident]]:
        flow = pipeline.Flow(RECORD.empty_table(), READ_AT, events, REJECT.empty_table())
        said = pipeline.through(pipeline.LEARNING, flow, self.known).events
        found = list(self.state.correlate(said, None))
        self.state.folder.add(said)
        partials = self.state.folder.take()
        found += self.state.measure(partials, max(said["time"].to_pylist()))
        return said.to_pylist(), found


@pytest.mark.slow
def test_what_is_learned_and_found_does_not_follow_it() -> None:
    random, known = np.random.default_rng(1), executor()
    one, other = Half(), Half()
    for piece in generated(12_000, sources=4, seed=40).slices(6_000):
        records = pa.concat_tables(piece.values())
        flow = pipeline.through(pipeline.ALONE, pipeline.begin(records, READ_AT), known)
        assert one.take(flow.events) == other.take(renumbered(flow.events, random))
        assert one.known.save() == other.known.save()
        assert one.state.save() == other.state.save()
