"""Options that ask for a part of the events: time range, site, filter."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from logvision.clock import SystemClock
from logvision.errors import Problem, SetupError
from logvision.lake.queries import FilterError, Question, question

From = Annotated[
    str | None,
    typer.Option("--from", help="Events from here on: ISO 8601 (UTC), or now-24h (s, m, h, d, w)."),
]
To = Annotated[str | None, typer.Option("--to", help="Events before this time; the same forms.")]
Site = Annotated[str | None, typer.Option("--site", help="Events of this virtual host alone.")]
Query = Annotated[
    str | None,
    typer.Option("--query", "-q", help='Filter, e.g. "status:404 path:/admin* -bot:search* attack:sqli".'),
]


def asked(start: str | None, end: str | None, site: str | None, query: str | None) -> Question:
    """The question that these options ask now. Raises SetupError."""
    now = datetime.fromtimestamp(SystemClock().now(), UTC)
    try:
        return question(start, end, site, query, now=now)
    except FilterError as error:
        raise SetupError(Problem("--from, --to, --query", str(error), "a time and a filter")) from None
