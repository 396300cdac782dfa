"""What was asked for: the route a path belongs to, and whether it is a page, a static file or an API call."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from logvision import columns
from logvision.enrich.routes import Routes

__all__ = ["Routes", "add"]


def add(events: pa.Table, routes: Routes) -> pa.Table:
    """Rows with `route` and `kind` of `path` added; the routes learn from the rows first.

    Needs `path`, `status` and `client_ip`; where `bot` stands already, scanners teach nothing.
    Null `path` gives null for both.
    """
    values, codes = columns.used(*columns.distinct(events, "path"))
    paths = routes.paths(values.to_pylist())
    unsettled = np.array([*map(routes.open, paths), False])  # the last answers code -1
    teaches = unsettled[codes] & _answered(events)
    if teaches.any():
        clients, client_codes = columns.distinct(events, "client_ip")
        rows = np.flatnonzero(teaches & (client_codes >= 0))
        pairs = codes[rows].astype(np.int64) * max(len(clients), 1) + client_codes[rows]
        rows = rows[np.sort(np.unique(pairs, return_index=True)[1])]  # first of each pair, in order
        who = clients.take(pa.array(client_codes[rows])).to_pylist()
        routes.learn(zip([paths[code] for code in codes[rows].tolist()], who, strict=True))
        routes.renew(paths)
    route = pa.array([path.route for path in paths], pa.string())
    kind = pa.array([path.kind for path in paths], pa.string())
    return events.append_column("route", columns.recode(route, codes)).append_column(
        "kind", columns.recode(kind, codes)
    )


def _answered(events: pa.Table) -> npt.NDArray[np.bool_]:
    """Rows that show that the site has what was asked for.

    Not "moved permanently" (301, 308): a catch-all redirect gives it to whatever is asked.
    """
    status = pc.fill_null(events.column("status"), 0).to_numpy()
    good = ((status >= 200) & (status < 300)) | np.isin(status, (302, 303, 304, 307))
    if "bot" in events.column_names:
        bots, codes = columns.distinct(events, "bot")
        scanner = [text is not None and text.startswith("scanner:") for text in bots.to_pylist()]
        good = good & ~np.array([*scanner, False])[codes]
    return np.asarray(good, np.bool_)
