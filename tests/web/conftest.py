"""A web application over stores with a few events, one incident and one reject."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from web_sites import HOSTILE, Site, incident

from event_tables import NOON, event
from lake_folders import commit, reject
from logvision.casebook.sqlite import SqliteCasebook
from logvision.clock import SettableClock
from logvision.lake.segments import Lake
from logvision.live.memory import MemoryLive
from logvision.schema import Reason


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Lake.open(tmp_path / "data", writer=True) as lake:
        rows = [event(position=i + 1, time=NOON + timedelta(seconds=i), bytes=i) for i in range(5)]
        attack = {
            "attack": "sqli",
            "rules": "sqli-1 sqli-2",
            "outcome": "missed",
            "score": 0.9,
            "status": 404,
        }
        rows.append(
            event(position=6, time=NOON + timedelta(seconds=6), target=HOSTILE, user_agent=HOSTILE, **attack)
        )
        commit(lake, rows, reject(HOSTILE.encode(), Reason.NO_FORMAT, 7))
        casebook = SqliteCasebook(tmp_path / "casebook.sqlite")
        casebook.apply([incident()])
        live = MemoryLive()
        clock = SettableClock(datetime(2024, 5, 14, 13, tzinfo=UTC).timestamp())
        yield Site(lake, casebook, live, clock, tmp_path / "static")
        live.close()
        casebook.close()


@pytest.fixture
def client(site: Site) -> Iterator[httpx.Client]:
    with site.client() as opened:
        yield opened
