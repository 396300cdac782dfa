"""What an exception silences: the events that name it, and the incidents that they would have been."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pyarrow as pa

from logvision.app.stores import Stores, site_of
from logvision.detect import Detector
from logvision.detect.alerts import alerts_of
from logvision.detect.cascade import Verification
from logvision.detect.correlate import Correlator
from logvision.detect.detector import detect
from logvision.detect.site import Site, reconsider
from logvision.exemption import MARK
from logvision.incident import Incident
from logvision.lake import queries
from logvision.lake.queries import Database, Filter, Question
from logvision.lake.queries.filter import Term, Test
from logvision.schema import EVENT, Severity

SEVERITIES: Final = list(Severity)

REPLAYED: Final = 20_000
"""Events of an exception that are judged again, the newest, to see which incidents they would be."""

JUDGED: Final = ("score", "attack", "rules", "outcome")


def counted(database: Database, exemption_id: str) -> queries.Totals:
    """How many events an exception has silenced, and when, as far as the lake still keeps them."""
    return queries.totals(database, _question(exemption_id))


def without(stores: Stores, exemption_id: str, detector: Detector) -> list[Incident]:
    """The incidents that the silenced events would have been, the worst first; seconds at most."""
    site = Site(site_of(stores.casebook).profiles)
    fresh = replace(detector, verification=Verification())
    correlator = Correlator()
    found: dict[str, Incident] = {}
    database = Database(stores.lake)
    try:
        newest = queries.newest(database, _question(exemption_id), REPLAYED)
        for table in queries.tables(database, newest, oldest_first=True):
            events = reconsider(judged_again(table, fresh), fresh, site)
            for incident in correlator.step(alerts_of(events), events):
                found[incident.id] = incident
    finally:
        database.close()
    return sorted(found.values(), key=lambda each: (-SEVERITIES.index(each.severity), -each.score, each.id))


def judged_again(events: pa.Table, detector: Detector) -> pa.Table:
    """EVENT rows from rows of the lake, with the verdict of this detector: everything is read."""
    bare = events.drop_columns(list(JUDGED))
    kept = pa.schema([field for field in EVENT if field.name not in JUDGED])
    return detect(bare.cast(kept), detector, bounded=False)


def _question(exemption_id: str) -> Question:
    return Question(filter=Filter((Term("rules", Test.EQUAL, MARK + exemption_id),)))
