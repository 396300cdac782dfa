"""What Prometheus gets of sources and checks beside what the process counts itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from logvision.metrics import Metrics
from logvision.web.models import Check, SourceRow

_OF_SOURCES: Final = {
    "lag_bytes": ("logvision_source_lag_bytes", "Bytes of a source that wait to be read"),
    "lines_per_second": ("logvision_source_lines_per_second", "Lines read of a source in the last seconds"),
    "events": ("logvision_source_events_rows", "Lines of a source that became events"),
    "rejects": ("logvision_source_rejects_rows", "Lines of a source that did not"),
    "late": ("logvision_source_late_rows", "Events of a source that came late, behind its watermark"),
}


def measure(metrics: Metrics, sources: Iterable[SourceRow], checks: Iterable[Check]) -> None:
    """Set the gauges of sources (unknown values are left out) and checks (1: all is well)."""
    for row in sources:
        for name, (gauge, text) in _OF_SOURCES.items():
            value = getattr(row, name)
            if value is not None:
                metrics.gauge(gauge, text).set(value, source=row.source)
    for check in checks:
        metrics.gauge("logvision_check_ok", "Whether a part is well").set(float(check.ok), check=check.name)
