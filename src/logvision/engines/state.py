"""What an engine keeps between batches after rows are judged: windows, buckets, open incidents, seasons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
import zstandard

from logvision.detect.alerts import alerts_of
from logvision.detect.behaviour import Behaviour
from logvision.detect.correlate import Correlator
from logvision.detect.volume import Volume
from logvision.incident import Incident
from logvision.schema import EVENT
from logvision.windows.folder import Folder


@dataclass(slots=True)
class State:
    """What folding keeps between batches; saved with the casebook so that a restart goes on."""

    folder: Folder
    behaviour: Behaviour
    correlator: Correlator
    volume: Volume

    def save(self) -> dict[str, bytes]:
        """Named states for the casebook, packed: they are megabytes of numbers, most of them alike."""
        # One by one: unpacked, each takes as much memory as a block of lines.
        pack = zstandard.ZstdCompressor(level=1).compress
        return {
            "behaviour": pack(self.behaviour.snapshot()),
            "correlator": pack(self.correlator.snapshot()),
            "volume": pack(self.volume.snapshot()),
        }

    def restore(self, load: Callable[[str], bytes | None]) -> bool:
        """Take up what `save` gave; False when nothing was ever saved."""
        behaviour, correlator, volume = (_unpacked(load(n)) for n in ("behaviour", "correlator", "volume"))
        if behaviour is None or correlator is None:
            return False
        self.behaviour.restore(behaviour)
        self.correlator.restore(correlator)
        if volume is not None:
            self.volume.restore(volume)
        return True

    def correlate(self, events: pa.Table, claims: pa.DictionaryArray | None = None) -> Sequence[Incident]:
        """Incidents that these events changed; `claims`: see `Behaviour.step`."""
        alerts = pa.concat_tables([alerts_of(events), self.behaviour.step(events, claims)])
        return self.correlator.step(alerts, events)

    def measure(self, partials: pa.Table, until: datetime) -> Sequence[Incident]:
        """Incidents that these counts changed; `until`: no earlier minute will come any more."""
        alerts = self.volume.step(partials, until)
        return self.correlator.step(alerts, EVENT.empty_table()) if alerts.num_rows else ()


def in_order(rows: pa.Table) -> pa.Table:
    """Rows by source and position: as each log was read, in however many parts and wherever.

    So what is folded again gives the same incidents, also where the times of a log go back.
    """
    keys = pa.table({"source": rows.column("source").cast(pa.string()), "position": rows.column("position")})
    order = pc.sort_indices(keys, [("source", "ascending"), ("position", "ascending")])
    return rows.take(order) if rows.num_rows > 1 else rows


def _unpacked(state: bytes | None) -> bytes | None:
    """As it was before it was packed; the states of older versions were not."""
    if state is None or not state.startswith(zstandard.FRAME_HEADER):
        return state
    return zstandard.ZstdDecompressor().decompress(state)
