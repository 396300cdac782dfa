"""What was asked for: the route a path belongs to, and whether it is a page, a static file or an API call."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from logvision import columns
from logvision.enrich import shape
from logvision.enrich.routes import Answers, Routes, numbers

__all__ = ["Routes", "add"]

_TEACHES: Final = np.isin(np.arange(401), (*range(200, 300), 302, 303, 304, 307))
_KINDS: Final = pa.array(shape.KINDS, pa.string())


def add(events: pa.Table, routes: Routes) -> pa.Table:
    """Rows with `route` and `kind` of `path` added; the routes learn from the rows first.

    Needs `path`, `status` and `client_ip`; where `bot` stands already, scanners teach nothing.
    Null `path` gives null for both.
    """
    values, codes = columns.used(*columns.distinct(events, "path"))
    clients, client_codes = columns.distinct(events, "client_ip")
    rows = np.flatnonzero(answered(events) & (codes >= 0) & (client_codes >= 0))
    found = routes.find(values, Answers(codes[rows], numbers(clients)[client_codes[rows]]))
    route = columns.through(found.of_path, codes)
    kind = columns.through(found.kinds, codes)
    return events.append_column("route", columns.recode(found.routes, route)).append_column(
        "kind", columns.text(_KINDS, kind)
    )


def answered(events: pa.Table) -> npt.NDArray[np.bool_]:
    """Rows that show that the site has what was asked for; none of a scanner, where `bot` stands already.

    Not "moved permanently" (301, 308): a catch-all redirect gives it to whatever is asked.
    """
    status = pc.fill_null(events.column("status"), 0).to_numpy()
    good = _TEACHES[np.clip(status, 0, len(_TEACHES) - 1)]
    if "bot" in events.column_names:
        bots, codes = columns.distinct(events, "bot")
        scanner = [text is not None and text.startswith("scanner:") for text in bots.to_pylist()]
        good = good & ~np.array([*scanner, False])[codes]
    return np.asarray(good, np.bool_)
